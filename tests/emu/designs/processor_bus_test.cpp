// SPDX-License-Identifier: Apache-2.0
// A core that reads and writes registers of its own tile (lda.tm, st.tm).
#include <catch2/matchers/catch_matchers_string.hpp>

#include "emu/designs/design_run.hpp"

using namespace npurt;
using namespace npurt::emu;
using namespace npurt::emu::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr std::uint32_t processor_bus = 0x32038;

/// Locks 8 to 15 hold 42 to 49; the core puts them, read over the bus from 0x80000 + 0x1F080 on, into its output, and
/// writes 33 into lock 7.
device_design read_own_locks() {
  device_design d;
  for (unsigned i = 0; i < 8; ++i) d.lock(core2, 8 + i, 42 + i);
  d.buffer(core2, "out", 0x1000, 8);
  d.fifo(core2, {2, 3}, 1);
  d.ring(core2, mm2s, 0, 0, {"out"}, 8, {2, 3});
  d.flow(core2, {bundle::dma, 0}, shim, {bundle::dma, 0});
  std::string body = take(own_locks + 2) + nops(4);
  for (unsigned i = 0; i < 8; ++i)
    body += "movxm p0, #" + std::to_string(0x9F080 + 0x10 * i) + "\nmovxm p1, #" + std::to_string(0x71000 + 4 * i) +
            "\n" + nops(4) + "lda.tm r1, [p0]\n" + nops(8) + "st r1, [p1, #0]\n" + nops(2);
  body += "movxm p0, #" + std::to_string(0x9F070) + "\nmova r1, #33\n" + nops(4) + "st.tm r1, [p0]\n" + nops(8);
  d.program(core2, for_ever(0, body + give(own_locks + 3)));
  return d;
}

code_builder take_eight(bool enable) {
  code_builder code;
  if (enable) code.mask_write(aie::pack_address({core2, processor_bus}), 1, 1);
  const shim_transfer out{.direction = s2mm, .argument = 1, .count = 8, .bd = 1, .shape = {}};
  add(code, out);
  wait(code, out);
  code.mask_poll(aie::pack_address({core2, 0x1F070}), 33, 0x3F);
  return code;
}

}  // namespace

TEST_CASE("tile_mapped_read: a core reads its tile's lock values, and writes one", "[emu][designs]") {
  device_design d = read_own_locks();
  pdi_builder pdi = d.pdi();
  pdi.write(core2, processor_bus, 1);
  device_run run(pdi, 1);
  run.add_buffer(1);
  auto& out = run.add_buffer(8);
  run.run(take_eight(true));
  CHECK(out == words{42, 43, 44, 45, 46, 47, 48, 49});
}

TEST_CASE("a core that reaches for a register waits until its bus is enabled", "[emu][designs]") {
  device_run run(read_own_locks());
  run.add_buffer(1);
  auto& out = run.add_buffer(8);
  run.run(take_eight(true));
  CHECK(out == words{42, 43, 44, 45, 46, 47, 48, 49});
}

TEST_CASE("a core whose bus is never enabled hangs, and the report says why", "[emu][designs]") {
  device_run run(read_own_locks());
  run.add_buffer(1);
  run.add_buffer(8);
  const auto result = run.execute(take_eight(false));
  CHECK(result.outcome == command_outcome::timeout);
  CHECK_THAT(result.report, ContainsSubstring("(0,2)") && ContainsSubstring("Core_Processor_Bus"));
}
