// SPDX-License-Identifier: Apache-2.0
// Strips of rows that fill 32 words of the transpose go past in tiles of 64 columns: kernels/transpose/README.md.
#include "runtime/overlay/transpose_code.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "npurt/error.hpp"

namespace npurt::detail::overlay {

namespace {

using enum dma_side;

constexpr std::uint32_t tile_columns = 64, strip_words = 32, tile_words = tile_columns * strip_words;
static_assert(tile_words == chunk_words);
constexpr std::uint32_t block_words = 16;  ///< that the core transposes at once: 16 columns of rows that share words
constexpr std::uint32_t pair_tiles = 2 * core_rows;

constexpr unsigned fill_tiles(unsigned n) { return standard_bds::free(n); }
constexpr unsigned join_tiles(unsigned n, unsigned i) { return standard_bds::free(n) + 1 + i; }

/// Modes of vshuffle, by the bytes of an element: 4x16 bytes, 2x16 of two bytes, all as it is.
constexpr std::uint32_t mode_of(std::uint32_t element_bytes) {
  return element_bytes == 1 ? 37 : element_bytes == 2 ? 45 : 22;
}

/// What goes past at once: whole strips and pairs of tiles.
struct transpose_block {
  std::uint32_t first_row = 0, rows = 0, first_column = 0, columns = 0;
  std::uint32_t kept_words = strip_words;  ///< of a strip in y
};

class transpose_writer {
 public:
  transpose_writer(control_code& code, const transpose_job& job, const transpose_block& block)
      : code_(code), job_(job), block_(block) {}

  void write() {
    for (unsigned column = 0; column < columns && strips(column) > 0; ++column) {
      const std::array parameters{static_cast<std::uint32_t>(operation::transpose), pairs(column),
                                  mode_of(job_.element_bytes)};
      for (unsigned row = 0; row < core_rows; ++row) write_parameters(code_, column, row, parameters);
      for (unsigned n = 0; n < 2; ++n) send(column, n);
      take(column);
    }
    for (unsigned column = 0; column < columns && strips(column) > 0; ++column) {
      for (unsigned n = 0; n < 2; ++n) code_.wait_token(column, taking(n));
    }
  }

 private:
  std::uint32_t e() const { return job_.element_bytes; }
  std::uint32_t x_words() const { return job_.x_pitch * e() / 4; }
  std::uint32_t y_words() const { return job_.y_pitch * e() / 4; }
  std::uint32_t first_word_of_x() const { return block_.first_row * x_words() + block_.first_column * e() / 4; }
  std::uint32_t first_word_of_y() const { return block_.first_column * y_words() + block_.first_row * e() / 4; }
  std::uint32_t strip_rows() const { return transpose_rows(e()); }

  /// A column has consecutive strips.
  std::uint32_t strips(unsigned column) const { return (block_.rows / strip_rows() + columns - 1 - column) / columns; }
  std::uint32_t first_strip(unsigned column) const {
    std::uint32_t sum = 0;
    for (unsigned before = 0; before < column; ++before) sum += strips(before);
    return sum;
  }
  std::uint32_t pairs_of_a_strip() const { return block_.columns / (tile_columns * pair_tiles); }
  std::uint32_t pairs(unsigned column) const { return strips(column) * pairs_of_a_strip(); }

  /// Even tiles by A, odd ones by B: those of the cores one behind the other, as blocks of the rows that share words.
  void send(unsigned column, unsigned n) {
    const std::uint32_t row_words = tile_columns * e() / 4, strip_words_of_x = strip_rows() * x_words();
    code_.write_bd(column, n,
                   {.length = core_rows * pairs_of_a_strip() * tile_words,
                    .d0_step = 1,
                    .d0_wrap = row_words,
                    .d1_step = x_words(),
                    .d1_wrap = strip_rows(),
                    .d2_step = 2 * row_words,
                    .iteration_step = strip_words_of_x,
                    .iteration_wrap = strips(column)},
                   argument_x, 4 * (first_word_of_x() + first_strip(column) * strip_words_of_x + n * row_words));
    code_.push(column, sending(n), n, strips(column), false);
    const std::uint32_t block_row = 4 * e(), blocks = tile_columns * e() / 4 / block_row;
    code_.write_memtile_bd(
        column, fill_tiles(n),
        {.address = in_offset(n),
         .length = unit_words,
         .dimensions = {{{1, block_row}, {block_words, blocks}, {block_row, 4 / e()}, {blocks * block_words, 0}}},
         .iteration_step = unit_words,
         .iteration_wrap = in_chunks / core_rows,
         .acquire = {{in_free(n), core_rows}},
         .release = {{in_free(n) + 1, core_rows}}});
    rewind_scatter(code_, column, n);
    push_runs(code_, column, s2mm, in_channel(n), fill_tiles(n), pairs(column));
    push_runs(code_, column, mm2s, in_channel(n), standard_bds::scatter(n), pairs(column));
  }

  /// A core's tiles of a pair are neighbours; of the cores' 512 columns half comes by each channel.
  void take(unsigned column) {
    rewind_out(code_, column);
    for (unsigned row = 0; row < core_rows; ++row) {
      push_runs(code_, column, s2mm, out_channel(row), standard_bds::out(row), 2 * pairs(column));
    }
    constexpr std::uint32_t half_columns = pair_tiles / 2 * tile_columns;
    for (unsigned n = 0; n < 2; ++n) {
      code_.set_controller(column, taking(n));
      for (unsigned i = 0; i < 2; ++i) write_joined(column, n, i);
      push_runs(code_, column, mm2s, joined_channel(n), join_tiles(n, 0), pairs(column));
      code_.write_bd(column, 2 + n,
                     {.length = pairs_of_a_strip() * half_columns * block_.kept_words,
                      .d0_step = 1,
                      .d0_wrap = block_.kept_words,
                      .d1_step = y_words(),
                      .d1_wrap = half_columns,
                      .d2_step = pairs_of_a_strip() > 1 ? 2 * half_columns * y_words() : 1,
                      .iteration_step = strip_words,
                      .iteration_wrap = strips(column)},
                     argument_y,
                     4 * (first_word_of_y() + first_strip(column) * strip_words + n * half_columns * y_words()));
      code_.push(column, taking(n), 2 + n, strips(column), true);
    }
  }

  void write_joined(unsigned column, unsigned n, unsigned i) {
    const unsigned row = 2 * n + i;
    memtile_bd bd{.address = out_offset(row),
                  .length = 2 * tile_columns * block_.kept_words,
                  .dimensions = {{{tile_columns, block_.kept_words}, {1, tile_columns}, {tile_words, 0}, {}}},
                  .iteration_step = 2 * tile_words,
                  .iteration_wrap = out_chunks / 2,
                  .acquire = {{out_free(row) + 1, 2}},
                  .release = {{out_free(row), 2}}};
    if (i == 0) bd.next = join_tiles(n, 1);
    code_.write_memtile_bd(column, join_tiles(n, i), bd);
  }

  control_code& code_;
  transpose_job job_;
  transpose_block block_;
};

void check_transpose(const transpose_job& job) {
  const std::uint32_t e = job.element_bytes;
  const bool fits = (e == 1 || e == 2 || e == 4) && job.rows > 0 && job.rows * e % 4 == 0 && job.columns > 0 &&
                    job.x_pitch >= job.columns && job.x_pitch * e % 4 == 0 &&
                    job.x_pitch * e <= transpose_most_pitch_bytes && job.y_pitch >= job.rows &&
                    job.y_pitch * e % 4 == 0;
  if (fits) return;
  throw error(
      fmt::format("transpose: {} x {} elements of {} bytes, rows of x {} and of y {} elements apart, are not "
                  "of whole words, or too many",
                  job.rows, job.columns, e, job.x_pitch, job.y_pitch));
}

/// Rows of x that lie in whole strips, then the others, of which y has no more than they are.
std::vector<transpose_block> blocks_of(const transpose_job& job) {
  // A step from pair to pair of y's rows reaches that far; of longer ones a block is a single pair.
  constexpr std::uint32_t most_words = (1u << 20) / transpose_columns;
  const std::uint32_t e = job.element_bytes, strip = transpose_rows(e), whole_rows = job.rows / strip * strip;
  const std::uint32_t most_columns = job.y_pitch * e / 4 <= most_words ? transpose_most_columns : transpose_columns;
  const std::uint32_t all_columns = padded_transpose_columns(job.columns);
  std::vector<transpose_block> blocks;
  for (std::uint32_t column = 0; column < all_columns; column += most_columns) {
    const std::uint32_t width = std::min(most_columns, all_columns - column);
    for (std::uint32_t row = 0; row < whole_rows; row += transpose_most_bytes / e) {
      blocks.push_back({row, std::min(transpose_most_bytes / e, whole_rows - row), column, width});
    }
    if (whole_rows < job.rows) {
      blocks.push_back({whole_rows, strip, column, width, (job.rows - whole_rows) * e / 4});
    }
  }
  return blocks;
}

}  // namespace

std::vector<std::uint32_t> transpose_code(const transpose_job& job) {
  check_transpose(job);
  control_code code(columns);
  for (const transpose_block& block : blocks_of(job)) transpose_writer(code, job, block).write();
  return std::move(code).finish();
}

}  // namespace npurt::detail::overlay
