// SPDX-License-Identifier: Apache-2.0
// A tile's control port: packets that read and write its registers and memory.
#include "emu/array/control_port.hpp"

#include <bit>

#include "emu/array/partition.hpp"

namespace npurt::emu {
namespace {

using control_state = control_port::step_state;

bool odd_parity(std::uint32_t word) { return std::popcount(word) % 2 == 1; }

void fail(partition& p, const tile& t, control_port& port, std::uint32_t bit, bool last) {
  port.status |= bit;
  ++p.ignored["control packet with an error at tile " + aie::to_string(t.id)];
  port.state = last ? control_state::stream_header : control_state::discard;
}

void begin_answer(partition& p, const tile& t, control_port& port, unsigned id) {
  port.answer[0] = stream_header(t.id, 0, id);
  for (std::uint32_t i = 0; i < port.words; ++i)
    port.answer[1 + i] = p.read(aie::pack_address({t.id, port.offset + 4 * i}));
  port.answer_words = 1 + port.words;
  port.answered = 0;
  port.state = control_state::answer;
}

void take_control_word(partition& p, const tile& t, control_port& port, stream_fifo::word w) {
  constexpr unsigned read = 1;
  if (!odd_parity(w.data)) return fail(p, t, port, control_port::second_header_parity, w.last);
  const unsigned operation = w.data >> 22 & 3;
  port.words = (w.data >> 20 & 3) + 1;
  port.offset = w.data & 0xFFFFF;
  if (operation == read) {
    if (!w.last) port.status |= control_port::tlast_error;
    return begin_answer(p, t, port, w.data >> 24 & 0x1F);
  }
  port.state = control_state::data;
  if (w.last) fail(p, t, port, control_port::tlast_error, true);
}

void take_data(partition& p, const tile& t, control_port& port, stream_fifo::word w) {
  p.write(aie::pack_address({t.id, port.offset}), w.data);
  port.offset += 4;
  if (--port.words == 0) {
    // Several packets behind each other under one TLAST are taken one by one, with the sticky bit.
    if (!w.last) port.status |= control_port::tlast_error;
    port.state = control_state::stream_header;
  } else if (w.last) {
    fail(p, t, port, control_port::tlast_error, true);
  }
}

void take(partition& p, const tile& t, control_port& port, stream_fifo::word w) {
  switch (port.state) {
    case control_state::stream_header:
      port.state = control_state::control_word;
      if (!odd_parity(w.data)) return fail(p, t, port, control_port::first_header_parity, w.last);
      if (w.last) fail(p, t, port, control_port::tlast_error, true);
      return;
    case control_state::control_word:
      return take_control_word(p, t, port, w);
    case control_state::data:
      return take_data(p, t, port, w);
    case control_state::discard:
      if (w.last) port.state = control_state::stream_header;
      return;
    case control_state::answer:
      return;
  }
}

}  // namespace

std::uint32_t stream_header(aie::tile_id tile, unsigned type, unsigned id, unsigned out_of_order_id) {
  const std::uint32_t bits =
      std::uint32_t{tile.col} << 21 | std::uint32_t{tile.row} << 16 | type << 12 | out_of_order_id << 5 | id;
  return odd_parity(bits) ? bits : bits | 0x80000000u;
}

void step_control_port(partition& p, aie::tile_id id) {
  const tile& t = p.at(id);
  control_port& port = p.control_ports[t.index];
  const agent_id agent = service_agent(id, service::control_port);
  if (port.state == control_state::answer) {
    if (!p.push(agent, port.answer[port.answered], port.answered + 1 == port.answer_words))
      return p.sleep(agent, wait_cause::stream);
    if (++port.answered == port.answer_words) port.state = control_state::stream_header;
    return;
  }
  if (!p.word_ready(agent)) return p.wait_for_word(agent);
  take(p, t, port, p.take_word(agent));
}

}  // namespace npurt::emu
