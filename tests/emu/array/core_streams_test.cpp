// SPDX-License-Identifier: Apache-2.0
// Cores' stream ports and the cascade between cores.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "emu/array/core_programs.hpp"

using namespace npurt;
using namespace npurt::emu::testing;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;

namespace {

constexpr auto mm2s = dma_direction::mm2s, s2mm = dma_direction::s2mm;
constexpr std::uint32_t accumulator_control = 0x36060;
const std::string end = nops(8) + "done\n" + nops(6);

/// Takes four words from the stream, adds 1 to each, sends them on.
std::string add_to_stream() {
  std::string text;
  for (int i = 0; i < 4; ++i)
    text += "mov r1, SS\n" + nops(8) + "add r1, r1, #1\n" + nops(2) + "mov ms, r1\n" + nops(2);
  return text + end;
}

const std::string send_cascade =
    "movxm p0, #0x70100\nvlda wl0, [p0, #0]\nvlda wh0, [p0, #32]\n" + nops(8) + "vmov MCD, x0\n" + end;
const std::string receive_cascade =
    "movxm p0, #0x70200\nvmov x0, SCD\n" + nops(8) + "vst wl0, [p0, #0]\nvst wh0, [p0, #32]\n" + end;

}  // namespace

TEST_CASE("a core works on the words of its stream port", "[emu][array][core]") {
  design d;
  d.circuit(core2, {bundle::dma, 0}, {bundle::core, 0});
  d.circuit(core2, {bundle::core, 0}, {bundle::dma, 1});
  load(d, core2, add_to_stream());
  d.fill(core2, 0x100, {5, 6, 7, 8});
  d.bd(core2, 0, {.address = 0x100, .length = 4});
  d.bd(core2, 1, {.address = 0x200, .length = 4});
  d.push(core2, s2mm, 1, 1);
  d.settle();
  CHECK_THAT(d.tiles.waiting_report(), ContainsSubstring("core (0,2)") && ContainsSubstring("waits for a word"));
  d.push(core2, mm2s, 0, 0);
  d.settle();
  CHECK(d.dump(core2, 0x200, 4) == std::vector<std::uint32_t>{6, 7, 8, 9});
  CHECK(d.tiles.waiting_report().empty());
}

TEST_CASE("one core's stream reaches another core two tiles away", "[emu][array][core]") {
  design d;
  constexpr tile_id core4{0, 4};
  d.circuit(core2, {bundle::core, 0}, {bundle::north, 1});
  d.circuit(core3, {bundle::south, 1}, {bundle::north, 1});
  d.circuit(core4, {bundle::south, 1}, {bundle::core, 0});
  load(d, core4, "mov r1, SS\n" + nops(8) + "movxm p0, #0x70100\n" + nops(2) + "st r1, [p0, #0]\n" + end);
  load(d, core2, "mova r1, #17\n" + nops(4) + "mov ms, r1\n" + end);
  d.settle();
  CHECK(d.read(core4, 0x100) == 17);
}

TEST_CASE("the cascade leads south or east as Accumulator_Control says", "[emu][array][core]") {
  const bool east = GENERATE(false, true);
  design d(2);
  const tile_id from = east ? core2 : core3, to = east ? tile_id{1, 2} : core2;
  d.write(from, accumulator_control, east ? 2 : 0);  // Output[1]
  d.write(to, accumulator_control, east ? 1 : 0);    // Input[0]
  const auto data = pattern(16);
  d.fill(from, 0x100, data);
  load(d, to, receive_cascade);
  load(d, from, send_cascade);
  d.settle();
  CHECK(d.dump(to, 0x200, 16) == data);
}

TEST_CASE("a cascade output that no core listens to is an error", "[emu][array][core]") {
  design d(2);
  d.write(core3, accumulator_control, 2);  // to the east, whose input is from the north
  load(d, core3, send_cascade);
  CHECK_THROWS_MATCHES(d.settle(), emu::array_error, MessageMatches(ContainsSubstring("cascade")));
}
