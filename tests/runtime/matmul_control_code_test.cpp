// SPDX-License-Identifier: Apache-2.0
// Control code of the i8_matmul kernel: words by hand, and a small shim of its own that checks what the stream does.
#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <random>
#include <span>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "binfmt/control_code.hpp"
#include "npurt/detail/control_code.hpp"
#include "npurt/error.hpp"
#include "support/refused_dimension.hpp"

using npurt::matmul_shape;
using npurt::detail::matmul_control_code;
using words = std::vector<std::uint32_t>;

namespace {

struct task {
  unsigned bd = 0;
  unsigned runs = 0;
  bool token = false;
};

struct descriptor {
  std::array<std::uint32_t, 8> words{};
  std::uint32_t argument = 0;
  std::uint64_t byte_offset = 0;
  unsigned iteration = 0;  // current
};

// Keys of the three channels: their queue registers.
constexpr std::uint32_t queue_c = 0x1D204;
constexpr std::uint32_t queue_a = 0x1D214;
constexpr std::uint32_t queue_b = 0x1D21C;

// The shim tile of one column as lazy as can be: a task ends only when somebody waits for its token or for one behind
// it. What never overflows a queue or rewrites a live BD here does not on any faster one.
class lazy_shim {
 public:
  explicit lazy_shim(unsigned column) : column_(column) {}

  void run(const npurt::binfmt::control_code& code) {
    for (const auto& operation : code.operations) step(operation);
  }

  /// Word addresses that a channel visits, in order; recorded if wanted.
  bool record = false;
  std::map<std::uint32_t, std::vector<std::uint64_t>> visited;
  std::map<std::uint32_t, std::uint32_t> argument;
  std::map<std::uint32_t, unsigned> tasks_left;  // behind the last wait
  std::size_t tokens_left = 0;
  std::size_t deepest = 0;
  std::map<std::uint64_t, std::uint32_t> k_tiles;  // by the core's row
  std::vector<std::string> faults;

 private:
  static constexpr unsigned column_shift = 25;

  void step(npurt::binfmt::control_operation operation) {
    using npurt::binfmt::control_op;
    const bool waits = operation.op == control_op::tct_sync;
    if ((waits ? operation.sync.col : operation.address >> column_shift) != column_) return;
    operation.address &= (1u << column_shift) - 1;
    switch (operation.op) {
      case control_op::write:
        write(operation.address, operation.value);
        break;
      case control_op::block_write:
        write_bd(operation);
        break;
      case control_op::ddr_patch:
        patch(operation);
        break;
      case control_op::mask_write:
        controllers_.push_back(operation.address);
        break;
      case control_op::tct_sync:
        wait(operation.sync);
        break;
      default:
        faults.push_back("unexpected operation");
    }
    tokens_left = 0;
    for (const auto& [queue, tasks] : queued_) {
      tasks_left[queue] = static_cast<unsigned>(tasks.size());
      tokens_left += static_cast<std::size_t>(std::ranges::count(tasks, true, &task::token));
    }
  }

  void write(std::uint64_t address, std::uint32_t value) {
    if ((address & 0xFFFFF) == 0x400) {
      k_tiles[address >> 20] = value;
      if (!queued_.empty()) faults.push_back("k_tiles written after a push");
      return;
    }
    const auto queue = static_cast<std::uint32_t>(address);
    if (queue != queue_c && queue != queue_a && queue != queue_b)
      return faults.push_back("write to an unknown register");
    if (std::ranges::find(controllers_, queue - 4) == controllers_.end()) faults.push_back("no controller id");
    const task pushed{value & 15, ((value >> 16) & 255) + 1, value >> 31 != 0};
    queued_[queue].push_back(pushed);
    deepest = std::max(deepest, queued_[queue].size());
    execute(queue, pushed);
  }

  bool live(unsigned bd) const {
    return std::ranges::any_of(queued_,
                               [&](const auto& queue) { return std::ranges::contains(queue.second, bd, &task::bd); });
  }

  void write_bd(const npurt::binfmt::control_operation& operation) {
    const auto bd = static_cast<unsigned>(operation.address - 0x1D000) / 0x20;
    if (live(bd)) faults.push_back("a live BD is rewritten");
    if (operation.data.size() != 8 || operation.address % 0x20 != 0 || bd > 15) return faults.push_back("bad BD write");
    bds_[bd] = {};
    std::ranges::copy(operation.data, bds_[bd].words.begin());
  }

  void patch(const npurt::binfmt::control_operation& operation) {
    const auto bd = static_cast<unsigned>(operation.address - 0x1D004) / 0x20;
    if (live(bd)) faults.push_back("a live BD is patched");
    bds_.at(bd).argument = operation.argument;
    bds_.at(bd).byte_offset = operation.argument_offset;
  }

  void wait(const npurt::binfmt::tct_sync_operands& sync) {
    if (sync.row != 0 || sync.columns != 1 || sync.rows != 1) faults.push_back("wait for another tile");
    const std::uint32_t queue = 0x1D204 + 16u * sync.direction + 8u * sync.channel;
    auto& tasks = queued_[queue];
    const auto end = std::ranges::find(tasks, true, &task::token);
    if (end == tasks.end()) return faults.push_back("wait for a token that nobody sends");
    tasks.erase(tasks.begin(), end + 1);
  }

  // Address generation as the manual describes it; steps and the iteration's wrap are stored minus one.
  void execute(std::uint32_t queue, const task& pushed) {
    descriptor& bd = bds_.at(pushed.bd);
    if (!(bd.words[7] >> 25 & 1)) faults.push_back("an invalid BD is queued");
    argument[queue] = bd.argument;
    if (!record) return;
    const auto step = [&](unsigned word) { return (bd.words[word] & 0xFFFFF) + 1; };
    const auto wrap = [&](unsigned word) { return bd.words[word] >> 20 & 0x3FF; };
    for (unsigned run = 0; run < pushed.runs; ++run) {
      std::uint64_t i0 = 0, i1 = 0, i2 = 0;
      for (std::uint32_t word = 0; word < bd.words[0]; ++word) {
        visited[queue].push_back(bd.byte_offset / 4 + i0 * step(3) + i1 * step(4) + i2 * step(5) +
                                 std::uint64_t{bd.iteration} * step(6));
        if (++i0 == wrap(3)) i0 = 0, ++i1;
        if (i0 == 0 && i1 == wrap(4)) i1 = 0, ++i2;
      }
      if (++bd.iteration > (bd.words[6] >> 20 & 0x3F)) bd.iteration = 0;
    }
  }

  unsigned column_;
  std::map<unsigned, descriptor> bds_;
  std::map<std::uint32_t, std::deque<task>> queued_;
  std::vector<std::uint64_t> controllers_;
};

lazy_shim simulate(const matmul_shape& shape, unsigned column, bool record) {
  const words stream = matmul_control_code(shape);
  lazy_shim shim(column);
  shim.record = record;
  shim.run(npurt::binfmt::read_control_code(std::as_bytes(std::span(stream))));
  return shim;
}

std::uint64_t count(std::size_t extent, std::size_t part) { return (extent + part - 1) / part; }

}  // namespace

// clang-format off: a line is an operation
TEST_CASE("the control code of 256 x 256 x 64 is the one written by hand", "[runtime][matmul]") {
  words expected{0x06030100, 0x00000104, 68, 2240};
  const auto add = [&](const words& more) { expected.insert(expected.end(), more.begin(), more.end()); };
  // k_tiles = 1 in sixteen cores
  for (const std::uint32_t column : {0x00000000u, 0x02000000u, 0x04000000u, 0x06000000u}) {
    for (const std::uint32_t row : {0x200400u, 0x300400u, 0x400400u, 0x500400u}) add({0, 0, column + row, 0, 1, 24});
  }
  std::uint32_t column = 0;
  for (const std::uint32_t base : {0x00000000u, 0x02000000u, 0x04000000u, 0x06000000u}) {
    add({// controller id 15 on S2MM 0, MM2S 0, MM2S 1
         3, 0, base + 0x1D200, 0, 0x0F00, 0x1F00, 28,
         3, 0, base + 0x1D210, 0, 0x0F00, 0x1F00, 28,
         3, 0, base + 0x1D218, 0, 0x0F00, 0x1F00, 28,
         // C, BD 0: 256 x 64 words; D0 64 x 1, D1 64 x 256, D2 step 16384, iteration 1 x 256
         1, 0, base + 0x1D000, 48, 0x4000, 0, 0, 0x04000000, 0x840000FF, 0x02003FFF, 0x000000FF, 0x02000000,
         0x81, 48, 0, 0, 0, 0, base + 0x1D004, 0, 2, 0, 256 * column, 0,
         0, 0, base + 0x1D204, 0, 0x80000000, 24,
         // A, BD 1: 64 x 16 words; D0 16 x 1, D1 64 x 16, D2 step 16, iteration 1 x 4096
         1, 0, base + 0x1D020, 48, 0x400, 0, 0, 0x01000000, 0x8400000F, 0x0200000F, 0x00000FFF, 0x02000000,
         0x81, 48, 0, 0, 0, 0, base + 0x1D024, 0, 0, 0, 64 * 64 * column, 0});
    ++column;
  }
  column = 0;
  for (const std::uint32_t base : {0x00000000u, 0x02000000u, 0x04000000u, 0x06000000u}) {
    add({0, 0, base + 0x1D214, 0, 0x00000001, 24,
         // B, BD 2: 64 x 16 words; D0 16 x 1, D1 64 x 64, D2 step 4096
         1, 0, base + 0x1D040, 48, 0x400, 0, 0, 0x01000000, 0x8400003F, 0x02000FFF, 0, 0x02000000,
         0x81, 48, 0, 0, 0, 0, base + 0x1D044, 0, 1, 0, 64 * column, 0,
         0, 0, base + 0x1D21C, 0, 0x00000002, 24});
    ++column;
  }
  // C's tokens
  for (const std::uint32_t of : {0x000000u, 0x010000u, 0x020000u, 0x030000u}) add({0x80, 16, of, 0x00010100});
  CHECK(matmul_control_code({.m = 256, .n = 256, .k = 64}) == expected);
}
// clang-format on

TEST_CASE("no queue overflows and no live descriptor is rewritten, for any shape", "[runtime][matmul]") {
  std::mt19937 random(20240817);
  std::uniform_int_distribution<std::size_t> extent(1, npurt::detail::i8_matmul_max_extent);
  for (int round = 0; round < 1000; ++round) {
    const matmul_shape shape{.m = extent(random), .n = extent(random), .k = extent(random)};
    const unsigned column = static_cast<unsigned>(round) % 4;
    const lazy_shim shim = simulate(shape, column, false);
    INFO("M " << shape.m << " N " << shape.n << " K " << shape.k << " column " << column);
    REQUIRE(shim.faults == std::vector<std::string>{});
    REQUIRE(shim.deepest == std::min<std::uint64_t>(4, count(shape.n, 256)));
    REQUIRE(shim.tokens_left == 0);
    REQUIRE(shim.tasks_left.at(queue_c) == 0);
    const auto k_tiles = static_cast<std::uint32_t>(count(shape.k, 64));
    REQUIRE(shim.k_tiles ==
            std::map<std::uint64_t, std::uint32_t>{{2, k_tiles}, {3, k_tiles}, {4, k_tiles}, {5, k_tiles}});
    REQUIRE(shim.argument == std::map<std::uint32_t, std::uint32_t>{{queue_a, 0}, {queue_b, 1}, {queue_c, 2}});
  }
}

TEST_CASE("the channels visit the elements in the order of the kernel's tiles", "[runtime][matmul]") {
  const auto [m, n, k] = GENERATE(matmul_shape{64, 64, 64}, matmul_shape{192, 64, 128}, matmul_shape{64, 1536, 64},
                                  matmul_shape{128, 300, 320}, matmul_shape{600, 600, 1}, matmul_shape{1, 1, 4096},
                                  matmul_shape{4096, 64, 64}, matmul_shape{64, 4096, 64});
  const unsigned column = GENERATE(0u, 1u, 2u, 3u);
  CAPTURE(m, n, k, column);
  const std::uint64_t m_panels = count(m, 256), n_panels = count(n, 256), k_tiles = count(k, 64);
  std::vector<std::uint64_t> a, b, c;
  for (std::uint64_t in = 0; in < n_panels; ++in) {
    for (std::uint64_t im = 0; im < m_panels; ++im) {
      for (std::uint64_t ik = 0; ik < k_tiles; ++ik) {
        for (std::uint64_t row = 0; row < 64; ++row) {
          for (std::uint64_t word = 0; word < 16; ++word) {
            a.push_back((256 * im + 64 * column + row) * (16 * k_tiles) + 16 * ik + word);
            b.push_back((64 * ik + row) * (64 * n_panels) + 64 * in + 16 * column + word);
          }
        }
      }
      for (std::uint64_t row = 0; row < 256; ++row) {
        for (std::uint64_t word = 0; word < 64; ++word)
          c.push_back((256 * im + row) * (256 * n_panels) + 256 * in + 64 * column + word);
      }
    }
  }
  const lazy_shim shim = simulate({m, n, k}, column, true);
  CHECK(shim.faults == std::vector<std::string>{});
  CHECK((shim.visited.at(queue_a) == a));
  CHECK((shim.visited.at(queue_b) == b));
  CHECK((shim.visited.at(queue_c) == c));
}

TEST_CASE("an extent outside 1 to 4096 is refused by its letter", "[runtime][matmul]") {
  const auto refused = [&](const matmul_shape& shape) {
    return npurt::test::refused_dimension([&] { static_cast<void>(matmul_control_code(shape)); });
  };
  CHECK(refused({.m = 0, .n = 1, .k = 1}) == "M");
  CHECK(refused({.m = 1, .n = 0, .k = 1}) == "N");
  CHECK(refused({.m = 1, .n = 1, .k = 0}) == "K");
  CHECK(refused({.m = 4097, .n = 1, .k = 1}) == "M");
  CHECK(refused({.m = 1, .n = 1, .k = SIZE_MAX}) == "K");
  CHECK(refused({.m = 4096, .n = 4096, .k = 4096}) == "accepted");
}
