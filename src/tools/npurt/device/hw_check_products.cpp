// SPDX-License-Identifier: Apache-2.0
// Products of matrices and attention.
#include <bit>
#include <span>
#include <type_traits>

#include "bf16-attention/reference.hpp"
#include "bf16-matmul/reference.hpp"
#include "elementwise/reference.hpp"
#include "hw_check_support.hpp"
#include "i8-attention/reference.hpp"
#include "i8-matmul/reference.hpp"
#include "npurt/npurt.hpp"
#include "npurt/ops/attention_i8.hpp"

namespace npurt::tools {

namespace {

namespace reference = kernels::reference;

constexpr matmul_shape product{.m = 512, .n = 512, .k = 512};
constexpr column_scale to_int8{.bias = 100, .multiplier = 3, .shift = 10};

}  // namespace

prepared_check check_matmul_i8() {
  const auto t =
      make_tensors<std::int8_t, std::int32_t>(product.m * product.k, product.k * product.n, 0, product.m * product.n);
  return {[t](device& npu) {
            matmul(npu, matrix_view<const std::int8_t>(t->a, product.m, product.k),
                   matrix_view<const std::int8_t>(t->b, product.k, product.n),
                   matrix_view<std::int32_t>(t->out, product.m, product.n));
          },
          [t] { return worst_if_equal(t->out, reference::matmul_i8(t->a, t->b, product.m, product.k, product.n)); }};
}

prepared_check check_matmul_i8_to_i8() {
  const auto t =
      make_tensors<std::int8_t, std::int8_t>(product.m * product.k, product.k * product.n, 0, product.m * product.n);
  const auto scales = std::make_shared<std::vector<column_scale>>(product.n, to_int8);
  return {[t, scales](device& npu) {
            matmul(npu, matrix_view<const std::int8_t>(t->a, product.m, product.k),
                   matrix_view<const std::int8_t>(t->b, product.k, product.n),
                   matrix_view<std::int8_t>(t->out, product.m, product.n), {.scales = *scales, .zero_point = 5});
          },
          [t] {
            const auto sums = reference::matmul_i8(t->a, t->b, product.m, product.k, product.n);
            std::vector<std::int8_t> wanted(sums.size());
            std::ranges::transform(sums, wanted.begin(), [&](std::int32_t sum) {
              return reference::requantise(sum, to_int8.bias, to_int8.multiplier, to_int8.shift, 5);
            });
            return worst_if_equal(t->out, wanted);
          }};
}

namespace {

std::vector<std::uint16_t> bits_of(const std::vector<bf16>& values) {
  std::vector<std::uint16_t> bits(values.size());
  std::ranges::transform(values, bits.begin(), [](bf16 v) { return std::bit_cast<std::uint16_t>(v); });
  return bits;
}

}  // namespace

prepared_check check_matmul_bf16() {
  const auto t = make_tensors<bf16, float>(product.m * product.k, product.k * product.n, 0, product.m * product.n);
  return {
      [t](device& npu) {
        matmul(npu, matrix_view<const bf16>(t->a, product.m, product.k),
               matrix_view<const bf16>(t->b, product.k, product.n), matrix_view<float>(t->out, product.m, product.n));
      },
      [t] {
        const auto exact = reference::matmul_bf16(bits_of(t->a), bits_of(t->b), product.m, product.k, product.n, false);
        double worst = 0;
        for (std::size_t i = 0; i < exact.size(); ++i) {
          const double allowed = 16 * 0x1p-23 * exact[i].size * static_cast<double>(product.k) / 64;
          const double share = std::abs(t->out[i] - exact[i].value) / allowed;
          worst = std::max(worst, std::isnan(share) ? infinity : share);
        }
        return worst;
      }};
}

namespace {

constexpr matmul_shape ended{.m = 256, .n = 512, .k = 256};

struct ended_product {
  tensors<bf16, bf16> t =
      *make_tensors<bf16, bf16>(ended.m * ended.k, ended.k* ended.n, ended.m* ended.n, ended.m* ended.n);
  std::vector<float> bias = operand<float>(ended.n, 4);

  /// Sums of about 1 in size, where gelu is curved.
  ended_product() {
    for (bf16& b : t.b) b = static_cast<bf16>(static_cast<float>(b) / 16);
  }

  void run(device& npu, const matmul_options<bf16, bf16>& options) {
    matmul(npu, matrix_view<const bf16>(t.a, ended.m, ended.k), matrix_view<const bf16>(t.b, ended.k, ended.n),
           matrix_view<bf16>(t.out, ended.m, ended.n), options);
  }

  /// Each element's sum with its bias, as reference::matmul_bf16 gives it.
  std::vector<reference::bounded_sum> sums() const {
    auto all = reference::matmul_bf16(bits_of(t.a), bits_of(t.b), ended.m, ended.k, ended.n, false);
    for (std::size_t i = 0; i < all.size(); ++i) all[i].add(static_cast<double>(bias[i % ended.n]));
    return all;
  }

  template <typename Share>
  double worst(Share share) const {
    const auto all = sums();
    double most = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const double each = share(i, all[i]);
      most = std::max(most, std::isnan(each) ? infinity : each);
    }
    return most;
  }
};

double allowed_of_sum(double size) { return 16 * 0x1p-23 * size * static_cast<double>(ended.k) / 64; }

}  // namespace

prepared_check check_matmul_residual() {
  const auto p = std::make_shared<ended_product>();
  return {[p](device& npu) {
            p->run(npu, {.bias = p->bias, .residual = matrix_view<const bf16>(p->t.c, ended.m, ended.n)});
          },
          [p] {
            return p->worst([&](std::size_t i, reference::bounded_sum sum) {
              sum.add(p->t.c[i]);
              const double off = allowed_of_sum(sum.size);
              return std::abs(p->t.out[i] - sum.value) / (off + ulp(std::abs(sum.value) + off) / 2);
            });
          }};
}

prepared_check check_matmul_gelu() {
  const auto p = std::make_shared<ended_product>();
  return {[p](device& npu) { p->run(npu, {.bias = p->bias, .activation = activation::gelu}); },
          [p] {
            return p->worst([&](std::size_t i, const reference::bounded_sum& sum) {
              const double exact = reference::gelu(sum.value), off = allowed_of_sum(sum.size);
              const double moved = std::max(std::abs(reference::gelu(sum.value + off) - exact),
                                            std::abs(reference::gelu(sum.value - off) - exact));
              const double allowed = std::abs(exact) >= 0x1p-10 ? 2 * ulp(exact) : 1.4 * ulp(exact) + 0x1p-18;
              return std::abs(p->t.out[i] - static_cast<float>(rounded(exact))) / (allowed + moved);
            });
          }};
}

namespace {

constexpr attention_shape heads{.heads = 4, .rows = 256, .keys = 256, .d = 64};
constexpr std::size_t heads_size = heads.heads * heads.rows * heads.d;
constexpr reference::attention_shape reference_heads{
    .heads = heads.heads, .rows = heads.rows, .keys = heads.keys, .d = heads.d};

template <typename T>
tensor_view<T, 3> heads_view(std::vector<std::remove_const_t<T>>& values) {
  return {values, heads.heads, heads.rows, heads.d};
}

/// The cosine's distance from 1, as a share of what is allowed.
double cosine_share(const std::vector<bf16>& result, const std::vector<double>& exact, double least_cosine) {
  double dot = 0, left = 0, right = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const double y = result[i];
    dot += y * exact[i];
    left += y * y;
    right += exact[i] * exact[i];
  }
  const double share = (1 - dot / std::sqrt(left * right)) / (1 - least_cosine);
  return std::isnan(share) ? infinity : share;
}

double default_scale() { return 1 / std::sqrt(static_cast<double>(heads.d)); }

}  // namespace

prepared_check check_attention() {
  const auto t = make_tensors<bf16, bf16>(heads_size, heads_size, heads_size, heads_size);
  return {[t](device& npu) {
            attention(npu, heads_view<const bf16>(t->a), heads_view<const bf16>(t->b), heads_view<const bf16>(t->c),
                      heads_view<bf16>(t->out));
          },
          [t] {
            const auto wide = [](const std::vector<bf16>& v) { return std::vector<double>(v.begin(), v.end()); };
            return cosine_share(
                t->out, reference::attention(wide(t->a), wide(t->b), wide(t->c), reference_heads, default_scale()),
                0.9999);
          }};
}

prepared_check check_attention_i8() {
  constexpr float step = 0.0625f;
  const auto t = make_tensors<std::int8_t, bf16>(heads_size, heads_size, heads_size, heads_size);
  return {
      [t](device& npu) {
        attention_i8(npu, heads_view<const std::int8_t>(t->a), heads_view<const std::int8_t>(t->b),
                     heads_view<const std::int8_t>(t->c), {.q = step, .k = step, .v = step}, heads_view<bf16>(t->out));
      },
      [t] {
        return cosine_share(
            t->out,
            reference::attention(t->a, t->b, t->c, reference_heads, default_scale(), {.q = step, .k = step, .v = step}),
            0.999);
      }};
}

}  // namespace npurt::tools
