// SPDX-License-Identifier: Apache-2.0
// Designs of the kind of mlir-aie's test/npu-xrt whose memtile changes the size of objects, pads or repeats them, or
// has contents of its own.
#include "emu/designs/design_run.hpp"

using namespace npurt;
using namespace npurt::emu;
using namespace npurt::emu::testing;

namespace {

/// Words of an object on its way host -> memtile -> core (0,2) -> memtile -> host.
struct object_sizes {
  std::uint32_t from_host;  ///< as the host sends it
  std::uint32_t between;    ///< as the memtile sends it on, and as it comes back to the host
  std::uint32_t of_core;    ///< as the core takes and gives it
};

/// Rings `depth` deep all the way; `shape` is the way of the memtile's MM2S to the core.
device_design resize_by_memtile(const object_sizes& words_of, unsigned depth, const dma_bd& shape = {}) {
  device_design d;
  d.fifo(memtile, {0, 1}, depth);
  d.fifo(memtile, {2, 3}, depth);
  const auto in = d.buffers(memtile, "memtile in", 0, depth, words_of.between);
  const auto out = d.buffers(memtile, "memtile out", 0x8000, depth, words_of.between);
  d.ring(memtile, s2mm, 0, 0, in, words_of.from_host, {0, 1});
  d.ring(memtile, mm2s, 0, 2, in, words_of.between, {0, 1}, shape);
  d.ring(memtile, s2mm, 1, 24, out, words_of.between, {2, 3});
  d.ring(memtile, mm2s, 1, 26, out, words_of.between, {2, 3});
  d.fifo(core2, {0, 1}, depth);
  d.fifo(core2, {2, 3}, depth);
  d.ring(core2, s2mm, 0, 0, d.buffers(core2, "in", 0x400, depth, words_of.of_core), words_of.of_core, {0, 1});
  d.ring(core2, mm2s, 0, 2, d.buffers(core2, "out", 0x2000, depth, words_of.of_core), words_of.of_core, {2, 3});
  d.flow(shim, {bundle::dma, 0}, memtile, {bundle::dma, 0});
  d.flow(memtile, {bundle::dma, 0}, core2, {bundle::dma, 0});
  d.flow(core2, {bundle::dma, 0}, memtile, {bundle::dma, 1});
  d.flow(memtile, {bundle::dma, 1}, shim, {bundle::dma, 0});
  return d;
}

/// Eight objects, in two buffers by turns, then the core ends.
std::string add_to_eight(int addend, const std::string& bits) {
  std::string body;
  for (std::uint32_t i = 0; i < 2; ++i)
    body += take(own_locks + 1) + take(own_locks + 2) + nops(4) +
            add_block({0x70400 + 64 * i, 0x72000 + 64 * i}, "vadd." + bits) + give(own_locks) + give(own_locks + 3) +
            nops(2);
  return addend_and_locks(addend, "vbcst." + bits) + times(4, "again", body) + end_of_program();
}

/// Two runs of 64 words that the core makes eight objects of.
void check_eight_objects(int addend) {
  device_design d = resize_by_memtile({16, 16, 8}, 2);
  d.program(core2, add_to_eight(addend, "32"));
  device_run run(d);
  auto& in = run.add_buffer(pattern(64));
  auto& out = run.add_buffer(64);
  run.run(in_and_out(64, 64));
  CHECK(out == added(in, static_cast<std::uint32_t>(addend)));
}

/// Each byte plus `addend`.
words added_bytes(words values, std::uint32_t addend) {
  for (std::uint32_t& w : values) {
    std::uint32_t sum = 0;
    for (unsigned shift = 0; shift < 32; shift += 8) sum |= (((w >> shift) + addend) & 0xFF) << shift;
    w = sum;
  }
  return values;
}

/// A BD that waits for `takes` of one lock, gives `gives` of another and follows itself.
dma_bd counted(std::uint32_t count, unsigned bd, unsigned lock, int takes, unsigned next_lock, int gives) {
  return {.length = count,
          .use_next = true,
          .next_bd = static_cast<std::uint8_t>(bd),
          .acquire_enable = true,
          .acquire_lock = static_cast<std::uint8_t>(lock),
          .acquire_value = static_cast<std::int8_t>(-takes),
          .release_lock = static_cast<std::uint8_t>(next_lock),
          .release_value = static_cast<std::int8_t>(gives)};
}

}  // namespace

TEST_CASE("add_314_using_dma_op: objects of sixteen words come to the core as two of eight, and go back so",
          "[emu][designs]") {
  check_eight_objects(314);
}

TEST_CASE("add_one_cpp_aiecc, add_one_cpp_aiecc_xchesscc: the linked object fifos of that design, and a core that ends",
          "[emu][designs]") {
  check_eight_objects(1);
}

TEST_CASE("add_378_i32_using_dma_op_with_padding: two words before and one after each thirteen", "[emu][designs]") {
  dma_bd shape;
  shape.dimensions[0] = {.step = 1, .wrap = 13, .zero_before = 2, .zero_after = 1};
  device_design d = resize_by_memtile({13, 16, 8}, 2, shape);
  d.program(core2, add_to_eight(378, "32"));
  device_run run(d);
  const words in = run.add_buffer(pattern(52));
  auto& out = run.add_buffer(64);
  run.run(in_and_out(52, 64));
  for (unsigned i = 0; i < 64; ++i) {
    const unsigned at = i % 16;
    REQUIRE(out[i] == (at < 2 || at == 15 ? 0 : in[i / 16 * 13 + at - 2]) + 378);
  }
}

TEST_CASE("add_21_i8_using_dma_op_with_padding: four bytes before and after each eight", "[emu][designs]") {
  dma_bd shape;
  shape.dimensions[0] = {.step = 1, .wrap = 2, .zero_before = 1, .zero_after = 1};
  device_design d = resize_by_memtile({2, 4, 2}, 2, shape);
  d.program(core2, add_to_eight(21, "8"));
  device_run run(d);
  const words in = run.add_buffer(pattern(8));
  auto& out = run.add_buffer(16);
  run.run(in_and_out(8, 16));
  words padded;
  for (unsigned i = 0; i < 8; i += 2) padded.insert(padded.end(), {0, in[i], in[i + 1], 0});
  CHECK(out == added_bytes(padded, 21));
}

TEST_CASE("add_12_i8_using_2d_dma_op_with_padding: a frame of zeros around 61 rows of 56 bytes", "[emu][designs]") {
  dma_bd shape;
  shape.dimensions[0] = {.step = 1, .wrap = 14, .zero_before = 1, .zero_after = 1};
  shape.dimensions[1] = {.step = 14, .wrap = 61, .zero_before = 2, .zero_after = 1};
  device_design d = resize_by_memtile({854, 1024, 1024}, 1, shape);
  d.program(core2, addend_and_locks(12, "vbcst.8") + "movxm p0, #0x70400\nmovxm p1, #0x72000\n" + take(own_locks + 1) +
                       take(own_locks + 2) +
                       times(64, "again",
                             "vlda wl0, [p0], #32\nvlda wh0, [p0], #32\n" + nops(8) + "vadd.8 x0, x0, x4\n" + nops(4) +
                                 "vst wl0, [p1], #32\nvst wh0, [p1], #32\n") +
                       nops(4) + give(own_locks) + give(own_locks + 3) + end_of_program());
  device_run run(d);
  const words in = run.add_buffer(pattern(854));
  auto& out = run.add_buffer(1024);
  run.run(in_and_out(854, 1024));
  words padded(1024);
  for (unsigned row = 0; row < 61; ++row)
    for (unsigned col = 0; col < 14; ++col) padded[16 * (row + 2) + col + 1] = in[14 * row + col];
  CHECK(out == added_bytes(padded, 12));
}

TEST_CASE("vec_vec_add_memtile_init, vec_vec_add_objfifo_init: a memtile's contents reach the core, once",
          "[emu][designs]") {
  // Two buffers by hand, or one object of a fifo with initial values.
  const auto [name, depth] =
      GENERATE(std::pair{"vec_vec_add_memtile_init", 2u}, std::pair{"vec_vec_add_objfifo_init", 1u});
  INFO(name);
  device_design d;
  words contents;
  for (unsigned i = 0; i < depth; ++i) {
    const words part = pattern(64, 50 + i);
    d.buffer(memtile, "contents" + std::to_string(i), 0x200 + 0x400 * i, 64, part);
    contents.insert(contents.end(), part.begin(), part.end());
  }
  d.lock(memtile, 0, 0);
  d.lock(memtile, 1, depth);
  d.ring(memtile, mm2s, 0, 0,
         depth == 2 ? std::vector<std::string>{"contents0", "contents1"} : std::vector<std::string>{"contents0"}, 64,
         {0, 1});
  d.flow(memtile, {bundle::dma, 0}, core2, {bundle::dma, 1});
  d.fifo(core2, {4, 5}, depth);
  d.ring(core2, s2mm, 1, 4, d.buffers(core2, "contents", 0x2000, depth, 64), 64, {4, 5});
  put_adder(d, core2, 0);
  d.array.programs.clear();
  d.flow(shim, {bundle::dma, 0}, core2, {bundle::dma, 0});
  d.flow(core2, {bundle::dma, 0}, shim, {bundle::dma, 0});
  std::string body;
  for (std::uint32_t i = 0; i < 4 * depth; ++i) {
    if (i % 4 == 0) body += take(own_locks + 5);
    body += "movxm p2, #" + std::to_string(0x72000 + 64 * i) + "\n" + nops(4) +
            "vlda wl4, [p2, #0]\nvlda wh4, [p2, #32]\n" + take(own_locks + 1) + take(own_locks + 2) + nops(8) +
            add_block({0x70400 + 64 * (i % 2), 0x71000 + 64 * (i % 2)}) + give(own_locks) + give(own_locks + 3);
    if (i % 4 == 3) body += give(own_locks + 4);
  }
  d.program(core2, for_ever(0, body));
  device_run run(d);
  words expected = run.add_buffer(pattern(64 * depth));
  auto& out = run.add_buffer(64 * depth);
  run.run(in_and_out(64 * depth, 64 * depth));
  for (std::size_t i = 0; i < expected.size(); ++i) expected[i] += contents[i];
  CHECK(out == expected);
}

TEST_CASE("objectfifo_repeat/init_values_repeat: a memtile sends its contents three times", "[emu][designs]") {
  device_design d;
  const words contents = pattern(64, 5);
  d.buffer(memtile, "constants", 0x200, 64, contents);
  d.array.transfers.push_back({memtile, 0, "constants", {.length = 64}});
  d.array.starts.push_back({memtile, mm2s, 0, {.bd = 0, .repeat = 3}});
  d.flow(memtile, {bundle::dma, 0}, shim, {bundle::dma, 0});
  device_run run(d);
  auto& out = run.add_buffer(192);
  run.run(out_only(192));
  for (unsigned i = 0; i < 192; ++i) REQUIRE(out[i] == contents[i % 64]);
}

TEST_CASE("objectfifo_repeat/simple_repeat: a memtile sends each object four times, then takes the next",
          "[emu][designs]") {
  device_design d;
  d.buffer(memtile, "object", 0, 64);
  d.fifo(memtile, {0, 1}, 4);
  d.array.transfers.push_back({memtile, 0, "object", counted(64, 0, 0, 4, 1, 4)});
  d.array.transfers.push_back({memtile, 1, "object", counted(64, 1, 1, 1, 0, 1)});
  d.array.starts.push_back({memtile, s2mm, 0, {.bd = 0}});
  d.array.starts.push_back({memtile, mm2s, 0, {.bd = 1}});
  d.flow(shim, {bundle::dma, 0}, memtile, {bundle::dma, 0});
  d.flow(memtile, {bundle::dma, 0}, shim, {bundle::dma, 0});
  device_run run(d);
  auto& in = run.add_buffer(pattern(128));
  auto& out = run.add_buffer(512);
  run.run(in_and_out(128, 512));
  for (unsigned i = 0; i < 512; ++i) REQUIRE(out[i] == in[i / 256 * 64 + i % 64]);
}

TEST_CASE("objectfifo_repeat/compute_repeat: a core tile sends four times what its core made once", "[emu][designs]") {
  device_design d;
  d.buffer(core3, "in", 0x400, 16);
  d.buffer(core3, "out", 0x1000, 16);
  d.fifo(core3, {0, 1}, 1);
  d.fifo(core3, {2, 3}, 4);
  d.ring(core3, s2mm, 0, 0, {"in"}, 16, {0, 1});
  d.array.transfers.push_back({core3, 1, "out", counted(16, 1, 3, 1, 2, 1)});
  d.array.starts.push_back({core3, mm2s, 0, {.bd = 1}});
  d.flow(shim, {bundle::dma, 0}, core3, {bundle::dma, 0});
  d.flow(core3, {bundle::dma, 0}, shim, {bundle::dma, 0});
  d.program(core3, "mova r14, #-4\nmova r15, #4\n" +
                       for_ever(8, take(own_locks + 1) + "acq #50, r14\n" + nops(4) + add_block({0x70400, 0x71000}) +
                                       give(own_locks) + "rel #51, r15\n" + nops(2)));
  device_run run(d);
  auto& in = run.add_buffer(pattern(48));
  auto& out = run.add_buffer(192);
  run.run(in_and_out(48, 192));
  for (unsigned i = 0; i < 192; ++i) REQUIRE(out[i] == in[i / 64 * 16 + i % 16] + 8);
}

TEST_CASE("objectfifo_repeat/distribute_repeat: halves go to two cores twice, and come back joined", "[emu][designs]") {
  device_design d;
  d.buffer(memtile, "first", 0, 16);
  d.buffer(memtile, "second", 64, 16);
  d.buffer(memtile, "first back", 0x1000, 16);
  d.buffer(memtile, "second back", 0x1040, 16);
  d.fifo(memtile, {0, 1}, 2);
  d.fifo(memtile, {2, 3}, 2);
  d.fifo(memtile, {4, 5}, 1);
  d.fifo(memtile, {6, 7}, 1);
  const auto bd = [&](unsigned id, const std::string& buffer, const dma_bd& what) {
    d.array.transfers.push_back({memtile, static_cast<std::uint8_t>(id), buffer, what});
  };
  const auto start = [&](aie::dma_direction direction, unsigned channel, unsigned id) {
    d.array.starts.push_back(
        {memtile, direction, static_cast<std::uint8_t>(channel), {.bd = static_cast<std::uint8_t>(id)}});
  };
  bd(0, "first", counted(16, 1, 0, 2, 1, 2));
  bd(1, "second", counted(16, 0, 2, 2, 3, 2));
  bd(2, "first", counted(16, 2, 1, 1, 0, 1));
  bd(24, "second", counted(16, 24, 3, 1, 2, 1));
  bd(25, "first back", counted(16, 25, 4, 1, 5, 1));
  bd(3, "second back", counted(16, 3, 6, 1, 7, 1));
  bd(4, "first back", counted(16, 5, 5, 1, 4, 1));
  bd(5, "second back", counted(16, 4, 7, 1, 6, 1));
  start(s2mm, 0, 0);
  start(mm2s, 0, 2);
  start(mm2s, 1, 24);
  start(s2mm, 1, 25);
  start(s2mm, 2, 3);
  start(mm2s, 2, 4);
  put_adder(d, core2, 1);
  put_adder(d, core3, 2);
  d.flow(shim, {bundle::dma, 0}, memtile, {bundle::dma, 0});
  d.flow(memtile, {bundle::dma, 0}, core2, {bundle::dma, 0});
  d.flow(memtile, {bundle::dma, 1}, core3, {bundle::dma, 0});
  d.flow(core2, {bundle::dma, 0}, memtile, {bundle::dma, 1});
  d.flow(core3, {bundle::dma, 0}, memtile, {bundle::dma, 2});
  d.flow(memtile, {bundle::dma, 2}, shim, {bundle::dma, 0});
  device_run run(d);
  auto& in = run.add_buffer(pattern(64));
  auto& out = run.add_buffer(128);
  run.run(in_and_out(64, 128));
  for (unsigned i = 0; i < 128; ++i) REQUIRE(out[i] == in[i / 64 * 32 + i % 32] + (i % 32 < 16 ? 1 : 2));
}
