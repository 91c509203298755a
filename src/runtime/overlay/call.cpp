// SPDX-License-Identifier: Apache-2.0
#include "runtime/overlay/call.hpp"

#include <utility>

namespace npurt::detail::overlay {

using enum dma_side;

void push_runs(control_code& code, unsigned column, dma_side side, unsigned channel, unsigned bd, std::uint32_t runs) {
  for (; runs > most_runs; runs -= most_runs) code.push_memtile(column, side, channel, bd, most_runs);
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

// Once in a call, and with its end all of it has gone: nobody has to wait for room.
void queue_broadcast(control_code& code, unsigned column, unsigned argument, const shim_bd& chunks) {
  constexpr unsigned b = 1, shim = 15, fill = 24 + 22, send = 24 + 23;
  code.write_bd(column, shim, chunks, argument, 0);
  code.push(column, sending(b), shim, 1, false);
  memtile_bd bd{
      .address = panel_offset, .length = chunks.length, .release = {{panel_free + 1, chunks.length / chunk_words}}};
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

}  // namespace npurt::detail::overlay
