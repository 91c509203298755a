// SPDX-License-Identifier: Apache-2.0
// npurt::attention_i8 against softmax attention in double on what the integers stand for, on the emulated NPU.
#include "npurt/ops/attention_i8.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "i8-attention/reference.hpp"
#include "npurt/npurt.hpp"
#include "ops/attention_check.hpp"
#include "support/refused_dimension.hpp"

using namespace npurt::test;
using npurt::attention_options;
using npurt::attention_scales;
using npurt::attention_shape;
using npurt::tensor_view;

namespace {

using integers = std::vector<std::int8_t>;

constexpr double least_correlation = 0.999, least_row = 1.0 / 16;

/// 1, primes, both sides of a block (64 queries, 64 keys) and of what four cores of a column take, d up to its largest.
const std::vector<attention_shape> shapes{
    {1, 1, 1, 1},      {1, 2, 3, 5},      {2, 3, 5, 7},      {3, 5, 7, 11},     {1, 11, 13, 17},   {1, 17, 19, 23},
    {1, 29, 31, 37},   {2, 41, 43, 47},   {1, 53, 59, 61},   {1, 61, 67, 64},   {5, 7, 71, 32},    {7, 1, 73, 33},
    {1, 63, 63, 63},   {1, 64, 64, 64},   {1, 65, 65, 64},   {1, 1, 127, 64},   {1, 1, 128, 64},   {1, 1, 129, 64},
    {1, 127, 1, 64},   {1, 128, 1, 64},   {1, 129, 1, 64},   {4, 64, 64, 32},   {8, 16, 16, 64},   {3, 97, 101, 48},
    {1, 255, 65, 64},  {1, 256, 64, 64},  {1, 257, 63, 64},  {1, 64, 255, 64},  {1, 64, 256, 64},  {1, 64, 257, 64},
    {2, 191, 193, 64}, {1, 300, 300, 64}, {6, 33, 77, 40},   {9, 10, 11, 12},   {13, 3, 3, 3},     {17, 1, 1, 64},
    {1, 3, 500, 64},   {1, 500, 3, 64},   {2, 65, 130, 56},  {1, 100, 200, 24}, {1, 200, 100, 16}, {4, 4, 4, 4},
    {1, 1, 1021, 64},  {1, 1021, 1, 64},  {2, 107, 109, 13}, {1, 64, 64, 1},    {1, 64, 64, 2},    {3, 64, 128, 31},
    {1, 192, 192, 64}, {2, 128, 320, 64}, {12, 20, 30, 64},  {1, 320, 128, 64}};

integers normal_integers(std::size_t n, double deviation, std::mt19937& random) {
  std::normal_distribution<> normal(0, deviation);
  integers drawn(n);
  std::ranges::generate(
      drawn, [&] { return static_cast<std::int8_t>(std::lround(std::clamp(normal(random), -128.0, 127.0))); });
  return drawn;
}

struct problem {
  attention_shape shape;
  attention_scales scales;
  integers q, k, v;
};

problem random_problem(const attention_shape& s, std::mt19937& random, double size = 1) {
  constexpr double deviation = 28;
  const auto step = static_cast<float>(size / deviation);
  return {s,
          {step, step, 0.01F},
          normal_integers(s.heads * s.rows * s.d, deviation, random),
          normal_integers(s.heads * s.keys * s.d, deviation, random),
          normal_integers(s.heads * s.keys * s.d, deviation, random)};
}

bf16s on_device(npurt::device& device, const problem& p, const attention_options& options = {}) {
  const auto& [heads, rows, keys, d] = p.shape;
  bf16s out = untouched(p.q.size());
  npurt::attention_i8(device, tensor_view(p.q, heads, rows, d), tensor_view(p.k, heads, keys, d),
                      tensor_view(p.v, heads, keys, d), p.scales, tensor_view(out, heads, rows, d), options);
  return out;
}

/// Keys and values of each head up to the key length alone: the others must not be seen.
integers first_keys(const integers& values, const attention_shape& s, std::size_t length) {
  integers kept;
  for (std::size_t head = 0; head < s.heads; ++head) {
    for (std::size_t i = 0; i < length * s.d; ++i) kept.push_back(values[head * s.keys * s.d + i]);
  }
  return kept;
}

std::vector<double> exact(const problem& p, const attention_options& options) {
  const std::size_t length = options.key_length.value_or(p.shape.keys);
  const npurt::kernels::reference::attention_shape shape{
      .heads = p.shape.heads, .rows = p.shape.rows, .keys = length, .d = p.shape.d, .causal = options.causal};
  const double usual = 1 / std::sqrt(static_cast<double>(p.shape.d));
  return npurt::kernels::reference::attention(p.q, first_keys(p.k, p.shape, length), first_keys(p.v, p.shape, length),
                                              shape, options.scale ? double{*options.scale} : usual,
                                              {p.scales.q, p.scales.k, p.scales.v});
}

/// @param varied whether the rows differ, so that there is a correlation
void check(npurt::device& device, const problem& p, const attention_options& options = {}, bool varied = true) {
  const auto far = distance_of(
      on_device(device, p, options), exact(p, options), p.shape,
      largest_of_heads(p.v, p.shape.heads, [&](std::int8_t v) { return v * double{p.scales.v}; }), least_row);
  INFO("H " << p.shape.heads << " T " << p.shape.rows << " S " << p.shape.keys << " d " << p.shape.d << " causal "
            << options.causal << " keys " << options.key_length.value_or(p.shape.keys) << ": " << far.text());
  CHECK((!varied || far.correlation >= least_correlation));
  CHECK(far.cosine >= least_correlation);
  CHECK(far.row_cosine >= least_correlation);
  CHECK(far.error <= 0x1p-7);
}

}  // namespace

TEST_CASE("int8 attention is close to the exact one at every shape", "[ops][attention_i8]") {
  npurt::device device;
  std::mt19937 random(1);
  REQUIRE(shapes.size() >= 50);
  for (const attention_shape& shape : shapes) check(device, random_problem(shape, random));
}

TEST_CASE("int8 attention follows scores of any size", "[ops][attention_i8]") {
  npurt::device device;
  std::mt19937 random(7);
  for (const double size : {1e-3, 0.1, 3.0, 30.0}) check(device, random_problem({2, 100, 200, 64}, random, size));
}

TEST_CASE("int8 attention follows a key that outdoes all others", "[ops][attention_i8]") {
  npurt::device device;
  std::mt19937 random(9);
  for (const std::size_t key : {0UZ, 64UZ, 149UZ}) {
    problem p = random_problem({1, 70, 150, 64}, random);
    for (std::size_t i = 0; i < 64; ++i) {
      for (std::size_t row = 0; row < 70; ++row) p.q[row * 64 + i] = i % 2 == 0 ? 60 : -60;
      p.k[key * 64 + i] = i % 2 == 0 ? 127 : -128;
    }
    INFO("key " << key);
    check(device, p, {}, false);
  }
}

TEST_CASE("int8 attention follows scores that grow or fall from key to key", "[ops][attention_i8]") {
  npurt::device device;
  std::mt19937 random(10);
  for (const double growth : {0.1, 0.5, 2.0, -2.0}) {
    problem p = random_problem({1, 64, 260, 64}, random);
    for (std::size_t i = 0; i < p.q.size(); ++i) p.q[i] = p.q[i % 64];
    for (std::size_t i = 0; i < p.k.size(); ++i) {
      const double grown = growth * 0.01 * static_cast<double>(i / 64 % 260) * p.q[i % 64] + 0.1 * p.k[i];
      p.k[i] = static_cast<std::int8_t>(std::lround(std::clamp(grown, -128.0, 127.0)));
    }
    INFO("growth " << growth);
    check(device, p, {.causal = growth == 0.5}, growth == 0.5);
  }
}

TEST_CASE("int8 attention of equal rows, of zeros, of the outermost integers", "[ops][attention_i8]") {
  npurt::device device;
  std::mt19937 random(11);
  const problem usual = random_problem({1, 64, 100, 64}, random);
  problem equal_keys = usual, equal_values = usual, zeros = usual, no_values = usual, outermost = usual;
  std::ranges::fill(equal_keys.k, std::int8_t{-128});
  std::ranges::fill(equal_values.v, std::int8_t{-128});
  std::ranges::fill(zeros.q, std::int8_t{0});
  std::ranges::fill(no_values.v, std::int8_t{0});
  for (integers* each : {&outermost.q, &outermost.k, &outermost.v}) {
    for (std::int8_t& x : *each) x = x < 0 ? -128 : 127;
  }
  for (const problem* p : {&equal_keys, &equal_values, &zeros, &no_values}) check(device, *p, {}, false);
  check(device, outermost);
  for (const float worth : {1e-30F, 1e-6F, 1e6F, 1e30F}) {
    problem sized = usual;
    sized.scales.v = worth;
    INFO("a step of v worth " << worth);
    check(device, sized);
  }
}

TEST_CASE("int8 attention works through more than the queues take at once", "[ops][attention_i8]") {
  npurt::device device;
  std::mt19937 random(8);
  check(device, random_problem({1, 5000, 300, 64}, random));
  check(device, random_problem({1, 300, 8300, 64}, random));
  check(device, random_problem({2, 300, 4096, 64}, random), {.causal = true});
}

TEST_CASE("causal int8 attention sees no later key", "[ops][attention_i8]") {
  npurt::device device;
  std::mt19937 random(2);
  for (const attention_shape& shape :
       {attention_shape{1, 1, 1, 64}, {2, 64, 64, 64}, {1, 100, 100, 32}, {3, 130, 70, 64}, {1, 70, 130, 64}}) {
    check(device, random_problem(shape, random), {.causal = true});
  }
}

TEST_CASE("int8 attention sees no key beyond the key length", "[ops][attention_i8]") {
  npurt::device device;
  std::mt19937 random(3);
  const problem p = random_problem({2, 70, 150, 64}, random);
  for (const std::size_t length : {1UZ, 63UZ, 64UZ, 65UZ, 149UZ, 150UZ}) {
    check(device, p, {.key_length = length});
    check(device, p, {.causal = true, .key_length = length});
  }
}

TEST_CASE("int8 attention takes a scale", "[ops][attention_i8]") {
  npurt::device device;
  std::mt19937 random(4);
  const problem p = random_problem({1, 40, 50, 64}, random);
  for (const float scale : {0.01F, 0.125F, 1.0F}) check(device, p, {.scale = scale});
}

TEST_CASE("int8 attention gives the same on a second call and after others", "[ops][attention_i8]") {
  npurt::device device;
  std::mt19937 random(5);
  const problem p = random_problem({2, 90, 110, 64}, random);
  const bf16s first = on_device(device, p);
  CHECK(same_bits(on_device(device, p), first));
  on_device(device, random_problem({1, 10, 300, 32}, random), {.causal = true});
  bf16s y(40 * 64);
  const tensor_view<std::bfloat16_t, 3> heads(y, 1, 40, 64);
  npurt::attention(device, heads, heads, heads, heads);
  CHECK(same_bits(on_device(device, p), first));
}

TEST_CASE("an int8 attention plan is started and waited for", "[ops][attention_i8]") {
  npurt::device device;
  std::mt19937 random(6);
  const problem p = random_problem({2, 30, 40, 64}, random);
  npurt::attention_i8_plan plan(device, p.shape, p.scales);
  bf16s out = untouched(p.q.size());
  plan.start(tensor_view(p.q, 2, 30, 64), tensor_view(p.k, 2, 40, 64), tensor_view(p.v, 2, 40, 64));
  plan.wait(tensor_view(out, 2, 30, 64));
  CHECK(same_bits(out, on_device(device, p)));
  const npurt::attention_i8_plan other(std::move(plan));
  CHECK_THROWS_AS(plan.report(), npurt::moved_from_error);
  CHECK(other.shape() == p.shape);
}

TEST_CASE("int8 attention names what does not fit", "[ops][attention_i8]") {
  npurt::device device;
  const integers q(2 * 3 * 4), k(2 * 5 * 4), other(1 * 10 * 4);
  bf16s out(2 * 3 * 4);
  const auto dimension = [&](const integers& keys, std::size_t heads, std::size_t rows, std::size_t d) {
    return npurt::test::refused_dimension([&] {
      npurt::attention_i8(device, tensor_view(q, 2, 3, 4), tensor_view(keys, heads, rows, d), tensor_view(k, 2, 5, 4),
                          {}, tensor_view(out, 2, 3, 4));
    });
  };
  CHECK(dimension(k, 2, 5, 4) == "accepted");
  CHECK(dimension(other, 1, 10, 4) == "H");
  CHECK(dimension(other, 2, 4, 5) == "d");
  CHECK_THROWS_AS(npurt::attention_i8_plan(device, {1, 1, 1, 65}, {}), npurt::shape_error);
  CHECK_THROWS_AS(npurt::attention_i8_plan(device, {1, 1, 5, 64}, {}, {.key_length = 6}), npurt::value_error);
  for (const float wrong : {0.0F, -1.0F, std::numeric_limits<float>::infinity()}) {
    CHECK_THROWS_AS(npurt::attention_i8_plan(device, {1, 1, 5, 64}, {.k = wrong}), npurt::value_error);
  }
}
