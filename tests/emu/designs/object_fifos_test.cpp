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

/// Accumulator_Control: where a core's cascade comes from and goes to (AM025; north and south if not set).
constexpr std::uint32_t cascade_control = 0x36060, from_west = 1, to_east = 2;

/// Column `k` of the 4 x 4 words at 0x70400 times the four words at 0x70800, to 0x70C00, where p2 points then.
std::string products(unsigned k) {
  std::string text = "movxm p0, #0x70400\nmovxm p1, #0x70800\nmovxm p2, #0x70C00\n" + nops(4);
  for (unsigned i = 0; i < 4; ++i)
    text += "lda r" + std::to_string(8 + i) + ", [p0, #" + std::to_string(16 * i + 4 * k) + "]\nlda r" +
            std::to_string(12 + i) + ", [p1, #" + std::to_string(4 * i) + "]\n";
  text += nops(8);
  for (unsigned i = 0; i < 16; ++i)
    text += "mul r5, r" + std::to_string(8 + i / 4) + ", r" + std::to_string(12 + i % 4) + "\n" + nops(2) +
            "st r5, [p2, #" + std::to_string(4 * i) + "]\n";
  return text + nops(8);
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

TEST_CASE("column_specific, device_width: only the last of three columns, of two columns works", "[emu][designs]") {
  const auto [name, columns] =
      GENERATE(std::pair{"column_specific", std::uint8_t{3}}, std::pair{"device_width", std::uint8_t{2}});
  INFO(name);
  const auto last = static_cast<std::uint8_t>(columns - 1);
  device_design d(columns);
  const tile_id t{last, 2};
  put_adder(d, t, 7);
  d.flow({last, 0}, {bundle::dma, 1}, t, {bundle::dma, 0});
  d.flow(t, {bundle::dma, 0}, {last, 0}, {bundle::dma, 1});
  device_run run(d);
  auto& in = run.add_buffer(pattern(64));
  auto& out = run.add_buffer(64);
  code_builder code;
  const shim_transfer back{
      .direction = s2mm, .argument = 1, .count = 64, .bd = 1, .channel = 1, .column = last, .shape = {}};
  add(code, {.count = 64, .channel = 1, .column = last, .token = false, .shape = {}});
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

TEST_CASE("cascade_flows: three cores, each adds its part, the way goes east, then south", "[emu][designs]") {
  constexpr tile_id first{0, 3}, second{1, 3}, last{1, 2};
  device_design d(2);
  d.buffer(first, "in", 0x400, 16);
  d.buffer(last, "out", 0x1000, 16);
  d.fifo(first, {0, 1}, 1);
  d.fifo(last, {2, 3}, 1);
  d.ring(first, s2mm, 0, 0, {"in"}, 16, {0, 1});
  d.ring(last, mm2s, 0, 1, {"out"}, 16, {2, 3});
  d.flow(shim, {bundle::dma, 0}, first, {bundle::dma, 0});
  d.flow(last, {bundle::dma, 0}, shim, {bundle::dma, 0});
  d.program(first, for_ever(100, take(own_locks + 1) + nops(4) + "movxm p0, #0x70400\n" + nops(4) +
                                     "vlda wl0, [p0, #0]\nvlda wh0, [p0, #32]\n" + nops(8) + "vadd.32 x0, x0, x4\n" +
                                     nops(4) + "vmov MCD, x0\n" + nops(4) + give(own_locks)));
  d.program(second,
            for_ever(20, "vmov x0, SCD\n" + nops(8) + "vadd.32 x0, x0, x4\n" + nops(4) + "vmov MCD, x0\n" + nops(4)));
  d.program(last,
            for_ever(3, "vmov x0, SCD\n" + take(own_locks + 2) + nops(8) + "vadd.32 x0, x0, x4\nmovxm p1, #0x71000\n" +
                            nops(4) + "vst wl0, [p1, #0]\nvst wh0, [p1, #32]\n" + nops(8) + give(own_locks + 3)));
  pdi_builder pdi = d.pdi();
  pdi.write(first, cascade_control, to_east).write(second, cascade_control, from_west).write(last, cascade_control, 0);
  device_run run(pdi, 2);
  auto& in = run.add_buffer(pattern(64));
  auto& out = run.add_buffer(64);
  run.run(in_and_out(64, 64));
  CHECK(out == added(in, 123));
}

TEST_CASE("matrix_multiplication_using_cascade: four cores in a row, each adds the products of its part of K",
          "[emu][designs]") {
  // C = A * B, all 4 x 4 words: core k has row k of B, all cores get A.
  device_design d(4);
  const words b = pattern(16, 9);
  const tile_id last{3, 2};
  for (std::uint8_t k = 0; k < 4; ++k) {
    const tile_id t{k, 2};
    d.buffer(t, "a", 0x400, 16);
    d.buffer(t, "b", 0x800, 4, words(b.begin() + 4 * k, b.begin() + 4 * (k + 1)));
    d.buffer(t, "part", 0xC00, 16);
    d.fifo(t, {0, 1}, 1);
    d.ring(t, s2mm, 0, 0, {"a"}, 16, {0, 1});
    d.flow(shim, {bundle::dma, 0}, t, {bundle::dma, 0});
    d.program(t,
              for_ever(0, take(own_locks + 1) + nops(4) + products(k) + give(own_locks) +
                              "vlda wl0, [p2, #0]\nvlda wh0, [p2, #32]\n" + nops(8) +
                              (k == 0 ? "" : "vmov x1, SCD\n" + nops(8) + "vadd.32 x0, x0, x1\n" + nops(4)) +
                              (t == last ? take(own_locks + 2) + "movxm p1, #0x71000\n" + nops(4) +
                                               "vst wl0, [p1, #0]\nvst wh0, [p1, #32]\n" + nops(8) + give(own_locks + 3)
                                         : "vmov MCD, x0\n" + nops(4))));
  }
  d.buffer(last, "out", 0x1000, 16);
  d.fifo(last, {2, 3}, 1);
  d.ring(last, mm2s, 0, 1, {"out"}, 16, {2, 3});
  d.flow(last, {bundle::dma, 0}, shim, {bundle::dma, 0});
  pdi_builder pdi = d.pdi();
  for (std::uint8_t k = 0; k < 4; ++k)
    pdi.write({k, 2}, cascade_control, (k == 0 ? 0 : from_west) | (k == 3 ? 0 : to_east));
  device_run run(pdi, 4);
  auto& a = run.add_buffer(pattern(48));
  auto& out = run.add_buffer(48);
  run.run(in_and_out(48, 48));
  for (unsigned i = 0; i < 48; ++i) {
    std::uint32_t sum = 0;
    for (unsigned k = 0; k < 4; ++k) sum += a[i / 4 * 4 + k] * b[4 * k + i % 4];
    REQUIRE(out[i] == sum);
  }
}

TEST_CASE("vec_vec_add_tile_init, static_L1_init: contents of the PDI are added to the input", "[emu][designs]") {
  const char* const name = GENERATE("vec_vec_add_tile_init", "static_L1_init");
  INFO(name);
  device_design d;
  // That design has a core above whose program ends at once.
  if (name == std::string("static_L1_init")) d.program(core3, end_of_program());
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
