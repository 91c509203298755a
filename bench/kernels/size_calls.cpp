// SPDX-License-Identifier: Apache-2.0
// How the stubs' calls scale with size.
#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <utility>

#include "bench/kernels/calls.hpp"
#include "bench/kernels/stub_calls.hpp"

namespace npurt::bench {
namespace {

using calls = std::vector<stub_call>;

void add_matmuls(calls& all, const std::string& prefix, const matmul_shape& s, const std::string& name,
                 std::pair<double, double> i8_and_bf16, const std::string& reference) {
  all.push_back({.name = prefix + "matmul-i8-" + name,
                 .work = operations(s),
                 .unit = tops,
                 .bar = i8_and_bf16.first,
                 .reference = reference,
                 .prepare = [s] { return matmul_i8_call(s); }});
  all.push_back({.name = prefix + "matmul-bf16-" + name,
                 .work = operations(s),
                 .unit = tflops,
                 .bar = i8_and_bf16.second,
                 .reference = reference,
                 .prepare = [s] { return matmul_bf16_call(s); }});
}

/// A row panel of A stays in the memtiles up to K = 4096 (int8) or 2048 (bf16); beyond, A is read once for each panel
/// of B's columns.
void add_large_matmuls(calls& all) {
  for (const auto& [m, n, k] : {matmul_shape{2048, 2048, 4096}, {2048, 2048, 8192}, {2048, 6000, 2048}}) {
    add_matmuls(all, "", {m, n, k}, fmt::format("{}x{}x{}", m, n, k), {6.8, 3.3}, "or more, 2048³'s bar");
  }
}

void add_cubes(calls& all) {
  for (const std::size_t extent : {64, 128, 256, 512, 1024}) {
    add_matmuls(all, "scaling-", {extent, extent, extent}, std::to_string(extent), {peak_tops, peak_tflops}, "peak");
  }
}

/// One head's queries: 256 for the four cores of a column, or 64 for a core of them, and no column has work of another.
void add_attention(calls& all) {
  for (const std::size_t queries : {64, 256, 512, 1024, 4096}) {
    const attention_shape s{.heads = 1, .rows = queries, .keys = 1024, .d = 64};
    const std::string name = fmt::format("1x{}x1024", queries);
    all.push_back({.name = "scaling-attention-bf16-" + name,
                   .work = operations(s),
                   .unit = gflops,
                   .bar = 1000 * peak_tflops,
                   .reference = "peak",
                   .prepare = [s] { return attention_call(s); }});
    all.push_back({.name = "scaling-attention-i8-" + name,
                   .work = operations(s),
                   .unit = gops,
                   .bar = 1000 * peak_tops,
                   .reference = "peak",
                   .prepare = [s] { return attention_i8_call(s); }});
  }
}

void add_rows(calls& all) {
  constexpr std::size_t columns = 512;
  for (const auto& [name, make] : {std::pair{"layernorm", &layernorm_call},
                                   {"softmax", &softmax_call},
                                   {"gelu", &gelu_call},
                                   {"copy", &copy_call},
                                   {"transpose", &transpose_call}}) {
    for (const std::size_t rows : {64, 256, 1024, 4096, 16384}) {
      constexpr std::size_t most_of_transpose = 4096;  // in one command
      if (make == &transpose_call && rows > most_of_transpose) continue;
      all.push_back({.name = fmt::format("scaling-{}-{}x{}", name, rows, columns),
                     .work = bf16_bytes(rows, columns),
                     .unit = each_way,
                     .bar = ddr_roof,
                     .reference = "roof",
                     .prepare = [make, rows] { return make(rows, columns); }});
    }
  }
}

void add_mels(calls& all) {
  // A core's eight frames take 26,624 cycles at least, those of the tables' stream (kernels/i16-mel/README.md).
  constexpr double roof = 16.0 * 8 * 1028 / 26624;
  for (const std::size_t seconds : {1, 3, 10, 30, 100}) {
    all.push_back({.name = fmt::format("scaling-mel-{}s", seconds),
                   .work = static_cast<double>(mel_frames(seconds * 16000)),
                   .unit = frames_a_microsecond,
                   .bar = roof,
                   .reference = "the tables' stream",
                   .prepare = [seconds] { return mel_call(seconds); }});
  }
}

}  // namespace

std::vector<stub_call> calls_by_size() {
  calls all;
  add_large_matmuls(all);
  add_cubes(all);
  add_attention(all);
  add_rows(all);
  add_mels(all);
  return all;
}

}  // namespace npurt::bench
