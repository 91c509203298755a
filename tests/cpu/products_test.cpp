// SPDX-License-Identifier: Apache-2.0
// Matmul and attention on the CPU, to the contract of those on the NPU, with every set of vector units.
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "bf16-attention/reference.hpp"
#include "cpu/vector_sets.hpp"
#include "i8-attention/reference.hpp"
#include "i8-matmul/reference.hpp"
#include "ops/attention_check.hpp"
#include "ops/matmul_shapes.hpp"

using namespace npurt::test;
using npurt::attention_options, npurt::attention_shape, npurt::executor, npurt::matmul_shape;
using npurt::strided_view, npurt::tensor_view, npurt::transposed;

namespace {

namespace reference = npurt::kernels::reference;

/// Both sides of a group of rows (6), a block of them (72), a panel of columns (8, 16, 32) and a block of K (16).
const std::vector<matmul_shape> product_shapes{{1, 1, 1},    {2, 3, 5},    {5, 7, 15},   {6, 8, 16},   {7, 9, 17},
                                               {1, 31, 33},  {11, 32, 31}, {12, 33, 64}, {13, 15, 1},  {71, 16, 65},
                                               {72, 17, 32}, {73, 64, 47}, {1, 65, 300}, {145, 5, 48}, {3, 100, 777}};

std::vector<std::int8_t> integers(std::size_t count, std::mt19937& random) {
  std::vector<std::int8_t> all(count);
  for (std::int8_t& each : all) each = static_cast<std::int8_t>(random());
  return all;
}

double exact_gelu(double x) { return 0.5 * x * std::erfc(-x / std::sqrt(2.0)); }
double half_ulp_of(double x) { return std::ldexp(1.0, std::ilogb(std::max(std::abs(x), 0x1p-126)) - 8); }

struct epilogue {
  bool bias = false, gelu = false, residual = false;
};

/// Largest error in units of what npurt::matmul allows.
template <typename Result>
double worst(const std::vector<Result>& c, const matmul_shape& s, const bf16s& a, const bf16s& b,
             const std::vector<float>& bias, const bf16s& residual, const epilogue& then) {
  double most = 0;
  for (std::size_t i = 0; i < s.m * s.n; ++i) {
    const std::size_t row = i / s.n, column = i % s.n;
    double sum = then.bias ? double{bias[column]} : 0, size = std::abs(sum);
    for (std::size_t k = 0; k < s.k; ++k) {
      const double term = double{npurt::to_float(a[row * s.k + k])} * npurt::to_float(b[k * s.n + column]);
      sum += term;
      size += std::abs(term);
    }
    double bound = 16 * 0x1p-23 * static_cast<double>((s.k + 63) / 64) * size;
    if (then.gelu) {
      const double exact = exact_gelu(sum);
      bound = std::max(std::abs(exact_gelu(sum + bound) - exact), std::abs(exact_gelu(sum - bound) - exact)) +
              0x1p-8 * std::abs(exact) + 0x1p-19;
      sum = exact;
    }
    if (then.residual) sum += npurt::to_float(residual[i]);
    bound += 0x1p-22 * (std::abs(sum) + size) + 1e-38;
    if (std::same_as<Result, bf16>) bound += half_ulp_of(std::abs(sum) + bound);
    const double error = std::abs(static_cast<double>(static_cast<float>(c[i])) - sum) / bound;
    most = std::isnan(error) ? INFINITY : std::max(most, error);
  }
  return most;
}

template <typename Result>
void check_bf16(executor& cpu, const matmul_shape& s, const epilogue& then, std::mt19937& random) {
  const bf16s a = normal_bf16(s.m * s.k, 0, 1, random);
  const bf16s b = normal_bf16(s.k * s.n, 0, 1 / std::sqrt(static_cast<float>(s.k)), random);
  const std::vector<float> bias = widened(normal_bf16(s.n, 0, 1, random));
  const bf16s residual = normal_bf16(s.m * s.n, 0, 2, random);
  npurt::matmul_options<bf16, Result> options;
  if (then.bias) options.bias = bias;
  if (then.gelu) options.activation = npurt::activation::gelu;
  if (then.residual) options.residual = tensor_view(residual, s.m, s.n);
  std::vector<Result> c(s.m * s.n, Result(12345));
  npurt::matmul(cpu, tensor_view(a, s.m, s.k), tensor_view(b, s.k, s.n), tensor_view(c, s.m, s.n), options);
  INFO("M " << s.m << " N " << s.n << " K " << s.k << " bias " << then.bias << " gelu " << then.gelu << " residual "
            << then.residual);
  CHECK(worst(c, s, a, b, bias, residual, then) <= 1);
}

void check_i8(executor& cpu, const matmul_shape& shape, std::mt19937& random) {
  const auto& [m, n, k] = shape;
  const auto a = integers(m * k, random), b = integers(k * n, random);
  const auto wanted = reference::matmul_i8(a, b, m, k, n);
  std::vector<std::int32_t> c(m * n, 7);
  npurt::matmul(cpu, tensor_view(a, m, k), tensor_view(b, k, n), tensor_view(c, m, n));
  INFO("M " << m << " N " << n << " K " << k);
  CHECK((c == wanted));
  std::vector<npurt::column_scale> scales(n);
  for (auto& scale : scales) {
    scale = {.bias = static_cast<std::int32_t>(random() % 2001) - 1000,
             .multiplier = static_cast<std::int16_t>(random()),
             .shift = static_cast<std::uint8_t>(random() % 47)};
  }
  std::vector<std::int8_t> narrow(m * n, 7), wanted_narrow(m * n);
  npurt::matmul(cpu, tensor_view(a, m, k), tensor_view(b, k, n), tensor_view(narrow, m, n),
                {.scales = scales, .zero_point = -5});
  for (std::size_t i = 0; i < m * n; ++i) {
    const npurt::column_scale& by = scales[i % n];
    wanted_narrow[i] = reference::requantise(wanted[i], by.bias, by.multiplier, by.shift, -5);
  }
  CHECK((narrow == wanted_narrow));
}

/// Of each head the first so many keys.
template <typename T, typename Values>
std::vector<T> first_keys_of(const Values& values, const attention_shape& s, std::size_t length) {
  std::vector<T> kept;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i / s.d % s.keys < length) kept.push_back(static_cast<T>(static_cast<float>(values[i])));
  }
  return kept;
}

reference::attention_shape shape_for(const attention_shape& s, const attention_options& options) {
  return {.heads = s.heads,
          .rows = s.rows,
          .keys = options.key_length.value_or(s.keys),
          .d = s.d,
          .causal = options.causal};
}

void check_attention(executor& cpu, const attention_shape& s, const attention_options& options, std::mt19937& random) {
  const bf16s q = normal_bf16(s.heads * s.rows * s.d, 0, 1.5F, random),
              k = normal_bf16(s.heads * s.keys * s.d, 0, 1.5F, random), v = normal_bf16(k.size(), 0, 1, random);
  bf16s out = untouched(q.size());
  npurt::attention(cpu, tensor_view(q, s.heads, s.rows, s.d), tensor_view(k, s.heads, s.keys, s.d),
                   tensor_view(v, s.heads, s.keys, s.d), tensor_view(out, s.heads, s.rows, s.d), options);
  const reference::attention_shape shape = shape_for(s, options);
  const double scale = options.scale ? double{*options.scale} : 1 / std::sqrt(static_cast<double>(s.d));
  const auto wanted = reference::attention(widened<double>(q), first_keys_of<double>(k, s, shape.keys),
                                           first_keys_of<double>(v, s, shape.keys), shape, scale);
  INFO("H " << s.heads << " T " << s.rows << " S " << s.keys << " d " << s.d << " causal " << options.causal << " keys "
            << shape.keys);
  const auto far =
      distance_of(out, wanted, s, largest_of_heads(v, s.heads, [](bf16 x) { return npurt::to_float(x); }), 1.0 / 16);
  CHECK(far.cosine >= 0.9999);
  CHECK(far.row_cosine >= 0.9999);
  CHECK(far.error <= 0x1p-7);
}

void check_attention_i8(executor& cpu, const attention_shape& s, const attention_options& options,
                        std::mt19937& random) {
  const auto q = integers(s.heads * s.rows * s.d, random), k = integers(s.heads * s.keys * s.d, random),
             v = integers(k.size(), random);
  const npurt::attention_scales scales{0.02F, 0.015F, 0.01F};
  bf16s out = untouched(q.size());
  npurt::attention_i8(cpu, tensor_view(q, s.heads, s.rows, s.d), tensor_view(k, s.heads, s.keys, s.d),
                      tensor_view(v, s.heads, s.keys, s.d), scales, tensor_view(out, s.heads, s.rows, s.d), options);
  const reference::attention_shape shape = shape_for(s, options);
  const auto wanted = reference::attention(
      q, first_keys_of<std::int8_t>(k, s, shape.keys), first_keys_of<std::int8_t>(v, s, shape.keys), shape,
      1 / std::sqrt(static_cast<double>(s.d)), reference::attention_scales{scales.q, scales.k, scales.v});
  INFO("H " << s.heads << " T " << s.rows << " S " << s.keys << " d " << s.d);
  const auto far = distance_of(
      out, wanted, s, largest_of_heads(v, s.heads, [&](std::int8_t x) { return x * double{scales.v}; }), 1.0 / 16);
  CHECK(far.cosine >= 0.999);
  CHECK(far.row_cosine >= 0.999);
  CHECK(far.error <= 0x1p-7);
}

}  // namespace

TEST_CASE("the bfloat16 matmul on the CPU is within its bounds with every option", "[cpu][matmul]") {
  on_every_vector_set([](executor& cpu) {
    std::mt19937 random(1);
    for (std::size_t i = 0; i < product_shapes.size(); ++i) {
      const epilogue then{(i & 1) != 0, (i & 2) != 0, (i & 4) != 0};
      check_bf16<float>(cpu, product_shapes[i], then, random);
      check_bf16<bf16>(cpu, product_shapes[i], {!then.bias, !then.gelu, !then.residual}, random);
    }
  });
}

TEST_CASE("the bfloat16 matmul on the CPU is within its bounds at every shape of the NPU's tests", "[cpu][matmul]") {
  executor cpu(npurt::where::cpu);
  std::mt19937 random(6);
  for (std::size_t i = 0; i < std::size(matmul_shapes); ++i) {
    check_bf16<float>(cpu, matmul_shapes[i], {(i & 1) != 0, (i & 2) != 0, (i & 4) != 0}, random);
    check_bf16<bf16>(cpu, matmul_shapes[i], {(i & 4) == 0, (i & 1) == 0, (i & 2) == 0}, random);
  }
}

TEST_CASE("the int8 matmul on the CPU is exact, to int32 and requantised", "[cpu][matmul]") {
  on_every_vector_set([](executor& cpu) {
    std::mt19937 random(2);
    for (const matmul_shape& shape : product_shapes) check_i8(cpu, shape, random);
  });
}

TEST_CASE("the int8 matmul on the CPU is exact at every shape of the NPU's tests", "[cpu][matmul]") {
  executor cpu(npurt::where::cpu);
  std::mt19937 random(7);
  for (const matmul_shape& shape : matmul_shapes) check_i8(cpu, shape, random);
}

TEST_CASE("the int8 matmul on the CPU rounds ties to even", "[cpu][matmul]") {
  executor cpu(npurt::where::cpu);
  const std::vector<std::int8_t> a{1, 2, 3, 5, -1, -2, -3, -5}, b{1};
  std::vector<std::int8_t> c(8);
  const std::vector<npurt::column_scale> halves{{.shift = 1}};
  npurt::matmul(cpu, tensor_view(a, 8, 1), tensor_view(b, 1, 1), tensor_view(c, 8, 1), {.scales = halves});
  CHECK(c == std::vector<std::int8_t>{0, 1, 2, 2, 0, -1, -2, -2});
}

TEST_CASE("operands of a matmul on the CPU may be transposed, strided and batches, c its own residual",
          "[cpu][matmul]") {
  executor cpu(npurt::where::cpu);
  std::mt19937 random(3);
  constexpr std::size_t g = 3, m = 13, n = 37, k = 21;
  const auto a = integers(g * m * k, random), b = integers(g * k * n, random);
  std::vector<std::int8_t> b_transposed(b.size());
  for (std::size_t i = 0; i < b.size(); ++i) {
    b_transposed[i / (k * n) * (k * n) + i % n * k + i / n % k] = b[i];
  }
  std::vector<std::int32_t> c(g * m * (n + 4), -1), shared(g * m * n);
  npurt::matmul(cpu, tensor_view(a, g, m, k), transposed(tensor_view(b_transposed, g, n, k)),
                strided_view<std::int32_t, 3>(c, {g, m, n}, {m * (n + 4), n + 4, 1}));
  npurt::matmul(cpu, tensor_view(a, g, m, k), tensor_view(std::span(b).first(k * n), k, n),
                tensor_view(shared, g, m, n));
  for (std::size_t i = 0; i < g; ++i) {
    const std::vector<std::int8_t> one(a.begin() + static_cast<std::ptrdiff_t>(i * m * k),
                                       a.begin() + static_cast<std::ptrdiff_t>((i + 1) * m * k)),
        other(b.begin() + static_cast<std::ptrdiff_t>(i * k * n), b.end()), first(b.begin(), b.end());
    const auto wanted = reference::matmul_i8(one, other, m, k, n),
               wanted_first = reference::matmul_i8(one, first, m, k, n);
    for (std::size_t j = 0; j < m * (n + 4); ++j) {
      const bool inside = j % (n + 4) < n;
      REQUIRE(c[i * m * (n + 4) + j] == (inside ? wanted[j / (n + 4) * n + j % (n + 4)] : -1));
    }
    for (std::size_t j = 0; j < m * n; ++j) REQUIRE(shared[i * m * n + j] == wanted_first[j]);
  }
  const bf16s ones(m * k, bf16(1)), twos(k * n, bf16(2));
  std::vector<float> sum(m * n, 0.5F);
  const tensor_view result(sum, m, n);
  npurt::matmul(cpu, tensor_view(ones, m, k), tensor_view(twos, k, n), result, {.residual = result});
  CHECK(std::ranges::all_of(sum, [](float value) { return value == 2.0F * k + 0.5F; }));
}

TEST_CASE("attention on the CPU is close to the exact one, causal or not, with fewer keys, of int8",
          "[cpu][attention]") {
  on_every_vector_set([](executor& cpu) {
    std::mt19937 random(4);
    for (const attention_shape& s : {attention_shape{1, 1, 1, 1},
                                     {2, 3, 5, 7},
                                     {1, 6, 32, 16},
                                     {3, 7, 33, 17},
                                     {2, 13, 16, 64},
                                     {1, 40, 31, 65},
                                     {1, 31, 70, 128},
                                     {1, 9, 500, 150}}) {
      for (const bool causal : {false, true}) {
        check_attention(cpu, s, {.causal = causal}, random);
        check_attention(cpu, s, {.causal = causal, .key_length = (s.keys + 1) / 2, .scale = 0.1F}, random);
        check_attention_i8(cpu, s, {.causal = causal, .key_length = (s.keys + 2) / 3}, random);
      }
    }
  });
}

TEST_CASE("a NaN in attention on the CPU reaches only the rows that see it", "[cpu][attention]") {
  executor cpu(npurt::where::cpu);
  std::mt19937 random(5);
  constexpr std::size_t t = 14, d = 9;
  const bf16s q = normal_bf16(t * d, 0, 1, random), clean = normal_bf16(t * d, 0, 1, random);
  const auto result = [&](const bf16s& k, const bf16s& v) {
    bf16s out(t * d);
    npurt::attention(cpu, tensor_view(q, 1, t, d), tensor_view(k, 1, t, d), tensor_view(v, 1, t, d),
                     tensor_view(out, 1, t, d), {.causal = true});
    out.resize(10 * d);
    return out;
  };
  bf16s broken = clean;
  broken[10 * d + 3] = npurt::to_bfloat16(std::numeric_limits<float>::quiet_NaN());
  const bf16s wanted = result(clean, clean);
  CHECK(same_bits(result(broken, clean), wanted));
  CHECK(same_bits(result(clean, broken), wanted));
}
