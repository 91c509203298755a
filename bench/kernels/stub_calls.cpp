// SPDX-License-Identifier: Apache-2.0
// The calls, their work, and their bars.
#include "bench/kernels/stub_calls.hpp"

#include <algorithm>
#include <concepts>
#include <npurt/npurt.hpp>
#include <random>

namespace npurt::bench {
namespace {

using call = std::function<void(device&)>;
using bf16 = std::bfloat16_t;

const speed_unit tops{"TOPS", 1e12}, tflops{"TFLOPS", 1e12}, gflops{"GFLOPS", 1e9}, gops{"GOPS", 1e9},
    each_way{"GB/s each way", 1e9}, microseconds{"us"};

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
call matmul_call(const matmul_shape& s) {
  return [s, a = operand<Element>(s.m * s.k, 1), b = operand<Element>(s.k * s.n, 2),
          c = std::vector<Result>(s.m * s.n)](device& npu) mutable {
    matmul(npu, matrix_view<const Element>(a, s.m, s.k), matrix_view<const Element>(b, s.k, s.n),
           matrix_view<Result>(c, s.m, s.n));
  };
}

call attention_call(const attention_shape& s) {
  const std::size_t queries = s.heads * s.rows * s.d, keys = s.heads * s.keys * s.d;
  return [s, q = operand<bf16>(queries, 1), k = operand<bf16>(keys, 2), v = operand<bf16>(keys, 3),
          out = std::vector<bf16>(queries)](device& npu) mutable {
    attention(npu, tensor_view<const bf16, 3>(q, s.heads, s.rows, s.d),
              tensor_view<const bf16, 3>(k, s.heads, s.keys, s.d), tensor_view<const bf16, 3>(v, s.heads, s.keys, s.d),
              tensor_view<bf16, 3>(out, s.heads, s.rows, s.d));
  };
}

call attention_i8_call(const attention_shape& s) {
  const std::size_t queries = s.heads * s.rows * s.d, keys = s.heads * s.keys * s.d;
  // A step of q and k is what makes their elements' deviation 1.
  return [s, q = operand<std::int8_t>(queries, 1), k = operand<std::int8_t>(keys, 2), v = operand<std::int8_t>(keys, 3),
          out = std::vector<bf16>(queries)](device& npu) mutable {
    using view = tensor_view<const std::int8_t, 3>;
    attention_i8(npu, view(q, s.heads, s.rows, s.d), view(k, s.heads, s.keys, s.d), view(v, s.heads, s.keys, s.d),
                 {.q = 1.0F / 16, .k = 1.0F / 16, .v = 1.0F / 16}, tensor_view<bf16, 3>(out, s.heads, s.rows, s.d));
  };
}

/// Of an operation from one matrix to another.
template <typename Operation>
call rows_call(std::size_t rows, std::size_t columns, Operation operation) {
  return [=, x = operand<bf16>(rows * columns, 1), y = std::vector<bf16>(rows * columns)](device& npu) mutable {
    operation(npu, matrix_view<const bf16>(x, rows, columns), matrix_view<bf16>(y, rows, columns));
  };
}

call layernorm_call(std::size_t rows, std::size_t columns) {
  return rows_call(rows, columns, [weights = operand<bf16>(columns, 2)](device& npu, const auto& x, const auto& y) {
    const tensor_view<const bf16, 1> w(weights, weights.size());
    layernorm(npu, x, w, w, 1e-5f, y);
  });
}

call softmax_call(std::size_t rows, std::size_t columns) {
  return rows_call(rows, columns, [](device& npu, const auto& x, const auto& y) { softmax(npu, x, y); });
}

call gelu_call(std::size_t rows, std::size_t columns) {
  return rows_call(rows, columns, [](device& npu, const auto& x, const auto& y) { gelu(npu, x, y); });
}

call mel_call(std::size_t seconds) {
  const std::size_t samples = seconds * 16000;
  return [pcm = operand<float>(samples, 1),
          out = std::vector<float>(mel_bands * mel_frames(samples))](device& npu) mutable {
    mel(npu, tensor_view<const float, 1>(pcm, pcm.size()), matrix_view<float>(out, mel_bands, out.size() / mel_bands));
  };
}

double operations(const matmul_shape& s) { return 2.0 * static_cast<double>(s.m * s.n * s.k); }

/// Those of both products; softmax is not counted.
double operations(const attention_shape& s) { return 4.0 * static_cast<double>(s.heads * s.rows * s.keys * s.d); }

double bf16_bytes(std::size_t rows, std::size_t columns) { return static_cast<double>(rows * columns * sizeof(bf16)); }

stub_call matmul_bf16(std::string name, const matmul_shape& s, double bar, std::string reference) {
  return {.name = "matmul-bf16-" + std::move(name),
          .work = operations(s),
          .unit = tflops,
          .bar = bar,
          .reference = std::move(reference),
          .prepare = [s] { return matmul_call<bf16, bf16>(s); }};
}

/// Records: of 2048³ arXiv 2512.13282; of Whisper's shapes and of attention (20 heads instead of 8) whisper-xdna. The
/// roof is what the DDR of a whole Phoenix gives each way, 28 GB/s (ignite-xdna, docs/SILICON.md §1.6); layer
/// normalisation's the time that this takes for its bytes.
std::vector<stub_call> make_calls() {
  constexpr matmul_shape cube{.m = 2048, .n = 2048, .k = 2048};
  constexpr attention_shape whisper{.heads = 8, .rows = 1500, .keys = 1500, .d = 64};
  const std::string whisper_record = "or more; silicon 1.4 to 1.76";
  return {{.name = "matmul-i8-2048",
           .work = operations(cube),
           .unit = tops,
           .bar = 6.8,
           .reference = "or more; silicon 6.76",
           .prepare = [=] { return matmul_call<std::int8_t, std::int32_t>(cube); }},
          matmul_bf16("2048", cube, 3.3, "or more; silicon 3.14"),
          matmul_bf16("whisper-qkv", {.m = 1500, .n = 512, .k = 512}, 2.4, whisper_record),
          matmul_bf16("whisper-up", {.m = 1500, .n = 2048, .k = 512}, 2.4, whisper_record),
          matmul_bf16("whisper-down", {.m = 1500, .n = 512, .k = 2048}, 2.4, whisper_record),
          {.name = "attention-bf16-1500",
           .work = operations(whisper),
           .unit = gflops,
           .bar = 900,
           .reference = "or more; silicon 363",
           .prepare = [=] { return attention_call(whisper); }},
          {.name = "attention-i8-1500",
           .work = operations(whisper),
           .unit = gops,
           .bar = 2000,
           .reference = "or more, as bf16 at the least",
           .prepare = [=] { return attention_i8_call(whisper); }},
          {.name = "layernorm-bf16-1500x512",
           .unit = microseconds,
           .bar = 130,
           .reference = "or less; silicon 453 (1 row), roof 55",
           .prepare = [] { return layernorm_call(1500, 512); }},
          {.name = "softmax-bf16-1500x1500",
           .work = bf16_bytes(1500, 1500),
           .unit = each_way,
           .bar = 15,
           .reference = "or more; roof 28",
           .prepare = [] { return softmax_call(1500, 1500); }},
          {.name = "gelu-bf16-1500x2048",
           .work = bf16_bytes(1500, 2048),
           .unit = each_way,
           .bar = 18,
           .reference = "or more; roof 28",
           .prepare = [] { return gelu_call(1500, 2048); }},
          {.name = "mel-30s",
           .unit = microseconds,
           .bar = 2000,
           .reference = "or less; a host takes about 5000",
           .prepare = [] { return mel_call(30); }}};
}

}  // namespace

const std::vector<stub_call>& stub_calls() {
  static const std::vector<stub_call> all = make_calls();
  return all;
}

}  // namespace npurt::bench
