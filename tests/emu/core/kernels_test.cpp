// SPDX-License-Identifier: Apache-2.0
// The fast engine's multiply kernels against the exact sums, on values near their limits and on ties.
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <cstring>
#include <optional>
#include <random>

#include "emu/core/numerics/float_sum.hpp"
#include "emu/core/translate/kernels.hpp"

namespace {

using npurt::emu::numerics::float_sum;
namespace kernels = npurt::emu::translate::kernels;

using bf16_lanes = std::array<std::uint16_t, 32>;
using fp32_lanes = std::array<std::uint32_t, 16>;

template <typename T>
std::byte* bytes(T& lanes) {
  return reinterpret_cast<std::byte*>(lanes.data());
}

struct bf16_case {
  bf16_lanes x, y;
  fp32_lanes acc;
  bool adds, negate_acc, negate;
};

fp32_lanes exact(const bf16_case& c, bool matrix) {
  fp32_lanes out;
  for (unsigned lane = 0; lane < 16; ++lane) {
    float_sum sum;
    if (c.adds) sum.add_fp32(c.acc[lane], c.negate_acc);
    for (unsigned k = 0; k < (matrix ? 8u : 2u); ++k) {
      const unsigned i = matrix ? lane / 4 * 8 + k : k * 16 + lane, j = matrix ? k * 4 + lane % 4 : i;
      sum.add_product(c.x[i], c.y[j], c.negate);
    }
    out[lane] = sum.result();
  }
  return out;
}

std::optional<fp32_lanes> fast(bf16_case& c, bool matrix) {
  fp32_lanes out{};
  const kernels::mac_job job{bytes(c.x), bytes(c.y),   c.adds ? bytes(c.acc) : nullptr,
                             bytes(out), c.negate_acc, c.negate};
  const bool done = matrix ? kernels::mac_bf16_matrix_avx512(job) : kernels::mac_bf16_elementwise_avx512(job);
  return done ? std::optional(out) : std::nullopt;
}

/// Exponents around `middle`, few mantissa bits now and then so that sums tie and cancel, zeros, denormal factors.
bf16_case random_case(std::mt19937& random) {
  const auto pick = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
  const unsigned spread = 1 + pick(pick(2) == 0 ? 12 : 110), low = 76 + pick(111 - std::min(spread, 110u));
  const auto bf16 = [&] {
    const unsigned kind = pick(20), mantissa = kind < 8 ? pick(4) << 5 : pick(128);
    const unsigned exponent = kind == 19 ? 0 : low + pick(spread);
    return static_cast<std::uint16_t>(pick(2) << 15 | exponent << 7 | (kind == 18 ? 0 : mantissa));
  };
  bf16_case c{.x = {}, .y = {}, .acc = {}, .adds = pick(4) != 0, .negate_acc = pick(2) != 0, .negate = pick(2) != 0};
  for (auto& v : c.x) v = bf16();
  for (auto& v : c.y) v = bf16();
  for (auto& v : c.acc) {
    const unsigned exponent = std::min(25 + pick(206), pick(2) == 0 ? 230u : 2 * low + pick(2 * spread) - 127);
    v = pick(10) == 0 ? pick(2) << 31
                      : pick(2) << 31 | std::max(exponent, 25u) << 23 | (pick(3) == 0 ? pick(4) : random() & 0x7FFFFF);
  }
  return c;
}

bool has_avx512() { return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"); }

}  // namespace

TEST_CASE("the bf16 kernels give the exact sum to the bit", "[emu][core][translate]") {
  std::mt19937 random(7);
  for (unsigned i = 0; has_avx512() && i < 200'000; ++i) {
    bf16_case c = random_case(random);
    for (const bool matrix : {true, false}) {
      const auto out = fast(c, matrix);
      if (!out || *out != exact(c, matrix)) {
        INFO("case " << i << (matrix ? ", 4x8x4" : ", elementwise"));
        REQUIRE(out.has_value());
        REQUIRE(*out == exact(c, matrix));
      }
    }
  }
}

TEST_CASE("the bf16 kernels leave values beyond their limits to the exact sum", "[emu][core][translate]") {
  for (const std::uint16_t outside : std::array<std::uint16_t, 5>{75 << 7, 187 << 7, 0x7F80, 0x7FC1, 0xFF80}) {
    bf16_case c{};
    c.x[3] = outside;
    if (has_avx512()) REQUIRE_FALSE(fast(c, true).has_value());
    std::swap(c.x, c.y);
    if (has_avx512()) REQUIRE_FALSE(fast(c, false).has_value());
  }
  for (const std::uint32_t outside : {1u, 24u << 23, 231u << 23, 0x7F800000u, 0xFFC00000u}) {
    bf16_case c{};
    c.adds = true;
    c.acc[15] = outside;
    if (has_avx512()) REQUIRE_FALSE(fast(c, true).has_value());
  }
}

TEST_CASE("the kernel for sums of accumulators gives the exact sum to the bit, or leaves it",
          "[emu][core][translate]") {
  std::mt19937 random(13);
  unsigned left = 0;
  for (unsigned i = 0; has_avx512() && i < 100'000; ++i) {
    fp32_lanes a = random_case(random).acc, b = random_case(random).acc, out{}, expected;
    // Neighbours cancel, and now and then a value is beyond the limits.
    if (i % 4 == 0) b = a, b[i % 16] ^= (a[i % 16] << 1) != 0 ? 0x80000001 : 0;
    if (i % 100 == 0) a[i / 100 % 16] = std::array{1u, 24u << 23, 231u << 23, 0x7F800000u, 0xFFC00000u}[i / 100 % 5];
    const bool adds = i % 8 != 7, negate_a = random() % 2 != 0, negate_b = random() % 2 != 0;
    for (unsigned lane = 0; lane < 16; ++lane) {
      float_sum sum;
      if (adds) sum.add_fp32(a[lane], negate_a);
      sum.add_fp32(b[lane], negate_b);
      expected[lane] = sum.result();
    }
    const bool done = kernels::add_fp32_avx512({adds ? bytes(a) : nullptr, bytes(b), bytes(out), negate_a, negate_b});
    left += !done;
    if (done && out != expected) REQUIRE(out == expected);
  }
  CHECK(left == (has_avx512() ? 1'000 : 0));
}

TEST_CASE("the int8 kernels multiply all signs of 4x8x8", "[emu][core][translate]") {
  const bool has_vnni = has_avx512() && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vbmi");
  std::mt19937 random(11);
  for (unsigned i = 0; __builtin_cpu_supports("avx2") && i < 20'000; ++i) {
    std::array<std::uint8_t, 64> x, y;
    std::array<std::uint32_t, 32> acc, out, expected;
    for (auto& v : x) v = static_cast<std::uint8_t>(i % 3 == 0 ? 0x7F + random() % 2 : random());
    for (auto& v : y) v = static_cast<std::uint8_t>(i % 3 == 0 ? 0x7F + random() % 2 : random());
    for (auto& v : acc) v = static_cast<std::uint32_t>(random());
    const bool xs = random() % 2 != 0, ys = random() % 2 != 0, adds = random() % 2 != 0;
    const bool negate_acc = random() % 2 != 0, negate = random() % 2 != 0;
    const auto value = [](std::uint8_t v, bool is_signed) {
      return is_signed ? int{static_cast<std::int8_t>(v)} : int{v};
    };
    for (unsigned lane = 0; lane < 32; ++lane) {
      int sum = 0;
      for (unsigned k = 0; k < 8; ++k) sum += value(x[lane / 8 * 8 + k], xs) * value(y[k * 8 + lane % 8], ys);
      const auto product = static_cast<std::uint32_t>(negate ? -sum : sum);
      expected[lane] = product + (!adds ? 0 : negate_acc ? 0 - acc[lane] : acc[lane]);
    }
    const kernels::mac_job job{bytes(x), bytes(y), adds ? bytes(acc) : nullptr, bytes(out), negate_acc, negate};
    kernels::mac_i8_avx2(job, xs, ys);
    if (out != expected) REQUIRE(out == expected);
    out = {};
    if (has_vnni) kernels::mac_i8_vnni(job, xs, ys);
    if (has_vnni && out != expected) REQUIRE(out == expected);
  }
}
