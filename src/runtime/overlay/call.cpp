// SPDX-License-Identifier: Apache-2.0
#include "runtime/overlay/call.hpp"

#include <utility>

#include <fmt/format.h>

#include "npurt/error.hpp"

namespace npurt::detail::overlay {

namespace {

using enum dma_side;

constexpr unsigned argument_x = 0, argument_y = 1, argument_table = 2;

/// A column owns 2 * pairs consecutive units: even ones for A, odd ones for B.
void send_units(control_code& code, unsigned column, unsigned n, std::uint32_t pairs) {
  const std::uint32_t first = (column * 2 * pairs + n) * unit_words;
  code.write_bd(column, n, strided(unit_words, 2 * unit_words, pairs), argument_x, 4 * first);
  code.push(column, sending(n), n, 1, false);
  code.push_memtile(column, s2mm, in_channel(n), standard_bds::in(n), pairs);
  code.push_memtile(column, mm2s, in_channel(n), standard_bds::scatter(n), pairs);
}

}  // namespace

void push_runs(control_code& code, unsigned column, dma_side side, unsigned channel, unsigned bd, std::uint32_t runs) {
  constexpr std::uint32_t most = 256;
  for (; runs > most; runs -= most) code.push_memtile(column, side, channel, bd, most);
  code.push_memtile(column, side, channel, bd, runs);
}

void rewind_in(control_code& code, unsigned column, unsigned n) {
  code.rewind_memtile_bd(column, standard_bds::in(n), unit_words, in_chunks / core_rows);
}

void rewind_scatter(control_code& code, unsigned column, unsigned n) {
  for (unsigned row = 0; row < core_rows; ++row) {
    code.rewind_memtile_bd(column, standard_bds::scatter(n) + row, unit_words, in_chunks / core_rows);
  }
}

void rewind_out(control_code& code, unsigned column) {
  for (unsigned row = 0; row < core_rows; ++row) {
    code.rewind_memtile_bd(column, standard_bds::out(row), chunk_words, out_chunks);
  }
}

void rewind_joined(control_code& code, unsigned column) {
  for (unsigned n = 0; n < 2; ++n) {
    for (unsigned i = 0; i < 2; ++i) {
      code.rewind_memtile_bd(column, standard_bds::joined(n) + i, chunk_words, out_chunks);
    }
  }
}

void rewind_all(control_code& code, unsigned column) {
  rewind_out(code, column);
  rewind_joined(code, column);
  for (unsigned n = 0; n < 2; ++n) {
    rewind_in(code, column, n);
    rewind_scatter(code, column, n);
  }
}

void queue_broadcast(control_code& code, unsigned column, unsigned argument, std::uint32_t chunks) {
  constexpr unsigned b = 1, shim = 15, fill = 24 + 22, send = 24 + 23;
  code.write_bd(column, shim, {.length = chunks * chunk_words}, argument, 0);
  code.push(column, sending(b), shim, 1, false);
  code.set_memtile_lock(column, panel_free, chunks);
  memtile_bd bd{.address = panel_offset,
                .length = chunks * chunk_words,
                .acquire = {{panel_free, chunks}},
                .release = {{panel_free + 1, chunks}}};
  code.write_memtile_bd(column, fill, bd);
  std::swap(bd.acquire, bd.release);
  bd.packet_id = broadcast_id;
  code.write_memtile_bd(column, send, bd);
  code.push_memtile(column, s2mm, in_channel(b), fill, 1);
  code.push_memtile(column, mm2s, in_channel(b), send, 1);
}

void write_parameters(control_code& code, unsigned column, unsigned core_row, std::span<const std::uint32_t> words) {
  code.write_block(core_address(column, core_row, parameters_offset), words);
}

void write_parameters(control_code& code, std::span<const std::uint32_t> words) {
  for (unsigned column = 0; column < columns; ++column) {
    for (unsigned row = 0; row < core_rows; ++row) write_parameters(code, column, row, words);
  }
}

void take_units(control_code& code, unsigned column, unsigned argument, std::uint32_t units) {
  for (unsigned row = 0; row < core_rows; ++row) {
    push_runs(code, column, s2mm, out_channel(row), standard_bds::out(row), units);
  }
  constexpr std::uint32_t half = unit_words / 2;
  for (unsigned n = 0; n < 2; ++n) {
    const unsigned bd = 2 + n;
    push_runs(code, column, mm2s, joined_channel(n), standard_bds::joined(n), units);
    code.set_controller(column, taking(n));
    code.write_bd(column, bd, strided(half, unit_words, units), argument, 4 * (column * units * unit_words + n * half));
    code.push(column, taking(n), bd, 1, true);
  }
}

std::uint32_t pairs_of(std::size_t bytes, unsigned chunks) {
  const std::size_t each = std::size_t{chunks} * chunk_bytes;
  return static_cast<std::uint32_t>((bytes + each - 1) / each);
}

std::vector<std::uint32_t> elementwise_code(operation op, std::uint32_t pairs, std::span<const std::uint32_t> words,
                                            bool table) {
  constexpr std::uint32_t most_pairs = 256;
  if (pairs == 0 || pairs > most_pairs) {
    throw error(fmt::format("{} pairs of chunks, a call takes 1 to {}", pairs, most_pairs));
  }
  control_code code(columns);
  std::vector<std::uint32_t> parameters{static_cast<std::uint32_t>(op), pairs};
  parameters.insert(parameters.end(), words.begin(), words.end());
  write_parameters(code, parameters);
  // What the cores wait for comes first: the firmware takes its time over each address of a buffer.
  for (unsigned column = 0; column < columns; ++column) {
    rewind_all(code, column);
    if (table) queue_broadcast(code, column, argument_table, 1);
    for (unsigned n = 0; n < 2; ++n) send_units(code, column, n, pairs);
  }
  for (unsigned column = 0; column < columns; ++column) take_units(code, column, argument_y, 2 * pairs);
  for (unsigned column = 0; column < columns; ++column) {
    for (unsigned n = 0; n < 2; ++n) code.wait_token(column, taking(n));
  }
  return std::move(code).finish();
}

}  // namespace npurt::detail::overlay
