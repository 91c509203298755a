// SPDX-License-Identifier: Apache-2.0
// Control code that is given away: called by a kernel of its own, with buffers as it says.
#include "npurt/detail/op_code.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "i16-mel/tables.hpp"
#include "npurt/npurt.hpp"
#include "ops/bf16_check.hpp"

using namespace npurt::test;
using npurt::detail::op_code;

namespace {

std::size_t bytes_of(const npurt::detail::op_argument& argument) {
  std::size_t bytes = argument.type == "int32" || argument.type == "float" || argument.type == "4 bytes" ? 4
                      : argument.type == "bf16" || argument.type == "2 bytes"                            ? 2
                                                                                                         : 1;
  for (const std::size_t extent : argument.extents) bytes *= extent;
  return bytes;
}

/// The overlay's kernel in a context of its own.
class program {
 public:
  program() : file_(NPURT_SOURCE_DIR "/kernels/prebuilt/overlay.xclbin"), target_(context(), "overlay") {}

  /// @param fill is given the buffers, zeros but for tables
  /// @return the buffer of that index
  template <typename Fill>
  std::vector<std::byte> operator()(const op_code& call, std::size_t result, Fill&& fill) {
    std::vector<npurt::buffer<std::byte>> buffers;
    for (const npurt::detail::op_argument& each : call.arguments) {
      buffers.emplace_back(target_, bytes_of(each));
      std::ranges::fill(buffers.back(), std::byte{0});
      std::ranges::copy(each.content, buffers.back().begin());
    }
    fill(std::span(buffers));
    for (auto& each : buffers) each.to_device();
    npurt::run command(target_, npurt::detail::standalone(call, file_),
                       std::span<const npurt::buffer<std::byte>>(buffers));
    command.start();
    command.wait(std::chrono::minutes(5));
    buffers[result].from_device();
    return {buffers[result].begin(), buffers[result].end()};
  }

 private:
  npurt::hw_context context() { return {device_, file_}; }

  npurt::device device_;
  npurt::xclbin file_;
  npurt::kernel target_;
};

/// Rows of a dense matrix into the rows of a padded one, or back.
template <typename T>
void put_rows(std::byte* to, std::size_t pitch, const std::vector<T>& from, std::size_t columns) {
  for (std::size_t r = 0; r < from.size() / columns; ++r) {
    std::memcpy(to + r * pitch * sizeof(T), from.data() + r * columns, columns * sizeof(T));
  }
}
template <typename T>
std::vector<T> rows_of(const std::vector<std::byte>& from, std::size_t pitch, std::size_t rows, std::size_t columns) {
  std::vector<T> all(rows * columns);
  for (std::size_t r = 0; r < rows; ++r) {
    std::memcpy(all.data() + r * columns, from.data() + r * pitch * sizeof(T), columns * sizeof(T));
  }
  return all;
}

std::vector<std::int8_t> random_int8(std::size_t count, std::mt19937& random) {
  std::vector<std::int8_t> all(count);
  for (auto& each : all) each = static_cast<std::int8_t>(static_cast<int>(random() % 255) - 127);
  return all;
}

}  // namespace

TEST_CASE("control code of an int8 product with scales makes int8 of it", "[ops][op_code]") {
  std::mt19937 random(1);
  program call;
  constexpr std::size_t m = 20, n = 30, k = 40;
  const auto a = random_int8(m * k, random), b = random_int8(k * n, random);
  // As kernels/i8-matmul/README.md says: (sum + 7) · 3 / 2^12, to nearest even, + 2.
  const std::vector<npurt::column_scale> scales(n, {.bias = 7, .multiplier = 3, .shift = 12});
  const op_code code = npurt::detail::matmul_op_code(npurt::detail::matmul_types::i8_i8, {.m = m, .n = n, .k = k},
                                                     {.scales = scales, .zero_point = 2});
  const auto c = call(code, 2, [&](std::span<npurt::buffer<std::byte>> buffers) {
    put_rows(buffers[0].data(), code.arguments[0].extents[1], a, k);
    put_rows(buffers[1].data(), code.arguments[1].extents[1], b, n);
  });
  std::vector<std::int8_t> wanted(m * n);
  for (std::size_t i = 0; i < m * n; ++i) {
    int sum = 7;
    for (std::size_t l = 0; l < k; ++l) sum += a[i / n * k + l] * b[l * n + i % n];
    const double rounded = std::nearbyint(sum * 3 / 4096.0) + 2;
    wanted[i] = static_cast<std::int8_t>(std::clamp(rounded, -128.0, 127.0));
  }
  CHECK(rows_of<std::int8_t>(c, code.arguments[2].extents[1], m, n) == wanted);
}

TEST_CASE("control code of int8 attention is npurt::attention_i8's", "[ops][op_code]") {
  std::mt19937 random(2);
  program call;
  npurt::device device;
  constexpr std::size_t rows = 30, keys = 50, d = 64;
  const npurt::attention_scales scales{.q = 0.02F, .k = 0.03F, .v = 0.01F};
  const npurt::attention_options options{.key_length = 45};
  const auto q = random_int8(rows * d, random), k = random_int8(keys * d, random), v = random_int8(keys * d, random);
  const op_code code =
      npurt::detail::attention_i8_op_code({.heads = 1, .rows = rows, .keys = keys, .d = d}, scales, options);
  const auto out = call(code, 3, [&](std::span<npurt::buffer<std::byte>> buffers) {
    put_rows(buffers[0].data(), d, q, d);
    put_rows(buffers[1].data(), d, k, d);
    put_rows(buffers[2].data(), d, v, d);
  });
  bf16s wanted(rows * d);
  npurt::attention_i8(device, npurt::tensor_view(q, 1, rows, d), npurt::tensor_view(k, 1, keys, d),
                      npurt::tensor_view(v, 1, keys, d), scales, npurt::tensor_view(wanted, 1, rows, d), options);
  CHECK(same_bits(rows_of<bf16>(out, d, rows, d), wanted));
}

TEST_CASE("control code of mel tells log10 of the bands, and its tables", "[ops][op_code]") {
  namespace tables = npurt::kernels::mel;
  program call;
  npurt::device device;
  constexpr std::size_t n = 1700, frames = npurt::mel_frames(n), before = 200;
  constexpr double scale = 0x1p29;
  std::vector<float> pcm(n);
  for (std::size_t i = 0; i < n; ++i) pcm[i] = 0.9F * std::sin(0.03F * float(i) * (1 + 1e-3F * float(i)));
  pcm[n / 2] = -0.99F;  // so that npurt::mel takes the same scale
  const op_code code = npurt::detail::mel_op_code(n, scale);
  const auto out = call(code, 2, [&](std::span<npurt::buffer<std::byte>> buffers) {
    for (std::size_t i = 0; i < n + 2 * before; ++i) {
      const std::size_t at = i < before ? before - i : i < n + before ? i - before : 2 * (n - 1) - (i - before);
      const auto word = static_cast<std::int32_t>(std::lround(scale * double{pcm[at]}));
      std::memcpy(buffers[0].data() + i * sizeof word, &word, sizeof word);
    }
  });
  std::vector<float> wanted(npurt::mel_bands * frames), m(wanted.size());
  npurt::mel(device, npurt::tensor_view(pcm, n), npurt::matrix_view<float>(wanted, npurt::mel_bands, frames));
  for (std::size_t band = 0; band < npurt::mel_bands; ++band) {
    for (std::size_t frame = 0; frame < frames; ++frame) {
      const std::size_t place = frame / tables::batch_frames * tables::batch_frames * npurt::mel_bands +
                                tables::place_of(frame % tables::batch_frames, static_cast<unsigned>(band));
      std::memcpy(&m[band * frames + frame], out.data() + place * sizeof(float), sizeof(float));
    }
  }
  const float least = std::ranges::max(m) - 8;
  for (float& each : m) each = (std::max(each, least) + 4) / 4;
  CHECK((m == wanted));
  CHECK_THROWS_AS(npurt::detail::mel_op_code(n, 3), npurt::value_error);
  CHECK_THROWS_AS(npurt::detail::mel_op_code(1, 1), npurt::shape_error);
}

TEST_CASE("control code of a transposition transposes, and of a mask masks", "[ops][op_code]") {
  std::mt19937 random(3);
  program call;
  npurt::device device;
  constexpr std::size_t rows = 33, columns = 70;
  const bf16s x = normal_bf16(rows * columns, 0, 1, random);
  const op_code turn = npurt::detail::transpose_op_code(rows, columns, sizeof(bf16));
  const auto fill_x = [&](const op_code& code) {
    return [&](std::span<npurt::buffer<std::byte>> buffers) {
      put_rows(buffers[0].data(), code.arguments[0].extents[1], x, columns);
    };
  };
  const bf16s y = rows_of<bf16>(call(turn, 1, fill_x(turn)), turn.arguments[1].extents[1], columns, rows);
  int wrong = 0;
  for (std::size_t i = 0; i < y.size(); ++i) wrong += bits_of(y[i]) != bits_of(x[i % rows * columns + i / rows]);
  CHECK(wrong == 0);

  const npurt::softmax_mask mask{.length = 60, .causal = true, .offset = 10};
  const op_code masked = npurt::detail::softmax_op_code(rows, columns, mask);
  bf16s wanted(x.size());
  npurt::softmax(device, npurt::matrix_view<const bf16>(x, rows, columns),
                 npurt::matrix_view<bf16>(wanted, rows, columns), mask);
  CHECK(
      same_bits(rows_of<bf16>(call(masked, 1, fill_x(masked)), masked.arguments[1].extents[1], rows, columns), wanted));
  CHECK_THROWS_AS(npurt::detail::softmax_op_code(rows, columns, {.length = 71}), npurt::value_error);
  CHECK_THROWS_AS(npurt::detail::transpose_op_code(rows, columns, 3), npurt::value_error);
}
