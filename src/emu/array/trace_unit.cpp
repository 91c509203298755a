// SPDX-License-Identifier: Apache-2.0
// One trace unit in event-time mode: eight watched events to packets of eight words.
#include "emu/array/trace_unit.hpp"

#include <algorithm>
#include <bit>

#include "emu/array/control_port.hpp"

namespace npurt::emu {
namespace {

constexpr unsigned packet_bytes = 4 * (trace_unit::packet_words - 1);
constexpr std::uint32_t filler = 0xFE, start_record = 0xF0, sync_record = 0xFF;
/// Longest gap that a record can hold (18 bits), and what a sync record stands for.
constexpr std::uint64_t longest_record_gap = 0x3FFFF;
constexpr std::uint64_t longest_repeat = 0x3FF;

}  // namespace

void trace_unit::start(aie::tile_id tile, std::uint64_t now, std::uint64_t timer) {
  tile_ = tile;
  state = run_state::running;
  bytes_ = 0;
  byte(start_record);
  for (unsigned i = 7; i-- > 0;) byte(static_cast<std::uint32_t>(timer >> (8 * i) & 0xFF));
  // What happens in the cycle of the start event is not recorded (xdna-emu trace-start-stop-latency-gap).
  last_ = now;
  next_ = now + 1;
  pulses_ = last_slots_ = 0;
}

void trace_unit::stop(std::uint64_t now) {
  if (state == run_state::idle) return;
  settle(now);
  // So many that the last word consists of them: there mlir-aie's trim_trace_pkts finds the end.
  unsigned fillers = 0;
  while ((bytes_ != 0 || fillers < 7) && state == run_state::running) {
    byte(filler);
    ++fillers;
  }
  state = run_state::idle;
}

void trace_unit::pulse(std::uint8_t slots, std::uint64_t now) {
  if (state != run_state::running || now < next_) return;
  settle(now);
  pulse_cycle_ = now;
  pulses_ |= slots;
}

void trace_unit::hold(std::uint8_t slots, std::uint64_t now) {
  if (state == run_state::running) settle(now);
  held_ = slots;
}

void trace_unit::settle(std::uint64_t to) {
  if (pulses_ != 0 && pulse_cycle_ < to) {
    emit_run(held_, next_, pulse_cycle_);
    emit_run(held_ | pulses_, pulse_cycle_, pulse_cycle_ + 1);
    next_ = pulse_cycle_ + 1;
    pulses_ = 0;
  }
  if (next_ >= to) return;
  emit_run(held_, next_, to);
  next_ = to;
}

void trace_unit::emit_run(std::uint8_t slots, std::uint64_t from, std::uint64_t to) {
  if (slots == 0 || from >= to) return;
  const bool continues = slots == last_slots_ && from == last_ + 1;
  if (!continues) {
    const bool gap = from != last_ + 1;
    record(slots, from++);
    if (gap && from < to) record(slots, from++);  // a record with a gap would repeat with the gap
  }
  repeat(to - from);
}

void trace_unit::record(std::uint8_t slots, std::uint64_t cycle) {
  std::uint64_t gap = cycle - last_ - 1;
  for (; gap > longest_record_gap; gap -= longest_record_gap) byte(sync_record);
  last_ = cycle;
  last_slots_ = gap == 0 ? slots : 0;
  if (std::has_single_bit(slots))
    return single(static_cast<unsigned>(std::countr_zero(slots)), static_cast<std::uint32_t>(gap));
  multiple(slots, static_cast<std::uint32_t>(gap));
}

void trace_unit::single(unsigned slot, std::uint32_t gap) {
  if (gap < 0x10) return byte(slot << 4 | gap);
  if (gap < 0x400) {
    byte(0x80 | slot << 2 | gap >> 8);
    return byte(gap & 0xFF);
  }
  byte(0xA0 | slot << 2 | gap >> 16);
  byte(gap >> 8 & 0xFF);
  byte(gap & 0xFF);
}

void trace_unit::multiple(std::uint8_t slots, std::uint32_t gap) {
  const std::uint32_t s = slots;
  if (gap < 0x10) {
    byte(0xC0 | s >> 4);
    return byte((s & 0xF) << 4 | gap);
  }
  const bool near = gap < 0x400;
  byte((near ? 0xD0u : 0xD4u) | s >> 6);
  byte((s & 0x3F) << 2 | (near ? gap >> 8 : gap >> 16));
  if (!near) byte(gap >> 8 & 0xFF);
  byte(gap & 0xFF);
}

void trace_unit::repeat(std::uint64_t times) {
  last_ += times;
  while (times > 0) {
    const std::uint64_t n = std::min(times, longest_repeat);
    times -= n;
    if (n < 0x10) {
      byte(0xE0 | static_cast<std::uint32_t>(n));
    } else {
      byte(0xD8 | static_cast<std::uint32_t>(n >> 8));
      byte(static_cast<std::uint32_t>(n & 0xFF));
    }
  }
}

void trace_unit::byte(std::uint32_t value) {
  if (state == run_state::overrun) return;
  std::uint32_t& word = packet_[1 + bytes_ / 4];
  word = word << 8 | value;
  if (++bytes_ < packet_bytes) return;
  bytes_ = 0;
  if (out.size() + packet_words > most_words) {
    state = run_state::overrun;
    return;
  }
  packet_[0] = stream_header(tile_, packet_type, packet_id);
  out.insert(out.end(), packet_.begin(), packet_.end());
}

}  // namespace npurt::emu
