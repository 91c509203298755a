// SPDX-License-Identifier: Apache-2.0
// A panel of 256 rows of A stays in the memtiles, if it has room there, while all of B passes by:
// kernels/overlay/README.md, "Matrix multiplication".
#include "runtime/overlay/matmul_code.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "runtime/overlay/call.hpp"

namespace npurt::detail::overlay {

namespace {

using enum dma_side;

constexpr std::uint32_t tile = 64;         // rows and columns of C in a core
constexpr std::uint32_t depth_words = 32;  // of a row in a chunk
constexpr unsigned a = 0, b = 1;

// Shim BDs. What a row panel takes may not follow from what the row panel before took: two of each, in turn.
constexpr unsigned shim_bias = 15;
constexpr unsigned shim_a(std::uint32_t turn) { return turn == 0 ? 0 : 7; }
constexpr unsigned shim_b(std::uint32_t turn) { return turn == 0 ? 1 : 6; }
constexpr unsigned shim_extra(std::uint32_t turn) { return 4 + turn; }
constexpr unsigned shim_c(unsigned n, std::uint32_t turn) { return (turn == 0 ? 2 : 8) + n; }

// Memtile BDs, from the first free one of each parity on.
constexpr unsigned fill_a = standard_bds::free(0), first_pass = fill_a + 1, middle_pass = fill_a + 2,
                   last_pass = fill_a + 3, only_pass = fill_a + 4;
constexpr unsigned fill_b = standard_bds::free(1), pass_b = fill_b + 1, fill_bias = fill_b + 2, pass_bias = fill_b + 3;
constexpr unsigned take_c(unsigned row) { return standard_bds::free(row % 2) + 5 + row / 2; }
constexpr unsigned give_c(unsigned row) { return standard_bds::free(row / 2) + 7 + row % 2; }

/// Panels of columns that pass together: all rows of A by them.
struct part {
  std::uint32_t first, panels;
};

class writer {
 public:
  writer(control_code& code, const matmul_job& job, const matmul_arguments& arguments, const part& of)
      : code_(code),
        job_(job),
        arguments_(arguments),
        in_bytes_(in_bytes_of(job)),
        out_bytes_(out_bytes_of(job)),
        depth_(job.k / chunk_depth(job.bf16)),
        unit_(unit_of(depth_)),
        b_chunks_(depth_ + extra_chunks(job)),
        b_unit_(unit_of(b_chunks_)),
        m_panels_(job.batch * (job.m / panel)),
        n_first_(of.first),
        n_panels_(of.panels),
        streamed_(is_streamed(job)),
        a_moves_(streamed_ || !iterates(a_row_words())),
        b_moves_(job.residual != matmul_residual::none || (job.batch > 1 && !job.b_shared)),
        c_moves_(!iterates(c_row_words())) {}

  void write() {
    for (unsigned column = 0; column < columns; ++column) {
      for (unsigned row = 0; row < core_rows; ++row) write_parameters(code_, column, row, parameters(row));
    }
    // What the cores wait for comes first: the firmware takes its time over each address of a buffer.
    for (unsigned column = 0; column < columns; ++column) begin_inputs(column);
    for (unsigned column = 0; column < columns; ++column) begin_results(column);
    // A queue holds four tasks: behind a bias there may be no room for the second row panel's.
    const bool waits = job_.bias && b_passes() * n_panels_ > matmul_most_runs;
    if (m_panels_ > 1 && !waits) queue(1);
    for (std::uint32_t m = 0; m < m_panels_; ++m) {
      for (unsigned column = 0; column < columns; ++column) {
        for (unsigned n = 0; n < 2; ++n) code_.wait_token(column, taking(n));
      }
      if (m == 0 && m_panels_ > 1 && waits) queue(1);
      for (unsigned column = 0; m + 1 < m_panels_ && column < columns; ++column) finish_a(column);
      if (m + 2 < m_panels_) queue(m + 2);
    }
  }

 private:
  /// kernels/bf16-matmul/README.md, kernels/i8-matmul/README.md.
  std::array<std::uint32_t, 7> parameters(unsigned core_row) const {
    const std::uint32_t tiles = m_panels_ * n_panels_;
    if (!job_.bf16) {
      const auto number = job_.result == matmul_result::i8 ? operation::matmul_i8 : operation::matmul_i8_i32;
      return {static_cast<std::uint32_t>(number),         tiles, depth_,
              job_.result == matmul_result::i8 ? 1u : 0u, 1,     static_cast<std::uint32_t>(job_.zero_point)};
    }
    return {static_cast<std::uint32_t>(operation::matmul_bf16), tiles, depth_, epilogue(), n_panels_, 1, core_row};
  }

  std::uint32_t epilogue() const {
    return (job_.result == matmul_result::bf16 ? 1u : 0u) | (job_.bias ? 2u : 0u) | (job_.gelu ? 4u : 0u) |
           (job_.residual == matmul_residual::bf16 ? 8u : 0u) | (job_.b_transposed ? 16u : 0u) |
           (job_.residual == matmul_residual::f32 ? 32u : 0u);
  }

  std::uint32_t a_row_words() const { return job_.a_pitch * in_bytes_ / 4; }
  std::uint32_t b_row_words() const { return job_.b_pitch * in_bytes_ / 4; }
  std::uint32_t c_row_words() const { return job_.c_pitch * out_bytes_ / 4; }
  std::uint32_t b_tile_words() const { return tile * in_bytes_ / 4; }
  std::uint32_t c_tile_words() const { return tile * out_bytes_ / 4; }
  std::uint32_t passes() const { return depth_ / unit_; }
  /// Whether a row panel of A stays for several panels of columns.
  bool in_passes() const { return !streamed_ && n_panels_ > 1; }
  std::uint32_t b_passes() const { return b_chunks_ / b_unit_; }
  std::uint32_t n_first_columns() const { return n_first_ * panel; }
  /// The descriptors of a row panel.
  std::uint32_t turn(std::uint32_t m, bool moves) const { return moves ? m % 2 : 0; }
  std::uint32_t b_turn(std::uint32_t m) const { return turn(m, b_moves_); }
  /// Whether one descriptor goes through all row panels.
  bool iterates(std::uint32_t row_words) const {
    return m_panels_ == 1 || (panel * row_words <= matmul_most_step && m_panels_ <= matmul_most_iterations);
  }
  std::uint32_t iterations(bool moves) const { return moves ? 1 : m_panels_; }

  void begin_inputs(unsigned column) {
    code_.set_memtile_lock(column, panel_free, streamed_ ? panel_chunks : depth_);
    if (!a_moves_) {
      write_a_source(column, 0);
      code_.push(column, sending(a), shim_a(0), m_panels_, false);
    }
    write_a(column);
    write_b(column);
    if (!b_moves_) write_b_source(column, 0);
    if (job_.bias) queue_bias(column);
    queue_inputs(column, 0);
    finish_a(column);
  }

  void begin_results(unsigned column) {
    for (unsigned row = 0; row < core_rows; ++row) write_c(column, row);
    for (unsigned n = 0; n < 2; ++n) {
      code_.set_controller(column, taking(n));
      if (!c_moves_) write_c_target(column, n, 0);
    }
    queue_results(column, 0);
  }

  void write_c_target(unsigned column, unsigned n, std::uint32_t m) {
    const std::uint32_t row = m * panel + n * 2 * tile;
    code_.write_bd(column, shim_c(n, turn(m, c_moves_)),
                   {.length = 2 * tile * c_tile_words() * n_panels_,
                    .d0_wrap = c_tile_words(),
                    .d1_step = c_row_words(),
                    .d1_wrap = 2 * tile,
                    .d2_step = columns * c_tile_words(),
                    .iteration_step = iterations(c_moves_) == 1 ? 1 : panel * c_row_words(),
                    .iteration_wrap = iterations(c_moves_)},
                   arguments_.c, 4 * (row * c_row_words() + (n_first_ * columns + column) * c_tile_words()));
  }

  /// Row-major rows of the panel come in chunk by chunk, [64 rows][32 words] each.
  void write_a_source(unsigned column, std::uint32_t m) {
    code_.write_bd(column, shim_a(turn(m, a_moves_)),
                   {.length = tile * depth_ * depth_words,
                    .d0_wrap = depth_words,
                    .d1_step = a_row_words(),
                    .d1_wrap = tile,
                    .d2_step = depth_words,
                    .iteration_step = iterations(a_moves_) == 1 ? 1 : panel * a_row_words(),
                    .iteration_wrap = iterations(a_moves_)},
                   arguments_.a, 4 * (m * panel + column * tile) * a_row_words());
  }

  void write_a(unsigned column) {
    const memtile_bd in{.address = panel_offset,
                        .length = unit_ * chunk_words,
                        .iteration_step = unit_ * chunk_words,
                        .iteration_wrap = streamed_ ? panel_chunks / unit_ : passes()};
    const memtile_bd::lock_use free{panel_free, unit_}, full{panel_free + 1, unit_};
    memtile_bd fill = in;
    fill.acquire = free;
    fill.release = full;
    code_.write_memtile_bd(column, fill_a, fill);
    // They leave as blocks of 8 bytes (int8) or 16 (bf16) by 64 rows.
    memtile_bd out = in;
    const std::uint32_t block = 2 * in_bytes_;
    out.dimensions = {{{1, block}, {depth_words, tile}, {block, depth_words / block}, {chunk_words, 0}}};
    out.packet_id = broadcast_id;
    // The first pass takes chunks as they come, the last one frees them.
    if (in_passes() && n_panels_ > 2) code_.write_memtile_bd(column, middle_pass, out);
    out.acquire = full;
    if (in_passes()) code_.write_memtile_bd(column, first_pass, out);
    out.release = free;
    if (!in_passes()) code_.write_memtile_bd(column, only_pass, out);
    out.acquire.reset();
    if (in_passes()) code_.write_memtile_bd(column, last_pass, out);
  }

  /// What comes on B for a row panel: for each panel of columns B's chunks, those of a residual behind them, a table
  /// before them.
  void write_b_source(unsigned column, std::uint32_t m) {
    const bool table = job_.result == matmul_result::i8, residual = job_.residual != matmul_residual::none;
    if (table) write_table_source(column, b_turn(m));
    if (residual) write_residual_source(column, m);
    shim_bd bd = job_.b_transposed ? transposed_source() : b_source();
    if (residual) bd.next = shim_extra(b_turn(m));
    const std::uint32_t product = job_.b_shared ? 0 : m / (job_.m / panel);
    const std::uint32_t rows = job_.b_transposed ? job_.n : job_.k;
    const std::uint32_t tiles_before = n_first_ * columns + column;
    const std::uint32_t first = tiles_before * (job_.b_transposed ? tile * b_row_words() : b_tile_words());
    code_.write_bd(column, shim_b(b_turn(m)), bd, arguments_.b, 4 * (product * rows * b_row_words() + first));
  }

  shim_bd b_source() const {
    return {.length = job_.k * b_tile_words(),
            .d0_wrap = b_tile_words(),
            .d1_step = b_row_words(),
            .iteration_step = columns * b_tile_words(),
            .iteration_wrap = n_panels_};
  }
  /// Chunks of [64 columns][32 words of k].
  shim_bd transposed_source() const {
    return {.length = tile * depth_ * depth_words,
            .d0_wrap = depth_words,
            .d1_step = b_row_words(),
            .d1_wrap = tile,
            .d2_step = depth_words,
            .iteration_step = n_panels_ == 1 ? 1 : panel * b_row_words(),
            .iteration_wrap = n_panels_};
  }

  /// Chunks of [64 rows][32 words]: of fp32 the left halves of all core rows, then the right ones.
  void write_residual_source(unsigned column, std::uint32_t m) {
    const std::uint32_t bytes = residual_bytes_of(job_), row_words = job_.residual_pitch * bytes / 4;
    const std::uint32_t width = tile * bytes / 4;
    code_.write_bd(column, shim_extra(b_turn(m)),
                   {.length = panel * width,
                    .d0_wrap = depth_words,
                    .d1_step = row_words,
                    .d1_wrap = panel,
                    .d2_step = depth_words,
                    .iteration_step = columns * width,
                    .iteration_wrap = n_panels_},
                   arguments_.residual, 4 * (m * panel * row_words + (n_first_ * columns + column) * width));
  }

  void write_table_source(unsigned column, std::uint32_t turn) {
    code_.write_bd(column, shim_extra(turn),
                   {.length = chunk_words,
                    .iteration_step = columns * chunk_words,
                    .iteration_wrap = n_panels_,
                    .next = shim_b(turn)},
                   arguments_.bias, (n_first_ * columns + column) * chunk_bytes);
  }

  void write_b(unsigned column) {
    memtile_bd bd{.address = in_offset(b),
                  .length = b_unit_ * chunk_words,
                  .iteration_step = b_unit_ * chunk_words,
                  .iteration_wrap = in_chunks / b_unit_,
                  .acquire = {{in_free(b), b_unit_}},
                  .release = {{in_free(b) + 1, b_unit_}}};
    memtile_bd fill = bd;
    if (job_.b_transposed) fill.dimensions = {{{1, 4}, {16, 8}, {4, 4}, {128, 0}}};
    code_.write_memtile_bd(column, fill_b, fill);
    std::swap(bd.acquire, bd.release);
    if (!job_.b_transposed) {
      const std::uint32_t rows = chunk_depth(job_.bf16);
      bd.dimensions = {{{1, 2}, {b_tile_words(), rows}, {2, b_tile_words() / 2}, {chunk_words, 0}}};
    }
    bd.packet_id = broadcast_id;
    code_.write_memtile_bd(column, pass_b, bd);
  }

  /// The column's biases of all panels, before all else on B: through the last of its chunks, which B does not reach
  /// before this one is free again.
  void queue_bias(unsigned column) {
    constexpr std::uint32_t words = tile, panels = chunk_words / words;
    code_.write_bd(column, shim_bias, {.length = chunk_words, .d0_wrap = words, .d1_step = panel, .d1_wrap = panels},
                   arguments_.bias, 4 * (n_first_columns() + column * words));
    code_.push(column, sending(b), shim_bias, 1, false);
    memtile_bd bd{.address = in_offset(b) + (in_chunks - 1) * chunk_bytes,
                  .length = chunk_words,
                  .acquire = {{in_free(b), 1}},
                  .release = {{in_free(b) + 1, 1}}};
    code_.write_memtile_bd(column, fill_bias, bd);
    std::swap(bd.acquire, bd.release);
    bd.packet_id = broadcast_id;
    code_.write_memtile_bd(column, pass_bias, bd);
    code_.push_memtile(column, s2mm, in_channel(b), fill_bias, 1);
    code_.push_memtile(column, mm2s, in_channel(b), pass_bias, 1);
  }

  void write_c(unsigned column, unsigned row) {
    const std::uint32_t words = tile * c_tile_words(), chunks = std::max(words / chunk_words, 1u);
    memtile_bd bd{.address = out_offset(row),
                  .length = words,
                  .iteration_step = chunks * chunk_words,
                  .iteration_wrap = out_chunks / chunks,
                  .acquire = {{out_free(row), chunks}},
                  .release = {{out_free(row) + 1, chunks}}};
    memtile_bd in = bd;
    in.dimensions = c_blocks();
    code_.write_memtile_bd(column, take_c(row), in);
    std::swap(bd.acquire, bd.release);
    if (row % 2 == 0) bd.next = give_c(row + 1);
    code_.write_memtile_bd(column, give_c(row), bd);
  }

  /// From the order of the core's output to row-major: 16 rows of blocks after 16 rows; int8's blocks have 4 rows, and
  /// 4 rows of them come after 4 rows.
  std::array<memtile_bd::dimension, 4> c_blocks() const {
    const std::uint32_t row = c_tile_words();
    if (job_.result == matmul_result::i8) return {{{row, 4}, {1, row}, {4 * row, tile / 4}, {1, 0}}};
    constexpr std::uint32_t rows = 16;
    const std::uint32_t block = (job_.bf16 ? 4 : 8) * out_bytes_ / 4;
    return {{{1, block}, {row, rows}, {block, row / block}, {rows * row, 0}}};
  }

  /// Everything of a row panel but the passes of A after the first one.
  void queue(std::uint32_t m) {
    for (unsigned column = 0; column < columns; ++column) {
      queue_inputs(column, m);
      queue_results(column, m);
    }
  }

  void queue_inputs(unsigned column, std::uint32_t m) {
    if (a_moves_) {
      write_a_source(column, m);
      code_.push(column, sending(a), shim_a(turn(m, a_moves_)), streamed_ ? n_panels_ : 1, false);
    }
    if (b_moves_) write_b_source(column, m);
    const std::uint32_t a_runs = passes() * (streamed_ ? n_panels_ : 1);
    push_runs(code_, column, s2mm, in_channel(a), fill_a, a_runs);
    push_runs(code_, column, s2mm, in_channel(b), fill_b, b_passes() * n_panels_);
    push_runs(code_, column, mm2s, in_channel(a), in_passes() ? first_pass : only_pass, a_runs);
    push_runs(code_, column, mm2s, in_channel(b), pass_b, b_passes() * n_panels_);
    const bool table = job_.result == matmul_result::i8;
    code_.push(column, sending(b), table ? shim_extra(b_turn(m)) : shim_b(b_turn(m)), n_panels_, false);
  }

  void queue_results(unsigned column, std::uint32_t m) {
    for (unsigned row = 0; row < core_rows; ++row) {
      code_.push_memtile(column, s2mm, out_channel(row), take_c(row), n_panels_);
    }
    for (unsigned n = 0; n < 2; ++n) {
      code_.push_memtile(column, mm2s, joined_channel(n), give_c(2 * n), n_panels_);
      if (c_moves_) write_c_target(column, n, m);
      code_.push(column, taking(n), shim_c(n, turn(m, c_moves_)), 1, true);
    }
  }

  /// The other passes of A over a row panel: not before the panel before is done, because a queue holds four tasks.
  void finish_a(unsigned column) {
    if (!in_passes()) return;
    if (n_panels_ > 2) {
      code_.push_memtile(column, mm2s, in_channel(a), middle_pass, passes() * (n_panels_ - 2));
    }
    code_.push_memtile(column, mm2s, in_channel(a), last_pass, passes());
  }

  control_code& code_;
  const matmul_job& job_;
  const matmul_arguments& arguments_;
  std::uint32_t in_bytes_, out_bytes_;
  std::uint32_t depth_;              ///< chunks of K
  std::uint32_t unit_;               ///< chunks of A that a memtile moves at once
  std::uint32_t b_chunks_, b_unit_;  ///< the same of B, with what comes beside it
  std::uint32_t m_panels_, n_first_, n_panels_;
  bool streamed_;
  bool a_moves_, b_moves_, c_moves_;  ///< each row panel is described anew; B's because of another B or residual
};

}  // namespace

std::vector<std::uint32_t> matmul_code(const matmul_job& job, const matmul_arguments& arguments) {
  control_code code(columns);
  const std::uint32_t panels = job.n / panel, most = column_panels_at_once(job);
  const std::uint32_t parts = (panels + most - 1) / most;
  for (std::uint32_t i = 0; i < parts; ++i) {
    const std::uint32_t first = i * panels / parts, end = (i + 1) * panels / parts;
    writer(code, job, arguments, {first, end - first}).write();
  }
  return std::move(code).finish();
}

}  // namespace npurt::detail::overlay
