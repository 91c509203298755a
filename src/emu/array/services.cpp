// SPDX-License-Identifier: Apache-2.0
// Services of tiles: agents that words wake, besides DMA channels and cores.
#include "emu/array/partition.hpp"

namespace npurt::emu {
namespace {

/// The FIFO port: what enters its master comes out of its slave.
void step_fifo(partition& p, agent_id a) {
  if (!p.word_ready(a)) return p.wait_for_word(a);
  const stream_fifo::word w = p.fifos[a].front();
  if (!p.push(a, w.data, w.last)) return p.sleep(a, wait_cause::stream);
  p.take_word(a);
}

void step_trace(partition& p, agent_id a, trace_unit& unit) {
  if (unit.out.empty()) return p.sleep(a, wait_cause::stream);
  const bool last = unit.out.size() % trace_unit::packet_words == 1;
  if (!p.push(a, unit.out.front(), last)) return p.sleep(a, wait_cause::stream);
  unit.out.pop_front();
}

}  // namespace

void partition::step_service(agent_id a) {
  const unsigned number = a - first_service;
  const tile& t = tiles[number / services_per_tile];
  switch (static_cast<service>(number % services_per_tile)) {
    case service::control_port:
      return step_control_port(*this, t.id);
    case service::fifo_port:
      return step_fifo(*this, a);
    case service::trace:
      return step_trace(*this, a, events.unit(t, event_module::tile).trace);
    case service::memory_trace:
      return step_trace(*this, a, events.unit(t, event_module::memory).trace);
  }
}

void partition::reset_services() {
  for (const tile& t : tiles)
    for (unsigned s = 0; s < services_per_tile; ++s) {
      const agent_id a = service_agent(t.id, static_cast<service>(s));
      end_stream(a);
      awake.erase(a);
      sleeping.insert(a);
      fifos[a].reader_waits = true;
    }
  control_ports.assign(tiles.size(), {});
  control_packets = false;
}

}  // namespace npurt::emu
