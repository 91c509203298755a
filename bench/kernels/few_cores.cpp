// SPDX-License-Identifier: Apache-2.0
// Control code for a part of the array. What a chunk is and how memtiles order it is as the stubs have it:
// src/runtime/overlay/.
#include "bench/kernels/few_cores.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "runtime/device_state.hpp"
#include "runtime/overlay/matmul_job.hpp"

namespace npurt::bench {
namespace {

using namespace detail::overlay;
using detail::control_code;
using detail::memtile_bd;
using enum detail::dma_side;

// Memtile BDs.
constexpr unsigned fill(unsigned n) { return standard_bds::free(n); }
constexpr unsigned send(unsigned n) { return standard_bds::free(n) + 1; }
constexpr unsigned take = standard_bds::free(0) + 2, give = standard_bds::free(0) + 3;

/// So many chunks at once through the memory of A or B.
memtile_bd through(unsigned n, std::uint32_t chunks) {
  return {.address = in_offset(n),
          .length = chunks * chunk_words,
          .iteration_step = chunks * chunk_words,
          .iteration_wrap = in_chunks / chunks,
          .acquire = {{in_free(n), chunks}},
          .release = {{in_free(n) + 1, chunks}}};
}

memtile_bd out_of(unsigned n, std::uint32_t chunks, std::uint32_t packet_id) {
  memtile_bd bd = through(n, chunks);
  std::swap(bd.acquire, bd.release);
  bd.packet_id = packet_id;
  return bd;
}

/// Results of the lowest core, so many chunks at once.
memtile_bd results(std::uint32_t chunks) {
  return {.address = out_offset(0),
          .length = chunks * chunk_words,
          .iteration_step = chunks * chunk_words,
          .iteration_wrap = out_chunks / chunks,
          .acquire = {{out_free(0), chunks}},
          .release = {{out_free(0) + 1, chunks}}};
}

void send_units(control_code& code, unsigned column, unsigned n, unsigned cores, std::uint32_t pairs) {
  const std::uint32_t unit = cores * chunk_words, first = (column * 2 * pairs + n) * unit;
  code.write_bd(column, n, strided(unit, 2 * unit, pairs), argument_x, 4 * first);
  code.push(column, sending(n), n, 1, false);
  code.write_memtile_bd(column, fill(n), through(n, cores));
  push_runs(code, column, s2mm, in_channel(n), fill(n), pairs);
  if (cores == 1) {
    code.write_memtile_bd(column, send(n), out_of(n, 1, core_id(0)));
  } else {
    rewind_scatter(code, column, n);
  }
  push_runs(code, column, mm2s, in_channel(n), cores == 1 ? send(n) : standard_bds::scatter(n), pairs);
}

void take_from_one_core(control_code& code, unsigned column, std::uint32_t chunks) {
  code.rewind_memtile_bd(column, standard_bds::out(0), chunk_words, out_chunks);
  push_runs(code, column, s2mm, out_channel(0), standard_bds::out(0), chunks);
  memtile_bd bd = results(1);
  std::swap(bd.acquire, bd.release);
  code.write_memtile_bd(column, give, bd);
  push_runs(code, column, mm2s, joined_channel(0), give, chunks);
  code.set_controller(column, taking(0));
  code.write_bd(column, 2, {.length = chunks * chunk_words}, argument_y, 4 * column * chunks * chunk_words);
  code.push(column, taking(0), 2, 1, true);
}

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
    memtile_bd in = results(chunks), out = in;
    in.dimensions = {{{1, block}, {c_words, core_rows_of_c}, {block, c_words / block}, {core_rows_of_c * c_words, 0}}};
    std::swap(out.acquire, out.release);
    code_.write_memtile_bd(column, take, in);
    code_.write_memtile_bd(column, give, out);
    push_runs(code_, column, s2mm, out_channel(0), take, m_tiles_ * n_panels_);
    push_runs(code_, column, mm2s, joined_channel(0), give, m_tiles_ * n_panels_);
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

std::vector<std::uint32_t> linear_code_of(operation op, std::uint32_t chunks, const core_share& share) {
  control_code code(columns);
  const std::uint32_t pairs = chunks / (2 * share.count());
  const std::array parameters{static_cast<std::uint32_t>(op), pairs};
  for (unsigned column = 0; column < share.columns; ++column) {
    for (unsigned row = 0; row < share.of_a_column; ++row) write_parameters(code, column, row, parameters);
    for (unsigned n = 0; n < 2; ++n) send_units(code, column, n, share.of_a_column, pairs);
  }
  for (unsigned column = 0; column < share.columns; ++column) {
    if (share.of_a_column == 1) {
      take_from_one_core(code, column, 2 * pairs);
    } else {
      rewind_out(code, column);
      rewind_joined(code, column);
      take_units(code, column, argument_y, 2 * pairs);
    }
  }
  for (unsigned column = 0; column < share.columns; ++column) {
    for (unsigned n = 0; n < std::min(share.of_a_column, 2u); ++n) code.wait_token(column, taking(n));
  }
  return std::move(code).finish();
}

std::vector<std::uint32_t> matmul_code_of(bool bf16, const matmul_shape& shape, unsigned columns) {
  return row_matmul(bf16, shape, columns).write();
}

void call_checked(device& npu, operation op, const std::vector<std::uint32_t>& code,
                  std::span<const std::vector<std::byte>> operands, const std::vector<std::byte>& result) {
  recipe what{op, code, {}};
  for (const auto& operand : operands) what.buffer_bytes.push_back(operand.size());
  what.buffer_bytes.push_back(result.size());
  const auto prepared =
      npu.state()->ops.plan_of(npu, {.operation = static_cast<std::uint32_t>(op)}, [&] { return what; });
  const auto put = [&](plan& into) {
    for (std::size_t i = 0; i < operands.size(); ++i) {
      std::ranges::copy(operands[i], into.data(i));
      into.to_device(i);
    }
  };
  prepared->call(prepared->default_deadline(), put, [&](plan& from) {
    from.from_device(operands.size());
    if (!std::ranges::equal(std::span(from.data(operands.size()), result.size()), result)) {
      throw std::runtime_error("a call on few cores gives a wrong result");
    }
  });
}

}  // namespace npurt::bench
