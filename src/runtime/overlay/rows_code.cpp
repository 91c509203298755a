// SPDX-License-Identifier: Apache-2.0
// Memtiles take rows apart on their way in and close the gaps on their way out.
#include "runtime/overlay/rows_code.hpp"

#include <array>
#include <bit>
#include <numeric>

#include <fmt/format.h>

#include "npurt/error.hpp"

namespace npurt::detail::overlay {

namespace {

using enum dma_side;

constexpr unsigned argument_x = 0, argument_y = 1, argument_weights = 2;
constexpr std::uint32_t half_bytes = chunk_bytes / 2;
constexpr std::uint32_t most_wrap = 1023;
constexpr std::uint32_t most_pairs = 4 * 255;  // a task has 256 runs

// Shim BDs by channel.
constexpr unsigned shim_in(unsigned n) { return n; }
constexpr unsigned shim_out(unsigned n) { return 2 + n; }

// Memtile BDs.
constexpr unsigned fill(unsigned n) { return standard_bds::free(n); }
constexpr unsigned joined(unsigned n, unsigned i) { return standard_bds::free(n) + 1 + i; }
constexpr std::uint32_t weight_chunks = 2;  // gamma and beta

class writer {
 public:
  explicit writer(const row_job& job)
      : job_(job), layout_(rows_of(job.columns)), pairs_(share(job.rows / layout_.rows_per_pair)) {}

  std::vector<std::uint32_t> write() {
    // What the cores wait for comes first: the firmware takes its time over each address of a buffer.
    for_each_column([this](unsigned column) { send(column); });
    for_each_column([this](unsigned column) { take(column); });
    for_each_column([this](unsigned column) {
      for (unsigned n = 0; n < 2; ++n) code_.wait_token(column, taking(n));
    });
    return std::move(code_).finish();
  }

 private:
  /// Pairs of each column. The firmware starts the first columns well before the last one, so they take more.
  static std::array<std::uint32_t, columns> share(std::uint32_t pairs) {
    constexpr std::uint32_t enough = 16;
    std::array<std::uint32_t, columns> shares{};
    for (unsigned column = 0; column < columns; ++column) shares[column] = (pairs + columns - 1 - column) / columns;
    if (pairs >= enough) {
      ++shares.front();
      --shares.back();
    }
    return shares;
  }

  void for_each_column(const auto& visit) {
    for (unsigned column = 0; column < columns; ++column) {
      if (pairs_[column] != 0) visit(column);
    }
  }

  std::uint32_t row_words() const { return layout_.columns / 2; }
  std::uint32_t pitch_words() const { return layout_.pitch_bytes / 4; }
  /// Words of a chunk that are not gaps.
  std::uint32_t used_words() const { return row_words() * layout_.rows_per_unit * units_per_chunk(); }
  std::uint32_t units_per_chunk() const { return layout_.pitch_bytes > half_bytes ? 1 : 2; }

  /// Rows at their pitch in consecutive chunks.
  std::array<memtile_bd::dimension, 4> spread() const {
    if (used_words() == chunk_words) return {};
    if (units_per_chunk() == 1) return {{{1, row_words() / 2}, {row_words() / 2, 2}, {chunk_words, 0}, {}}};
    return {{{1, row_words()}, {pitch_words(), layout_.rows_per_unit}, {chunk_words / 2, 0}, {}}};
  }

  /// Words that a shim moves in one go: a row, or half of one.
  std::uint32_t shim_words() const {
    return row_words() <= most_wrap ? row_words() : row_words() == chunk_words ? 512 : row_words() / 2;
  }
  std::uint32_t used_unit_words() const { return core_rows * used_words(); }
  /// The first word of a column's part: 2 * pairs consecutive units, even ones for A, odd ones for B.
  std::uint32_t first_word(unsigned column) const {
    return std::accumulate(pairs_.begin(), pairs_.begin() + column, 0u) * 2 * used_unit_words();
  }

  void write_cores(unsigned column) {
    const float reciprocal = 1.0f / static_cast<float>(job_.columns);
    for (unsigned row = 0; row < core_rows; ++row) {
      write_parameters(
          code_, column, row,
          std::array{static_cast<std::uint32_t>(job_.op), pairs_[column], job_.columns,
                     std::bit_cast<std::uint32_t>(reciprocal), job_.eps, layout_.pitch_bytes, layout_.rows_per_unit});
    }
  }

  void send(unsigned column) {
    write_cores(column);
    if (job_.weights) queue_broadcast(code_, column, argument_weights, weight_chunks);
    for (unsigned n = 0; n < 2; ++n) {
      code_.write_bd(column, shim_in(n),
                     strided(used_unit_words(), 2 * used_unit_words(), pairs_[column], shim_words()), argument_x,
                     4 * (first_word(column) + n * used_unit_words()));
      code_.push(column, sending(n), shim_in(n), 1, false);
      code_.write_memtile_bd(column, fill(n),
                             {.address = in_offset(n),
                              .length = used_unit_words(),
                              .dimensions = spread(),
                              .iteration_step = core_rows * chunk_words,
                              .iteration_wrap = in_chunks / core_rows,
                              .acquire = {{in_free(n), core_rows}},
                              .release = {{in_free(n) + 1, core_rows}}});
      rewind_scatter(code_, column, n);
      code_.push_memtile(column, s2mm, in_channel(n), fill(n), pairs_[column]);
      code_.push_memtile(column, mm2s, in_channel(n), standard_bds::scatter(n), pairs_[column]);
    }
  }

  void take(unsigned column) {
    rewind_out(code_, column);
    for (unsigned row = 0; row < core_rows; ++row) {
      push_runs(code_, column, s2mm, out_channel(row), standard_bds::out(row), 2 * pairs_[column]);
    }
    for (unsigned n = 0; n < 2; ++n) {
      code_.set_controller(column, taking(n));
      for (unsigned i = 0; i < 2; ++i) write_joined(column, n, i);
      push_runs(code_, column, mm2s, joined_channel(n), joined(n, 0), 2 * pairs_[column]);
      code_.write_bd(column, shim_out(n),
                     strided(used_unit_words() / 2, used_unit_words(), 2 * pairs_[column], shim_words()), argument_y,
                     4 * (first_word(column) + n * used_unit_words() / 2));
      code_.push(column, taking(n), shim_out(n), 1, true);
    }
  }

  void write_joined(unsigned column, unsigned n, unsigned i) {
    const unsigned row = 2 * n + i;
    memtile_bd bd{.address = out_offset(row),
                  .length = used_words(),
                  .dimensions = spread(),
                  .iteration_step = chunk_words,
                  .iteration_wrap = out_chunks,
                  .acquire = {{out_free(row) + 1, 1}},
                  .release = {{out_free(row), 1}}};
    if (i == 0) bd.next = joined(n, 1);
    code_.write_memtile_bd(column, joined(n, i), bd);
  }

  row_job job_;
  row_layout layout_;
  std::array<std::uint32_t, columns> pairs_;
  control_code code_{columns};
};

}  // namespace

row_layout rows_of(std::uint32_t row_length) {
  constexpr std::uint32_t pitch_multiple = 64;
  row_layout layout;
  const std::uint32_t multiple = row_length > 2 * most_wrap - 2 ? 4 : 2;  // longer rows pass a memtile as two halves
  layout.columns = (row_length + multiple - 1) / multiple * multiple;
  layout.pitch_bytes = (2 * layout.columns + pitch_multiple - 1) / pitch_multiple * pitch_multiple;
  const bool whole_chunk = layout.pitch_bytes > half_bytes;
  layout.rows_per_unit = whole_chunk ? 1 : half_bytes / layout.pitch_bytes;
  layout.rows_per_pair = layout.rows_per_unit * (whole_chunk ? 1 : 2) * 2 * core_rows;
  return layout;
}

std::vector<std::uint32_t> rows_code(const row_job& job) {
  const std::uint32_t each = rows_of(job.columns).rows_per_pair;
  if (job.rows == 0 || job.rows > most_pairs * each) {
    throw shape_error(
        "R", fmt::format("{} rows of {} columns, a call takes 1 to {}", job.rows, job.columns, most_pairs * each));
  }
  return writer(job).write();
}

}  // namespace npurt::detail::overlay
