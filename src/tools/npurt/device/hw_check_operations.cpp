// SPDX-License-Identifier: Apache-2.0
// References: kernels/*/reference.hpp, in double or integers. Bounds: those that the stubs document (include/npurt/ops).
#include "hw_check_operations.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <format>
#include <limits>
#include <memory>
#include <random>
#include <span>

#include "bf16-attention/reference.hpp"
#include "bf16-layernorm/reference.hpp"
#include "bf16-matmul/reference.hpp"
#include "bf16-softmax/reference.hpp"
#include "elementwise/reference.hpp"
#include "i8-matmul/reference.hpp"
#include "npurt/npurt.hpp"

namespace npurt::tools {

namespace {

namespace reference = kernels::reference;
using bf16 = std::bfloat16_t;
constexpr double infinity = std::numeric_limits<double>::infinity();

/// Normally distributed, as activations are.
template <typename Element>
std::vector<Element> operand(std::size_t elements, unsigned seed) {
  constexpr double deviation = std::same_as<Element, std::int8_t> ? 16 : 1;
  std::mt19937 generator(seed);
  std::normal_distribution<> distribution(0, deviation);
  std::vector<Element> made(elements);
  std::ranges::generate(made, [&] { return static_cast<Element>(distribution(generator)); });
  return made;
}

bf16 rounded(double value) { return static_cast<bf16>(static_cast<float>(value)); }

/// The distance of neighbours at a value of bfloat16, which has 8 bits.
double ulp(double value) { return std::ldexp(1.0, std::max(std::ilogb(std::max(std::abs(value), 0x1p-126)), -126) - 7); }

template <typename T>
std::vector<float> widened(const std::vector<T>& values) {
  return {values.begin(), values.end()};
}

/// 2 ulp of the rounded result; below `limit` an absolute error.
double share_of_two_ulp(double result, double exact, double limit, double absolute) {
  const double wanted = static_cast<float>(rounded(exact));
  const double allowed = std::abs(wanted) >= limit ? 2 * ulp(wanted) : absolute;
  const double share = std::abs(result - wanted) / allowed;
  return std::isnan(share) ? infinity : share;
}

template <typename T>
double worst_if_equal(const std::vector<T>& result, const std::vector<T>& wanted) {
  return std::ranges::equal(result, wanted) ? 0 : infinity;
}

/// Operands and result of a call that outlive its functions.
template <typename In, typename Out>
struct tensors {
  std::vector<In> a, b, c;
  std::vector<Out> out;
};

template <typename In, typename Out>
std::shared_ptr<tensors<In, Out>> make_tensors(std::size_t a, std::size_t b, std::size_t c, std::size_t out) {
  return std::make_shared<tensors<In, Out>>(
      tensors<In, Out>{operand<In>(a, 1), operand<In>(b, 2), operand<In>(c, 3), std::vector<Out>(out)});
}

constexpr matmul_shape product{.m = 512, .n = 512, .k = 512};

prepared_check matmul_i8() {
  const matmul_shape& s = product;
  const auto t = make_tensors<std::int8_t, std::int32_t>(s.m * s.k, s.k * s.n, 0, s.m * s.n);
  return {[t, &s](device& npu) {
            matmul(npu, matrix_view<const std::int8_t>(t->a, s.m, s.k), matrix_view<const std::int8_t>(t->b, s.k, s.n),
                   matrix_view<std::int32_t>(t->out, s.m, s.n));
          },
          [t, &s] { return worst_if_equal(t->out, reference::matmul_i8(t->a, t->b, s.m, s.k, s.n)); }};
}

std::vector<std::uint16_t> bits_of(const std::vector<bf16>& values) {
  std::vector<std::uint16_t> bits(values.size());
  std::ranges::transform(values, bits.begin(), [](bf16 v) { return std::bit_cast<std::uint16_t>(v); });
  return bits;
}

prepared_check matmul_bf16() {
  const matmul_shape& s = product;
  const auto t = make_tensors<bf16, float>(s.m * s.k, s.k * s.n, 0, s.m * s.n);
  return {[t, &s](device& npu) {
            matmul(npu, matrix_view<const bf16>(t->a, s.m, s.k), matrix_view<const bf16>(t->b, s.k, s.n),
                   matrix_view<float>(t->out, s.m, s.n));
          },
          [t, &s] {
            const auto exact = reference::matmul_bf16(bits_of(t->a), bits_of(t->b), s.m, s.k, s.n, false);
            double worst = 0;
            for (std::size_t i = 0; i < exact.size(); ++i) {
              const double allowed = 16 * 0x1p-23 * exact[i].size * static_cast<double>((s.k + 63) / 64);
              const double share = std::abs(t->out[i] - exact[i].value) / allowed;
              worst = std::max(worst, std::isnan(share) ? infinity : share);
            }
            return worst;
          }};
}

constexpr std::size_t rows = 512, columns = 2048;

/// Of a function of one element with the accuracy of npurt::gelu.
template <typename Call, typename Reference>
prepared_check elementwise(Call stub, Reference function) {
  const auto t = make_tensors<bf16, bf16>(rows * columns, 0, 0, rows * columns);
  return {[t, stub](device& npu) { stub(npu, matrix_view<const bf16>(t->a, rows, columns), matrix_view<bf16>(t->out, rows, columns)); },
          [t, function] {
            double worst = 0;
            for (std::size_t i = 0; i < t->a.size(); ++i) {
              worst = std::max(worst, share_of_two_ulp(t->out[i], function(static_cast<double>(t->a[i])), 0x1p-10, 0x1p-18));
            }
            return worst;
          }};
}

/// Of one whose result is exact after one rounding.
template <typename Call, typename Reference>
prepared_check exact_elementwise(Call stub, Reference function) {
  const auto t = make_tensors<bf16, bf16>(rows * columns, rows * columns, 0, rows * columns);
  return {[t, stub](device& npu) { stub(npu, *t); },
          [t, function] {
            std::vector<bf16> wanted(t->out.size());
            std::ranges::transform(t->a, t->b, wanted.begin(), [&](bf16 a, bf16 b) {
              return static_cast<bf16>(function(static_cast<float>(a), static_cast<float>(b)));
            });
            return worst_if_equal(t->out, wanted);
          }};
}

using pair = tensors<bf16, bf16>;
matrix_view<const bf16> first_of(const pair& t) { return {t.a, rows, columns}; }
matrix_view<const bf16> second_of(const pair& t) { return {t.b, rows, columns}; }
matrix_view<bf16> result_of(pair& t) { return {t.out, rows, columns}; }

prepared_check gelu_int8() {
  constexpr float in_scale = 0.0625f, out_scale = 0.03125f;
  const auto t = make_tensors<std::int8_t, std::int8_t>(rows * columns, 0, 0, rows * columns);
  return {[t](device& npu) {
            gelu_i8(npu, matrix_view<const std::int8_t>(t->a, rows, columns), in_scale,
                    matrix_view<std::int8_t>(t->out, rows, columns), out_scale);
          },
          [t] {
            std::vector<std::int8_t> wanted(t->a.size());
            std::ranges::transform(t->a, wanted.begin(), [](std::int8_t x) {
              const double y = std::nearbyint(reference::gelu(x * static_cast<double>(in_scale)) / static_cast<double>(out_scale));
              return static_cast<std::int8_t>(std::clamp(y, -127.0, 127.0));
            });
            return worst_if_equal(t->out, wanted);
          }};
}

constexpr std::size_t model_width = 512;

prepared_check layer_normalisation() {
  constexpr float eps = 1e-5f;
  const auto t = make_tensors<bf16, bf16>(rows * model_width, model_width, model_width, rows * model_width);
  return {[t](device& npu) {
            layernorm(npu, matrix_view<const bf16>(t->a, rows, model_width), tensor_view<const bf16, 1>(t->b, model_width),
                      tensor_view<const bf16, 1>(t->c, model_width), eps, matrix_view<bf16>(t->out, rows, model_width));
          },
          [t] {
            const auto gamma = widened(t->b), beta = widened(t->c);
            const auto exact = reference::layernorm(widened(t->a), gamma, beta, static_cast<double>(eps));
            double weight = 0, worst = 0;
            for (std::size_t i = 0; i < gamma.size(); ++i) {
              weight = std::max({weight, std::abs(static_cast<double>(gamma[i])), std::abs(static_cast<double>(beta[i]))});
            }
            for (std::size_t i = 0; i < exact.size(); ++i) {
              worst = std::max(worst, share_of_two_ulp(t->out[i], exact[i], 0x1p-6 * weight, 0x1p-14 * weight));
            }
            return worst;
          }};
}

prepared_check row_softmax() {
  const auto t = make_tensors<bf16, bf16>(rows * model_width, 0, 0, rows * model_width);
  return {[t](device& npu) {
            softmax(npu, matrix_view<const bf16>(t->a, rows, model_width), matrix_view<bf16>(t->out, rows, model_width));
          },
          [t] {
            const auto exact = reference::softmax(widened(t->a), model_width);
            double worst = 0;
            for (std::size_t i = 0; i < exact.size(); ++i) {
              worst = std::max(worst, share_of_two_ulp(t->out[i], exact[i], 0x1p-10, 0x1p-18));
            }
            return worst;
          }};
}

constexpr attention_shape heads{.heads = 4, .rows = 256, .keys = 256, .d = 64};

prepared_check scaled_attention() {
  constexpr std::size_t size = heads.heads * heads.rows * heads.d;
  const auto t = make_tensors<bf16, bf16>(size, size, size, size);
  return {[t](device& npu) {
            const auto view = [](const std::vector<bf16>& v) {
              return tensor_view<const bf16, 3>(v, heads.heads, heads.rows, heads.d);
            };
            attention(npu, view(t->a), view(t->b), view(t->c), tensor_view<bf16, 3>(t->out, heads.heads, heads.rows, heads.d));
          },
          [t] {
            const auto wide = [](const std::vector<bf16>& v) { return std::vector<double>(v.begin(), v.end()); };
            const auto exact =
                reference::attention(wide(t->a), wide(t->b), wide(t->c),
                                     {.heads = heads.heads, .rows = heads.rows, .keys = heads.keys, .d = heads.d},
                                     1 / std::sqrt(static_cast<double>(heads.d)));
            double dot = 0, left = 0, right = 0;
            for (std::size_t i = 0; i < exact.size(); ++i) {
              const double y = t->out[i];
              dot += y * exact[i];
              left += y * y;
              right += exact[i] * exact[i];
            }
            const double share = (1 - dot / std::sqrt(left * right)) / (1 - 0.9999);  // of the cosine's distance from 1
            return std::isnan(share) ? infinity : share;
          }};
}

std::vector<hw_check_operation> make_operations() {
  const std::string matrix = std::format("{}x{}", rows, columns), wide = std::format("{}x{}", rows, model_width);
  const std::string cube = std::format("{}x{}x{}", product.m, product.n, product.k);
  return {
      {"matmul-i8", cube + " int8 to int32", matmul_i8},
      {"matmul-bf16", cube + " bf16 to f32", matmul_bf16},
      {"attention", std::format("{} heads of {}x{}, bf16", heads.heads, heads.rows, heads.d), scaled_attention},
      {"layernorm", wide + " bf16", layer_normalisation},
      {"softmax", wide + " bf16", row_softmax},
      {"gelu", matrix + " bf16",
       [] { return elementwise([](device& n, auto x, auto y) { gelu(n, x, y); }, [](double x) { return reference::gelu(x); }); }},
      {"silu", matrix + " bf16",
       [] { return elementwise([](device& n, auto x, auto y) { silu(n, x, y); }, [](double x) { return reference::silu(x); }); }},
      {"relu", matrix + " bf16",
       [] {
         return exact_elementwise([](device& n, pair& t) { relu(n, first_of(t), result_of(t)); },
                                  [](float a, float) { return std::max(a, 0.0f); });
       }},
      {"scale", matrix + " bf16",
       [] {
         return exact_elementwise([](device& n, pair& t) { scale(n, first_of(t), 1.5f, result_of(t)); },
                                  [](float a, float) { return a * 1.5f; });
       }},
      {"add", matrix + " bf16",
       [] {
         return exact_elementwise([](device& n, pair& t) { add(n, first_of(t), second_of(t), result_of(t)); },
                                  [](float a, float b) { return a + b; });
       }},
      {"copy", matrix + " bf16",
       [] {
         return exact_elementwise([](device& n, pair& t) { copy(n, first_of(t), result_of(t)); },
                                  [](float a, float) { return a; });
       }},
      {"gelu-i8", matrix + " int8", gelu_int8},
  };
}

}  // namespace

const std::vector<hw_check_operation>& hw_check_operations() {
  static const std::vector<hw_check_operation> all = make_operations();
  return all;
}

}  // namespace npurt::tools
