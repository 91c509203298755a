// SPDX-License-Identifier: Apache-2.0
// Designs of the kind of mlir-aie's test/npu-xrt that move objects between host, memtiles and cores.
#include "emu/designs/design_run.hpp"

using namespace npurt;
using namespace npurt::emu;
using namespace npurt::emu::testing;

namespace {

/// A memtile passes 16-word objects on, two buffers deep.
void relay_by_memtile(device_design& d, tile_id t, aie::port in, aie::port out, unsigned lock, unsigned first_bd,
                      std::uint32_t at) {
  const std::string name = "relay" + std::to_string(lock);
  d.buffer(t, name + "a", at, 16);
  d.buffer(t, name + "b", at + 64, 16);
  d.fifo(t, {lock, lock + 1}, 2);
  d.ring(t, s2mm, in.index, first_bd, {name + "a", name + "b"}, 16, {lock, lock + 1});
  d.ring(t, mm2s, out.index, first_bd + 2, {name + "a", name + "b"}, 16, {lock, lock + 1});
}

}  // namespace

TEST_CASE("add_one_using_dma, and again by a second command", "[emu][designs]") {
  device_run run(add_by_one_core(1));
  auto& in = run.add_buffer(pattern(64));
  auto& out = run.add_buffer(64);
  run.run(in_and_out(64, 64));
  CHECK(out == added(in, 1));
  in = pattern(64, 9);
  run.run(in_and_out(64, 64));
  CHECK(out == added(in, 1));
}

TEST_CASE("add_one_objFifo: linked by a memtile on both ways", "[emu][designs]") {
  device_design d = add_by_one_core(41);
  d.array.flows.clear();
  relay_by_memtile(d, memtile, {bundle::dma, 0}, {bundle::dma, 0}, 0, 0, 0);
  relay_by_memtile(d, memtile, {bundle::dma, 2}, {bundle::dma, 2}, 2, 4, 0x1000);
  d.flow(shim, {bundle::dma, 0}, memtile, {bundle::dma, 0});
  d.flow(memtile, {bundle::dma, 0}, core2, {bundle::dma, 0});
  d.flow(core2, {bundle::dma, 0}, memtile, {bundle::dma, 2});
  d.flow(memtile, {bundle::dma, 2}, shim, {bundle::dma, 0});
  device_run run(d);
  auto& in = run.add_buffer(pattern(640));
  auto& out = run.add_buffer(640);
  run.run(in_and_out(640, 640));
  CHECK(out == added(in, 41));
}

TEST_CASE("add_256_using_dma_op_no_double_buffering", "[emu][designs]") {
  device_design d;
  d.buffer(core2, "in", 0x400, 16);
  d.buffer(core2, "out", 0x1000, 16);
  d.fifo(core2, {0, 1}, 1);
  d.fifo(core2, {2, 3}, 1);
  d.ring(core2, s2mm, 0, 0, {"in"}, 16, {0, 1});
  d.ring(core2, mm2s, 0, 1, {"out"}, 16, {2, 3});
  d.flow(shim, {bundle::dma, 0}, core2, {bundle::dma, 0});
  d.flow(core2, {bundle::dma, 0}, shim, {bundle::dma, 0});
  d.program(core2, add_in_turn(256, {0, 1}, {2, 3}, {{0x70400, 0x71000}}));
  device_run run(d);
  auto& in = run.add_buffer(pattern(160));
  auto& out = run.add_buffer(160);
  run.run(in_and_out(160, 160));
  CHECK(out == added(in, 256));
}

TEST_CASE("two_col: one input for the cores of two columns, an output each", "[emu][designs]") {
  device_design d(2);
  for (std::uint8_t col = 0; col < 2; ++col) {
    const tile_id t{col, 2};
    put_adder(d, t, 10 + col);
    d.flow(shim, {bundle::dma, 0}, t, {bundle::dma, 0});
    d.flow(t, {bundle::dma, 0}, {col, 0}, {bundle::dma, 0});
  }
  device_run run(d);
  auto& in = run.add_buffer(pattern(64));
  auto& left = run.add_buffer(64);
  auto& right = run.add_buffer(64);
  code_builder code;
  const shim_transfer first{.direction = s2mm, .argument = 1, .count = 64, .bd = 1, .shape = {}};
  const shim_transfer second{.direction = s2mm, .argument = 2, .count = 64, .bd = 1, .column = 1, .shape = {}};
  add(code, {.count = 64, .token = false, .shape = {}});
  add(code, first);
  add(code, second);
  // One sync for a block of two columns, as aiex.npu.sync with column_num 2.
  code.add({0x80, 16, 0, 1u << 8 | 2u << 16});
  run.run(code);
  CHECK(left == added(in, 10));
  CHECK(right == added(in, 11));
}

TEST_CASE("column_specific, device_width: only the last of three columns works", "[emu][designs]") {
  device_design d(3);
  const tile_id t{2, 2};
  put_adder(d, t, 7);
  d.flow({2, 0}, {bundle::dma, 1}, t, {bundle::dma, 0});
  d.flow(t, {bundle::dma, 0}, {2, 0}, {bundle::dma, 1});
  device_run run(d);
  auto& in = run.add_buffer(pattern(64));
  auto& out = run.add_buffer(64);
  code_builder code;
  const shim_transfer back{
      .direction = s2mm, .argument = 1, .count = 64, .bd = 1, .channel = 1, .column = 2, .shape = {}};
  add(code, {.count = 64, .channel = 1, .column = 2, .token = false, .shape = {}});
  add(code, back);
  wait(code, back);
  run.run(code);
  CHECK(out == added(in, 7));
}

TEST_CASE("neighbor_tile_memory_access: a core works in the memory of the tile south of it", "[emu][designs]") {
  device_design d;
  d.buffer(core2, "in", 0x400, 16);
  d.buffer(core2, "out", 0x1000, 16);
  d.fifo(core2, {0, 1}, 1);
  d.fifo(core2, {2, 3}, 1);
  d.ring(core2, s2mm, 0, 0, {"in"}, 16, {0, 1});
  d.ring(core2, mm2s, 0, 1, {"out"}, 16, {2, 3});
  d.flow(shim, {bundle::dma, 0}, core2, {bundle::dma, 0});
  d.flow(core2, {bundle::dma, 0}, shim, {bundle::dma, 0});
  // Core (0,3): the locks south of it are 0 to 15, the memory is at 0x40000.
  d.program(core3,
            for_ever(5, take(1) + take(2) + nops(4) + add_block({0x40400, 0x41000}) + give(0) + give(3) + nops(2)));
  device_run run(d);
  auto& in = run.add_buffer(pattern(64));
  auto& out = run.add_buffer(64);
  run.run(in_and_out(64, 64));
  CHECK(out == added(in, 5));
}

TEST_CASE("cascade_flows, matrix_multiplication_using_cascade: three cores, each adds its part", "[emu][designs]") {
  device_design d;
  d.buffer(core4, "in", 0x400, 16);
  d.buffer(core2, "out", 0x1000, 16);
  d.fifo(core4, {0, 1}, 1);
  d.fifo(core2, {2, 3}, 1);
  d.ring(core4, s2mm, 0, 0, {"in"}, 16, {0, 1});
  d.ring(core2, mm2s, 0, 1, {"out"}, 16, {2, 3});
  d.flow(shim, {bundle::dma, 0}, core4, {bundle::dma, 0});
  d.flow(core2, {bundle::dma, 0}, shim, {bundle::dma, 0});
  d.program(core4, for_ever(100, take(own_locks + 1) + nops(4) + "movxm p0, #0x70400\n" + nops(4) +
                                     "vlda wl0, [p0, #0]\nvlda wh0, [p0, #32]\n" + nops(8) + "vadd.32 x0, x0, x4\n" +
                                     nops(4) + "vmov MCD, x0\n" + nops(4) + give(own_locks)));
  d.program(core3,
            for_ever(20, "vmov x0, SCD\n" + nops(8) + "vadd.32 x0, x0, x4\n" + nops(4) + "vmov MCD, x0\n" + nops(4)));
  d.program(core2,
            for_ever(3, "vmov x0, SCD\n" + take(own_locks + 2) + nops(8) + "vadd.32 x0, x0, x4\nmovxm p1, #0x71000\n" +
                            nops(4) + "vst wl0, [p1, #0]\nvst wh0, [p1, #32]\n" + nops(8) + give(own_locks + 3)));
  pdi_builder pdi = d.pdi();
  for (const tile_id t : {core2, core3, core4}) pdi.write(t, 0x36060, 0);  // from the north, to the south
  device_run run(pdi, 1);
  auto& in = run.add_buffer(pattern(64));
  auto& out = run.add_buffer(64);
  run.run(in_and_out(64, 64));
  CHECK(out == added(in, 123));
}

TEST_CASE("static_L1_init, vec_vec_add_tile_init: contents of the PDI are added to the input", "[emu][designs]") {
  device_design d;
  const words constants = pattern(16, 77);
  d.buffer(core2, "in", 0x400, 16);
  d.buffer(core2, "constants", 0x800, 16, constants);
  d.buffer(core2, "out", 0x1000, 16);
  d.fifo(core2, {0, 1}, 1);
  d.fifo(core2, {2, 3}, 1);
  d.ring(core2, s2mm, 0, 0, {"in"}, 16, {0, 1});
  d.ring(core2, mm2s, 0, 1, {"out"}, 16, {2, 3});
  d.flow(shim, {bundle::dma, 0}, core2, {bundle::dma, 0});
  d.flow(core2, {bundle::dma, 0}, shim, {bundle::dma, 0});
  d.program(core2, for_ever(0, "movxm p2, #0x70800\n" + nops(4) + "vlda wl4, [p2, #0]\nvlda wh4, [p2, #32]\n" +
                                   take(own_locks + 1) + take(own_locks + 2) + nops(8) + add_block({0x70400, 0x71000}) +
                                   give(own_locks) + give(own_locks + 3)));
  device_run run(d);
  auto& in = run.add_buffer(pattern(32));
  auto& out = run.add_buffer(32);
  run.run(in_and_out(32, 32));
  words expected = in;
  for (unsigned i = 0; i < 32; ++i) expected[i] += constants[i % 16];
  CHECK(out == expected);
}

TEST_CASE("vec_vec_add_memtile_init, objectfifo_repeat/init_values_repeat: a memtile sends its contents three times",
          "[emu][designs]") {
  device_design d;
  const words contents = pattern(64, 5);
  d.buffer(memtile, "constants", 0x200, 64, contents);
  d.array.transfers.push_back({memtile, 0, "constants", {.length = 64}});
  d.array.starts.push_back({memtile, mm2s, 0, {.bd = 0, .repeat = 3}});
  d.flow(memtile, {bundle::dma, 0}, shim, {bundle::dma, 0});
  device_run run(d);
  run.add_buffer(1);
  auto& out = run.add_buffer(192);
  code_builder code;
  const shim_transfer back{.direction = s2mm, .argument = 1, .count = 192, .bd = 1, .shape = {}};
  add(code, back);
  wait(code, back);
  run.run(code);
  for (unsigned i = 0; i < 192; ++i) REQUIRE(out[i] == contents[i % 64]);
}

TEST_CASE("bd_chain_repeat_on_memtile: a chain of two BDs runs four times for each object", "[emu][designs]") {
  device_design d;
  d.buffer(memtile, "a", 0, 16, pattern(16, 1));
  d.buffer(memtile, "b", 0x1000, 16, pattern(16, 2));
  d.array.transfers.push_back({memtile, 0, "a", {.length = 16, .use_next = true, .next_bd = 1}});
  d.array.transfers.push_back({memtile, 1, "b", {.length = 16}});
  d.array.starts.push_back({memtile, mm2s, 0, {.bd = 0, .repeat = 4}});
  d.flow(memtile, {bundle::dma, 0}, shim, {bundle::dma, 0});
  device_run run(d);
  run.add_buffer(1);
  auto& out = run.add_buffer(128);
  code_builder code;
  const shim_transfer back{.direction = s2mm, .argument = 1, .count = 128, .bd = 1, .shape = {}};
  add(code, back);
  wait(code, back);
  run.run(code);
  const words a = pattern(16, 1), b = pattern(16, 2);
  for (unsigned i = 0; i < 128; ++i) REQUIRE(out[i] == (i / 16 % 2 == 0 ? a : b)[i % 16]);
}

TEST_CASE("adjacent_memtile_access: a memtile's channels work in the memory and on the locks of the next one",
          "[emu][designs]") {
  device_design d(2);
  d.flow(shim, {bundle::dma, 0}, memtile, {bundle::dma, 0});
  d.flow(memtile, {bundle::dma, 0}, shim, {bundle::dma, 0});
  pdi_builder pdi = d.pdi();
  // Addresses of the memory east of a memtile begin at 0x100000, its locks at 128 (AM020 chapter 5).
  constexpr std::uint32_t east = 0x100000;
  pdi.write({1, 1}, 0xC0000, 1);
  pdi.block(memtile, 0xA0000,
            bd_words(aie::tile_kind::memtile, {.address = east + 0x400,
                                               .length = 32,
                                               .use_next = true,
                                               .next_bd = 0,
                                               .acquire_enable = true,
                                               .acquire_lock = 128,
                                               .acquire_value = -1,
                                               .release_lock = 129,
                                               .release_value = 1}));
  pdi.block(memtile, 0xA0020,
            bd_words(aie::tile_kind::memtile, {.address = east + 0x400,
                                               .length = 32,
                                               .use_next = true,
                                               .next_bd = 1,
                                               .acquire_enable = true,
                                               .acquire_lock = 129,
                                               .acquire_value = -1,
                                               .release_lock = 128,
                                               .release_value = 1}));
  pdi.write(memtile, 0xA0604, 0).write(memtile, 0xA0634, 1);
  device_run run(pdi, 2);
  auto& in = run.add_buffer(pattern(96));
  auto& out = run.add_buffer(96);
  run.run(in_and_out(96, 96));
  CHECK(out == in);
}

TEST_CASE("dynamic_object_fifo: the core finds buffer and lock at run time, and ends; reset lets it run again",
          "[emu][designs]") {
  device_design d = add_by_one_core(0);
  d.array.programs.clear();
  // Four objects; the buffer's address is 0x70400 + 64 * (count & 1), the lock's number comes from a register.
  d.program(core2, "mova r0, #9\nmova r2, #-1\nmova r3, #1\nmova r4, #4\nmova r5, #0\nmova r10, #49\n" + nops(4) +
                       "vbcst.32 x4, r0\n" + nops(4) + "again:\nacq r10, r2\n" + take(own_locks + 2) + nops(4) +
                       "movxm r6, #0x70400\nmovxm r7, #0x71000\n" + nops(2) + "add r6, r6, r5\nadd r7, r7, r5\n" +
                       nops(2) + "mov p0, r6\nmov p1, r7\n" + nops(4) + "vlda wl0, [p0, #0]\nvlda wh0, [p0, #32]\n" +
                       nops(8) + "vadd.32 x0, x0, x4\n" + nops(4) + "vst wl0, [p1, #0]\nvst wh0, [p1, #32]\n" +
                       nops(8) + give(own_locks) + give(own_locks + 3) + "mova r8, #64\n" + nops(4) +
                       "xor r5, r5, r8\nadd r4, r4, #-1\n" + nops(2) + "jnz r4, #again\n" + nops(5) + nops(4) +
                       "done\n" + nops(6));
  device_run run(d);
  auto& in = run.add_buffer(pattern(64));
  auto& out = run.add_buffer(64);
  run.run(in_and_out(64, 64));
  CHECK(out == added(in, 9));
  // The core has ended; Core_Control: reset, run.
  code_builder again;
  again.mask_poll(aie::pack_address({core2, 0x32004}), 1u << 20, 1u << 20);
  again.mask_write(aie::pack_address({core2, 0x32000}), 2, 2).mask_write(aie::pack_address({core2, 0x32000}), 0, 2);
  again.mask_write(aie::pack_address({core2, 0x32000}), 1, 1);
  const shim_transfer back{.direction = s2mm, .argument = 1, .count = 64, .bd = 1, .shape = {}};
  add(again, {.count = 64, .token = false, .shape = {}});
  add(again, back);
  wait(again, back);
  out.assign(64, 0);
  run.run(again);
  CHECK(out == added(in, 9));
}
