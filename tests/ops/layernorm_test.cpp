// SPDX-License-Identifier: Apache-2.0
// npurt::layernorm against double, on the emulated NPU.
#include "npurt/ops/layernorm.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "bf16-layernorm/reference.hpp"
#include "npurt/npurt.hpp"
#include "ops/bf16_check.hpp"
#include "ops/row_shapes.hpp"
#include "support/refused_dimension.hpp"

using namespace npurt::test;
using npurt::tensor_view;

namespace {

constexpr float eps = 1e-5F;

struct problem {
  std::size_t rows, columns;
  bf16s x, gamma, beta;
};

problem random_problem(std::size_t rows, std::size_t columns, std::mt19937& random) {
  return {rows, columns, normal_bf16(rows * columns, 0.5F, 2, random), uniform_bf16(columns, 0.5F, 1.5F, random),
          uniform_bf16(columns, -0.5F, 0.5F, random)};
}

bf16s on_device(npurt::device& device, const problem& p) {
  bf16s y = untouched(p.x.size());
  npurt::layernorm(device, tensor_view(p.x, p.rows, p.columns), tensor_view(p.gamma, p.columns),
                   tensor_view(p.beta, p.columns), eps, tensor_view(y, p.rows, p.columns));
  return y;
}

float largest(const bf16s& values) {
  float most = 0;
  for (const bf16 value : values) most = std::max(most, std::abs(npurt::to_float(value)));
  return most;
}

void add_results(accuracy& all, const problem& p, const bf16s& y) {
  const std::vector<double> wanted =
      npurt::kernels::reference::layernorm(widened(p.x), widened(p.gamma), widened(p.beta), eps);
  const double unit = std::max(largest(p.gamma), largest(p.beta));
  for (std::size_t i = 0; i < y.size(); ++i) all.add(y[i], wanted[i], unit);
}

}  // namespace

TEST_CASE("layernorm is within its bounds at every shape", "[ops][layernorm]") {
  npurt::device device;
  std::mt19937 random(1);
  accuracy all(0x1p-6, 0x1p-14);
  for (const row_shape& shape : row_shapes) {
    const problem p = random_problem(shape.rows, shape.columns, random);
    add_results(all, p, on_device(device, p));
  }
  all.check();
}

TEST_CASE("layernorm of rows of equal elements is beta", "[ops][layernorm]") {
  npurt::device device;
  std::mt19937 random(2);
  for (const std::size_t columns : {1, 7, 512}) {
    problem p = random_problem(3, columns, random);
    for (std::size_t row = 0; row < 3; ++row) {
      std::fill_n(p.x.begin() + static_cast<std::ptrdiff_t>(row * columns), columns,
                  npurt::to_bfloat16(static_cast<float>(row) - 1));
    }
    const bf16s y = on_device(device, p);
    for (std::size_t i = 0; i < y.size(); ++i) {
      INFO("column " << i % columns << " of " << columns);
      CHECK(bits_of(y[i]) == bits_of(p.beta[i % columns]));
    }
  }
}

TEST_CASE("layernorm gives the same on a second call and after others, and where it reads", "[ops][layernorm]") {
  npurt::device device;
  std::mt19937 random(3);
  const problem p = random_problem(37, 513, random);
  const bf16s first = on_device(device, p);
  CHECK(same_bits(on_device(device, p), first));
  on_device(device, random_problem(5, 4096, random));
  bf16s y = p.x;
  npurt::gelu(device, tensor_view(p.x, 37, 513), tensor_view(y, 37, 513));
  CHECK(same_bits(on_device(device, p), first));
  y = p.x;
  npurt::layernorm(device, tensor_view(y, 37, 513), tensor_view(p.gamma, 513), tensor_view(p.beta, 513), eps,
                   tensor_view(y, 37, 513));
  CHECK(same_bits(y, first));
}

TEST_CASE("layernorm of many rows is that of some of them at a time", "[ops][layernorm]") {
  npurt::device device;
  std::mt19937 random(5);
  const problem all = random_problem(16500, 512, random);  // more than a task of single chunks takes
  const bf16s y = on_device(device, all);
  constexpr std::size_t at_once = 500;
  for (std::size_t row = 0; row < all.rows; row += 4000) {
    const auto first = static_cast<std::ptrdiff_t>(row * 512),
               last = first + static_cast<std::ptrdiff_t>(at_once * 512);
    const problem some{at_once, 512, bf16s(all.x.begin() + first, all.x.begin() + last), all.gamma, all.beta};
    CHECK(same_bits(on_device(device, some), bf16s(y.begin() + first, y.begin() + last)));
  }
}

TEST_CASE("a layernorm plan is started and waited for", "[ops][layernorm]") {
  npurt::device device;
  std::mt19937 random(4);
  const problem p = random_problem(11, 100, random);
  npurt::layernorm_plan plan(device, 11, 100, eps);
  bf16s y = untouched(p.x.size());
  plan.start(tensor_view(p.x, 11, 100), tensor_view(p.gamma, 100), tensor_view(p.beta, 100));
  plan.wait(tensor_view(y, 11, 100));
  CHECK(same_bits(y, on_device(device, p)));
  CHECK_THROWS_AS(plan.start(tensor_view(p.x, 100, 11), tensor_view(p.gamma, 100), tensor_view(p.beta, 100)),
                  npurt::shape_error);
  npurt::layernorm_plan other(std::move(plan));
  CHECK_THROWS_AS(plan.report(), npurt::moved_from_error);
  CHECK(other.rows() == 11);
}

TEST_CASE("layernorm names what does not fit", "[ops][layernorm]") {
  npurt::device device;
  const bf16s x(12), weights(6);
  bf16s y(12), none;
  const auto dimension = [&](std::size_t rows, std::size_t gamma, std::size_t y_rows) {
    return npurt::test::refused_dimension([&] {
      npurt::layernorm(device, tensor_view(x, rows, 12 / rows), tensor_view(std::span(weights).first(gamma), gamma),
                       tensor_view(weights, 6), eps, tensor_view(y, y_rows, 12 / y_rows));
    });
  };
  CHECK(dimension(2, 6, 2) == "accepted");
  CHECK(dimension(2, 5, 2) == "C");
  CHECK(dimension(3, 4, 3) == "C");
  CHECK(dimension(2, 6, 3) == "R");
  CHECK_THROWS_AS(npurt::layernorm_plan(device, 0, 6, eps), npurt::shape_error);
  CHECK_THROWS_AS(npurt::layernorm_plan(device, 1, 4097, eps), npurt::shape_error);
  CHECK_THROWS_AS(npurt::layernorm_plan(device, npurt::rows_max_rows + 1, 1, eps), npurt::shape_error);
  using limits = std::numeric_limits<float>;
  for (const float wrong : {0.0F, -0.0F, limits::denorm_min(), -1e-5F, limits::quiet_NaN(), limits::infinity()}) {
    CHECK_THROWS_AS(npurt::layernorm_plan(device, 1, 6, wrong), npurt::value_error);
    CHECK_THROWS_AS(npurt::layernorm(device, tensor_view(x, 2, 6), tensor_view(weights, 6), tensor_view(weights, 6),
                                     wrong, tensor_view(y, 2, 6)),
                    npurt::value_error);
  }
}
