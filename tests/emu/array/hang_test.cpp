// SPDX-License-Identifier: Apache-2.0
// Hangs explained: one design that works, and the classic mistakes in it, each with the cause that its report must
// name.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "emu/array/core_programs.hpp"
#include "emu/array/design.hpp"

using namespace npurt;
using namespace npurt::emu::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr std::uint32_t block = 32;

/// What can be wrong with `relay`.
struct mistakes {
  std::uint32_t free_buffers = 1;
  bool queue_input = true;
  bool route_input = true;
  std::uint32_t words_sent = block;
  bool token = true;
  bool enable_core = true;
  int core_wants = 1;
};

/// Host -> S2MM 0 -> core -> MM2S 0 -> host. Locks of the core's tile: 0 buffer free, 1 buffer full, 2 result there.
struct relay : design {
  explicit relay(mistakes m) {
    open_shim();
    open_tokens();
    circuit(shim, {bundle::south, 3}, {bundle::north, 2});
    if (m.route_input) circuit(memtile, {bundle::south, 2}, {bundle::north, 2});
    circuit(core2, {bundle::south, 2}, {bundle::dma, 0});
    circuit(core2, {bundle::dma, 0}, {bundle::south, 1});
    circuit(memtile, {bundle::north, 1}, {bundle::south, 1});
    circuit(shim, {bundle::north, 1}, {bundle::south, 2});
    set_lock(core2, 0, m.free_buffers);
    program(m);
    bd(core2, 0,
       {.address = 0x100,
        .length = block,
        .acquire_enable = true,
        .acquire_lock = 0,
        .acquire_value = -1,
        .release_lock = 1,
        .release_value = 1});
    bd(core2, 1, {.address = 0x100, .length = block, .acquire_enable = true, .acquire_lock = 2, .acquire_value = -1});
    push(core2, dma_direction::s2mm, 0, 0);
    push(core2, dma_direction::mm2s, 0, 1);
    host.add(src_address, block);
    host.add(dst_address, block);
    bd(shim, 0, {.address = src_address, .length = m.words_sent});
    bd(shim, 1, {.address = dst_address, .length = block});
    push(shim, dma_direction::s2mm, 0, 1, 1, m.token);
    if (m.queue_input) push(shim, dma_direction::mm2s, 0, 0);
    settle();
  }

  bool arrives() { return tiles.take_token(shim, dma_direction::s2mm, 0); }
  std::string report() { return tiles.waiting_report(emu::awaited_token{shim, dma_direction::s2mm, 0}); }

 private:
  /// Takes a full buffer, frees it, and says that the result is there.
  void program(const mistakes& m) {
    load(*this, core2,
         "mova r2, #-" + std::to_string(m.core_wants) + "\nmova r3, #1\n" + nops(7) + "acq #49, r2\n" + nops(7) +
             "rel #48, r3\nnop\nrel #50, r3\n" + nops(4) + "done\n" + nops(6));
    if (!m.enable_core) write(core2, 0x32000, 0);
  }
};

/// How every report of this design begins: nothing comes out, since the core has not done its part.
const std::string output_waits =
    "why: the firmware waits for a token of S2MM 0 of shim (0,0), which waits for 32 words from MM2S 0 of tile (0,2), "
    "which waits for lock 2 of tile (0,2) >= 1, its value is 0, which only core (0,2) releases";

}  // namespace

TEST_CASE("the design of the hangs works without a mistake", "[emu][array][hang]") {
  relay d({});
  CHECK(d.arrives());
  CHECK(d.tiles.waiting_report().empty());
}

TEST_CASE("hang: a buffer that is never free is a cycle of waiting between core and DMA", "[emu][array][hang]") {
  relay d({.free_buffers = 0});
  CHECK_FALSE(d.arrives());
  const std::string report = d.report();
  CHECK_THAT(report, ContainsSubstring(output_waits));
  CHECK_THAT(report, ContainsSubstring(
                         "which only core (0,2) releases, which waits for lock 1 of tile (0,2) >= 1, its value is "
                         "0, which only S2MM 0 BD 0 of tile (0,2) releases, which waits for lock 0 of tile (0,2) "
                         ">= 1, its value is 0, which only core (0,2) releases: a cycle of waiting, "
                         "core (0,2) -> S2MM 0 BD 0 of tile (0,2) -> core (0,2)"));
  CHECK_THAT(report, ContainsSubstring("lock 1 of tile (0,2) or lock 0 of tile (0,2) at the start"));
}

TEST_CASE("hang: a core that wants more than is ever released", "[emu][array][hang]") {
  relay d({.core_wants = 2});
  CHECK_FALSE(d.arrives());
  CHECK_THAT(d.report(),
             ContainsSubstring("waits for lock 1 of tile (0,2) >= 2, its value is 1, which only S2MM 0 BD 0 "
                               "of tile (0,2) releases, whose task ended with BD 0"));
}

TEST_CASE("hang: a task that was never queued", "[emu][array][hang]") {
  relay d({.queue_input = false});
  CHECK_FALSE(d.arrives());
  const std::string report = d.report();
  CHECK_THAT(report, ContainsSubstring(output_waits));
  CHECK_THAT(report, ContainsSubstring("which only S2MM 0 BD 0 of tile (0,2) releases, which waits for 32 words from "
                                       "MM2S 0 of shim (0,0), whose task was never queued"));
  CHECK_THAT(report, !ContainsSubstring("cycle of waiting"));
}

TEST_CASE("hang: a route that is missing, seen from both ends", "[emu][array][hang]") {
  relay d({.route_input = false});
  CHECK_FALSE(d.arrives());
  CHECK_THAT(d.report(), ContainsSubstring("which waits for 32 words, but its route is missing: master port North 2 of "
                                           "memtile (0,1) is not enabled"));
  CHECK_THAT(d.tiles.waiting_report(),
             ContainsSubstring("MM2S 0 BD 0 of shim (0,0) its stream goes nowhere, 32 words not sent: its route is "
                               "missing, it ends at tile (0,1), whose slave port South 2 is not enabled"));
}

TEST_CASE("hang: a sender with fewer words than the receiver wants", "[emu][array][hang]") {
  relay d({.words_sent = block - 12});
  CHECK_FALSE(d.arrives());
  CHECK_THAT(d.report(), ContainsSubstring("which waits for 12 words of 32 from MM2S 0 of shim (0,0), whose task "
                                           "ended with BD 0 and which has no other queued"));
}

TEST_CASE("hang: a sender with more words than the receiver wants", "[emu][array][hang]") {
  relay d({});
  REQUIRE(d.arrives());
  d.host.add(src_address, 200);
  d.bd(shim, 0, {.address = src_address, .length = 200});
  d.push(shim, dma_direction::mm2s, 0, 0, 1, true);
  d.settle();
  CHECK_THAT(d.tiles.waiting_report(emu::awaited_token{shim, dma_direction::mm2s, 0}),
             ContainsSubstring("words left and waits for room at S2MM 0 of tile (0,2), whose task ended with BD 0"));
}

TEST_CASE("hang: a task that was not asked for a token", "[emu][array][hang]") {
  relay d({.token = false});
  CHECK_FALSE(d.arrives());
  CHECK_THAT(d.report(),
             ContainsSubstring("why: the firmware waits for a token of S2MM 0 of shim (0,0), whose last task "
                               "has ended and was not to send one"));
}

TEST_CASE("hang: a core that was never enabled", "[emu][array][hang]") {
  relay d({.enable_core = false});
  CHECK_FALSE(d.arrives());
  CHECK_THAT(d.report(), ContainsSubstring(output_waits + ", which is not enabled"));
}

TEST_CASE("hang: a lock that nobody releases, and one whose BD no task names", "[emu][array][hang]") {
  design d;
  connect_memtile(d);
  d.bd(memtile, 0, {.address = own, .length = 1, .acquire_enable = true, .acquire_lock = 64 + 7, .acquire_value = -1});
  d.push(memtile, dma_direction::mm2s, 0, 0);
  d.settle();
  CHECK_THAT(d.tiles.waiting_report(),
             ContainsSubstring("waits for lock 7 of tile (0,1) >= 1, its value is 0, which no "
                               "BD and no program releases"));
  d.bd(memtile, 5, {.address = own, .length = 1, .release_lock = 64 + 7, .release_value = 1});
  CHECK_THAT(d.tiles.waiting_report(),
             ContainsSubstring("which only BD 5 of memtile (0,1) releases, whose task was never queued"));
}
