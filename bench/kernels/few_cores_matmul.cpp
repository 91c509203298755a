// SPDX-License-Identifier: Apache-2.0
// A product by the lowest row's cores.
#include <array>
#include <utility>

#include "bench/kernels/few_cores_parts.hpp"
#include "runtime/overlay/matmul_job.hpp"

namespace npurt::bench {
namespace {

using namespace detail::overlay;
using detail::control_code;
using detail::memtile_bd;
using enum detail::dma_side;

/// Tiles of 64 x 64, a row of them after the other; all columns of B pass by for each.
class row_matmul {
 public:
  row_matmul(bool bf16, const matmul_shape& shape, unsigned columns)
      : bf16_(bf16),
        columns_(columns),
        m_tiles_(static_cast<std::uint32_t>(shape.m) / tile),
        n_panels_(static_cast<std::uint32_t>(shape.n) / (tile * columns)),
        k_(static_cast<std::uint32_t>(shape.k)),
        n_(static_cast<std::uint32_t>(shape.n)),
        depth_(k_ / chunk_depth(bf16)) {}

  std::vector<std::uint32_t> write() {
    // A core reads them when A's first chunk comes, which is the first column's for all of them.
    for (unsigned column = 0; column < columns_; ++column) write_parameters(code_, column, 0, parameters());
    send_a();
    for (unsigned column = 0; column < columns_; ++column) {
      send_b(column);
      take_c(column);
    }
    for (unsigned column = 0; column < columns_; ++column) code_.wait_token(column, taking(0));
    return std::move(code_).finish();
  }

 private:
  static constexpr std::uint32_t tile = 64, row_words = 32, c_words = tile;  // of a chunk's rows, of C's
  static constexpr std::uint32_t at_once = 4;                                // chunks that a memtile moves
  static constexpr unsigned a = 0, b = 1, c = 2;
  static constexpr unsigned shim_a(unsigned m) { return m; }
  static constexpr unsigned shim_b = 4;
  static constexpr unsigned shim_c(unsigned m) { return 5 + m; }

  std::uint32_t bytes() const { return bf16_ ? 2 : 1; }
  std::uint32_t a_row() const { return k_ * bytes() / 4; }
  std::uint32_t b_row() const { return n_ * bytes() / 4; }
  std::uint32_t b_words() const { return tile * bytes() / 4; }
  std::uint32_t moves() const { return m_tiles_ * n_panels_ * depth_ / at_once; }

  std::array<std::uint32_t, 7> parameters() const {
    const auto op = bf16_ ? operation::matmul_bf16 : operation::matmul_i8_i32;
    return {static_cast<std::uint32_t>(op), m_tiles_ * n_panels_, depth_, 0, bf16_ ? n_panels_ : 1, bf16_ ? 1u : 0u, 0};
  }

  void send_a() {
    for (unsigned m = 0; m < m_tiles_; ++m) {
      code_.write_bd(0, shim_a(m),
                     {.length = tile * depth_ * row_words,
                      .d0_wrap = row_words,
                      .d1_step = a_row(),
                      .d1_wrap = tile,
                      .d2_step = row_words},
                     a, 4 * m * tile * a_row());
      code_.push(0, sending(a), shim_a(m), n_panels_, false);
    }
    code_.write_memtile_bd(0, fill(a), through(a, at_once));
    memtile_bd out = out_of(a, at_once, columns_ == 1 ? core_id(0) : broadcast_id);
    const std::uint32_t block = 2 * bytes();
    out.dimensions = {{{1, block}, {row_words, tile}, {block, row_words / block}, {chunk_words, 0}}};
    code_.write_memtile_bd(0, send(a), out);
    push_runs(code_, 0, s2mm, in_channel(a), fill(a), moves());
    push_runs(code_, 0, mm2s, in_channel(a), send(a), moves());
  }

  void send_b(unsigned column) {
    code_.write_bd(column, shim_b,
                   {.length = k_ * b_words(),
                    .d0_wrap = b_words(),
                    .d1_step = b_row(),
                    .iteration_step = columns_ * b_words(),
                    .iteration_wrap = n_panels_},
                   b, 4 * column * b_words());
    code_.push(column, sending(b), shim_b, m_tiles_ * n_panels_, false);
    code_.write_memtile_bd(column, fill(b), through(b, at_once));
    memtile_bd out = out_of(b, at_once, core_id(0));
    out.dimensions = {{{1, 2}, {b_words(), chunk_depth(bf16_)}, {2, b_words() / 2}, {chunk_words, 0}}};
    code_.write_memtile_bd(column, send(b), out);
    push_runs(code_, column, s2mm, in_channel(b), fill(b), moves());
    push_runs(code_, column, mm2s, in_channel(b), send(b), moves());
  }

  void take_c(unsigned column) {
    constexpr std::uint32_t chunks = tile * c_words / chunk_words, core_rows_of_c = 16;
    const std::uint32_t block = bf16_ ? 4 : 8;
    memtile_bd in = results(0, chunks), out = in;
    in.dimensions = {{{1, block}, {c_words, core_rows_of_c}, {block, c_words / block}, {core_rows_of_c * c_words, 0}}};
    std::swap(out.acquire, out.release);
    code_.write_memtile_bd(column, take(0), in);
    code_.write_memtile_bd(column, give(0, 0), out);
    push_runs(code_, column, s2mm, out_channel(0), take(0), m_tiles_ * n_panels_);
    push_runs(code_, column, mm2s, joined_channel(0), give(0, 0), m_tiles_ * n_panels_);
    code_.set_controller(column, taking(0));
    for (unsigned m = 0; m < m_tiles_; ++m) {
      code_.write_bd(column, shim_c(m),
                     {.length = tile * c_words * n_panels_,
                      .d0_wrap = c_words,
                      .d1_step = n_,
                      .d1_wrap = tile,
                      .d2_step = columns_ * c_words},
                     c, 4 * (m * tile * n_ + column * c_words));
      code_.push(column, taking(0), shim_c(m), 1, m + 1 == m_tiles_);
    }
  }

  bool bf16_;
  unsigned columns_;
  std::uint32_t m_tiles_, n_panels_, k_, n_, depth_;
  control_code code_{detail::overlay::columns};
};

}  // namespace

std::vector<std::uint32_t> matmul_code_of(bool bf16, const matmul_shape& shape, unsigned columns) {
  return row_matmul(bf16, shape, columns).write();
}

}  // namespace npurt::bench
