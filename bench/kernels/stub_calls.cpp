// SPDX-License-Identifier: Apache-2.0
// The calls, their work, and their bars.
#include "bench/kernels/stub_calls.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "bench/kernels/calls.hpp"

namespace npurt::bench {
namespace {

stub_call matmul_bf16(std::string name, const matmul_shape& s, double bar, std::string reference) {
  return {.name = "matmul-bf16-" + std::move(name),
          .work = operations(s),
          .unit = tflops,
          .bar = bar,
          .reference = std::move(reference),
          .prepare = [s] { return matmul_bf16_call(s); }};
}

/// Records: of 2048³ arXiv 2512.13282; of Whisper's shapes and of attention (20 heads instead of 8) whisper-xdna. The
/// roof is ddr_roof; layer normalisation's the time that this takes for its bytes.
std::vector<stub_call> make_calls() {
  constexpr matmul_shape cube{.m = 2048, .n = 2048, .k = 2048};
  constexpr attention_shape whisper{.heads = 8, .rows = 1500, .keys = 1500, .d = 64};
  const std::string whisper_record = "or more; silicon 1.4 to 1.76";
  return {{.name = "matmul-i8-2048",
           .work = operations(cube),
           .unit = tops,
           .bar = 6.8,
           .reference = "or more; silicon 6.76",
           .prepare = [=] { return matmul_i8_call(cube); }},
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

/// Operations without a bar, against what limits them.
void add_others(std::vector<stub_call>& all) {
  constexpr matmul_shape cube{.m = 2048, .n = 2048, .k = 2048};
  all.push_back({.name = "matmul-i8-i8-2048",
                 .work = operations(cube),
                 .unit = tops,
                 .bar = peak_tops,
                 .reference = "peak",
                 .prepare = [=] { return matmul_i8_i8_call(cube); }});
  const auto add = [&](const char* name, std::size_t rows, std::size_t columns, double bytes, auto make) {
    all.push_back({.name = fmt::format("{}-{}x{}", name, rows, columns),
                   .work = bytes * static_cast<double>(rows * columns),
                   .unit = bytes > 2 ? reading : each_way,
                   .bar = ddr_roof,
                   .reference = "roof",
                   .prepare = [=] { return make(rows, columns); }});
  };
  add("silu-bf16", 1500, 2048, 2, &silu_call);
  add("relu-bf16", 1500, 2048, 2, &relu_call);
  add("scale-bf16", 1500, 2048, 2, &scale_call);
  add("add-bf16", 1500, 2048, 4, &add_call);
  add("gelu-i8", 1500, 2048, 1, &gelu_i8_call);
  add("copy-bf16", 1500, 2048, 2, &copy_call);
  add("transpose-bf16", 1500, 512, 2, &transpose_call);
}

}  // namespace

const std::vector<stub_call>& stub_calls() {
  static const std::vector<stub_call> all = [] {
    std::vector<stub_call> calls = make_calls();
    add_others(calls);
    std::ranges::move(calls_by_size(), std::back_inserter(calls));
    return calls;
  }();
  return all;
}

}  // namespace npurt::bench
