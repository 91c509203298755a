// SPDX-License-Identifier: Apache-2.0
// npurt::softmax against double, on the emulated NPU.
#include "npurt/ops/softmax.hpp"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "bf16-softmax/reference.hpp"
#include "npurt/npurt.hpp"
#include "ops/bf16_check.hpp"
#include "ops/row_shapes.hpp"
#include "support/refused_dimension.hpp"

using namespace npurt::test;
using npurt::tensor_view;

namespace {

bf16s on_device(npurt::device& device, const bf16s& x, const row_shape& shape) {
  bf16s y = untouched(x.size());
  npurt::softmax(device, tensor_view(x, shape.rows, shape.columns), tensor_view(y, shape.rows, shape.columns));
  return y;
}

/// x with -inf where a mask leaves nothing.
bf16s masked(bf16s x, const row_shape& shape, const npurt::softmax_mask& mask) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto row = static_cast<std::ptrdiff_t>(i / shape.columns),
               column = static_cast<std::ptrdiff_t>(i % shape.columns);
    const bool hidden =
        (mask.length && i % shape.columns >= *mask.length) || (mask.causal && column > row + mask.offset);
    if (hidden) x[i] = npurt::to_bfloat16(-std::numeric_limits<float>::infinity());
  }
  return x;
}

void check_sums(const bf16s& y, const row_shape& shape) {
  double worst = 0;
  for (std::size_t row = 0; row < shape.rows; ++row) {
    double sum = 0;
    for (std::size_t i = 0; i < shape.columns; ++i) sum += npurt::to_float(y[row * shape.columns + i]);
    worst = std::max(worst, std::abs(sum - 1));
  }
  INFO(shape.rows << " rows of " << shape.columns);
  CHECK(worst <= 0x1p-7);
}

}  // namespace

TEST_CASE("softmax is within its bounds at every shape", "[ops][softmax]") {
  npurt::device device;
  std::mt19937 random(1);
  accuracy all(0x1p-10, 0x1p-18);
  for (std::size_t i = 0; i < std::size(row_shapes); ++i) {
    const row_shape& shape = row_shapes[i];
    const bf16s x = normal_bf16(shape.rows * shape.columns, 1, i % 2 == 0 ? 2 : 10, random);
    const bf16s y = on_device(device, x, shape);
    const std::vector<double> wanted = npurt::kernels::reference::softmax(widened(x), shape.columns);
    for (std::size_t j = 0; j < y.size(); ++j) all.add(y[j], wanted[j]);
    check_sums(y, shape);
  }
  all.check();
}

TEST_CASE("softmax masks what lies behind a length, and what later rows alone see", "[ops][softmax]") {
  npurt::device device;
  std::mt19937 random(11);
  accuracy all(0x1p-10, 0x1p-18);
  for (std::size_t i = 0; i < std::size(row_shapes); ++i) {
    const row_shape& shape = row_shapes[i];
    const auto rows = static_cast<std::ptrdiff_t>(shape.rows), columns = static_cast<std::ptrdiff_t>(shape.columns);
    const npurt::softmax_mask masks[]{{.length = (shape.columns + 1) / 2},
                                      {.causal = true},
                                      {.length = shape.columns, .causal = true, .offset = columns - rows},
                                      {.length = shape.columns / 3, .causal = true, .offset = -2}};
    const npurt::softmax_mask& mask = masks[i % std::size(masks)];
    const bf16s x = normal_bf16(shape.rows * shape.columns, 0, 3, random);
    bf16s y = untouched(x.size());
    npurt::softmax(device, tensor_view(x, shape.rows, shape.columns), tensor_view(y, shape.rows, shape.columns), mask);
    const bf16s left = masked(x, shape, mask);
    const std::vector<double> wanted = npurt::kernels::reference::softmax(widened(left), shape.columns);
    for (std::size_t j = 0; j < y.size(); ++j) {
      all.add(y[j], wanted[j]);
      REQUIRE((std::isfinite(npurt::to_float(left[j])) || bits_of(y[j]) == 0));
    }
  }
  all.check();
}

TEST_CASE("softmax gives 0 to rows that are masked as a whole", "[ops][softmax]") {
  npurt::device device;
  const bf16s x(5 * 40, npurt::to_bfloat16(1));
  for (const npurt::softmax_mask& mask :
       {npurt::softmax_mask{.length = 0}, {.causal = true, .offset = -5}, {.causal = true, .offset = -1000000000}}) {
    bf16s y = untouched(x.size());
    npurt::softmax(device, tensor_view(x, 5, 40), tensor_view(y, 5, 40), mask);
    for (const bf16 each : y) CHECK(bits_of(each) == 0);
  }
}

TEST_CASE("softmax adds a matrix to x first", "[ops][softmax]") {
  npurt::device device;
  std::mt19937 random(12);
  const bf16 hidden = npurt::to_bfloat16(-std::numeric_limits<float>::infinity());
  accuracy all(0x1p-10, 0x1p-18);
  for (std::size_t i = 0; i < std::size(row_shapes); i += 2) {
    const row_shape& shape = row_shapes[i];
    const bf16s x = normal_bf16(shape.rows * shape.columns, 0, 3, random);
    bf16s more = normal_bf16(x.size(), 0, 1, random), sum(x.size()), y = untouched(x.size());
    for (std::size_t j = 0; j < x.size(); j += 2) more[j] = j % 3 == 0 ? hidden : bf16(0);
    for (std::size_t j = 0; j < x.size(); ++j)
      sum[j] = npurt::to_bfloat16(npurt::to_float(x[j]) + npurt::to_float(more[j]));
    const npurt::softmax_mask mask{.causal = i % 4 == 0, .offset = 3};
    npurt::softmax(device, tensor_view(x, shape.rows, shape.columns), tensor_view(more, shape.rows, shape.columns),
                   tensor_view(y, shape.rows, shape.columns), mask);
    const std::vector<double> wanted =
        npurt::kernels::reference::softmax(widened(masked(sum, shape, mask)), shape.columns);
    for (std::size_t j = 0; j < y.size(); ++j) all.add(y[j], wanted[j]);
  }
  all.check();
}

TEST_CASE("a softmax plan with another input is started and waited for", "[ops][softmax]") {
  npurt::device device;
  std::mt19937 random(13);
  const bf16s x = normal_bf16(300, 0, 1, random), more = normal_bf16(300, 0, 1, random);
  npurt::softmax_plan plan(device, 3, 100, {.length = 77}, npurt::softmax_plan::inputs::x_and_more);
  bf16s y = untouched(300), again = untouched(300);
  plan.start(tensor_view(x, 3, 100), tensor_view(more, 3, 100));
  plan.wait(tensor_view(y, 3, 100));
  npurt::softmax(device, tensor_view(x, 3, 100), tensor_view(more, 3, 100), tensor_view(again, 3, 100), {.length = 77});
  CHECK(same_bits(y, again));
  CHECK_THROWS_AS(plan.start(tensor_view(x, 3, 100)), npurt::value_error);
  CHECK_THROWS_AS(npurt::softmax_plan(device, 3, 100, {.length = 101}), npurt::value_error);
}

TEST_CASE("softmax of rows of equal elements is even, however large they are", "[ops][softmax]") {
  npurt::device device;
  for (const float value : {0.0F, 1e30F, -1e30F, 3e38F}) {
    const bf16s y = on_device(device, bf16s(4 * 64, npurt::to_bfloat16(value)), {4, 64});
    for (const bf16 each : y) CHECK(npurt::to_float(each) == 0x1p-6F);
  }
}

TEST_CASE("softmax gives the same on a second call and after others, and where it reads", "[ops][softmax]") {
  npurt::device device;
  std::mt19937 random(2);
  const row_shape shape{41, 777};
  const bf16s x = normal_bf16(shape.rows * shape.columns, 0, 3, random);
  const bf16s first = on_device(device, x, shape);
  CHECK(same_bits(on_device(device, x, shape), first));
  on_device(device, normal_bf16(9 * 3000, 0, 1, random), {9, 3000});
  bf16s y = x;
  npurt::relu(device, tensor_view(x, 41, 777), tensor_view(y, 41, 777));
  CHECK(same_bits(on_device(device, x, shape), first));
  y = x;
  npurt::softmax(device, tensor_view(y, 41, 777), tensor_view(y, 41, 777));
  CHECK(same_bits(y, first));
}

TEST_CASE("a softmax plan is started and waited for", "[ops][softmax]") {
  npurt::device device;
  std::mt19937 random(3);
  const bf16s x = normal_bf16(300, 0, 1, random);
  npurt::softmax_plan plan(device, 3, 100);
  bf16s y = untouched(300);
  plan.start(tensor_view(x, 3, 100));
  plan.wait(tensor_view(y, 3, 100));
  CHECK(same_bits(y, on_device(device, x, {3, 100})));
  npurt::softmax_plan other(std::move(plan));
  CHECK_THROWS_AS(plan.report(), npurt::moved_from_error);
  CHECK(other.columns() == 100);
}

TEST_CASE("softmax names what does not fit", "[ops][softmax]") {
  npurt::device device;
  const bf16s x(12);
  bf16s y(12);
  const auto dimension = [&](std::size_t y_rows, std::size_t y_columns) {
    return npurt::test::refused_dimension([&] {
      npurt::softmax(device, tensor_view(x, 2, 6),
                     tensor_view(std::span(y).first(y_rows * y_columns), y_rows, y_columns));
    });
  };
  CHECK(dimension(2, 6) == "accepted");
  CHECK(dimension(2, 5) == "C");
  CHECK(dimension(1, 6) == "R");
  CHECK_THROWS_AS(npurt::softmax_plan(device, 1, 0), npurt::shape_error);
  CHECK_THROWS_AS(npurt::softmax_plan(device, 1, 4097), npurt::shape_error);
}
