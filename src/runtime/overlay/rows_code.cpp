// SPDX-License-Identifier: Apache-2.0
// Memtiles take rows apart on their way in and close the gaps on their way out.
#include "runtime/overlay/rows_code.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "npurt/error.hpp"

namespace npurt::detail::overlay {

namespace {

using enum dma_side;

constexpr unsigned argument_x = 0, argument_y = 1, argument_more = 2;
constexpr std::uint32_t half_bytes = chunk_bytes / 2;
constexpr std::uint32_t most_wrap = 1023;
constexpr std::uint32_t most_pairs = 4 * 255;  // a task has 256 runs

// Shim BDs by channel.
constexpr unsigned shim_in(unsigned n) { return n; }
constexpr unsigned shim_out(unsigned n) { return 2 + n; }
constexpr unsigned shim_weights = 4;

// Memtile BDs.
constexpr unsigned fill(unsigned n) { return standard_bds::free(n); }
constexpr unsigned joined(unsigned n, unsigned i) { return standard_bds::free(n) + 1 + i; }
constexpr unsigned collect(unsigned row) { return standard_bds::free(row % 2) + 3 + row / 2; }
constexpr unsigned alone(unsigned n) { return standard_bds::free(n) + 5; }
constexpr unsigned weights_in = standard_bds::free(1) + 6, weights_out = standard_bds::free(1) + 7;

// Results wait in the panel, behind gamma and beta: there is room for as many as the first columns make before the
// firmware has come to their way out.
constexpr std::uint32_t result_chunks = 7;
constexpr std::uint32_t result_offset(unsigned row) {
  return panel_offset + (2 + row * result_chunks) * chunk_bytes;
}
constexpr unsigned result_free(unsigned row) { return panel_free + 2 + 2 * row; }

class writer {
 public:
  explicit writer(const row_job& job)
      : job_(job),
        layout_(rows_of(job.columns)),
        pairs_(share(job.rows / layout_.rows_per_pair * (job.masked ? 2 : 1) * core_rows / job.cores_of_a_column,
                     job.array_columns)) {}

  std::vector<std::uint32_t> write() {
    // What the cores wait for comes first: the firmware takes its time over each address of a buffer.
    for_each_column([this](unsigned column) { send(column); });
    for_each_column([this](unsigned column) { take(column); });
    for_each_column([this](unsigned column) {
      for (unsigned n = 0; n < results_channels(); ++n) code_.wait_token(column, taking(n));
    });
    return std::move(code_).finish();
  }

 private:
  /// Pairs of each column: one after the other goes to the column that is done with it first. The firmware starts a
  /// column about as long after the one before as a pair takes.
  static std::array<std::uint32_t, columns> share(std::uint32_t pairs, unsigned most_columns) {
    std::array<std::uint32_t, columns> shares{};
    for (; pairs > 0; --pairs) {
      unsigned first = 0;
      for (unsigned column = 1; column < most_columns; ++column) {
        if (shares[column] + column < shares[first] + first) first = column;
      }
      ++shares[first];
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

  /// `runs` runs of whole rows, `words` each, a step apart.
  shim_bd every_other(std::uint32_t words, std::uint32_t runs, std::uint32_t step_words, std::uint32_t pitch) const {
    if (pitch == 0 || pitch == layout_.columns) return strided(words, step_words, runs, shim_words());
    const std::uint32_t rows = words / row_words(), step_rows = step_words / row_words();
    return {.length = words * runs,
            .d0_step = 1,
            .d0_wrap = row_words(),
            .d1_step = pitch / 2,
            .d1_wrap = rows,
            .d2_step = step_rows * pitch / 2};
  }
  /// Bytes before a place in gapless rows, in rows of that pitch.
  std::uint32_t byte_at(std::uint32_t word, std::uint32_t pitch) const {
    return pitch == 0 ? 4 * word : word / row_words() * pitch * 2;
  }

  /// Words that a shim moves in one go: a row, or half of one.
  std::uint32_t shim_words() const {
    return row_words() <= most_wrap ? row_words() : row_words() == chunk_words ? 512 : row_words() / 2;
  }
  std::uint32_t cores() const { return job_.cores_of_a_column; }
  /// A unit is a chunk for each of a column's cores.
  std::uint32_t used_unit_words() const { return cores() * used_words(); }
  /// Units of rows in a pair of chunks: even ones go to A, odd ones to B; but a mask takes all of B.
  std::uint32_t units_per_pair() const { return job_.masked ? 1 : 2; }
  /// The first one of a column's part.
  std::uint32_t first_unit(unsigned column) const {
    return std::accumulate(pairs_.begin(), pairs_.begin() + column, 0u) * units_per_pair();
  }
  std::uint32_t rows_per_chunk() const { return used_words() / row_words(); }

  void write_cores(unsigned column) {
    const float reciprocal = 1.0f / static_cast<float>(job_.columns);
    const std::uint32_t behind_a_chunk = (cores() - 1) * rows_per_chunk();
    for (unsigned row = 0; row < cores(); ++row) {
      const std::uint32_t first_row = (first_unit(column) * cores() + row) * rows_per_chunk();
      std::vector<std::uint32_t> words{static_cast<std::uint32_t>(job_.op), pairs_[column], job_.columns,
                                       std::bit_cast<std::uint32_t>(reciprocal), job_.eps, layout_.pitch_bytes,
                                       layout_.rows_per_unit};
      if (job_.op == operation::softmax_bf16) {
        const auto step = static_cast<std::uint32_t>(job_.visible.step);
        words.insert(words.end(), {job_.masked ? 1u : 0u,
                                   static_cast<std::uint32_t>(job_.visible.first) + step * first_row, step,
                                   step * behind_a_chunk, std::min(job_.visible.most, job_.columns)});
      }
      write_parameters(code_, column, row, words);
    }
  }

  void send(unsigned column) {
    write_cores(column);
    for (unsigned n = 0; n < 2; ++n) {
      if (n == 1 && job_.weights) queue_weights(column);
      const bool mask = n == 1 && job_.masked;
      const std::uint32_t pitch = mask ? 0 : job_.x_pitch;
      const std::uint32_t first = (first_unit(column) + (mask ? 0 : n)) * used_unit_words();
      code_.write_bd(column, shim_in(n),
                     every_other(used_unit_words(), pairs_[column], units_per_pair() * used_unit_words(), pitch),
                     mask ? argument_more : argument_x, byte_at(first, pitch));
      code_.push(column, sending(n), shim_in(n), 1, false);
      code_.write_memtile_bd(column, fill(n),
                             {.address = in_offset(n),
                              .length = used_unit_words(),
                              .dimensions = spread(),
                              .iteration_step = cores() * chunk_words,
                              .iteration_wrap = in_chunks / cores(),
                              .acquire = {{in_free(n), cores()}},
                              .release = {{in_free(n) + 1, cores()}}});
      push_runs(code_, column, s2mm, in_channel(n), fill(n), pairs_[column]);
      scatter(column, n);
    }
    for (unsigned row = 0; row < cores(); ++row) collect_results(column, row);
  }

  void scatter(unsigned column, unsigned n) {
    if (cores() == core_rows) {
      rewind_scatter(code_, column, n);
      push_runs(code_, column, mm2s, in_channel(n), standard_bds::scatter(n), pairs_[column]);
      return;
    }
    code_.write_memtile_bd(column, alone(n),
                           {.address = in_offset(n),
                            .length = chunk_words,
                            .iteration_step = chunk_words,
                            .iteration_wrap = in_chunks,
                            .packet_id = core_id(0),
                            .acquire = {{in_free(n) + 1, 1}},
                            .release = {{in_free(n), 1}}});
    push_runs(code_, column, mm2s, in_channel(n), alone(n), pairs_[column]);
  }

  /// gamma and beta for all cores of the column: half a chunk each, or with long rows a whole one.
  void queue_weights(unsigned column) {
    const std::uint32_t chunks = units_per_chunk() == 1 ? 2 : 1;
    constexpr std::uint32_t inner = 512;
    code_.write_bd(column, shim_weights,
                   {.length = chunks * chunk_words,
                    .d0_step = 1,
                    .d0_wrap = inner,
                    .d1_step = inner,
                    .d1_wrap = chunks * chunk_words / 2 / inner,
                    .d2_step = chunk_words},
                   argument_more, 0);
    code_.push(column, sending(1), shim_weights, 1, false);
    memtile_bd bd{.address = panel_offset, .length = chunks * chunk_words, .release = {{panel_free + 1, chunks}}};
    code_.write_memtile_bd(column, weights_in, bd);
    std::swap(bd.acquire, bd.release);
    bd.packet_id = broadcast_id;
    code_.write_memtile_bd(column, weights_out, bd);
    code_.push_memtile(column, s2mm, in_channel(1), weights_in, 1);
    code_.push_memtile(column, mm2s, in_channel(1), weights_out, 1);
  }

  std::uint32_t units(unsigned column) const { return units_per_pair() * pairs_[column]; }

  /// A core's chunks of results to the memtile.
  void collect_results(unsigned column, unsigned row) {
    code_.set_memtile_lock(column, result_free(row), result_chunks);
    code_.write_memtile_bd(column, collect(row),
                           {.address = result_offset(row),
                            .length = chunk_words,
                            .iteration_step = chunk_words,
                            .iteration_wrap = result_chunks,
                            .acquire = {{result_free(row), 1}},
                            .release = {{result_free(row) + 1, 1}}});
    push_runs(code_, column, s2mm, out_channel(row), collect(row), units(column));
  }

  /// From there to y: rows 0 and 1 by one channel, 2 and 3 by the other.
  void take(unsigned column) {
    const std::uint32_t each = std::min(cores(), 2u), words = each * used_words();
    for (unsigned n = 0; n < results_channels(); ++n) {
      code_.set_controller(column, taking(n));
      for (unsigned i = 0; i < each; ++i) write_joined(column, n, i);
      push_runs(code_, column, mm2s, joined_channel(n), joined(n, 0), units(column));
      const std::uint32_t first = first_unit(column) * used_unit_words() + n * words;
      code_.write_bd(column, shim_out(n), every_other(words, units(column), used_unit_words(), job_.y_pitch),
                     argument_y, byte_at(first, job_.y_pitch));
      code_.push(column, taking(n), shim_out(n), 1, true);
    }
  }
  unsigned results_channels() const { return cores() > 2 ? 2 : 1; }

  void write_joined(unsigned column, unsigned n, unsigned i) {
    const unsigned row = 2 * n + i;
    memtile_bd bd{.address = result_offset(row),
                  .length = used_words(),
                  .dimensions = spread(),
                  .iteration_step = chunk_words,
                  .iteration_wrap = result_chunks,
                  .acquire = {{result_free(row) + 1, 1}},
                  .release = {{result_free(row), 1}}};
    if (i == 0 && cores() > 1) bd.next = joined(n, 1);
    code_.write_memtile_bd(column, joined(n, i), bd);
  }

  row_job job_;
  row_layout layout_;
  std::array<std::uint32_t, columns> pairs_;
  control_code code_{columns};
};

void check_pitch(std::uint32_t row_length, std::uint32_t pitch) {
  const std::uint32_t columns = rows_of(row_length).columns;
  if (pitch == 0 || pitch == columns || (pitch > columns && pitch % 2 == 0 && columns / 2 <= most_wrap)) return;
  throw shape_error("C", fmt::format("{} columns at a pitch of {} elements: rows with gaps between them have at most {} "
                                     "elements and an even pitch",
                                     columns, pitch, 2 * most_wrap));
}

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
  for (const std::uint32_t pitch : {job.x_pitch, job.y_pitch}) check_pitch(job.columns, pitch);
  return writer(job).write();
}

}  // namespace npurt::detail::overlay
