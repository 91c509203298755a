// SPDX-License-Identifier: Apache-2.0
#include "bench/kernels/calls.hpp"

#include <algorithm>
#include <cmath>
#include <concepts>
#include <random>
#include <vector>

namespace npurt::bench {
namespace {

using bf16 = std::bfloat16_t;

/// Normally distributed, as activations are: the time of attention depends on where a row's largest scores are, that of
/// the other operations on nothing in the operands.
template <typename Element>
std::vector<Element> operand(std::size_t elements, unsigned seed) {
  constexpr double deviation = std::same_as<Element, std::int8_t> ? 16 : 1;
  std::mt19937 generator(seed);
  std::normal_distribution<> distribution(0, deviation);
  std::vector<Element> made(elements);
  std::ranges::generate(made, [&] { return static_cast<Element>(distribution(generator)); });
  return made;
}

template <typename Element, typename Result>
device_call matmul_of(const matmul_shape& s) {
  return [s, a = operand<Element>(s.m * s.k, 1), b = operand<Element>(s.k * s.n, 2),
          c = std::vector<Result>(s.m * s.n)](device& npu) mutable {
    matmul(npu, matrix_view<const Element>(a, s.m, s.k), matrix_view<const Element>(b, s.k, s.n),
           matrix_view<Result>(c, s.m, s.n));
  };
}

/// Of an operation from one matrix to another.
template <typename Element = bf16, typename Operation>
device_call rows_call(std::size_t rows, std::size_t columns, Operation operation) {
  return [=, x = operand<Element>(rows * columns, 1), y = std::vector<Element>(rows * columns)](device& npu) mutable {
    operation(npu, matrix_view<const Element>(x, rows, columns), matrix_view<Element>(y, rows, columns));
  };
}

}  // namespace

device_call matmul_i8_call(const matmul_shape& s) { return matmul_of<std::int8_t, std::int32_t>(s); }
device_call matmul_bf16_call(const matmul_shape& s) { return matmul_of<bf16, bf16>(s); }

device_call matmul_i8_i8_call(const matmul_shape& s) {
  // The scales bring sums of K products, each of 16², back to the deviation of the operands.
  const double factor = 1 / (16 * std::sqrt(static_cast<double>(s.k)));
  return [s, a = operand<std::int8_t>(s.m * s.k, 1), b = operand<std::int8_t>(s.k * s.n, 2),
          c = std::vector<std::int8_t>(s.m * s.n),
          scales = std::vector(s.n, column_scale_of(factor))](device& npu) mutable {
    matmul(npu, matrix_view<const std::int8_t>(a, s.m, s.k), matrix_view<const std::int8_t>(b, s.k, s.n),
           matrix_view<std::int8_t>(c, s.m, s.n), {.scales = scales});
  };
}

device_call attention_call(const attention_shape& s) {
  const std::size_t queries = s.heads * s.rows * s.d, keys = s.heads * s.keys * s.d;
  return [s, q = operand<bf16>(queries, 1), k = operand<bf16>(keys, 2), v = operand<bf16>(keys, 3),
          out = std::vector<bf16>(queries)](device& npu) mutable {
    attention(npu, tensor_view<const bf16, 3>(q, s.heads, s.rows, s.d),
              tensor_view<const bf16, 3>(k, s.heads, s.keys, s.d), tensor_view<const bf16, 3>(v, s.heads, s.keys, s.d),
              tensor_view<bf16, 3>(out, s.heads, s.rows, s.d));
  };
}

device_call attention_i8_call(const attention_shape& s) {
  const std::size_t queries = s.heads * s.rows * s.d, keys = s.heads * s.keys * s.d;
  // A step of q and k is what makes their elements' deviation 1.
  return [s, q = operand<std::int8_t>(queries, 1), k = operand<std::int8_t>(keys, 2), v = operand<std::int8_t>(keys, 3),
          out = std::vector<bf16>(queries)](device& npu) mutable {
    using view = tensor_view<const std::int8_t, 3>;
    attention_i8(npu, view(q, s.heads, s.rows, s.d), view(k, s.heads, s.keys, s.d), view(v, s.heads, s.keys, s.d),
                 {.q = 1.0F / 16, .k = 1.0F / 16, .v = 1.0F / 16}, tensor_view<bf16, 3>(out, s.heads, s.rows, s.d));
  };
}

device_call layernorm_call(std::size_t rows, std::size_t columns) {
  return rows_call(rows, columns, [weights = operand<bf16>(columns, 2)](device& npu, const auto& x, const auto& y) {
    const tensor_view<const bf16, 1> w(weights, weights.size());
    layernorm(npu, x, w, w, 1e-5f, y);
  });
}

device_call softmax_call(std::size_t rows, std::size_t columns) {
  return rows_call(rows, columns, [](device& npu, const auto& x, const auto& y) { softmax(npu, x, y); });
}

device_call gelu_call(std::size_t rows, std::size_t columns) {
  return rows_call(rows, columns, [](device& npu, const auto& x, const auto& y) { gelu(npu, x, y); });
}

device_call silu_call(std::size_t rows, std::size_t columns) {
  return rows_call(rows, columns, [](device& npu, const auto& x, const auto& y) { silu(npu, x, y); });
}

device_call relu_call(std::size_t rows, std::size_t columns) {
  return rows_call(rows, columns, [](device& npu, const auto& x, const auto& y) { relu(npu, x, y); });
}

device_call scale_call(std::size_t rows, std::size_t columns) {
  return rows_call(rows, columns, [](device& npu, const auto& x, const auto& y) { scale(npu, x, 0.125F, y); });
}

device_call add_call(std::size_t rows, std::size_t columns) {
  return rows_call(rows, columns, [more = operand<bf16>(rows * columns, 2)](device& npu, const auto& x, const auto& y) {
    add(npu, x, matrix_view<const bf16>(more, x.rows(), x.columns()), y);
  });
}

device_call gelu_i8_call(std::size_t rows, std::size_t columns) {
  return rows_call<std::int8_t>(
      rows, columns, [](device& npu, const auto& x, const auto& y) { gelu_i8(npu, x, 1.0F / 16, y, 1.0F / 16); });
}

device_call copy_call(std::size_t rows, std::size_t columns) {
  return rows_call(rows, columns, [](device& npu, const auto& x, const auto& y) { copy(npu, x, y); });
}

device_call transpose_call(std::size_t rows, std::size_t columns) {
  return rows_call(rows, columns, [](device& npu, const auto& x, const auto& y) {
    transpose(npu, x, matrix_view<bf16>(y.elements(), x.columns(), x.rows()));
  });
}

device_call mel_call(std::size_t seconds) {
  const std::size_t samples = seconds * 16000;
  return [pcm = operand<float>(samples, 1),
          out = std::vector<float>(mel_bands * mel_frames(samples))](device& npu) mutable {
    mel(npu, tensor_view<const float, 1>(pcm, pcm.size()), matrix_view<float>(out, mel_bands, out.size() / mel_bands));
  };
}

double operations(const matmul_shape& s) { return 2.0 * static_cast<double>(s.m * s.n * s.k); }

double operations(const attention_shape& s) { return 4.0 * static_cast<double>(s.heads * s.rows * s.keys * s.d); }

double bf16_bytes(std::size_t rows, std::size_t columns) { return static_cast<double>(rows * columns * sizeof(bf16)); }

}  // namespace npurt::bench
