// SPDX-License-Identifier: Apache-2.0
// op_attention_bf16 against softmax attention in double, chunks cut as the README's buffer descriptors do.
#include <random>

#include "bf16-attention/parameters.hpp"
#include "bf16-attention/reference.hpp"
#include "kernels/matmul_chunks.hpp"
#include "kernels/op_bench.hpp"
#include "programs.hpp"

using namespace npurt;

namespace {

constexpr std::size_t tile = 64;
constexpr double least_cosine = 0.9999;

std::uint16_t to_bf16(double value) {
  const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(value));
  return static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}
double from_bf16(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

std::vector<double> widened(const std::vector<std::uint16_t>& values) {
  std::vector<double> wide(values.size());
  std::ranges::transform(values, wide.begin(), from_bf16);
  return wide;
}

/// How far a result is from the reference.
struct distance {
  double cosine = 1, largest = 0;  ///< the least of a row; of an element
};

const codegen::compiled_function& built() {
  static const auto function = kernels::op_attention_bf16();
  return function;
}

struct problem {
  kernels::reference::attention_shape shape;
  std::vector<std::uint16_t> q, k, v;
  bool second_buffers = false;
  std::uint16_t row_filler = 0x4700;

  problem(kernels::reference::attention_shape s, unsigned seed, double size = 1) : shape(s) {
    std::mt19937 random(seed);
    std::normal_distribution<double> normal;
    q.resize(s.heads * s.rows * s.d);
    k.resize(s.heads * s.keys * s.d);
    v.resize(k.size());
    for (auto& x : q) x = to_bf16(size * normal(random));
    for (auto& x : k) x = to_bf16(size * normal(random));
    for (auto& x : v) x = to_bf16(normal(random));
  }

  double scale() const { return 1 / std::sqrt(static_cast<double>(shape.d)); }
  /// d is taken in halves of 64 if it is more.
  std::size_t halves() const { return (shape.d + tile - 1) / tile; }
  std::size_t block_rows() const { return tile / halves(); }
  std::size_t blocks() const { return (shape.rows + block_rows() - 1) / block_rows(); }
  std::size_t tiles() const { return (shape.keys + tile - 1) / tile; }

  /// Rows of a head from row `first` on, columns 64·half on, 64 wide; `filler` behind the head's end, 0 behind the
  /// row's.
  void fill(std::span<std::uint16_t> panel, const std::vector<std::uint16_t>& tensor, std::size_t rows,
            std::size_t head, std::size_t first, std::size_t half, std::uint16_t filler) const {
    for (std::size_t i = 0; i < panel.size(); ++i) {
      const std::size_t row = first + i / tile, column = half * tile + i % tile;
      panel[i] = row >= rows ? filler : column < shape.d ? tensor[(head * rows + row) * shape.d + column] : 0;
    }
  }

  void feed(test::op_bench& bench) const {
    std::vector<std::uint16_t> panel(tile * tile);
    for (std::size_t block = 0; block < shape.heads * blocks(); ++block) {
      const std::size_t head = block / blocks(), first = block % blocks() * block_rows();
      for (std::size_t half = 0; half < halves(); ++half) {  // one below the other
        const std::size_t size = panel.size() / halves();
        fill(std::span(panel).subspan(half * size, size), q, shape.rows, head, first, half, row_filler);
      }
      bench.a.push_back(test::gather(panel, 0, {{{1, 4}, {32, 4}, {4, 8}, {128, 16}}}));
      for (std::size_t t = 0; t < tiles(); ++t) {
        for (std::size_t half = 0; half < halves(); ++half) {
          fill(panel, k, shape.keys, head, t * tile, half, 0x7F80);
          bench.b.push_back(test::gather(panel, 0, {{{1, 4}, {32, 64}, {4, 8}, {0, 1}}}));
        }
        for (std::size_t half = 0; half < halves(); ++half) {
          fill(panel, v, shape.keys, head, t * tile, half, 0x4700);
          bench.b.push_back(test::gather(panel, 0, {{{1, 2}, {32, 64}, {2, 16}, {0, 1}}}));
        }
      }
    }
    const auto set = [&](kernels::attention_word which, std::size_t value) {
      bench.parameter(static_cast<unsigned>(which), static_cast<std::uint32_t>(value));
    };
    using word = kernels::attention_word;
    set(word::blocks, shape.heads * blocks());
    set(word::tiles, tiles());
    set(word::key_length, shape.keys);
    set(word::first_limit, shape.causal ? 1 : kernels::no_causal_mask);
    set(word::limit_step, tiles() * tile + (shape.causal ? block_rows() : 0));
    set(word::halves, halves());
    set(word::base, kernels::attention_scale(scale())[0]);
    set(word::step, kernels::attention_scale(scale())[1]);
  }

  /// Runs it and measures.
  distance run(std::uint64_t* cycles = nullptr) const {
    test::op_bench bench(built().text);
    if (second_buffers) {
      bench.start_with_second_buffers();
    }
    feed(bench);
    bench.run();
    if (cycles != nullptr) {
      *cycles = bench.cycles;
    }
    const auto bytes = test::join<std::byte>(bench.out);
    REQUIRE(bytes.size() == shape.heads * blocks() * tile * tile * 2);
    std::vector<std::uint16_t> out(shape.heads * blocks() * tile * tile);
    for (std::size_t c = 0; c < bench.out.size(); ++c) {
      test::scatter(out, c * 4096, {{{1, 2}, {32, 4}, {2, 16}, {128, 8}}}, std::span(bytes).subspan(c * 4096, 4096));
    }
    return compare(out);
  }

  distance compare(const std::vector<std::uint16_t>& out) const {
    const auto wanted = kernels::reference::attention(widened(q), widened(k), widened(v), shape, scale());
    distance worst;
    for (std::size_t row = 0; row < shape.heads * shape.rows; ++row) {
      double dot = 0, ours = 0, theirs = 0;
      for (std::size_t i = 0; i < shape.d; ++i) {
        const std::size_t block = row / shape.rows * blocks() + row % shape.rows / block_rows();
        const std::size_t line = i / tile * block_rows() + row % shape.rows % block_rows();
        const double x = from_bf16(out[(block * tile + line) * tile + i % tile]);
        const double y = wanted[row * shape.d + i];
        dot += x * y;
        ours += x * x;
        theirs += y * y;
        worst.largest = std::isfinite(x) ? std::max(worst.largest, std::abs(x - y)) : INFINITY;
      }
      const double cosine = dot / std::sqrt(ours * theirs);
      worst.cosine = std::isfinite(cosine) ? std::min(worst.cosine, cosine) : -1;
    }
    return worst;
  }
};

/// A line for the report.
std::string text(const distance& far) { return std::format("cosine {:.6f}, error {:.4f}", far.cosine, far.largest); }

}  // namespace

TEST_CASE("op_attention_bf16 is close to attention in double for lengths and depths of any kind",
          "[kernels][attention]") {
  for (const auto& s : std::initializer_list<kernels::reference::attention_shape>{{1, 64, 64, 64},
                                                                                  {1, 64, 128, 64},
                                                                                  {1, 1, 1, 64},
                                                                                  {1, 7, 2, 64},
                                                                                  {2, 70, 65, 64},
                                                                                  {1, 64, 311, 64},
                                                                                  {2, 130, 190, 40},
                                                                                  {1, 100, 97, 32},
                                                                                  {1, 32, 64, 128},
                                                                                  {2, 45, 150, 128},
                                                                                  {1, 70, 140, 96}}) {
    for (const bool causal : {false, true}) {
      if (causal && s.heads > 1) {
        continue;  // a call for each head
      }
      problem p(s, 11);
      p.shape.causal = causal;
      p.second_buffers = s.rows % 2 == 1;
      const auto far = p.run();
      INFO(s.heads << " heads, " << s.rows << " rows, " << s.keys << " keys, d " << s.d << (causal ? ", causal" : "")
                   << ": " << text(far));
      CHECK(far.cosine >= least_cosine);
      CHECK(far.largest <= 0.012);
    }
  }
}

TEST_CASE("op_attention_bf16 follows scores of any size", "[kernels][attention]") {
  for (const double size : {1e-18, 0.05, 3.0, 10.0, 60.0}) {
    const auto far = problem({1, 64, 200, 64}, 13, size).run();
    INFO("size " << size << ": " << text(far));
    CHECK(far.cosine >= least_cosine);
    CHECK(far.largest <= 0.012);
  }
}

TEST_CASE("op_attention_bf16 follows scores that grow from key to key", "[kernels][attention]") {
  problem p({1, 64, 256, 64}, 17);
  for (std::size_t i = 0; i < p.k.size(); ++i) {
    p.k[i] = to_bf16(0.01 * double(i / 64) * from_bf16(p.q[i % 64]) + 0.1 * from_bf16(p.k[i]));
  }
  for (std::size_t i = 0; i < p.q.size(); ++i) {
    p.q[i] = p.q[i % 64];
  }
  for (const double size : {1.0, 5.0, 20.0, 400.0, -20.0}) {
    problem grown = p;
    for (auto& x : grown.k) x = to_bf16(size * from_bf16(x));
    const auto far = grown.run();
    INFO("growing by " << size << ": " << text(far));
    CHECK(far.cosine >= least_cosine);
    CHECK(far.largest <= 0.02);
  }
}

TEST_CASE("rows of a block that are not there disturb no others, whatever they hold", "[kernels][attention]") {
  for (const int filler : {0x0000, 0x7F7F, 0x7F80, 0x7FC0, 0xFFFF}) {
    problem p({1, 40, 130, 64}, 19);
    p.row_filler = static_cast<std::uint16_t>(filler);
    const auto far = p.run();
    INFO(std::format("rows of {:#x}: ", filler) << text(far));
    CHECK(far.cosine >= least_cosine);
    CHECK(far.largest <= 0.012);
  }
}

TEST_CASE("op_attention_bf16 keeps the multiplier busy", "[kernels][attention]") {
  for (const auto& [d, most_step, most_block] : {std::tuple{std::size_t{64}, 6600.0, 9000.0}, {128, 7600.0, 9000.0}}) {
    const auto cycles_of = [&](std::size_t rows, std::size_t keys) {
      std::uint64_t cycles = 0;
      problem({1, rows, keys, d}, 7).run(&cycles);
      return double(cycles);
    };
    const std::size_t rows = 4096 / d;
    const auto base = cycles_of(rows, 128), longer = cycles_of(rows, 1152), blocks = cycles_of(3 * rows, 128);
    const double step = (longer - base) / 16, block = (blocks - base) / 2 - 2 * step;
    INFO("d " << d << ": " << step << " cycles for a block and 64 keys, " << block << " for a block beside them");
    CHECK(step <= most_step);
    CHECK(block <= most_block);
  }
}

TEST_CASE("op_attention_bf16 fits a page of code", "[kernels][attention]") {
  const auto program = assembler::assemble(built().text, "attention");
  REQUIRE(program);
  CHECK(program->sections.at(0).bytes.size() <= 6300);
}
