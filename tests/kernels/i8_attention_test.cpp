// SPDX-License-Identifier: Apache-2.0
// op_attention_i8 against softmax attention in double on the values that the integers stand for, chunks cut as the
// README's buffer descriptors do.
#include <random>

#include "i8-attention/parameters.hpp"
#include "i8-attention/reference.hpp"
#include "kernels/matmul_chunks.hpp"
#include "kernels/op_bench.hpp"
#include "programs.hpp"

using namespace npurt;

namespace {

constexpr std::size_t tile = 64;
constexpr double least_cosine = 0.9999;

double from_bf16(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

/// How far a result is from the reference: of all elements, and of the worst row.
struct distance {
  double cosine = 1, row_cosine = 1;
};

std::string text(const distance& far) {
  return std::format("cosine {:.6f}, worst row {:.6f}", far.cosine, far.row_cosine);
}

const codegen::compiled_function& built() {
  static const auto function = kernels::op_attention_i8();
  return function;
}

class cosine {
 public:
  void add(double x, double y) {
    dot_ += x * y;
    ours_ += x * x;
    theirs_ += y * y;
  }
  double value() const {
    if (ours_ == 0 && theirs_ == 0) return 1;
    const double c = dot_ / std::sqrt(ours_ * theirs_);
    return std::isfinite(c) ? c : -1;
  }

 private:
  double dot_ = 0, ours_ = 0, theirs_ = 0;
};

struct problem {
  kernels::reference::attention_shape shape;
  std::vector<std::int8_t> q, k, v;
  kernels::reference::attention_scales steps;
  bool second_buffers = false;

  /// Normally distributed with `deviation` steps, worth `size` all together.
  problem(kernels::reference::attention_shape s, unsigned seed, double deviation = 28, double size = 1)
      : shape(s), steps{size / deviation, size / deviation, 1 / deviation} {
    std::mt19937 random(seed);
    std::normal_distribution<double> normal(0, deviation);
    const auto draw = [&](std::size_t n) {
      std::vector<std::int8_t> drawn(n);
      for (auto& x : drawn) x = static_cast<std::int8_t>(std::lround(std::clamp(normal(random), -128.0, 127.0)));
      return drawn;
    };
    q = draw(s.heads * s.rows * s.d);
    k = draw(s.heads * s.keys * s.d);
    v = draw(k.size());
  }

  double scale() const { return 1 / std::sqrt(static_cast<double>(shape.d)); }
  std::size_t blocks() const { return (shape.rows + tile - 1) / tile; }
  std::size_t tiles() const { return (shape.keys + tile - 1) / tile; }

  /// 64 rows of a head from row `first` on, 64 wide; `filler` behind the head's end, 0 behind the row's.
  void fill(std::span<std::int8_t> panel, const std::vector<std::int8_t>& tensor, std::size_t rows, std::size_t head,
            std::size_t first, std::int8_t filler) const {
    for (std::size_t i = 0; i < panel.size(); ++i) {
      const std::size_t row = first + i / tile, column = i % tile;
      panel[i] = row >= rows        ? filler
                 : column < shape.d ? tensor[(head * rows + row) * shape.d + column]
                                    : std::int8_t{0};
    }
  }

  void feed(test::op_bench& bench) const {
    std::vector<std::int8_t> panels(2 * tile * tile);
    const auto upper = std::span(panels).first(tile * tile), lower = std::span(panels).last(tile * tile);
    for (std::size_t block = 0; block < shape.heads * blocks(); ++block) {
      const std::size_t head = block / blocks(), first = block % blocks() * tile;
      fill(upper, q, shape.rows, head, first, 77);
      std::ranges::fill(lower, std::int8_t{99});
      bench.a.push_back(test::gather(panels, 0, {{{1, 2}, {16, 4}, {2, 8}, {64, 32}}}));
      for (std::size_t t = 0; t < tiles(); ++t) {
        fill(upper, k, shape.keys, head, t * tile, -101);
        fill(lower, v, shape.keys, head, t * tile, 127);
        bench.b.push_back(test::gather(panels, 0, {{{1, 2}, {16, 8}, {2, 8}, {128, 16}}}));
      }
    }
    const auto set = [&](kernels::attention_i8_word which, std::uint32_t value) {
      bench.parameter(static_cast<unsigned>(which), value);
    };
    using word = kernels::attention_i8_word;
    const auto count = [](std::size_t n) { return static_cast<std::uint32_t>(n); };
    set(word::blocks, count(shape.heads * blocks()));
    set(word::tiles, count(tiles()));
    set(word::key_length, count(shape.keys));
    set(word::first_limit, shape.causal ? 1u : 1u << 30);
    set(word::limit_step, count(tiles() * tile + (shape.causal ? tile : 0)));
    const auto [multiplier, shifts] = kernels::attention_i8_scale(scale() * steps.q * steps.k);
    set(word::multiplier, multiplier);
    set(word::shifts, shifts);
    set(word::v_scale, std::bit_cast<std::uint32_t>(static_cast<float>(steps.v)));
  }

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
    const auto wanted = kernels::reference::attention(q, k, v, shape, scale(), steps);
    distance far;
    cosine all;
    for (std::size_t row = 0; row < shape.heads * shape.rows; ++row) {
      cosine of_row;
      const std::size_t line = row / shape.rows * blocks() * tile + row % shape.rows;
      for (std::size_t i = 0; i < shape.d; ++i) {
        const double x = from_bf16(out[line * tile + i]), y = wanted[row * shape.d + i];
        of_row.add(x, y);
        all.add(x, y);
      }
      far.row_cosine = std::min(far.row_cosine, of_row.value());
    }
    far.cosine = all.value();
    return far;
  }
};

}  // namespace

TEST_CASE("op_attention_i8 is close to attention in double for lengths and depths of any kind",
          "[kernels][attention_i8]") {
  for (const auto& s : std::initializer_list<kernels::reference::attention_shape>{{1, 64, 64, 64},
                                                                                  {1, 64, 128, 64},
                                                                                  {1, 1, 1, 64},
                                                                                  {1, 7, 2, 64},
                                                                                  {2, 70, 65, 64},
                                                                                  {1, 64, 311, 64},
                                                                                  {2, 130, 190, 40},
                                                                                  {1, 100, 97, 32},
                                                                                  {1, 3, 5, 1}}) {
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
      CHECK(far.row_cosine >= least_cosine);
    }
  }
}

TEST_CASE("op_attention_i8 follows scores of any size", "[kernels][attention_i8]") {
  for (const double deviation : {0.7, 3.0, 28.0, 127.0}) {
    for (const double size : {1e-4, 0.05, 1.0, 3.0, 10.0, 100.0}) {
      const auto far = problem({1, 64, 200, 64}, 13, deviation, size).run();
      INFO("deviation " << deviation << ", size " << size << ": " << text(far));
      CHECK(far.cosine >= least_cosine);
      CHECK(far.row_cosine >= 0.999);
    }
  }
}

TEST_CASE("op_attention_i8 follows scores that grow from key to key", "[kernels][attention_i8]") {
  problem p({1, 64, 256, 64}, 17);
  for (std::size_t i = 0; i < p.q.size(); ++i) {
    p.q[i] = p.q[i % 64];
  }
  const auto noise = p.k;
  for (const double size : {0.5, 1.0, 2.0, -2.0}) {
    for (const double worth : {1.0, 4.0}) {
      for (std::size_t i = 0; i < p.k.size(); ++i) {
        const double grown = size * 0.01 * double(i / 64) * p.q[i % 64] + 0.1 * noise[i];
        p.k[i] = static_cast<std::int8_t>(std::lround(std::clamp(grown, -128.0, 127.0)));
      }
      problem now = p;
      now.steps.q *= worth;
      const auto far = now.run();
      INFO("growing by " << size << ", worth " << worth << ": " << text(far));
      CHECK(far.row_cosine >= least_cosine);
    }
  }
}

TEST_CASE("op_attention_i8 sees what many faint keys say beside a loud one that says nothing",
          "[kernels][attention_i8]") {
  problem p({1, 64, 1024, 64}, 19);
  for (std::size_t i = 0; i < 64; ++i) {
    p.k[i] = 0;
    p.v[i] = 0;
  }
  // Key 0 has half of the power: e^s = 1023, s = 6.93 from one element of d.
  for (std::size_t row = 0; row < 64; ++row) p.q[row * 64] = 100;
  for (std::size_t key = 0; key < 1024; ++key) p.k[key * 64] = key == 0 ? 100 : 0;
  for (std::size_t i = 0; i < p.q.size(); ++i) {
    if (i % 64 != 0) p.q[i] = 0;
  }
  p.steps.q = p.steps.k = std::sqrt(6.93 * 8 / 1e4);
  const auto far = p.run();
  INFO(text(far));
  CHECK(far.row_cosine >= 0.999);
}

TEST_CASE("op_attention_i8 keeps the multiplier busy", "[kernels][attention_i8]") {
  const auto cycles_of = [&](std::size_t rows, std::size_t keys) {
    std::uint64_t cycles = 0;
    problem({1, rows, keys, 64}, 7).run(&cycles);
    return double(cycles);
  };
  const auto base = cycles_of(64, 128), longer = cycles_of(64, 1152), blocks = cycles_of(192, 128);
  const double step = (longer - base) / 16, block = (blocks - base) / 2 - 2 * step;
  INFO(step << " cycles for a block and 64 keys, " << block << " for a block beside them");
  CHECK(step <= 4800);
  CHECK(block <= 6600);
}

TEST_CASE("op_attention_i8 fits a page of code", "[kernels][attention_i8]") {
  const auto program = assembler::assemble(built().text, "attention");
  REQUIRE(program);
  INFO(program->sections.at(0).bytes.size() << " bytes");
  CHECK(program->sections.at(0).bytes.size() <= 6300);
}
