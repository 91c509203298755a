// SPDX-License-Identifier: Apache-2.0
// Designs of the kind of mlir-aie's test/npu-xrt whose control code does more than shim transfers.
#include <catch2/matchers/catch_matchers_string.hpp>

#include "emu/designs/design_run.hpp"

using namespace npurt;
using namespace npurt::emu;
using namespace npurt::emu::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

std::uint32_t at(tile_id t, std::uint32_t offset) { return aie::pack_address({t, offset}); }

/// What comes back by shim S2MM 0 into bo1.
shim_transfer back(std::uint32_t count, unsigned bd = 1) {
  return {.direction = s2mm, .argument = 1, .count = count, .bd = bd, .shape = {}};
}

/// Core (0,2) adds the sixteen words at 0x400 and 1 when lock 0 is given, and sends them off.
device_design add_what_the_host_writes() {
  device_design d;
  d.buffer(core2, "in", 0x400, 16);
  d.buffer(core2, "out", 0x1000, 16);
  d.lock(core2, 0, 0);
  d.fifo(core2, {2, 3}, 1);
  d.ring(core2, mm2s, 0, 0, {"out"}, 16, {2, 3});
  d.flow(core2, {bundle::dma, 0}, shim, {bundle::dma, 0});
  d.program(core2, for_ever(1, take(own_locks) + take(own_locks + 2) + nops(4) + add_block({0x70400, 0x71000}) +
                                   give(own_locks + 3)));
  return d;
}

/// Tokens of another tile of the column, id 3, leave by South 0 too.
void route_tokens(device_design& d, tile_id t) {
  d.packets(t, {bundle::tile_control, 0}, shim, {bundle::south, 0}, 3, false);
}

/// BD, controller id 3, task with token.
void task(code_builder& code, tile_id t, aie::dma_direction direction, unsigned bd, dma_bd what, unsigned repeat = 1) {
  const auto kind = aie::npu1.kind(t);
  if (kind == aie::tile_kind::memtile) what.address += 0x80000;
  code.block(at(t, aie::bd_offset(kind, bd)), bd_words(kind, what));
  code.mask_write(at(t, aie::dma_ctrl_offset(kind, direction, 0)), 3u << 8, 0x1F00);
  code.write(at(t, aie::dma_queue_offset(kind, direction, 0)),
             aie::pack_task({static_cast<std::uint8_t>(bd), static_cast<std::uint16_t>(repeat), true}));
}

}  // namespace

TEST_CASE("add_blockwrite: control code writes a core's buffer, then gives its lock", "[emu][designs]") {
  device_run run(add_what_the_host_writes());
  run.add_buffer(1);
  auto& out = run.add_buffer(16);
  words data = pattern(16);
  code_builder code;
  code.block(at(core2, 0x400), data).write(at(core2, 0x400 + 4 * 4), 42);
  add(code, back(16));
  code.write(at(core2, 0x1F000), 1);
  wait(code, back(16));
  run.run(code);
  data[4] = 42;
  CHECK(out == added(data, 1));
}

TEST_CASE("add_maskwrite: masked writes change the bits of a core's buffer that they name", "[emu][designs]") {
  device_run run(add_what_the_host_writes());
  run.add_buffer(1);
  auto& out = run.add_buffer(16);
  code_builder code;
  code.block(at(core2, 0x400), words(16, 0x37373737));
  code.mask_write(at(core2, 0x400), 0x12345678, 0xF0F0F0F0).mask_write(at(core2, 0x404), 0x9ABCDEF0, 0x0F0F0F0F);
  add(code, back(16));
  code.write(at(core2, 0x1F000), 1);
  wait(code, back(16));
  run.run(code);
  CHECK(out[0] == 0x17375778);  // 0x17375777 + 1
  CHECK(out[1] == 0x3A3C3E31);  // 0x3A3C3E30 + 1
  CHECK(out[2] == 0x37373738);
}

TEST_CASE("core_dmas/dma_configure_task_token, tile_dmas/writebd_tokens: a core tile's channels, with tokens of theirs",
          "[emu][designs]") {
  device_design d;
  d.flow(shim, {bundle::dma, 0}, core2, {bundle::dma, 0});
  d.flow(core2, {bundle::dma, 0}, shim, {bundle::dma, 0});
  route_tokens(d, core2);
  device_run run(d);
  auto& in = run.add_buffer(pattern(1024));
  auto& out = run.add_buffer(1024);
  code_builder code;
  add(code, {.count = 1024, .token = false, .shape = {}});
  task(code, core2, s2mm, 0, {.address = 0x400, .length = 1024});
  code.sync(core2, 0, 0);
  task(code, core2, mm2s, 1, {.address = 0x400, .length = 1024});
  add(code, back(1024));
  wait(code, back(1024));
  code.sync(core2, 1, 0);
  run.run(code);
  CHECK(out == in);
}

TEST_CASE(
    "memtile_dmas/dma_configure_task_token, memtile_dmas/writebd_tokens: a chain of four BDs in a memtile, with a "
    "token",
    "[emu][designs]") {
  device_design d;
  d.flow(shim, {bundle::dma, 0}, memtile, {bundle::dma, 0});
  d.flow(memtile, {bundle::dma, 0}, shim, {bundle::dma, 0});
  route_tokens(d, memtile);
  device_run run(d);
  auto& in = run.add_buffer(pattern(4096));
  auto& out = run.add_buffer(4096);
  code_builder code;
  const unsigned order[4]{1, 3, 0, 2};
  for (unsigned i = 0; i < 4; ++i)
    code.block(at(memtile, 0xA0000 + 0x20 * (4 + i)),
               bd_words(aie::tile_kind::memtile, {.address = 0x80000 + 0x1000 * order[i],
                                                  .length = 1024,
                                                  .use_next = i != 3,
                                                  .next_bd = static_cast<std::uint8_t>(5 + i)}));
  const shim_transfer send{.count = 4096, .shape = {}};
  add(code, send);
  code.mask_write(at(memtile, 0xA0600), 3u << 8, 0x1F00).write(at(memtile, 0xA0604), 4 | 1u << 31);
  wait(code, send);
  code.sync(memtile, 0, 0);
  task(code, memtile, mm2s, 1, {.length = 4096});
  add(code, back(4096));
  wait(code, back(4096));
  code.sync(memtile, 1, 0);
  run.run(code);
  for (unsigned i = 0; i < 4096; ++i) REQUIRE(out[1024 * order[i / 1024] + i % 1024] == in[i]);
}

TEST_CASE(
    "memtile_dmas and tile_dmas/blockwrite_using_locks and writebd, core_dmas/dma_configure_task_lock: BDs by "
    "control code, locks between",
    "[emu][designs]") {
  struct variant {
    const char* name;
    tile_id tile;
    bool blocks;  ///< BDs by block writes, or word by word
  };
  const auto [name, t, blocks] = GENERATE(
      variant{"memtile_dmas/blockwrite_using_locks", memtile, true}, variant{"memtile_dmas/writebd", memtile, false},
      variant{"tile_dmas/blockwrite_using_locks", core2, true}, variant{"tile_dmas/writebd", core2, false},
      variant{"core_dmas/dma_configure_task_lock", core2, true});
  INFO(name);
  const bool is_memtile = t == memtile;
  const auto kind = aie::npu1.kind(t);
  device_design d;
  d.flow(shim, {bundle::dma, 0}, t, {bundle::dma, 0});
  d.flow(t, {bundle::dma, 0}, shim, {bundle::dma, 0});
  d.lock(t, 0, 1);
  d.lock(t, 1, 0);
  device_run run(d);
  auto& in = run.add_buffer(pattern(4096));
  auto& out = run.add_buffer(4096);
  code_builder code;
  const auto bd = [&](unsigned id, unsigned takes, unsigned gives) {
    const auto lock = [&](unsigned lock_id) { return static_cast<std::uint8_t>(is_memtile ? 64 + lock_id : lock_id); };
    const words w = bd_words(kind, {.address = is_memtile ? 0x80000u : 0u,
                                    .length = 4096,
                                    .acquire_enable = true,
                                    .acquire_lock = lock(takes),
                                    .acquire_value = -1,
                                    .release_lock = lock(gives),
                                    .release_value = 1});
    const std::uint32_t first = at(t, aie::bd_offset(kind, id));
    if (blocks) code.block(first, w);
    for (std::uint32_t i = 0; !blocks && i < w.size(); ++i) code.write(first + 4 * i, w[i]);
  };
  add(code, {.count = 4096, .token = false, .shape = {}});
  bd(0, 0, 1);
  code.write(at(t, aie::dma_queue_offset(kind, s2mm, 0)), 0);
  bd(1, 1, 0);
  code.write(at(t, aie::dma_queue_offset(kind, mm2s, 0)), 1);
  add(code, back(4096));
  wait(code, back(4096));
  run.run(code);
  run.run(code);  // the locks are as before
  CHECK(out == in);
}

TEST_CASE("memtile_dmas/dma_configure_task_lock: a chain of four BDs by control code, one BD waits for all of them",
          "[emu][designs]") {
  device_design d;
  d.flow(shim, {bundle::dma, 0}, memtile, {bundle::dma, 0});
  d.flow(memtile, {bundle::dma, 0}, shim, {bundle::dma, 0});
  d.lock(memtile, 0, 4);
  d.lock(memtile, 1, 0);
  device_run run(d);
  auto& in = run.add_buffer(pattern(4096));
  auto& out = run.add_buffer(4096);
  code_builder code;
  add(code, {.count = 4096, .token = false, .shape = {}});
  const auto bd = [&](unsigned id, dma_bd what, unsigned takes, int count) {
    what.acquire_enable = true;
    what.acquire_lock = static_cast<std::uint8_t>(64 + takes);
    what.acquire_value = static_cast<std::int8_t>(-count);
    what.release_lock = static_cast<std::uint8_t>(65 - takes);
    what.release_value = static_cast<std::int8_t>(count);
    code.block(at(memtile, aie::bd_offset(aie::tile_kind::memtile, id)), bd_words(aie::tile_kind::memtile, what));
  };
  const unsigned order[4]{1, 3, 0, 2};
  for (unsigned i = 0; i < 4; ++i)
    bd(i,
       {.address = 0x80000 + 0x1000 * order[i],
        .length = 1024,
        .use_next = i != 3,
        .next_bd = static_cast<std::uint8_t>(i + 1)},
       0, 1);
  code.write(at(memtile, 0xA0604), 0);
  bd(4, {.address = 0x80000, .length = 4096}, 1, 4);
  code.write(at(memtile, 0xA0634), 4);
  add(code, back(4096));
  wait(code, back(4096));
  run.run(code);
  run.run(code);
  for (unsigned i = 0; i < 4096; ++i) REQUIRE(out[1024 * order[i / 1024] + i % 1024] == in[i]);
}

TEST_CASE("add_one_two, add_one_two_runlist: two PDIs, their kernels in turn", "[emu][designs]") {
  device_run run(add_by_one_core(1));
  run.add_unit(1, add_by_one_core(2).pdi());
  auto& in = run.add_buffer(pattern(64));
  auto& out = run.add_buffer(64);
  for (const std::uint32_t unit : {0u, 1u, 1u, 0u}) {
    out.assign(64, 0);
    run.run(in_and_out(64, 64), unit);
    CHECK(out == added(in, unit + 1));
  }
}

TEST_CASE("add_one_two_txn: control code configures the whole array anew, over the design that runs",
          "[emu][designs]") {
  device_run run(add_by_one_core(1));
  auto& in = run.add_buffer(pattern(64));
  auto& out = run.add_buffer(64);
  run.run(in_and_out(64, 64));
  CHECK(out == added(in, 1));
  code_builder configuration;
  for (const auto& w : add_by_one_core(2).writes()) {
    if (w.how == config::register_write::form::block) configuration.block(w.address, w.data);
    if (w.how == config::register_write::form::word) configuration.write(w.address, w.value);
    if (w.how == config::register_write::form::mask) configuration.mask_write(w.address, w.value, w.mask);
  }
  run.run(configuration);
  run.run(in_and_out(64, 64));
  CHECK(out == added(in, 2));
}

TEST_CASE("loadpdi, reconfigure_loadpdi: control code loads another PDI, then uses it", "[emu][designs]") {
  device_run run(add_by_one_core(1));
  auto& in = run.add_buffer(pattern(64));
  auto& out = run.add_buffer(64);
  const auto pdi = add_by_one_core(8).pdi().build();
  words image(pdi.size() / 4);
  std::memcpy(image.data(), pdi.data(), pdi.size());
  constexpr std::uint32_t address = 0x4000000;
  run.host.add(address, image.size()) = image;
  code_builder code;
  code.add({8 | 1u << 16, static_cast<std::uint32_t>(pdi.size()), address, 0});
  add(code, {.count = 64, .token = false, .shape = {}});
  add(code, back(64));
  wait(code, back(64));
  const auto result = run.execute(code);
  INFO(result.report);
  CHECK(result.outcome == command_outcome::completed);
  CHECK(out == added(in, 8));
  REQUIRE(result.notes.size() == 1);
  CHECK_THAT(result.notes[0], ContainsSubstring("load_pdi") && ContainsSubstring("not established"));
  // It is loaded already; each is told once.
  const auto again = run.execute(code).notes;
  REQUIRE(again.size() == 1);
  CHECK_THAT(again[0], ContainsSubstring("PDI 1 is loaded already"));
  CHECK(run.execute(code).notes.empty());
}

TEST_CASE("operations that Phoenix may not have are accepted and told once", "[emu][designs]") {
  device_run run(add_by_one_core(1));
  auto& in = run.add_buffer(pattern(64));
  auto& out = run.add_buffer(64);
  code_builder code;
  code.add({6 | 1u << 8});                               // preempt, level 1
  code.add({5});                                         // noop
  code.add({0x83, 12, 7});                               // record timer
  code.add({0x82, 16, 1, 0x32004});                      // read registers
  code.add({7, 0, at(core2, 0x32004), 0, 1, 1, 32, 0});  // mask poll busy: the core is enabled
  add(code, {.count = 64, .token = false, .shape = {}});
  add(code, back(64));
  wait(code, back(64));
  const auto result = run.execute(code);
  INFO(result.report);
  CHECK(result.outcome == command_outcome::completed);
  CHECK(result.notes.size() == 4);
  CHECK(out == added(in, 1));
}

TEST_CASE("output that control code does not wait for is there soon after the command", "[emu][designs]") {
  device_run run(add_by_one_core(5));
  auto& in = run.add_buffer(pattern(64));
  auto& out = run.add_buffer(64);
  code_builder code;
  const shim_transfer send{.count = 64, .shape = {}};
  add(code, back(64));
  add(code, send);
  wait(code, send);
  run.run(code);
  CHECK(out == added(in, 5));
}

TEST_CASE("what goes to an argument that the command leaves out is lost, and told", "[emu][designs]") {
  device_run run(add_by_one_core(5));
  auto& in = run.add_buffer(pattern(64));
  run.add_missing();
  code_builder code = in_and_out(64, 64);
  const auto result = run.execute(code);
  INFO(result.report);
  CHECK(result.outcome == command_outcome::completed);
  REQUIRE(result.notes.size() == 1);
  CHECK_THAT(result.notes[0], ContainsSubstring("S2MM 0") && ContainsSubstring("does not give"));
  CHECK(in == pattern(64));
}
