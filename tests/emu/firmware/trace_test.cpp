// SPDX-License-Identifier: Apache-2.0
// An event trace as mlir-aie's python/utils/trace sets it up: broadcasts 15 and 14 of a shim start and stop it, the
// packets go to a host buffer; the control code's last operation is the stop.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "emu/array/trace_decoder.hpp"
#include "emu/firmware/program.hpp"

using namespace npurt;
using namespace npurt::emu::testing;

namespace {

constexpr std::uint64_t trace_address = 0x9000000;
constexpr std::uint32_t trace_words = 256, words_per_bd = 64, bds = 10;

/// A relay through the memtile whose trace port (packet id 3) leads to shim S2MM 1.
pdi_builder traced_relay() {
  using aie::bundle;
  pdi_builder p = relay(words_per_bd);
  const auto kind = aie::tile_kind::memtile;
  const auto trace = *aie::slave_number(kind, {bundle::trace, 0}),
             south = *aie::master_number(kind, {bundle::south, 1});
  p.write(memtile, aie::slave_offset(kind, trace), aie::pack_slave({.enable = true, .packet = true}));
  p.write(memtile, aie::slot_offset(kind, trace, 0), aie::pack_slot({.enable = true, .id = 3, .mask = 31}));
  p.write(memtile, aie::master_offset(kind, south), aie::pack_master({.enable = true, .packet = true, .msel_mask = 1}));
  const auto north = *aie::slave_number(aie::tile_kind::shim, {bundle::north, 1});
  const auto to_dma = *aie::master_number(aie::tile_kind::shim, {bundle::south, 3});
  p.write(shim, aie::slave_offset(aie::tile_kind::shim, north), aie::pack_slave({.enable = true}));
  p.write(shim, aie::master_offset(aie::tile_kind::shim, to_dma), aie::pack_master({.enable = true, .slave = north}));
  return p.write(shim, 0x1F004, 1u << 4 | 1u << 6);
}

code_builder traced_transfer(bool start) {
  const auto reg = [](aie::tile_id t, std::uint32_t offset) { return aie::pack_address({t, offset}); };
  constexpr std::uint32_t start_event = 157, stop_event = 156;  // memtile BROADCAST_15, 14
  constexpr std::uint32_t finished_bd = 25, type = 3, id = 3;   // DMA_S2MM_SEL0_FINISHED_BD; channel 0 after a reset
  code_builder c;
  c.write(reg(memtile, 0x940D0), stop_event << 24 | start_event << 16).write(reg(memtile, 0x940D4), type << 12 | id);
  c.write(reg(memtile, 0x940E0), finished_bd).write(reg(memtile, 0x94000), start_event << 8);
  c.write(reg(shim, 0x34010 + 4 * 15), 127).write(reg(shim, 0x34010 + 4 * 14), 126);
  c.block(0x1D1A0, bd_words(aie::tile_kind::shim, {.length = trace_words})).patch(0x1D1A4, 2, 0).write(0x1D20C, 13);
  if (start) c.write(reg(shim, 0x34008), 127);
  const auto count = words_per_bd * bds;
  c.block(0x1D000, bd_words(aie::tile_kind::shim, {.length = count})).patch(0x1D004, 1, 0);
  c.mask_write(0x1D200, 15u << 8, 0x1F00).write(0x1D204, 0x80000000);
  c.block(0x1D020, bd_words(aie::tile_kind::shim, {.length = count})).patch(0x1D024, 0, 0).write(0x1D214, 1);
  return c.sync(shim, 0, 0).write(reg(shim, 0x34008), 126);
}

}  // namespace

TEST_CASE("an event trace ends up in its host buffer, the last packet too", "[emu][firmware]") {
  const bool start = GENERATE(true, false);
  host_memory host;
  auto& src = host.add(src_address, words_per_bd * bds);
  src = pattern(src.size());
  const auto& dst = host.add(dst_address, src.size());
  const auto& trace = host.add(trace_address, trace_words);
  emu::npu npu{host};
  const auto context = *npu.create_context(1);
  REQUIRE(npu.configure_cu(context, 0, traced_relay().build()).empty());
  const auto code = traced_transfer(start).build();
  const auto result =
      npu.execute(context, {.cu = 0, .control_code = code, .arguments = {src_address, dst_address, trace_address}});
  INFO(result.report);
  REQUIRE(result.outcome == emu::command_outcome::completed);
  CHECK(dst == src);
  // Header: row 1, type 3, id 3: five bits set, so no parity bit.
  const decoded_trace t = decode_trace(trace, 1u << 16 | 3u << 12 | 3);
  CHECK(t.active[0].size() == (start ? bds : 0));
  CHECK((t.packets > 0) == start);
}
