// SPDX-License-Identifier: Apache-2.0
// npurt::matmul of bfloat16 against double, on the emulated NPU.
#include <cmath>
#include <concepts>
#include <random>
#include <span>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "npurt/npurt.hpp"
#include "ops/bf16_check.hpp"
#include "support/refused_dimension.hpp"

using namespace npurt::test;
using npurt::matmul_shape;
using npurt::tensor_view;

namespace {

/// 1, primes, both sides of a core's tile (64), a panel (256) and the depths of chunks, and more than one panel.
const std::vector<matmul_shape> shapes{
    {1, 1, 1},      {2, 3, 5},       {7, 11, 13},     {17, 19, 23},   {29, 31, 37},   {41, 43, 47},   {53, 59, 61},
    {67, 71, 73},   {79, 83, 89},    {97, 101, 103},  {1, 1, 127},    {1, 64, 64},    {1, 512, 64},   {64, 1, 64},
    {64, 64, 1},    {63, 63, 63},    {64, 64, 64},    {65, 65, 65},   {1, 256, 1},    {256, 1, 1},    {255, 255, 63},
    {256, 256, 64}, {257, 257, 65},  {128, 128, 128}, {1, 1, 256},    {3, 5, 251},    {5, 3, 509},    {1, 7, 1021},
    {1, 1, 2048},   {2, 2, 2047},    {300, 1, 100},   {1, 300, 100},  {13, 13, 192},  {64, 128, 320}, {31, 600, 31},
    {600, 31, 31},  {521, 3, 2},     {2, 521, 3},     {3, 2, 521},    {128, 64, 384}, {17, 17, 449},  {107, 109, 113},
    {191, 193, 61}, {100, 200, 30},  {30, 100, 200},  {200, 30, 100}, {1, 1031, 3},   {1031, 1, 3},   {9, 10, 640},
    {12, 345, 67},  {512, 512, 128}, {50, 50, 1500}};

struct problem {
  matmul_shape shape;
  bf16s a, b;
};

problem random_problem(const matmul_shape& shape, std::mt19937& random) {
  return {shape, normal_bf16(shape.m * shape.k, 0, 1, random), normal_bf16(shape.k * shape.n, 0, 1, random)};
}

template <typename Result>
std::vector<Result> on_device(npurt::device& device, const problem& p) {
  const auto& [m, n, k] = p.shape;
  std::vector<Result> c(m * n, Result(12345));
  npurt::matmul(device, tensor_view(p.a, m, k), tensor_view(p.b, k, n), tensor_view(c, m, n));
  return c;
}

/// Largest error in units of what the sums of fp32 may be off, and of half an ulp more for a result that is rounded.
template <typename Result>
double worst_error(const problem& p, const std::vector<Result>& c) {
  const auto& [m, n, k] = p.shape;
  const std::vector<double> a = widened<double>(p.a), b = widened<double>(p.b);
  const double rounding = std::same_as<Result, float> ? 0x1p-24 : 0x1p-8;
  double worst = 0;
  for (std::size_t row = 0; row < m; ++row) {
    for (std::size_t column = 0; column < n; ++column) {
      double sum = 0, magnitudes = 0;
      for (std::size_t i = 0; i < k; ++i) {
        const double term = a[row * k + i] * b[i * n + column];
        sum += term;
        magnitudes += std::abs(term);
      }
      const double of_sum = 16 * 0x1p-23 * static_cast<double>((k + 63) / 64) * magnitudes;
      const double bound = of_sum + rounding * (std::abs(sum) + of_sum) + 1e-40;
      const double error = std::abs(static_cast<double>(static_cast<float>(c[row * n + column])) - sum) / bound;
      worst = std::isnan(error) ? INFINITY : std::max(worst, error);
    }
  }
  return worst;
}

template <typename Result>
void check(npurt::device& device, const problem& p) {
  INFO("M " << p.shape.m << " N " << p.shape.n << " K " << p.shape.k);
  CHECK(worst_error(p, on_device<Result>(device, p)) <= 1);
}

}  // namespace

TEST_CASE("the bfloat16 matmul is within its bound at every shape", "[ops][matmul][bf16]") {
  npurt::device device;
  std::mt19937 random(1);
  REQUIRE(shapes.size() >= 50);
  for (const matmul_shape& shape : shapes) check<float>(device, random_problem(shape, random));
}

TEST_CASE("the bfloat16 matmul rounds its result where that is asked for", "[ops][matmul][bf16]") {
  npurt::device device;
  std::mt19937 random(2);
  for (const matmul_shape& shape : shapes) check<bf16>(device, random_problem(shape, random));
}

TEST_CASE("the bfloat16 matmul of small integers is exact", "[ops][matmul][bf16]") {
  npurt::device device;
  std::mt19937 random(3);
  problem p{{70, 300, 130}, bf16s(70 * 130), bf16s(130 * 300)};
  std::uniform_int_distribution<int> value(-16, 16);
  for (bf16s* each : {&p.a, &p.b}) {
    for (bf16& element : *each) element = npurt::to_bfloat16(static_cast<float>(value(random)));
  }
  const std::vector<float> c = on_device<float>(device, p);
  const std::vector<float> a = widened(p.a), b = widened(p.b);
  for (std::size_t row = 0; row < 70; ++row) {
    for (std::size_t column = 0; column < 300; ++column) {
      float sum = 0;
      for (std::size_t i = 0; i < 130; ++i) sum += a[row * 130 + i] * b[i * 300 + column];
      if (c[row * 300 + column] != sum) FAIL("C[" << row << "," << column << "] is " << c[row * 300 + column]);
    }
  }
}

TEST_CASE("the bfloat16 matmul gives the same on a second call and after others", "[ops][matmul][bf16]") {
  npurt::device device;
  std::mt19937 random(4);
  const problem p = random_problem({90, 80, 300}, random);
  const std::vector<float> first = on_device<float>(device, p);
  CHECK(on_device<float>(device, p) == first);
  on_device<bf16>(device, random_problem({300, 20, 70}, random));
  bf16s x(1000), y(1000);
  npurt::gelu(device, tensor_view(x, 1000), tensor_view(y, 1000));
  CHECK(on_device<float>(device, p) == first);
}

TEST_CASE("a bfloat16 matmul plan is started and waited for", "[ops][matmul][bf16]") {
  npurt::device device;
  std::mt19937 random(5);
  const problem p = random_problem({30, 40, 50}, random);
  npurt::basic_matmul_plan<bf16, float> plan(device, p.shape);
  std::vector<float> c(30 * 40);
  plan.start(tensor_view(p.a, 30, 50), tensor_view(p.b, 50, 40));
  CHECK_THROWS_AS(plan.wait(tensor_view(c, 40, 30)), npurt::shape_error);
  plan.wait(tensor_view(c, 30, 40));
  CHECK(c == on_device<float>(device, p));
  CHECK(plan.report().kernel == "overlay");
}

TEST_CASE("the bfloat16 matmul names the dimension that is too large", "[ops][matmul][bf16]") {
  npurt::device device;
  const auto dimension = [&](const matmul_shape& shape) {
    return npurt::test::refused_dimension([&] { npurt::basic_matmul_plan<bf16, bf16>(device, shape); });
  };
  constexpr std::size_t most = npurt::matmul_max_extent;
  CHECK(dimension({most + 1, 1, 1}) == "M");
  CHECK(dimension({1, most + 1, 1}) == "N");
  CHECK(dimension({1, 1, most + 1}) == "K");
  CHECK(dimension({0, 1, 1}) == "M");
  CHECK(dimension({most, most, 1}) == "M");  // 8 GB of C
}
