// SPDX-License-Identifier: Apache-2.0
// Memtiles take rows apart on their way in and close the gaps on their way out.
#include "runtime/overlay/rows_code.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "npurt/error.hpp"

namespace npurt::detail::overlay {

namespace {

using enum dma_side;

constexpr std::uint32_t half_bytes = chunk_bytes / 2;
constexpr std::uint32_t most_wrap = 1023;

// Shim BDs by channel.
constexpr unsigned shim_x(unsigned n) { return n; }
constexpr unsigned shim_y(unsigned n) { return 2 + n; }

// Memtile BDs.
constexpr unsigned fill_rows(unsigned n) { return standard_bds::free(n); }
constexpr unsigned join_rows(unsigned n, unsigned i) { return standard_bds::free(n) + 1 + i; }
constexpr unsigned send_alone(unsigned n) { return standard_bds::free(n) + 5; }

class rows_writer {
 public:
  explicit rows_writer(const row_job& job) : job_(job), layout_(rows_of(job.columns)), chunks_(share()) {}

  std::vector<std::uint32_t> write() {
    // The firmware takes its time over each address of a buffer: a column begins while it is at the next ones.
    for_each_column([this](unsigned column) {
      send(column);
      take(column);
    });
    for_each_column([this](unsigned column) {
      for (unsigned n = 0; n < results_channels(); ++n) code_.wait_token(column, taking(n));
    });
    return std::move(code_).finish();
  }

 private:
  /// Units of each column: one after the other goes to the stream that is done with it first.
  std::array<std::uint32_t, columns> share() const {
    // Cycles from one column's start to the next one's, and from that of A to that of B; of a unit on its way, and of
    // both streams' in a core at most.
    const std::uint32_t start = job_.weights ? 17'500 : 14'500, b_start = job_.weights ? 6'500 : 3'400;
    const std::uint32_t unit = std::max(core_rows * chunk_words, 2 * (3000 + 200 * rows_per_chunk()));
    std::array<std::uint32_t, columns> shares{};
    const auto end = [&](unsigned column) {
      const std::uint32_t before = shares[column];
      return column * start + before % 2 * b_start + (before / 2 + 1) * unit;
    };
    const std::uint32_t at_once = job_.masked ? 2 : 1;
    for (std::uint32_t units = total_units(); units > 0; units -= at_once) {
      unsigned first = 0;
      for (unsigned column = 1; column < job_.array_columns; ++column) {
        if (end(column) < end(first)) first = column;
      }
      shares[first] += at_once;
    }
    return shares;
  }
  /// Chunks that a core takes in all; a mask's, too.
  std::uint32_t total_units() const { return (job_.masked ? 2 : 1) * (job_.rows / (cores() * rows_per_chunk())); }

  void for_each_column(const auto& visit) {
    for (unsigned column = 0; column < columns; ++column) {
      if (chunks_[column] != 0) visit(column);
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
  /// Units of rows: even ones go to A, odd ones to B; but a mask takes all of B.
  std::uint32_t units(unsigned column) const { return chunks_[column] / (job_.masked ? 2 : 1); }
  std::uint32_t units_of_stream(unsigned column, unsigned n) const { return (chunks_[column] + 1 - n) / 2; }
  std::uint32_t first_unit(unsigned column) const {
    std::uint32_t sum = 0;
    for (unsigned before = 0; before < column; ++before) sum += units(before);
    return sum;
  }
  std::uint32_t rows_per_chunk() const { return used_words() / row_words(); }

  void write_cores(unsigned column) {
    const float reciprocal = 1.0f / static_cast<float>(job_.columns);
    const std::uint32_t behind_a_chunk = (cores() - 1) * rows_per_chunk();
    for (unsigned row = 0; row < cores(); ++row) {
      const std::uint32_t first_row = (first_unit(column) * cores() + row) * rows_per_chunk();
      std::vector<std::uint32_t> words{static_cast<std::uint32_t>(job_.op),
                                       chunks_[column],
                                       job_.columns,
                                       std::bit_cast<std::uint32_t>(reciprocal),
                                       job_.eps,
                                       layout_.pitch_bytes,
                                       layout_.rows_per_unit};
      if (job_.op == operation::softmax_bf16) {
        const auto step = static_cast<std::uint32_t>(job_.visible.step);
        words.insert(words.end(),
                     {job_.masked ? 1u : 0u, static_cast<std::uint32_t>(job_.visible.first) + step * first_row, step,
                      step * behind_a_chunk, std::min(job_.visible.most, job_.columns)});
      }
      write_parameters(code_, column, row, words);
    }
  }

  void send(unsigned column) {
    write_cores(column);
    for (unsigned n = 0; n < 2; ++n) {
      if (n == 1 && job_.weights) queue_weights(column);
      const std::uint32_t count = units_of_stream(column, n);
      if (count == 0) continue;
      const bool mask = n == 1 && job_.masked;
      const std::uint32_t pitch = mask ? 0 : job_.x_pitch;
      const std::uint32_t first = (first_unit(column) + (job_.masked ? 0 : n)) * used_unit_words();
      code_.write_bd(column, shim_x(n),
                     every_other(used_unit_words(), count, (job_.masked ? 1 : 2) * used_unit_words(), pitch),
                     mask ? argument_more : argument_x, byte_at(first, pitch));
      code_.push(column, sending(n), shim_x(n), 1, false);
      fill_memtile(column, n, count);
      scatter(column, n, count);
    }
    for (unsigned row = 0; row < cores(); ++row) {
      code_.rewind_memtile_bd(column, standard_bds::out(row), chunk_words, out_chunks);
      push_runs(code_, column, s2mm, out_channel(row), standard_bds::out(row), units(column));
    }
  }

  /// Chunks go on their way one by one, as far as a task's runs reach.
  void fill_memtile(unsigned column, unsigned n, std::uint32_t count) {
    const std::uint32_t at_once = count * cores() > most_runs ? cores() : 1;
    code_.write_memtile_bd(column, fill_rows(n),
                           {.address = in_offset(n),
                            .length = at_once * used_words(),
                            .dimensions = spread(),
                            .iteration_step = at_once * chunk_words,
                            .iteration_wrap = in_chunks / at_once,
                            .acquire = {{in_free(n), at_once}},
                            .release = {{in_free(n) + 1, at_once}}});
    push_runs(code_, column, s2mm, in_channel(n), fill_rows(n), count * cores() / at_once);
  }

  void scatter(unsigned column, unsigned n, std::uint32_t count) {
    if (cores() == core_rows) {
      rewind_scatter(code_, column, n);
      push_runs(code_, column, mm2s, in_channel(n), standard_bds::scatter(n), count);
      return;
    }
    code_.write_memtile_bd(column, send_alone(n),
                           {.address = in_offset(n),
                            .length = chunk_words,
                            .iteration_step = chunk_words,
                            .iteration_wrap = in_chunks,
                            .packet_id = core_id(0),
                            .acquire = {{in_free(n) + 1, 1}},
                            .release = {{in_free(n), 1}}});
    push_runs(code_, column, mm2s, in_channel(n), send_alone(n), count);
  }

  /// gamma and beta for all cores of the column: half a chunk each, or with long rows a whole one.
  void queue_weights(unsigned column) {
    const std::uint32_t chunks = units_per_chunk() == 1 ? 2 : 1;
    queue_broadcast(code_, column, argument_more, strided(chunks * chunk_words / 2, chunk_words, 2));
  }

  /// Results: rows 0 and 1 by one channel, 2 and 3 by the other.
  void take(unsigned column) {
    const std::uint32_t each = std::min(cores(), 2u), words = each * used_words();
    for (unsigned n = 0; n < results_channels(); ++n) {
      code_.set_controller(column, taking(n));
      for (unsigned i = 0; i < each; ++i) write_joined(column, n, i);
      push_runs(code_, column, mm2s, joined_channel(n), join_rows(n, 0), units(column));
      const std::uint32_t first = first_unit(column) * used_unit_words() + n * words;
      code_.write_bd(column, shim_y(n), every_other(words, units(column), used_unit_words(), job_.y_pitch), argument_y,
                     byte_at(first, job_.y_pitch));
      code_.push(column, taking(n), shim_y(n), 1, true);
    }
  }
  unsigned results_channels() const { return cores() > 2 ? 2 : 1; }

  void write_joined(unsigned column, unsigned n, unsigned i) {
    const unsigned row = 2 * n + i;
    memtile_bd bd{.address = out_offset(row),
                  .length = used_words(),
                  .dimensions = spread(),
                  .iteration_step = chunk_words,
                  .iteration_wrap = out_chunks,
                  .acquire = {{out_free(row) + 1, 1}},
                  .release = {{out_free(row), 1}}};
    if (i == 0 && cores() > 1) bd.next = join_rows(n, 1);
    code_.write_memtile_bd(column, join_rows(n, i), bd);
  }

  row_job job_;
  row_layout layout_;
  std::array<std::uint32_t, columns> chunks_;  ///< of a core
  control_code code_{columns};
};

void check_pitch(std::uint32_t row_length, std::uint32_t pitch) {
  const std::uint32_t columns = rows_of(row_length).columns;
  if (pitch == 0 || pitch == columns || (pitch > columns && pitch % 2 == 0 && columns / 2 <= most_wrap)) return;
  throw shape_error("C",
                    fmt::format("{} columns at a pitch of {} elements: rows with gaps between them have at most {} "
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

std::uint32_t padded_rows(std::size_t rows, const row_layout& layout) {
  const std::size_t multiple = layout.rows_per_pair;
  return static_cast<std::uint32_t>((rows + multiple - 1) / multiple * multiple);
}

std::vector<std::uint32_t> rows_code(const row_job& job) {
  constexpr std::uint32_t most_pairs = columns * (most_runs - 1);
  const std::uint32_t each = rows_of(job.columns).rows_per_pair;
  if (job.rows == 0 || job.rows > most_pairs * each) {
    throw shape_error(
        "R", fmt::format("{} rows of {} columns, a call takes 1 to {}", job.rows, job.columns, most_pairs * each));
  }
  for (const std::uint32_t pitch : {job.x_pitch, job.y_pitch}) check_pitch(job.columns, pitch);
  return rows_writer(job).write();
}

}  // namespace npurt::detail::overlay
