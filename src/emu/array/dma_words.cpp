// SPDX-License-Identifier: Apache-2.0
// One word between a channel's memory and its stream.
#include "emu/array/dma_words.hpp"

#include <algorithm>
#include <cstring>
#include <format>
#include <utility>

#include "emu/array/partition.hpp"
#include "emu/array/timing.hpp"

namespace npurt::emu {
namespace {

/// The device sees host memory at this offset (xdna-driver and XRT's patcher add it); buffers are known without it.
constexpr std::uint64_t ddr_offset = 0x80000000;

[[noreturn]] void out_of_range(dma_channel& c, std::int64_t address, const char* why) {
  c.errors |= c.kind == aie::tile_kind::memtile ? dma_error::memory_unavailable : dma_error::decode;
  throw array_error(c.tile, std::format("{}: address {:#x} {}", describe(c), address, why));
}

std::byte* translate(partition& p, const dma_channel& c, std::int64_t address, std::int64_t size) {
  const auto access = c.is_s2mm() ? memory_access::write : memory_access::read;
  const auto first = static_cast<std::uint64_t>(address), bytes = static_cast<std::uint64_t>(size);
  if (first >= ddr_offset)
    if (std::byte* bytes_at = p.ddr.translate(first - ddr_offset, bytes, access)) return bytes_at;
  return p.ddr.translate(first, bytes, access);
}

std::byte* ddr_word(partition& p, dma_channel& c, std::int64_t address) {
  if (std::byte* const bytes = ddr_bytes(p, c)) return bytes + (address - c.extent.first);
  if (std::byte* word = translate(p, c, address, 4)) return word;
  // An argument that the command leaves out is address 0 (a trace buffer that nobody asked for): the chip's writes are
  // lost there. XRT's buffers lie above the device heap's base.
  constexpr std::int64_t lowest_buffer = 0x4000000;
  if (c.is_s2mm() && (address % static_cast<std::int64_t>(ddr_offset)) < lowest_buffer &&
      address < 2 * static_cast<std::int64_t>(ddr_offset)) {
    ++p.ignored[std::format("shim {} S2MM {} writes to an argument that the command does not give",
                            aie::to_string(c.tile), c.index)];
    return p.lost_word.data();
  }
  out_of_range(c, address, "is in no buffer of the host");
}

std::byte* memtile_word(partition& p, dma_channel& c, std::int64_t address) {
  const std::int64_t window = address / memtile_window;
  const std::int64_t col = c.tile.col + window - 1;
  if (window > 2) out_of_range(c, address, "is beyond the east neighbour's memory");
  if (window != 1 && c.index >= memtile_neighbour_channels)
    out_of_range(c, address, "is in a neighbour's memory, which channels 4 and 5 do not reach");
  if (col < 0 || col >= p.shape.columns) out_of_range(c, address, "is in a neighbour that the partition does not have");
  return p.at({static_cast<std::uint8_t>(col), c.tile.row}).memory.data() + address % memtile_window;
}

std::byte* core_word(partition& p, dma_channel& c, std::int64_t address) {
  tile& t = p.at(c.tile);
  if (address + 4 > static_cast<std::int64_t>(t.memory.size())) out_of_range(c, address, "is outside the data memory");
  if (address >> 4 != c.claimed_block) {  // one 128-bit access serves four stream words
    c.claimed_block = address >> 4;
    const std::uint8_t bank = bank_bit(static_cast<std::uint32_t>(address));
    p.take_bank(t, bank, p.now);
  }
  return t.memory.data() + address;
}

std::byte* find_word(partition& p, dma_channel& c) {
  const std::int64_t address = c.addresses.address();
  switch (c.kind) {
    case aie::tile_kind::core:
      return core_word(p, c, address);
    case aie::tile_kind::memtile:
      return memtile_word(p, c, address);
    default:
      return ddr_word(p, c, address);
  }
}

/// Whether DDR has this channel's next word, or takes it.
bool ddr_ready(const partition& p, const dma_channel& c) { return p.now * timing::ticks_per_cycle >= c.next_word; }

void count_ddr_word(partition& p, dma_channel& c) {
  ddr_of(p, c).bytes += 4;
  c.next_word = next_ddr_word(p, c, p.now, c.next_word);
}

bool count_wait(dma_channel& c, wait_cause cause) {
  ++c.counters.waits[static_cast<std::size_t>(cause)];
  return false;
}

void show_stall(partition& p, dma_channel& c, bool stalled) {
  if (std::exchange(c.stalled, stalled) != stalled) p.events.dma_level(c, dma_event::stream_stall, stalled);
}

bool send_word(partition& p, dma_channel& c, std::uint32_t word, bool last) {
  const bool sent = p.push(c.agent, word, last);
  show_stall(p, c, !sent);
  if (sent) return true;
  p.sleep(c.agent, wait_cause::stream);
  return false;
}

void send_header(partition& p, dma_channel& c) {
  const aie::dma_bd& bd = c.current;
  if (send_word(p, c, stream_header(c.tile, bd.packet_type, bd.packet_id, bd.out_of_order_id), false))
    c.header_due = false;
}

bool send(partition& p, dma_channel& c) {
  const bool shim = c.kind == aie::tile_kind::shim;
  if (shim && !ddr_ready(p, c)) return count_wait(c, wait_cause::memory);
  std::uint32_t word = 0;
  if (!c.addresses.padding()) std::memcpy(&word, find_word(p, c), 4);
  if (!send_word(p, c, word, c.addresses.remaining() == 1 && !c.current.tlast_suppress)) return false;
  if (shim) count_ddr_word(p, c);
  c.addresses.advance();
  return true;
}

/// @param words  of memory that the word just received stands for
void finish_on_tlast(dma_channel& c, bool last, std::uint32_t words = 1) {
  if (last) {
    c.tlast_came = true;
  } else if (c.addresses.remaining() == words) {
    c.errors |= dma_error::fot_length;
    throw array_error(c.tile, std::format("{}: finish on TLAST, but {} words came without TLAST "
                                          "(Error_FoT_Length_Exceeded)",
                                          describe(c), c.written));
  }
}

bool await_word(partition& p, dma_channel& c) {
  const bool ready = p.word_ready(c.agent);
  show_stall(p, c, !ready);
  if (!ready) p.wait_for_word(c.agent);
  return ready;
}

bool receive(partition& p, dma_channel& c) {
  if (!await_word(p, c)) return false;
  const bool shim = c.kind == aie::tile_kind::shim;
  if (shim && !ddr_ready(p, c)) return count_wait(c, wait_cause::memory);
  std::byte* const to = find_word(p, c);
  const stream_fifo::word w = p.take_word(c.agent);
  std::memcpy(to, &w.data, 4);
  if (shim) count_ddr_word(p, c);
  ++c.written;
  if (c.finish_on_tlast() != dma_channel::fot_mode::off) finish_on_tlast(c, w.last);
  c.addresses.advance();
  return true;
}

/// A mask stands for 8 words; what the chip does with a rest of fewer is not documented.
void check_whole_chunks(const dma_channel& c) {
  if (c.addresses.remaining() % chunk_words == 0) return;
  throw array_error(c.tile, std::format("{}: compression of {} words is not built; multiples of {} (256 bits) are",
                                        describe(c), c.addresses.remaining(), chunk_words));
}

packed_chunk read_chunk(partition& p, dma_channel& c) {
  check_whole_chunks(c);
  std::array<std::uint32_t, chunk_words> words{};
  const address_generator begin = c.addresses;
  for (std::uint32_t& word : words) {
    if (!c.addresses.padding()) std::memcpy(&word, find_word(p, c), 4);
    c.addresses.advance();
  }
  c.addresses = begin;
  return compress(words);
}

void write_chunk(partition& p, dma_channel& c) {
  for (const std::uint32_t word : expand(c.chunk)) {
    std::memcpy(find_word(p, c), &word, 4);
    c.addresses.advance();
  }
  c.chunk = {};
}

/// One word of the stream; the BD gets on by a chunk with its last one.
bool send_compressed(partition& p, dma_channel& c) {
  packed_chunk& chunk = c.chunk;
  if (chunk.count == 0) chunk = read_chunk(p, c);
  const bool ends_chunk = chunk.sent + 1 == chunk.count;
  const bool last = ends_chunk && c.addresses.remaining() == chunk_words && !c.current.tlast_suppress;
  if (!send_word(p, c, chunk.words[chunk.sent], last)) return false;
  ++chunk.sent;
  if (!ends_chunk) return true;
  for (unsigned i = 0; i < chunk_words; ++i) c.addresses.advance();
  c.extra_words += chunk.count - static_cast<int>(chunk_words);
  chunk = {};
  return true;
}

bool receive_compressed(partition& p, dma_channel& c) {
  if (!await_word(p, c)) return false;
  packed_chunk& chunk = c.chunk;
  if (chunk.count == 0) check_whole_chunks(c);
  const stream_fifo::word w = p.take_word(c.agent);
  chunk.words[chunk.count++] = w.data;
  const bool whole = chunk.count == packed_words(chunk.words[0]);
  const bool finishes = c.finish_on_tlast() != dma_channel::fot_mode::off;
  if (finishes && w.last && !whole)
    throw array_error(c.tile, describe(c) + ": TLAST came within a compressed chunk (Decompression_underflow)");
  if (!whole) return true;
  c.written += chunk_words;
  if (finishes) finish_on_tlast(c, w.last, chunk_words);
  write_chunk(p, c);
  return true;
}

}  // namespace

bool move_word(partition& p, dma_channel& c) {
  if (c.header_due) return send_header(p, c), false;
  const bool moved = c.is_s2mm() ? (c.compresses() ? receive_compressed(p, c) : receive(p, c))
                                 : (c.compresses() ? send_compressed(p, c) : send(p, c));
  if (!moved) return false;
  if (std::exchange(c.tlast_came, false)) c.addresses.finish();
  ++c.counters.words;
  return true;
}

ddr_direction& ddr_of(partition& p, const dma_channel& c) { return c.is_s2mm() ? p.ddr_write : p.ddr_read; }

std::uint64_t next_ddr_word(const partition& p, const dma_channel& c, std::uint64_t cycle, std::uint64_t next_word) {
  const unsigned users = c.is_s2mm() ? p.ddr_write.users : p.ddr_read.users;
  const unsigned alone = c.is_s2mm() ? timing::shim_s2mm_word_ticks : timing::shim_mm2s_word_ticks;
  const std::uint64_t ticks = cycle * timing::ticks_per_cycle;  // less than a cycle's lateness is made up for
  return std::max(next_word, ticks - (timing::ticks_per_cycle - 1)) + std::max(alone, p.ddr_word_ticks * users);
}

std::byte* ddr_bytes(partition& p, dma_channel& c) {
  if (!c.ddr_resolved) c.ddr = translate(p, c, c.extent.first, c.extent.end - c.extent.first);
  c.ddr_resolved = true;
  return c.ddr;
}

lock& bd_lock(partition& p, const dma_channel& c, unsigned id) {
  if (c.kind != aie::tile_kind::memtile) return p.at(c.tile).locks[id & 0xF];
  const int col = c.tile.col + static_cast<int>(id / 64) - 1;
  if (col < 0 || col >= p.shape.columns || id >= 192)
    throw array_error(c.tile,
                      std::format("{}: lock {} is in a neighbour that the partition does not have", describe(c), id));
  return p.at({static_cast<std::uint8_t>(col), c.tile.row}).locks[id % 64];
}

std::string describe(const dma_channel& c) {
  return std::format("{} {} BD {}", c.direction == aie::dma_direction::mm2s ? "MM2S" : "S2MM", c.index, c.bd);
}

}  // namespace npurt::emu
