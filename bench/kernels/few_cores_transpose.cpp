// SPDX-License-Identifier: Apache-2.0
// A transposition by some of the cores.
#include <algorithm>
#include <array>
#include <utility>

#include "bench/kernels/few_cores_parts.hpp"

namespace npurt::bench {
namespace {

using namespace detail::overlay;
using detail::control_code;
using detail::memtile_bd;
using enum detail::dma_side;

/// Strips of 64 rows of bf16 in tiles of 64 columns, as kernels/transpose/README.md has them.
class few_transpose {
 public:
  few_transpose(control_code& code, std::uint32_t rows, std::uint32_t columns, const core_share& share)
      : code_(code),
        cores_(share.of_a_column),
        strips_(rows / (strip_rows * share.columns)),
        pairs_(columns / (pair_columns * cores_)),
        x_words_(columns / 2),
        y_words_(rows / 2) {}

  void write(unsigned column) {
    constexpr std::uint32_t mode = 45;  // of vshuffle, for two bytes
    const std::array parameters{static_cast<std::uint32_t>(operation::transpose), strips_ * pairs_, mode};
    for (unsigned row = 0; row < cores_; ++row) write_parameters(code_, column, row, parameters);
    for (unsigned n = 0; n < 2; ++n) send_tiles(column, n);
    rewind_out(code_, column);
    for (unsigned row = 0; row < cores_; ++row) {
      push_runs(code_, column, s2mm, out_channel(row), standard_bds::out(row), 2 * strips_ * pairs_);
    }
    for (unsigned n = 0; n < channels(); ++n) take_tiles(column, n);
  }

 private:
  static constexpr std::uint32_t strip_rows = 64, row_words = 32, pair_columns = 128;
  unsigned channels() const { return std::min(cores_, 2u); }

  void send_tiles(unsigned column, unsigned n) {
    const std::uint32_t strip = strip_rows * x_words_;
    code_.write_bd(column, n,
                   {.length = cores_ * pairs_ * chunk_words,
                    .d0_step = 1,
                    .d0_wrap = row_words,
                    .d1_step = x_words_,
                    .d1_wrap = strip_rows,
                    .d2_step = 2 * row_words,
                    .iteration_step = strip,
                    .iteration_wrap = strips_},
                   argument_x, 4 * (column * strips_ * strip + n * row_words));
    code_.push(column, sending(n), n, strips_, false);
    memtile_bd in = through(n, cores_);
    in.dimensions = {{{1, 8}, {16, 4}, {8, 2}, {64, 0}}};
    pass_units(code_, column, n, cores_, in, strips_ * pairs_);
  }

  void take_tiles(unsigned column, unsigned n) {
    const unsigned joined = cores_ / channels();
    for (unsigned i = 0; i < joined; ++i) {
      const unsigned row = joined * n + i;
      memtile_bd bd = results(row, 2);
      std::swap(bd.acquire, bd.release);
      bd.dimensions = {{{64, row_words}, {1, 64}, {chunk_words, 0}, {}}};
      if (i + 1 < joined) bd.next = give(n, i + 1);
      code_.write_memtile_bd(column, give(n, i), bd);
    }
    push_runs(code_, column, mm2s, joined_channel(n), give(n, 0), strips_ * pairs_);
    const std::uint32_t y_rows = joined * pair_columns;
    code_.set_controller(column, taking(n));
    code_.write_bd(column, 2 + n,
                   {.length = pairs_ * y_rows * row_words,
                    .d0_step = 1,
                    .d0_wrap = row_words,
                    .d1_step = y_words_,
                    .d1_wrap = y_rows,
                    .d2_step = channels() * y_rows * y_words_,
                    .iteration_step = row_words,
                    .iteration_wrap = strips_},
                   argument_y, 4 * (column * strips_ * row_words + n * y_rows * y_words_));
    code_.push(column, taking(n), 2 + n, strips_, true);
  }

  control_code& code_;
  unsigned cores_;
  std::uint32_t strips_, pairs_, x_words_, y_words_;  ///< strips of a column, pairs of tiles of a strip
};

}  // namespace

std::vector<std::uint32_t> transpose_code_of(std::uint32_t rows, std::uint32_t columns, const core_share& share) {
  control_code code(detail::overlay::columns);
  few_transpose writer(code, rows, columns, share);
  for (unsigned column = 0; column < share.columns; ++column) writer.write(column);
  return finished(std::move(code), share);
}

}  // namespace npurt::bench
