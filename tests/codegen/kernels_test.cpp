// SPDX-License-Identifier: Apache-2.0
// The core programs of kernels/programs.hpp on the reference core, against sums in wider arithmetic.
#include <bit>
#include <cmath>
#include <random>

#include "codegen/bench.hpp"
#include "programs.hpp"

using namespace npurt;

namespace {

constexpr unsigned n = 64;
constexpr std::uint32_t a_at = 0x70000, b_at = 0x7C000, c_at = 0x74000;

/// Offsets, in elements, of the tiles' elements (programs.hpp).
struct i8_layout {
  static constexpr unsigned depth = 128;
  static std::size_t a(unsigned row, unsigned k) { return k / 8 * 512 + row * 8 + k % 8; }
  static std::size_t b(unsigned k, unsigned col) { return col / 8 * 1024 + k * 8 + col % 8; }
  static std::size_t c(unsigned row, unsigned col) { return row / 16 * 1024 + col / 8 * 128 + row % 16 * 8 + col % 8; }
};
struct bf16_layout {
  static std::size_t a(unsigned row, unsigned k) { return k / 8 * 512 + row * 8 + k % 8; }
  static std::size_t b(unsigned k, unsigned col) { return col / 4 * 256 + k * 4 + col % 4; }
  static std::size_t c(unsigned row, unsigned col) { return row / 16 * 1024 + col / 4 * 64 + row % 16 * 4 + col % 4; }
};

std::uint64_t run_tile(test::kernel_bench& bench) {
  bench.set("p0", a_at);
  bench.set("p1", b_at);
  bench.set("p2", c_at);
  const auto cycles = bench.run();
  REQUIRE(bench.core.counters().stalls[static_cast<std::size_t>(emu::stall::memory)] == 0);
  return cycles;
}

std::uint16_t to_bf16(float value) {  // exact for the values used here
  return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16);
}
float from_bf16(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

void check_i8(const codegen::compiled_function& built, unsigned seed, double least_share) {
  // A block of A fills half a register; that nothing has written the other half, which does not count, is no hazard.
  test::kernel_bench bench(built.text, true);
  std::mt19937 random(seed);
  std::uniform_int_distribution<int> bytes(-128, 127);
  std::vector<std::int8_t> a(n * i8_layout::depth), b(i8_layout::depth * n);
  std::vector<std::int32_t> c(n * n);
  for (auto& x : a) x = static_cast<std::int8_t>(bytes(random));
  for (auto& x : b) x = static_cast<std::int8_t>(bytes(random));
  for (auto& x : c) x = bytes(random) * 100'000;
  bench.put(a_at, a);
  bench.put(b_at, b);
  bench.put(c_at, c);
  const auto cycles = run_tile(bench);
  const auto result = bench.get<std::int32_t>(c_at, n * n);
  for (unsigned row = 0; row < n; ++row) {
    for (unsigned col = 0; col < n; ++col) {
      std::int64_t sum = c[i8_layout::c(row, col)];
      for (unsigned k = 0; k < i8_layout::depth; ++k) {
        sum += std::int64_t{a[i8_layout::a(row, k)]} * b[i8_layout::b(k, col)];
      }
      REQUIRE(result[i8_layout::c(row, col)] == sum);
    }
  }
  const double rate = double(n) * n * i8_layout::depth / double(cycles);
  UNSCOPED_INFO(cycles << " cycles, " << rate << " MAC a cycle");
  CHECK(rate >= least_share * 256);
}

}  // namespace

TEST_CASE("i8_matmul_tile is exact at nine tenths of the multiplier's rate", "[codegen][kernels]") {
  const auto built = kernels::i8_matmul_tile();
  INFO(to_string(built.loops.at(0)));
  check_i8(built, 1, 0.9);
  check_i8(built, 2, 0.9);
}

TEST_CASE("i8_matmul_tile gives the same without pipelining, and takes longer", "[codegen][kernels]") {
  check_i8(kernels::i8_matmul_tile({.pipeline = false}), 1, 0.05);
  check_i8(kernels::i8_matmul_tile({.pipeline = false, .order = codegen::block_order::source}), 1, 0.05);
}

TEST_CASE("bf16_matmul_tile multiplies nearly every cycle, within the bound of fp32 sums", "[codegen][kernels]") {
  const auto built = kernels::bf16_matmul_tile();
  INFO(to_string(built.loops.at(0)));
  test::kernel_bench bench(built.text);
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  std::vector<std::uint16_t> a(n * n), b(n * n);
  std::vector<float> c(n * n);
  for (auto& x : a) x = to_bf16(normal(random));
  for (auto& x : b) x = to_bf16(normal(random));
  for (auto& x : c) x = normal(random);
  bench.put(a_at, a);
  bench.put(b_at, b);
  bench.put(c_at, c);
  const auto cycles = run_tile(bench);
  const auto result = bench.get<float>(c_at, n * n);
  for (unsigned row = 0; row < n; ++row) {
    for (unsigned col = 0; col < n; ++col) {
      double sum = c[bf16_layout::c(row, col)], size = std::abs(sum);
      for (unsigned k = 0; k < n; ++k) {
        const double product = double{from_bf16(a[bf16_layout::a(row, k)])} * from_bf16(b[bf16_layout::b(k, col)]);
        sum += product;
        size += std::abs(product);
      }
      // Eight additions of eight products each, every one within an ulp or so of what it adds.
      REQUIRE(std::abs(result[bf16_layout::c(row, col)] - sum) <= 16 * size * 0x1p-23);
    }
  }
  UNSCOPED_INFO(cycles << " cycles, " << double(n) * n * n / double(cycles) << " MAC a cycle");
  CHECK(double(n) * n * n / double(cycles) >= 0.9 * 128);
}

TEST_CASE("the matmuls fall into step with a DMA that fills the other buffer of B", "[codegen][kernels]") {
  class filled_tile : public test::lone_tile {
   public:
    /// 16 bytes every fourth cycle, to the halves of bank 3 in turn; they win.
    bool claim_banks(std::uint32_t address, std::uint32_t size) override {
      const auto cycle = core->counters().cycles;
      const bool both_halves = size > 16;
      const bool meets = address >= b_at && cycle % 4 == 0 && (both_halves || address / 16 % 2 == cycle / 4 % 2);
      return !meets && test::lone_tile::claim_banks(address, size);
    }
  };
  for (const auto& built : {kernels::i8_matmul_tile(), kernels::bf16_matmul_tile()}) {
    test::basic_kernel_bench<filled_tile> bench(built.text, true);
    bench.set("p0", a_at);
    bench.set("p1", b_at);
    bench.set("p2", c_at);
    bench.run();
    const auto stalls = bench.core.counters().stalls[static_cast<std::size_t>(emu::stall::memory)];
    INFO(stalls << " stalls");
    CHECK(stalls > 0);
    CHECK(stalls < 20);
  }
}
