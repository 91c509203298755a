// SPDX-License-Identifier: Apache-2.0
// Batches of eight frames, one for each core of a column at a time: samples by A, a memtile makes frames of them;
// tables by B, once from DDR and then from the memtile's panel.
#include "runtime/overlay/mel_code.hpp"

#include <array>
#include <numeric>

#include <fmt/format.h>

#include "i16-mel/tables.hpp"
#include "npurt/error.hpp"
#include "runtime/overlay/call.hpp"

namespace npurt::detail::overlay {

namespace {

namespace tables = kernels::mel;
using enum dma_side;

constexpr unsigned samples_stream = 0, tables_stream = 1;
static_assert(mel_batch_samples == tables::batch_frames * tables::hop &&
              mel_batch_results == tables::batch_frames * tables::bands && tables::chunk_bytes == chunk_bytes);

/// Samples that a batch's region of the memtile holds; it needs 7·160 + 400.
constexpr std::uint32_t region_samples = chunk_words;
/// With which sample of a frame the two chunks of a batch begin.
constexpr std::array<std::uint32_t, 2> first_samples{0, tables::window_length / 2};

// Shim BDs.
constexpr unsigned shim_samples = 0, shim_tables = 1;
constexpr unsigned shim_result(unsigned n) { return 2 + n; }

// Memtile BDs.
constexpr unsigned send_frames(unsigned row, unsigned chunk) {
  return standard_bds::free(samples_stream) + 2 * row + chunk;
}
constexpr unsigned fill_tables = standard_bds::free(tables_stream), send_tables = fill_tables + 1,
                   repeat_tables = fill_tables + 2;
constexpr unsigned take_batches(unsigned row) { return standard_bds::free(row % 2) + 8 + row / 2; }
constexpr unsigned join_batches(unsigned n, unsigned i) { return standard_bds::free(n) + 10 + i; }

class mel_writer {
 public:
  explicit mel_writer(std::uint32_t units) : units_(share(units)) {}

  std::vector<std::uint32_t> write() {
    // What the cores wait for comes first: the firmware takes its time over each address of a buffer.
    for_each_column([this](unsigned column) {
      for (unsigned row = 0; row < core_rows; ++row) {
        write_parameters(code_, column, row, std::array{static_cast<std::uint32_t>(operation::mel), units_[column]});
      }
      send_all_tables(column);
      send_samples(column);
    });
    for_each_column([this](unsigned column) { take(column); });
    for_each_column([this](unsigned column) {
      for (unsigned n = 0; n < 2; ++n) code_.wait_token(column, taking(n));
    });
    return std::move(code_).finish();
  }

 private:
  /// Of consecutive units each; the first columns, which start earlier, have more.
  static std::array<std::uint32_t, columns> share(std::uint32_t units) {
    std::array<std::uint32_t, columns> shares{};
    for (unsigned column = 0; column < columns; ++column) shares[column] = (units + columns - 1 - column) / columns;
    return shares;
  }

  void for_each_column(const auto& visit) {
    for (unsigned column = 0; column < columns; ++column) {
      if (units_[column] != 0) visit(column);
    }
  }

  std::uint32_t first_batch(unsigned column) const {
    return core_rows * std::accumulate(units_.begin(), units_.begin() + column, 0u);
  }

  /// The first time chunk by chunk, as they come.
  void send_all_tables(unsigned column) {
    code_.write_bd(column, shim_tables, {.length = tables::chunks * chunk_words}, argument_tables, 0);
    code_.push(column, sending(tables_stream), shim_tables, 1, false);
    code_.set_memtile_lock(column, panel_free, tables::chunks);
    memtile_bd bd{.address = panel_offset,
                  .length = chunk_words,
                  .iteration_step = chunk_words,
                  .iteration_wrap = tables::chunks,
                  .acquire = {{panel_free, 1}},
                  .release = {{panel_free + 1, 1}}};
    code_.write_memtile_bd(column, fill_tables, bd);
    bd.acquire = bd.release;
    bd.release.reset();
    bd.packet_id = broadcast_id;
    code_.write_memtile_bd(column, send_tables, bd);
    code_.push_memtile(column, s2mm, in_channel(tables_stream), fill_tables, tables::chunks);
    code_.push_memtile(column, mm2s, in_channel(tables_stream), send_tables, tables::chunks);
    if (units_[column] == 1) return;
    code_.write_memtile_bd(
        column, repeat_tables,
        {.address = panel_offset, .length = tables::chunks * chunk_words, .packet_id = broadcast_id});
    code_.push_memtile(column, mm2s, in_channel(tables_stream), repeat_tables, units_[column] - 1);
  }

  /// Regions overlap in DDR, frames in a region. A core gets its frames' first samples, then their second ones, and so
  /// on: 256 from the first on, and 256 from the middle on.
  void send_samples(unsigned column) {
    code_.write_bd(column, shim_samples, strided(region_samples, mel_batch_samples, core_rows * units_[column]),
                   argument_samples, 4 * first_batch(column) * mel_batch_samples);
    code_.push(column, sending(samples_stream), shim_samples, 1, false);
    rewind_in(code_, column, samples_stream);
    for (unsigned row = 0; row < core_rows; ++row) {
      for (unsigned chunk = 0; chunk < 2; ++chunk) write_send_frames(column, row, chunk);
    }
    code_.push_memtile(column, s2mm, in_channel(samples_stream), standard_bds::in(samples_stream), units_[column]);
    code_.push_memtile(column, mm2s, in_channel(samples_stream), send_frames(0, 0), units_[column]);
  }

  void write_send_frames(unsigned column, unsigned row, unsigned chunk) {
    memtile_bd bd{.address = in_offset(samples_stream) + row * chunk_bytes + 4 * first_samples[chunk],
                  .length = chunk_words,
                  .dimensions = {{{tables::hop, tables::batch_frames}, {1, 0}, {}, {}}},
                  .iteration_step = unit_words,
                  .iteration_wrap = in_chunks / core_rows,
                  .packet_id = core_id(row)};
    if (chunk == 0) {
      bd.acquire = {{in_free(samples_stream) + 1, 1}};
      bd.next = send_frames(row, 1);
    } else {
      bd.release = {{in_free(samples_stream), 1}};
      if (row + 1 < core_rows) bd.next = send_frames(row + 1, 0);
    }
    code_.write_memtile_bd(column, send_frames(row, chunk), bd);
  }

  void take(unsigned column) {
    for (unsigned row = 0; row < core_rows; ++row) {
      constexpr std::uint32_t core_chunk_words = chunk_words / 2;
      memtile_bd bd{.address = out_offset(row),
                    .length = core_chunk_words,
                    .iteration_step = chunk_words,
                    .iteration_wrap = out_chunks,
                    .acquire = {{out_free(row), 1}},
                    .release = {{out_free(row) + 1, 1}}};
      code_.write_memtile_bd(column, take_batches(row), bd);
      bd.length = mel_batch_results;
      std::swap(bd.acquire, bd.release);
      if (row % 2 == 0) bd.next = join_batches(row / 2, 1);
      code_.write_memtile_bd(column, join_batches(row / 2, row % 2), bd);
      code_.push_memtile(column, s2mm, out_channel(row), take_batches(row), units_[column]);
    }
    for (unsigned n = 0; n < 2; ++n) {
      code_.push_memtile(column, mm2s, joined_channel(n), join_batches(n, 0), units_[column]);
      code_.set_controller(column, taking(n));
      code_.write_bd(column, shim_result(n),
                     strided(2 * mel_batch_results, core_rows * mel_batch_results, units_[column], mel_batch_results),
                     argument_result, 4 * (first_batch(column) + 2 * n) * mel_batch_results);
      code_.push(column, taking(n), shim_result(n), 1, true);
    }
  }

  std::array<std::uint32_t, columns> units_;
  control_code code_{columns};
};

}  // namespace

std::uint32_t mel_units(std::size_t frames) {
  constexpr std::size_t unit_frames = core_rows * tables::batch_frames;
  return static_cast<std::uint32_t>((frames + unit_frames - 1) / unit_frames);
}

std::size_t mel_sample_words(std::uint32_t units) {
  return (std::size_t{units} * core_rows - 1) * mel_batch_samples + region_samples;
}

std::size_t mel_result_words(std::uint32_t units) { return std::size_t{units} * core_rows * mel_batch_results; }

std::vector<std::uint32_t> mel_code(std::uint32_t units) {
  if (units == 0 || units > columns * most_runs) {
    throw shape_error("n", fmt::format("mel: {} frames, a call takes 1 to {}", units * core_rows * tables::batch_frames,
                                       columns * most_runs * core_rows * tables::batch_frames));
  }
  return mel_writer(units).write();
}

}  // namespace npurt::detail::overlay
