// SPDX-License-Identifier: Apache-2.0
// References: kernels/*/reference.hpp, in double or integers. Bounds: those that the stubs document
// (include/npurt/ops).
#include "hw_check_operations.hpp"

#include <format>

#include "bf16-add/reference.hpp"
#include "bf16-layernorm/reference.hpp"
#include "bf16-softmax/reference.hpp"
#include "elementwise/reference.hpp"
#include "hw_check_support.hpp"
#include "i16-mel/reference.hpp"
#include "npurt/npurt.hpp"
#include "npurt/ops/mel.hpp"
#include "transpose/reference.hpp"

namespace npurt::tools {

namespace {

namespace reference = kernels::reference;

constexpr std::size_t rows = 512, columns = 2048;

/// Of a function of one element with the accuracy of npurt::gelu.
template <typename Call, typename Reference>
prepared_check elementwise(Call stub, Reference function) {
  const auto t = make_tensors<bf16, bf16>(rows * columns, 0, 0, rows * columns);
  return {[t, stub](device& npu) {
            stub(npu, matrix_view<const bf16>(t->a, rows, columns), matrix_view<bf16>(t->out, rows, columns));
          },
          [t, function] {
            double worst = 0;
            for (std::size_t i = 0; i < t->a.size(); ++i) {
              worst = std::max(worst,
                               share_of_two_ulp(t->out[i], function(static_cast<double>(t->a[i])), 0x1p-10, 0x1p-18));
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
              const double y =
                  std::nearbyint(reference::gelu(x * static_cast<double>(in_scale)) / static_cast<double>(out_scale));
              return static_cast<std::int8_t>(std::clamp(y, -127.0, 127.0));
            });
            return worst_if_equal(t->out, wanted);
          }};
}

constexpr std::size_t model_width = 512;

/// From -1 to 1, both included.
std::vector<bf16> weights(unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_int_distribution<int> eighths(-8, 8);
  std::vector<bf16> made(model_width);
  std::ranges::generate(made, [&] { return static_cast<bf16>(static_cast<float>(eighths(generator)) / 8); });
  return made;
}

prepared_check layer_normalisation() {
  constexpr float eps = 1e-5f;
  const auto t = make_tensors<bf16, bf16>(rows * model_width, 0, 0, rows * model_width);
  t->b = weights(2);
  t->c = weights(3);
  return {
      [t](device& npu) {
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
            softmax(npu, matrix_view<const bf16>(t->a, rows, model_width),
                    matrix_view<bf16>(t->out, rows, model_width));
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

/// Tones and noise, a second at 16 kHz.
std::vector<float> sound() {
  constexpr std::size_t samples = 16000;
  std::mt19937 generator(1);
  std::normal_distribution<float> noise(0, 0.01f);
  std::vector<float> pcm(samples);
  for (std::size_t i = 0; i < samples; ++i) {
    const float t = static_cast<float>(i) / samples;
    pcm[i] = 0.5f * std::sin(2764.6f * t) + 0.1f * std::sin(12566.4f * t * (1 + t)) + noise(generator);
  }
  return pcm;
}

prepared_check log_mel() {
  struct spectrogram {
    std::vector<float> pcm = sound();
    std::vector<float> out = std::vector<float>(mel_bands * mel_frames(pcm.size()));
  };
  const auto t = std::make_shared<spectrogram>();
  return {[t](device& npu) {
            mel(npu, tensor_view<const float, 1>(t->pcm, t->pcm.size()),
                matrix_view<float>(t->out, mel_bands, mel_frames(t->pcm.size())));
          },
          [t] {
            constexpr double allowed = 0.02 / 4;  // of the logarithms, which are divided by 4
            const auto exact = reference::mel(t->pcm);
            double worst = 0;
            for (std::size_t i = 0; i < exact.size(); ++i) {
              const double share = std::abs(static_cast<double>(t->out[i]) - exact[i]) / allowed;
              worst = std::max(worst, std::isnan(share) ? infinity : share);
            }
            return worst;
          }};
}

prepared_check transposition() {
  const auto t = make_tensors<bf16, bf16>(rows * columns, 0, 0, rows * columns);
  return {[t](device& npu) {
            transpose(npu, matrix_view<const bf16>(t->a, rows, columns), matrix_view<bf16>(t->out, columns, rows));
          },
          [t] {
            const auto wanted = reference::transpose(std::as_bytes(std::span(t->a)), rows, columns, sizeof(bf16));
            return std::ranges::equal(std::as_bytes(std::span(t->out)), wanted) ? 0 : infinity;
          }};
}

std::vector<hw_check_operation> make_operations() {
  const std::string matrix = std::format("{}x{}", rows, columns), wide = std::format("{}x{}", rows, model_width);
  const std::string cube = "512x512x512", ended = "256x512x256 bf16", heads = "4 heads of 256x64";
  return {
      {"matmul-i8", cube + " int8 to int32", check_matmul_i8},
      {"matmul-i8-i8", cube + " int8 to int8", check_matmul_i8_to_i8},
      {"matmul-bf16", cube + " bf16 to f32", check_matmul_bf16},
      {"matmul-residual", ended + ", bias, residual", check_matmul_residual},
      {"matmul-gelu", ended + ", bias, gelu", check_matmul_gelu},
      {"attention", heads + ", bf16", check_attention},
      {"attention-i8", heads + ", int8", check_attention_i8},
      {"mel", "16000 samples, f32", log_mel},
      {"layernorm", wide + " bf16", layer_normalisation},
      {"softmax", wide + " bf16", row_softmax},
      {"gelu", matrix + " bf16",
       [] {
         return elementwise([](device& n, auto x, auto y) { gelu(n, x, y); },
                            [](double x) { return reference::gelu(x); });
       }},
      {"silu", matrix + " bf16",
       [] {
         return elementwise([](device& n, auto x, auto y) { silu(n, x, y); },
                            [](double x) { return reference::silu(x); });
       }},
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
                                  [](float a, float b) { return reference::add(a, b); });
       }},
      {"copy", matrix + " bf16",
       [] {
         return exact_elementwise([](device& n, pair& t) { copy(n, first_of(t), result_of(t)); },
                                  [](float a, float) { return a; });
       }},
      {"gelu-i8", matrix + " int8", gelu_int8},
      {"transpose", matrix + " bf16", transposition},
  };
}

}  // namespace

const std::vector<hw_check_operation>& hw_check_operations() {
  static const std::vector<hw_check_operation> all = make_operations();
  return all;
}

}  // namespace npurt::tools
