// SPDX-License-Identifier: Apache-2.0
// npurt::softmax against double, on the emulated NPU.
#include "npurt/ops/softmax.hpp"

#include <cmath>
#include <random>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "bf16-softmax/reference.hpp"
#include "npurt/npurt.hpp"
#include "ops/bf16_check.hpp"
#include "ops/row_shapes.hpp"

using namespace npurt::test;
using npurt::tensor_view;

namespace {

bf16s on_device(npurt::device& device, const bf16s& x, const row_shape& shape) {
  bf16s y = untouched(x.size());
  npurt::softmax(device, tensor_view(x, shape.rows, shape.columns), tensor_view(y, shape.rows, shape.columns));
  return y;
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
  const auto dimension = [&](std::size_t y_rows, std::size_t y_columns) -> std::string {
    try {
      npurt::softmax(device, tensor_view(x, 2, 6),
                     tensor_view(std::span(y).first(y_rows * y_columns), y_rows, y_columns));
    } catch (const npurt::shape_error& failure) {
      return failure.dimension();
    }
    return "accepted";
  };
  CHECK(dimension(2, 6) == "accepted");
  CHECK(dimension(2, 5) == "C");
  CHECK(dimension(1, 6) == "R");
  CHECK_THROWS_AS(npurt::softmax_plan(device, 1, 0), npurt::shape_error);
  CHECK_THROWS_AS(npurt::softmax_plan(device, 1, 4097), npurt::shape_error);
}
