// SPDX-License-Identifier: Apache-2.0
// The int8 matrix multiplication from the call to the result, over random shapes, through the real XRT.
#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <npurt/npurt.hpp>
#include <random>
#include <string>
#include <vector>

#include "support/reference_matmul.hpp"

namespace {

struct shape {
  std::size_t m, n, k;
};

/// How the values of a case are made: random ones, or the extremes of int8 throughout.
enum class fill { random, lowest, mixed_extremes };

std::vector<std::int8_t> make_values(std::size_t count, fill how, std::mt19937& generator) {
  if (how == fill::random) return npurt::test::random_int8(count, generator);
  std::vector<std::int8_t> values(count, std::int8_t{-128});
  if (how == fill::mixed_extremes) {
    for (std::int8_t& value : values) value = generator() % 2 == 0 ? std::int8_t{-128} : std::int8_t{127};
  }
  return values;
}

void check_product(npurt::device& device, const shape& s, fill how, std::mt19937& generator) {
  const auto a = make_values(s.m * s.k, how, generator);
  const auto b = make_values(s.k * s.n, how, generator);
  std::vector<std::int32_t> c(s.m * s.n, 0x55555555);
  npurt::matmul(device, npurt::matrix_view<const std::int8_t>(a, s.m, s.k),
                npurt::matrix_view<const std::int8_t>(b, s.k, s.n), npurt::matrix_view<std::int32_t>(c, s.m, s.n));
  const auto expected = npurt::test::reference_matmul(a, b, s.m, s.n, s.k);
  const auto [got, wanted] = std::ranges::mismatch(c, expected);
  if (got != c.end()) {
    const auto index = static_cast<std::size_t>(got - c.begin());
    FAIL("M N K = " << s.m << " " << s.n << " " << s.k << ": C[" << index / s.n << "," << index % s.n << "] is " << *got
                    << " instead of " << *wanted);
  }
}

std::size_t log_uniform(std::mt19937& generator) {
  std::uniform_real_distribution<double> exponent(0.0, std::log(4096.0));
  return static_cast<std::size_t>(std::lround(std::exp(exponent(generator))));
}

constexpr std::size_t most_macs = std::size_t{1} << 23;  // of the random ones

/// 200 shapes: the corners that must be among them, primes, then random ones.
std::vector<shape> shapes(std::mt19937& generator) {
  std::vector<shape> all{{1, 1, 1},       {4096, 1, 1},    {1, 4096, 1},   {1, 1, 4096},   {4096, 4096, 1},
                         {4096, 1, 4096}, {1, 4096, 4096}, {64, 64, 64},   {63, 65, 64},   {127, 131, 137},
                         {2, 3, 5},       {4093, 7, 11},   {13, 4093, 17}, {19, 23, 4093}, {128, 192, 320}};
  while (all.size() < 200) {
    const shape s{log_uniform(generator), log_uniform(generator), log_uniform(generator)};
    if (s.m * s.n * s.k <= most_macs) all.push_back(s);
  }
  return all;
}

constexpr unsigned seed = 20261121;

}  // namespace

TEST_CASE("200 random shapes of the int8 matrix multiplication are bit-exact", "[e2e][matmul]") {
  std::mt19937 generator(seed);
  npurt::device device;
  CAPTURE(seed);
  for (const shape& s : shapes(generator)) check_product(device, s, fill::random, generator);
}

TEST_CASE("products of the extremes of int8 are bit-exact", "[e2e][matmul]") {
  std::mt19937 generator(seed);
  npurt::device device;
  for (const shape& s : {shape{64, 64, 64}, shape{70, 3, 4096}, shape{1, 129, 200}}) {
    check_product(device, s, fill::lowest, generator);
    check_product(device, s, fill::mixed_extremes, generator);
  }
}

TEST_CASE("the same call gives the same product after calls of other shapes", "[e2e][matmul]") {
  std::mt19937 generator(seed);
  npurt::device device;
  for (int round = 0; round < 3; ++round) {
    for (const shape& s : {shape{100, 100, 100}, shape{64, 200, 65}, shape{1, 1, 1}}) {
      check_product(device, s, fill::random, generator);
    }
  }
}

// Hidden: minutes on the emulated device. Run with: e2e_matmul_tests "[largest]"
TEST_CASE("the largest shape, 4096 in every dimension, is bit-exact", "[.][largest]") {
  std::mt19937 generator(seed);
  npurt::device device;
  check_product(device, {4096, 4096, 4096}, fill::random, generator);
}
