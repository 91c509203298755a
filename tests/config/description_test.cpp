// SPDX-License-Identifier: Apache-2.0
// What the rules of a description refuse, and how they say it.
#include <catch2/catch_test_macros.hpp>
#include <functional>

#include "config/designs.hpp"

using namespace npurt;
using config::array_description;

namespace {

/// The complaint about one_core() after a change.
std::string complaint(const std::function<void(array_description&)>& change) {
  array_description d = test::one_core();
  change(d);
  return test::config_error_of([&] { config::validate(d); });
}
bool says(const std::string& message, const std::string& part) {
  INFO(message);
  CHECK(message.find(part) != std::string::npos);
  return message.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a right description is accepted", "[config][description]") {
  CHECK(complaint([](array_description&) {}).empty());
}

TEST_CASE("partitions have one to four columns and calls one to seven buffers", "[config][description]") {
  CHECK(says(complaint([](auto& d) { d.columns = 0; }), "0 columns"));
  CHECK(says(complaint([](auto& d) { d.columns = 5; }), "5 columns"));
  CHECK(says(complaint([](auto& d) { d.buffers = 0; }), "0 host buffers"));
  CHECK(says(complaint([](auto& d) { d.buffers = 8; }), "8 host buffers"));
  CHECK(says(complaint([](auto& d) { d.name.clear(); }), "no name"));
}

TEST_CASE("buffers lie in memory, on words, apart from each other", "[config][description]") {
  CHECK(says(complaint([](auto& d) { d.memory[0].offset = 0x10000 - 60; }), "lies outside the memory"));
  CHECK(says(complaint([](auto& d) { d.memory[0].offset = 0x402; }), "multiples of 4"));
  CHECK(says(complaint([](auto& d) { d.memory.push_back({{0, 2}, "other", 0x43C, 4}); }), "'in' and 'other' overlap"));
  CHECK(complaint([](auto& d) { d.memory.push_back({{0, 2}, "other", 0x440, 4}); }).empty());
  CHECK(complaint([](auto& d) { d.memory.push_back({{0, 3}, "in", 0x400, 4}); }).empty());
  CHECK(says(complaint([](auto& d) { d.memory.push_back({{0, 2}, "in", 0x440, 4}); }), "two buffers"));
  CHECK(says(complaint([](auto& d) { d.memory.push_back({{1, 2}, "far", 0, 4}); }), "tile (1,2): lies outside"));
  CHECK(says(complaint([](auto& d) { d.memory[0].initial.resize(65); }), "initial contents"));
}

TEST_CASE("locks exist once, within the tile's number and the counter's range", "[config][description]") {
  CHECK(says(complaint([](auto& d) { d.locks.push_back({{0, 2}, 16, 0}); }), "no lock 16"));
  CHECK(says(complaint([](auto& d) { d.locks[0].initial = 64; }), "above 63"));
  CHECK(says(complaint([](auto& d) { d.locks.push_back({{0, 2}, 1, 0}); }), "lock 1 is described twice"));
  CHECK(complaint([](auto& d) { d.locks.push_back({{0, 1}, 63, 63}); }).empty());
}

TEST_CASE("transfers stay inside their buffer", "[config][description]") {
  CHECK(says(complaint([](auto& d) { d.transfers[0].descriptor.length = 17; }), "reaches byte 67"));
  CHECK(says(complaint([](auto& d) { d.transfers[0].descriptor.address = 4; }), "reaches byte 67"));
  CHECK(says(complaint([](auto& d) {
               d.transfers[0].descriptor.dimensions = {{{.step = 1, .wrap = 4}, {.step = 5}, {}, {}}};
             }),
             "reaches byte 75"));
  CHECK(complaint([](auto& d) {
          d.transfers[0].descriptor.dimensions = {{{.step = 4, .wrap = 4}, {.step = 1}, {}, {}}};
        }).empty());
  CHECK(says(complaint([](auto& d) { d.transfers[0].buffer = "out"; }), "no buffer 'out'"));
  CHECK(says(complaint([](auto& d) { d.transfers[0].descriptor.length = 0; }), "length 0"));
}

TEST_CASE("transfers name what is described", "[config][description]") {
  CHECK(says(complaint([](auto& d) { d.transfers[0].descriptor.acquire_lock = 5; }), "acquires lock 5"));
  CHECK(says(complaint([](auto& d) { d.transfers[0].descriptor.release_lock = 5; }), "releases lock 5"));
  CHECK(says(complaint([](auto& d) { d.transfers[0].descriptor.next_bd = 4; }), "next BD 4"));
  CHECK(says(complaint([](auto& d) { d.transfers[0].bd = 16; }), "no BD 16"));
  CHECK(says(complaint([](auto& d) { d.transfers.push_back(d.transfers[0]); }), "BD 3 is described twice"));
}

TEST_CASE("tasks start BDs that their channel can use", "[config][description]") {
  CHECK(says(complaint([](auto& d) { d.starts[0].channel = 2; }), "no channel S2MM 2"));
  CHECK(says(complaint([](auto& d) { d.starts[0].task.bd = 2; }), "BD 2 is not described"));
  CHECK(says(complaint([](auto& d) { d.starts.assign(5, d.starts[0]); }), "more than 4 tasks"));
  CHECK(says(complaint([](auto& d) { d.starts[0].task.repeat = 257; }), "S2MM 1: a task runs 1 to 256 times, not 257"));
  CHECK(says(complaint([](auto& d) { d.starts[0].task.repeat = 0; }), "not 0"));
  CHECK(complaint([](auto& d) { d.starts[0].task.repeat = 256; }).empty());
  const auto memtile_start = [](std::uint8_t bd, std::uint8_t channel) {
    return complaint([&](auto& d) {
      d.memory.push_back({{0, 1}, "m", 0, 64});
      d.transfers.push_back({{0, 1}, bd, "m", {.length = 4}});
      d.starts.push_back({{0, 1}, aie::dma_direction::mm2s, channel, {.bd = bd}});
    });
  };
  CHECK(memtile_start(24, 1).empty());
  CHECK(says(memtile_start(23, 1), "MM2S 1 cannot use BD 23"));
  CHECK(says(memtile_start(24, 2), "MM2S 2 cannot use BD 24"));
}

TEST_CASE("a chain that leaves the channel's half of the BDs is refused", "[config][description]") {
  CHECK(says(complaint([](auto& d) {
               d.memory.push_back({{0, 1}, "m", 0, 64});
               d.transfers.push_back({{0, 1}, 0, "m", {.length = 4, .use_next = true, .next_bd = 30}});
               d.transfers.push_back({{0, 1}, 30, "m", {.length = 4}});
               d.starts.push_back({{0, 1}, aie::dma_direction::s2mm, 0, {.bd = 0}});
             }),
             "S2MM 0 cannot use BD 30"));
}

TEST_CASE("programs belong to cores, one each; BDs of shims to the control code", "[config][description]") {
  CHECK(says(complaint([](auto& d) { d.programs[0].tile = {0, 1}; }), "no core"));
  CHECK(says(complaint([](auto& d) { d.programs.push_back(d.programs[0]); }), "two programs"));
  CHECK(says(complaint([](auto& d) { d.transfers.push_back({{0, 0}, 0, "x", {.length = 4}}); }), "control code"));
}
