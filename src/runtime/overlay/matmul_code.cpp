// SPDX-License-Identifier: Apache-2.0
// A panel of 256 rows of A stays in the memtiles while all of B passes by: kernels/overlay/README.md, "Matrix
// multiplication".
#include "runtime/overlay/matmul_code.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "npurt/error.hpp"
#include "runtime/overlay/call.hpp"

namespace npurt::detail::overlay {

namespace {

using enum dma_side;

constexpr std::uint32_t tile = 64;         // rows and columns of C in a core
constexpr std::uint32_t depth_words = 32;  // of a row of A in a chunk
constexpr std::uint32_t most_panels = 64;  // an iteration's wrap
constexpr unsigned a = 0, b = 1;
constexpr unsigned argument_a = 0, argument_b = 1, argument_c = 2;

// Shim BDs.
constexpr unsigned shim_a = 0, shim_b = 1;
constexpr unsigned shim_c(unsigned n) { return 2 + n; }

// Memtile BDs, from the first free one of each parity on.
constexpr unsigned fill_a = standard_bds::free(0), first_pass = fill_a + 1, middle_pass = fill_a + 2,
                   last_pass = fill_a + 3, only_pass = fill_a + 4;
constexpr unsigned fill_b = standard_bds::free(1), pass_b = fill_b + 1;
constexpr unsigned take_c(unsigned row) { return standard_bds::free(row % 2) + 5 + row / 2; }
constexpr unsigned give_c(unsigned row) { return standard_bds::free(row / 2) + 7 + row % 2; }

/// Chunks that a memtile moves at once: as many as divide the depth.
std::uint32_t unit_of(std::uint32_t depth) { return depth % 4 == 0 ? 4 : depth % 2 == 0 ? 2 : 1; }

class writer {
 public:
  explicit writer(const matmul_job& job)
      : job_(job),
        in_bytes_(job.bf16 ? 2 : 1),
        out_bytes_(result_bytes(job.result)),
        depth_(job.k / chunk_depth(job.bf16)),
        unit_(unit_of(depth_)),
        m_panels_(job.m / panel),
        n_panels_(job.n / panel) {}

  std::vector<std::uint32_t> write() {
    const auto number = job_.bf16 ? operation::matmul_bf16 : operation::matmul_i8;
    write_parameters(code_, std::array{static_cast<std::uint32_t>(number), m_panels_ * n_panels_, depth_, epilogue()});
    // What the cores wait for comes first: the firmware takes its time over each address of a buffer.
    for (unsigned column = 0; column < columns; ++column) begin_inputs(column);
    for (unsigned column = 0; column < columns; ++column) begin_results(column);
    if (m_panels_ > 1) queue();
    for (std::uint32_t m = 0; m < m_panels_; ++m) {
      for (unsigned column = 0; column < columns; ++column) {
        for (unsigned n = 0; n < 2; ++n) code_.wait_token(column, taking(n));
      }
      for (unsigned column = 0; m + 1 < m_panels_ && column < columns; ++column) finish_a(column);
      if (m + 2 < m_panels_) queue();
    }
    return std::move(code_).finish();
  }

 private:
  static std::uint32_t result_bytes(matmul_result r) {
    return r == matmul_result::i8 ? 1 : r == matmul_result::bf16 ? 2 : 4;
  }
  std::uint32_t epilogue() const {
    return job_.result == matmul_result::i8 || job_.result == matmul_result::bf16 ? 1 : 0;
  }

  std::uint32_t a_row_words() const { return job_.k * in_bytes_ / 4; }
  std::uint32_t b_row_words() const { return job_.n * in_bytes_ / 4; }
  std::uint32_t c_row_words() const { return job_.n * out_bytes_ / 4; }
  std::uint32_t b_tile_words() const { return tile * in_bytes_ / 4; }
  std::uint32_t c_tile_words() const { return tile * out_bytes_ / 4; }
  std::uint32_t passes() const { return depth_ / unit_; }

  void begin_inputs(unsigned column) {
    code_.set_memtile_lock(column, panel_free, depth_);
    write_a(column);
    write_b(column);
    queue_inputs(column);
    finish_a(column);
  }

  void begin_results(unsigned column) {
    for (unsigned row = 0; row < core_rows; ++row) write_c(column, row);
    for (unsigned n = 0; n < 2; ++n) {
      code_.set_controller(column, taking(n));
      code_.write_bd(column, shim_c(n),
                     {.length = 2 * tile * c_tile_words() * n_panels_,
                      .d0_wrap = c_tile_words(),
                      .d1_step = c_row_words(),
                      .d1_wrap = 2 * tile,
                      .d2_step = columns * c_tile_words(),
                      .iteration_step = panel * c_row_words(),
                      .iteration_wrap = m_panels_},
                     argument_c, 4 * (n * 2 * tile * c_row_words() + column * c_tile_words()));
    }
    queue_results(column);
  }

  void write_a(unsigned column) {
    // Row-major rows of the panel come in chunk by chunk, [64 rows][32 words] each.
    code_.write_bd(column, shim_a,
                   {.length = tile * a_row_words(),
                    .d0_wrap = depth_words,
                    .d1_step = a_row_words(),
                    .d1_wrap = tile,
                    .d2_step = depth_words,
                    .iteration_step = panel * a_row_words(),
                    .iteration_wrap = m_panels_},
                   argument_a, column * tile * a_row_words() * 4);
    code_.push(column, shim_channel::mm2s_0, shim_a, m_panels_, false);
    const memtile_bd in{.address = panel_offset,
                        .length = unit_ * chunk_words,
                        .iteration_step = unit_ * chunk_words,
                        .iteration_wrap = passes()};
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
    if (n_panels_ > 2) code_.write_memtile_bd(column, middle_pass, out);
    out.acquire = full;
    if (n_panels_ > 1) code_.write_memtile_bd(column, first_pass, out);
    out.release = free;
    if (n_panels_ == 1) code_.write_memtile_bd(column, only_pass, out);
    out.acquire.reset();
    if (n_panels_ > 1) code_.write_memtile_bd(column, last_pass, out);
  }

  void write_b(unsigned column) {
    const std::uint32_t rows = chunk_depth(job_.bf16);
    code_.write_bd(column, shim_b,
                   {.length = job_.k * b_tile_words(),
                    .d0_wrap = b_tile_words(),
                    .d1_step = b_row_words(),
                    .d1_wrap = rows,
                    .d2_step = rows * b_row_words(),
                    .iteration_step = columns * b_tile_words(),
                    .iteration_wrap = n_panels_},
                   argument_b, column * b_tile_words() * 4);
    memtile_bd bd{.address = in_offset(b),
                  .length = unit_ * chunk_words,
                  .iteration_step = unit_ * chunk_words,
                  .iteration_wrap = in_chunks / unit_,
                  .acquire = {{in_free(b), unit_}},
                  .release = {{in_free(b) + 1, unit_}}};
    code_.write_memtile_bd(column, fill_b, bd);
    std::swap(bd.acquire, bd.release);
    bd.dimensions = {{{1, 2}, {b_tile_words(), rows}, {2, b_tile_words() / 2}, {chunk_words, 0}}};
    bd.packet_id = broadcast_id;
    code_.write_memtile_bd(column, pass_b, bd);
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

  /// From the order of the core's output, 16 rows of blocks after 16 rows, to row-major.
  std::array<memtile_bd::dimension, 4> c_blocks() const {
    constexpr std::uint32_t rows = 16;
    const std::uint32_t row = c_tile_words(), block = (job_.bf16 ? 4 : 8) * out_bytes_ / 4;
    return {{{1, block}, {row, rows}, {block, row / block}, {rows * row, 0}}};
  }

  /// Everything of a row panel but the passes of A after the first one.
  void queue() {
    for (unsigned column = 0; column < columns; ++column) {
      queue_inputs(column);
      queue_results(column);
    }
  }

  void queue_inputs(unsigned column) {
    code_.push_memtile(column, s2mm, in_channel(a), fill_a, passes());
    code_.push_memtile(column, s2mm, in_channel(b), fill_b, passes() * n_panels_);
    code_.push_memtile(column, mm2s, in_channel(a), n_panels_ > 1 ? first_pass : only_pass, passes());
    code_.push_memtile(column, mm2s, in_channel(b), pass_b, passes() * n_panels_);
    code_.push(column, shim_channel::mm2s_1, shim_b, n_panels_, false);
  }

  void queue_results(unsigned column) {
    for (unsigned row = 0; row < core_rows; ++row) {
      code_.push_memtile(column, s2mm, out_channel(row), take_c(row), n_panels_);
    }
    for (unsigned n = 0; n < 2; ++n) {
      code_.push_memtile(column, mm2s, joined_channel(n), give_c(2 * n), n_panels_);
      code_.push(column, taking(n), shim_c(n), 1, true);
    }
  }

  /// The other passes of A over a row panel: not before the panel before is done, because a queue holds four tasks.
  void finish_a(unsigned column) {
    if (n_panels_ == 1) return;
    if (n_panels_ > 2) {
      code_.push_memtile(column, mm2s, in_channel(a), middle_pass, passes() * (n_panels_ - 2));
    }
    code_.push_memtile(column, mm2s, in_channel(a), last_pass, passes());
  }

  matmul_job job_;
  std::uint32_t in_bytes_, out_bytes_;
  std::uint32_t depth_;  ///< chunks of K
  std::uint32_t unit_;   ///< chunks that a memtile moves at once
  std::uint32_t m_panels_, n_panels_;
  control_code code_{columns};
};

std::uint32_t rounded(const char* letter, std::uint32_t extent, std::uint32_t multiple, std::uint32_t most) {
  if (extent == 0 || extent > most) {
    throw shape_error(letter, fmt::format("matmul: {} is {}, it must be from 1 to {}", letter, extent, most));
  }
  return (extent + multiple - 1) / multiple * multiple;
}

}  // namespace

matmul_job padded(const matmul_job& job) {
  matmul_job whole = job;
  const std::uint32_t depth = chunk_depth(job.bf16);
  whole.m = rounded("M", job.m, panel, most_panels * panel);
  const bool wide = job.result == matmul_result::i32 || job.result == matmul_result::f32;
  whole.n = rounded("N", job.n, panel, (wide ? 16 : 32) * panel);  // a step of a shim's iteration is 2^20 words at most
  // A task has 256 runs at most: a row panel's chunks of B must be that many units.
  constexpr std::uint32_t most_runs = 256;
  std::uint32_t chunks = rounded("K", job.k, depth, panel_chunks * depth) / depth;
  while (chunks / unit_of(chunks) * (whole.n / panel) > most_runs) ++chunks;
  whole.k = chunks * depth;
  return whole;
}

std::vector<std::uint32_t> matmul_code(const matmul_job& job) { return writer(job).write(); }

}  // namespace npurt::detail::overlay
