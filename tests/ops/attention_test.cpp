// SPDX-License-Identifier: Apache-2.0
// npurt::attention against double, on the emulated NPU.
#include "npurt/ops/attention.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <random>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "bf16-attention/reference.hpp"
#include "npurt/npurt.hpp"
#include "ops/attention_check.hpp"
#include "support/refused_dimension.hpp"

using namespace npurt::test;
using npurt::attention_options;
using npurt::attention_shape;
using npurt::tensor_view;

namespace {

/// 1, primes, both sides of a block (64 queries, 64 keys) and of what four cores of a column take, d up to its largest.
const std::vector<attention_shape> shapes{
    {1, 1, 1, 1},      {1, 2, 3, 5},      {2, 3, 5, 7},      {3, 5, 7, 11},     {1, 11, 13, 17},    {1, 17, 19, 23},
    {1, 29, 31, 37},   {2, 41, 43, 47},   {1, 53, 59, 61},   {1, 61, 67, 64},   {5, 7, 71, 32},     {7, 1, 73, 33},
    {1, 63, 63, 63},   {1, 64, 64, 64},   {1, 65, 65, 64},   {1, 1, 127, 64},   {1, 1, 128, 64},    {1, 1, 129, 64},
    {1, 127, 1, 64},   {1, 128, 1, 64},   {1, 129, 1, 64},   {4, 64, 64, 32},   {8, 16, 16, 64},    {3, 97, 101, 48},
    {1, 255, 65, 64},  {1, 256, 64, 64},  {1, 257, 63, 64},  {1, 64, 255, 64},  {1, 64, 256, 64},   {1, 64, 257, 64},
    {2, 191, 193, 64}, {1, 300, 300, 64}, {6, 33, 77, 40},   {9, 10, 11, 12},   {13, 3, 3, 3},      {17, 1, 1, 64},
    {1, 3, 500, 64},   {1, 500, 3, 64},   {2, 65, 130, 56},  {1, 100, 200, 24}, {1, 200, 100, 16},  {4, 4, 4, 4},
    {1, 1, 1021, 64},  {1, 1021, 1, 64},  {2, 107, 109, 13}, {1, 64, 64, 1},    {1, 64, 64, 2},     {3, 64, 128, 31},
    {1, 192, 192, 64}, {2, 128, 320, 64}, {12, 20, 30, 64},  {1, 320, 128, 64}, {1, 1, 1, 65},      {1, 31, 63, 127},
    {1, 32, 64, 128},  {1, 33, 65, 128},  {2, 129, 127, 96}, {5, 40, 50, 80},   {1, 300, 300, 128}, {9, 3, 130, 97},
    {1, 128, 128, 128}};

/// As npurt::attention documents it.
constexpr double least_row = 1.0 / 16;

struct problem {
  attention_shape shape;
  bf16s q, k, v;
};

problem random_problem(const attention_shape& s, std::mt19937& random) {
  return {s, normal_bf16(s.heads * s.rows * s.d, 0, 1.5F, random), normal_bf16(s.heads * s.keys * s.d, 0, 1.5F, random),
          normal_bf16(s.heads * s.keys * s.d, 0, 1, random)};
}

bf16s on_device(npurt::device& device, const problem& p, const attention_options& options = {}) {
  const auto& [heads, rows, keys, d] = p.shape;
  bf16s out = untouched(p.q.size());
  npurt::attention(device, tensor_view(p.q, heads, rows, d), tensor_view(p.k, heads, keys, d),
                   tensor_view(p.v, heads, keys, d), tensor_view(out, heads, rows, d), options);
  return out;
}

/// Keys and values of each head up to the key length alone: the others must not be seen.
std::vector<double> first_keys(const bf16s& values, const attention_shape& s, std::size_t length) {
  std::vector<double> kept;
  for (std::size_t head = 0; head < s.heads; ++head) {
    for (std::size_t i = 0; i < length * s.d; ++i) kept.push_back(npurt::to_float(values[head * s.keys * s.d + i]));
  }
  return kept;
}

std::vector<double> exact(const problem& p, const attention_options& options) {
  const std::size_t length = options.key_length.value_or(p.shape.keys);
  const npurt::kernels::reference::attention_shape shape{
      .heads = p.shape.heads, .rows = p.shape.rows, .keys = length, .d = p.shape.d, .causal = options.causal};
  const double usual = 1 / std::sqrt(static_cast<double>(p.shape.d));
  return npurt::kernels::reference::attention(widened<double>(p.q), first_keys(p.k, p.shape, length),
                                              first_keys(p.v, p.shape, length), shape,
                                              options.scale ? double{*options.scale} : usual);
}

void check(const bf16s& out, const problem& p, const attention_options& options = {}) {
  const auto far =
      distance_of(out, exact(p, options), p.shape,
                  largest_of_heads(p.v, p.shape.heads, [](bf16 v) { return npurt::to_float(v); }), least_row);
  INFO("H " << p.shape.heads << " T " << p.shape.rows << " S " << p.shape.keys << " d " << p.shape.d << " causal "
            << options.causal << " keys " << options.key_length.value_or(p.shape.keys) << ": " << far.text());
  CHECK(far.cosine >= 0.9999);
  CHECK(far.row_cosine >= 0.9999);
  CHECK(far.error <= 0x1p-7);
}
void check(npurt::device& device, const problem& p, const attention_options& options = {}) {
  check(on_device(device, p, options), p, options);
}

/// Every element a number.
void fill(bf16s& values, float number) { std::ranges::fill(values, npurt::to_bfloat16(number)); }
void scale_all(bf16s& values, float factor) {
  for (bf16& each : values) each = npurt::to_bfloat16(npurt::to_float(each) * factor);
}

}  // namespace

TEST_CASE("attention is close to the exact one at every shape", "[ops][attention]") {
  npurt::device device;
  std::mt19937 random(1);
  REQUIRE(shapes.size() >= 50);
  for (const attention_shape& shape : shapes) check(device, random_problem(shape, random));
}

TEST_CASE("attention follows a key that outdoes all others", "[ops][attention]") {
  npurt::device device;
  std::mt19937 random(8);
  for (const std::size_t d : {64UZ, 128UZ}) {
    for (const std::size_t key : {0UZ, 16UZ, 149UZ}) {
      problem p = random_problem({1, 32, 150, d}, random);
      for (std::size_t i = 0; i < d; ++i) {
        for (std::size_t row = 0; row < 32; ++row) p.q[row * d + i] = npurt::to_bfloat16(i % 2 == 0 ? 2.0F : -2.0F);
        p.k[key * d + i] = npurt::to_bfloat16(i % 2 == 0 ? 4.0F : -4.0F);
      }
      INFO("key " << key);
      check(device, p);
    }
  }
}

TEST_CASE("attention follows scores that grow or fall from key to key", "[ops][attention]") {
  npurt::device device;
  std::mt19937 random(9);
  for (const float growth : {0.02F, 0.2F, 4.0F, -0.2F}) {
    problem p = random_problem({1, 64, 260, 64}, random);
    for (std::size_t i = 0; i < p.q.size(); ++i) p.q[i] = p.q[i % 64];
    for (std::size_t i = 0; i < p.k.size(); ++i) {
      const auto key = static_cast<float>(i / 64 % 260);
      p.k[i] = npurt::to_bfloat16(growth * key * npurt::to_float(p.q[i % 64]) + 0.1F * npurt::to_float(p.k[i]));
    }
    INFO("growth " << growth);
    check(device, p, {.causal = growth == 0.2F});
  }
}

TEST_CASE("attention of equal rows, of zeros, of large and tiny numbers", "[ops][attention]") {
  npurt::device device;
  std::mt19937 random(10);
  const problem usual = random_problem({1, 64, 100, 64}, random);
  problem equal_keys = usual, equal_values = usual, zeros = usual, no_values = usual;
  fill(equal_keys.k, 1.5F);
  fill(equal_values.v, -0.7F);
  fill(zeros.q, 0);
  fill(no_values.v, 0);
  for (const problem* p : {&equal_keys, &equal_values, &zeros, &no_values}) check(device, *p);
  for (const float size : {1e30F, 1e4F, 1e-4F, 1e-12F}) {
    problem sized = usual;
    scale_all(sized.v, size);
    INFO("values of size " << size);
    check(device, sized);
  }
  for (const float size : {60.0F, 1e-10F, 1e-18F}) {
    problem sized = usual;
    scale_all(sized.q, size);
    scale_all(sized.k, size);
    INFO("queries and keys of size " << size);
    check(device, sized);
  }
}

TEST_CASE("a NaN in attention reaches the rows that see it alone", "[ops][attention][extremes]") {
  npurt::device device;
  std::mt19937 random(11);
  const problem clean = random_problem({2, 70, 150, 64}, random);
  const bf16s wanted = on_device(device, clean, {.key_length = 140});
  problem hidden = clean, query = clean, other_head = clean;
  const std::size_t head = 150 * 64, queries = 70 * 64;
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    for (const std::size_t key : {140UZ, 149UZ})
      hidden.k[key * 64 + 5] = hidden.v[key * 64 + 7] = npurt::to_bfloat16(bad);
    CHECK(same_bits(on_device(device, hidden, {.key_length = 140}), wanted));
    other_head.k[head + 9] = other_head.v[head + 700] = npurt::to_bfloat16(bad);
    bf16s others = on_device(device, other_head, {.key_length = 140});
    others.resize(queries);
    CHECK(same_bits(others, bf16s(wanted.begin(), wanted.begin() + queries)));
  }
  // The block of a query that is no number is done again with other references: right, but not the same bits.
  query.q[3 * 64 + 1] = npurt::to_bfloat16(std::numeric_limits<float>::quiet_NaN());
  bf16s others = on_device(device, query, {.key_length = 140});
  std::copy_n(wanted.begin() + 3 * 64, 64, others.begin() + 3 * 64);
  check(others, clean, {.key_length = 140});
}

TEST_CASE("causal attention sees no later key", "[ops][attention]") {
  npurt::device device;
  std::mt19937 random(2);
  for (const attention_shape& shape : {attention_shape{1, 1, 1, 64},
                                       {2, 64, 64, 64},
                                       {1, 100, 100, 32},
                                       {3, 130, 70, 64},
                                       {1, 70, 130, 64},
                                       {2, 150, 200, 128}}) {
    check(device, random_problem(shape, random), {.causal = true});
  }
}

TEST_CASE("attention sees no key beyond the key length", "[ops][attention]") {
  npurt::device device;
  std::mt19937 random(3);
  for (const std::size_t d : {64UZ, 100UZ}) {
    const problem p = random_problem({2, 70, 150, d}, random);
    for (const std::size_t length : {1UZ, 63UZ, 64UZ, 65UZ, 149UZ, 150UZ}) {
      check(device, p, {.key_length = length});
      check(device, p, {.causal = true, .key_length = length});
    }
  }
}

TEST_CASE("attention works through more queries than the queues take at once", "[ops][attention]") {
  npurt::device device;
  std::mt19937 random(7);
  check(device, random_problem({1, 5000, 70, 128}, random));
  check(device, random_problem({1, 130, 4096, 128}, random), {.causal = true});
  check(device, random_problem({2, 70, 4097, 64}, random));
  check(device, random_problem({1, 70, 8300, 128}, random), {.causal = true});
}

TEST_CASE("attention takes a scale", "[ops][attention]") {
  npurt::device device;
  std::mt19937 random(4);
  const problem p = random_problem({1, 40, 50, 64}, random);
  for (const float scale : {0.01F, 0.125F, 1.0F}) check(device, p, {.scale = scale});
}

TEST_CASE("attention gives the same on a second call and after others", "[ops][attention]") {
  npurt::device device;
  std::mt19937 random(5);
  const problem p = random_problem({2, 90, 110, 64}, random);
  const bf16s first = on_device(device, p);
  CHECK(same_bits(on_device(device, p), first));
  on_device(device, random_problem({1, 10, 300, 32}, random), {.causal = true});
  bf16s y(1000);
  npurt::gelu(device, tensor_view(y, 1000), tensor_view(y, 1000));
  CHECK(same_bits(on_device(device, p), first));
}

TEST_CASE("an attention plan is started and waited for", "[ops][attention]") {
  npurt::device device;
  std::mt19937 random(6);
  const problem p = random_problem({2, 30, 40, 64}, random);
  npurt::attention_plan plan(device, p.shape);
  bf16s out = untouched(p.q.size());
  plan.start(tensor_view(p.q, 2, 30, 64), tensor_view(p.k, 2, 40, 64), tensor_view(p.v, 2, 40, 64));
  plan.wait(tensor_view(out, 2, 30, 64));
  CHECK(same_bits(out, on_device(device, p)));
  const npurt::attention_plan other(std::move(plan));
  CHECK_THROWS_AS(plan.report(), npurt::moved_from_error);
  CHECK(other.shape() == p.shape);
}

TEST_CASE("attention names what does not fit", "[ops][attention]") {
  npurt::device device;
  const bf16s q(2 * 3 * 4), k(2 * 5 * 4), other(1 * 10 * 4);
  bf16s out(2 * 3 * 4);
  const auto dimension = [&](const bf16s& keys, std::size_t heads, std::size_t rows, std::size_t d) {
    return npurt::test::refused_dimension([&] {
      npurt::attention(device, tensor_view(q, 2, 3, 4), tensor_view(keys, heads, rows, d), tensor_view(k, 2, 5, 4),
                       tensor_view(out, 2, 3, 4));
    });
  };
  CHECK(dimension(k, 2, 5, 4) == "accepted");
  CHECK(dimension(other, 1, 10, 4) == "H");
  CHECK(dimension(other, 2, 4, 5) == "d");
  CHECK(dimension(other, 2, 10, 2) == "d");
  CHECK_THROWS_AS(npurt::attention_plan(device, {1, 1, 1, 129}), npurt::shape_error);
  CHECK_THROWS_AS(npurt::attention_plan(device, {1, 0, 1, 64}), npurt::shape_error);
  CHECK_THROWS_AS(npurt::attention_plan(device, {1, 1, 5, 64}, {.key_length = 6}), npurt::value_error);
  CHECK_THROWS_AS(npurt::attention_plan(device, {1, 1, 5, 64}, {.key_length = 0}), npurt::value_error);
  for (const float wrong : {0.0F, -1.0F, std::numeric_limits<float>::infinity()}) {
    CHECK_THROWS_AS(npurt::attention_plan(device, {1, 1, 5, 64}, {.scale = wrong}), npurt::value_error);
  }
}
