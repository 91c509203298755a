// SPDX-License-Identifier: Apache-2.0
// Designs of the kind of mlir-aie's later tests: compression, resets of single blocks by control code, guarded queues.
#include <numeric>

#include "emu/designs/design_run.hpp"
#include "emu/sha256.hpp"

using namespace npurt;
using namespace npurt::emu;
using namespace npurt::emu::testing;

namespace {

std::uint32_t reg_at(tile_id t, std::uint32_t offset) { return aie::pack_address({t, offset}); }

words count_up(std::uint32_t end) {
  words w(end);
  std::iota(w.begin(), w.end(), 0);
  return w;
}

/// Two buffers that S2MM 0 (BDs 0, 1) fills and MM2S 0 (BDs 2, 3) sends on.
void put_relay(device_design& d, tile_id t, std::uint32_t count) {
  const std::string name = "relay" + std::to_string(t.row);
  d.buffer(t, name + "a", 0x1000, count);
  d.buffer(t, name + "b", 0x1000 + 4 * count, count);
  d.fifo(t, {0, 1}, 2);
  d.ring(t, s2mm, 0, 0, {name + "a", name + "b"}, count, {0, 1});
  d.ring(t, mm2s, 0, 2, {name + "a", name + "b"}, count, {0, 1});
}

device_design relay_by(tile_id t, std::uint32_t count) {
  device_design d;
  put_relay(d, t, count);
  d.flow(shim, {bundle::dma, 0}, t, {bundle::dma, 0});
  d.flow(t, {bundle::dma, 0}, shim, {bundle::dma, 0});
  return d;
}

/// Enable_Compression in the channel's BDs, then (De)compression_Enable.
void compress(code_builder& code, tile_id t, aie::dma_direction d) {
  const auto kind = aie::npu1.kind(t);
  const std::uint32_t word = t == memtile ? 16 : 4;
  for (unsigned bd = d == s2mm ? 0 : 2, i = 0; i < 2; ++i)
    code.mask_write(reg_at(t, aie::bd_offset(kind, bd + i) + word), 1u << 31, 1u << 31);
  code.mask_write(reg_at(t, aie::dma_ctrl_offset(kind, d, 0)), 1u << 4, 1u << 4);
}

code_builder with_transfers(code_builder code, std::uint32_t count_in, std::uint32_t count_out) {
  const shim_transfer out{.direction = s2mm, .argument = 1, .count = count_out, .bd = 1, .shape = {}};
  add(code, {.argument = 0, .count = count_in, .token = false, .shape = {}});
  add(code, out);
  wait(code, out);
  return code;
}

/// What a Phoenix writes of 0, 1, 2, ... (mlir-aie, programming_examples/basic/dma_compression, npu1). The first buffer
/// goes as it is: its BD was loaded before control code ran.
constexpr std::uint32_t full_count = 4096, packed_count = 2944;
const std::string packed_sum = "f30dcae2d175d710e81d8410be5cc980bf06e364de359b6bc6f87194012ebc7d",
                  expanded_sum = "865270a4c87149f42933e7f5aa037891e392812b4338829b3419f320660ea089";

words packed_words_of(tile_id t) {
  device_run run(relay_by(t, 1024));
  run.add_buffer(count_up(full_count));
  auto& out = run.add_buffer(packed_count);
  code_builder code;
  compress(code, t, mm2s);
  run.run(with_transfers(code, full_count, packed_count));
  return out;
}

}  // namespace

TEST_CASE("dma_compression: cmp_only, dcmp_only, both, of a core tile and a memtile", "[emu][designs]") {
  const tile_id t = GENERATE(core2, memtile);
  const words compressed = packed_words_of(t);
  CHECK(sha256(compressed) == packed_sum);

  device_run expands(relay_by(t, 1024));
  expands.add_buffer(count_up(full_count));
  auto& expanded = expands.add_buffer(full_count);
  code_builder code;
  compress(code, t, s2mm);
  expands.run(with_transfers(code, packed_count, full_count));
  CHECK(sha256(expanded) == expanded_sum);

  device_run both(relay_by(t, 1024));
  both.add_buffer(compressed);
  auto& again = both.add_buffer(packed_count);
  compress(code, t, mm2s);
  both.run(with_transfers(code, packed_count, packed_count));
  CHECK(again == compressed);
}

TEST_CASE("dma_compression: core_cmp_only, a program sets the bits, once its bus is enabled", "[emu][designs]") {
  device_design d = relay_by(core2, 1024);
  std::string program = "movxm r0, #-2147483648\nmova r1, #16\n" + nops(4);
  for (const auto& [offset, value] : {std::pair{0x1D044u, "r0"}, {0x1D064u, "r0"}, {0x1DE10u, "r1"}})
    program += "movxm p0, #" + std::to_string(0x80000 + offset) + "\n" + nops(4) + "st.tm " + value + ", [p0]\n";
  d.program(core2, program + nops(8) + "done\n" + nops(6));
  device_run run(d);
  run.add_buffer(count_up(full_count));
  auto& out = run.add_buffer(packed_count);
  code_builder code;
  code.mask_write(reg_at(core2, 0x32038), 1, 1);
  run.run(with_transfers(code, full_count, packed_count));
  CHECK(sha256(out) == packed_sum);
}

TEST_CASE("dma_compression: multi_lossless_roundtrip, compressed between two tiles only", "[emu][designs]") {
  const tile_id receiver = GENERATE(core3, memtile);
  device_design d;
  put_relay(d, core2, 1024);
  put_relay(d, receiver, 1024);
  d.flow(shim, {bundle::dma, 0}, core2, {bundle::dma, 0});
  d.flow(core2, {bundle::dma, 0}, receiver, {bundle::dma, 0});
  d.flow(receiver, {bundle::dma, 0}, shim, {bundle::dma, 0});
  device_run run(d);
  const auto in = run.add_buffer(count_up(full_count));
  auto& out = run.add_buffer(full_count);
  code_builder code;
  compress(code, core2, mm2s);
  compress(code, receiver, s2mm);
  run.run(with_transfers(code, full_count, full_count));
  CHECK(out == in);
}

TEST_CASE("dma_queue_overflow: control code polls for room before each push beyond the fourth", "[emu][designs]") {
  device_run run(relay_by(core2, 64));
  const auto in = run.add_buffer(count_up(64));
  auto& out = run.add_buffer(14 * 64);
  code_builder code;
  const shim_transfer back{.direction = s2mm, .argument = 1, .count = 14 * 64, .bd = 15, .shape = {}};
  add(code, back);
  for (unsigned i = 0; i < 14; ++i) {
    if (i >= 4) code.mask_poll(reg_at(shim, 0x1D228), 0, 1u << 22);  // Task_Queue_Size < 4
    add(code, {.count = 64, .bd = i % 8, .token = false, .shape = {}});
  }
  wait(code, back);
  run.run(code);
  for (unsigned i = 0; i < out.size(); ++i) REQUIRE(out[i] == in[i % 64]);
}

TEST_CASE("local_reset/dma, dma_channel_reset_op: a reset takes a queued task away, one pushed later runs",
          "[emu][designs]") {
  const bool resets = GENERATE(true, false);
  device_design d;
  const words good{100, 101, 102, 103}, bad{900, 901, 902, 903};
  d.buffer(core2, "bad", 0x400, 4, bad);
  d.buffer(core2, "good", 0x500, 4, good);
  d.lock(core2, 0, 0);
  const auto bd = [](bool chains) {
    return dma_bd{
        .length = 4, .use_next = chains, .next_bd = 1, .acquire_enable = true, .acquire_lock = 0, .acquire_value = -1};
  };
  d.array.transfers.push_back({core2, 0, "bad", bd(true)});
  d.array.transfers.push_back({core2, 1, "good", bd(false)});
  d.array.starts.push_back({core2, mm2s, 0, {.bd = 0}});
  d.flow(core2, {bundle::dma, 0}, shim, {bundle::dma, 0});
  device_run run(d);
  auto& out = run.add_buffer(4);
  for (int dispatch = 0; dispatch < 2; ++dispatch) {
    std::ranges::fill(out, 0);
    code_builder code;
    code.write(reg_at(core2, 0x1DE14), 0);
    if (resets) code.mask_write(reg_at(core2, 0x1DE10), 2, 2).mask_write(reg_at(core2, 0x1DE10), 0, 2);
    code.write(reg_at(core2, 0x1DE14), 1).write(reg_at(core2, 0x1F000), 1);
    const shim_transfer back{.direction = s2mm, .count = 4, .shape = {}};
    add(code, back);
    wait(code, back);
    run.run(code);
    if (!resets) {
      CHECK(out == bad);
      return;
    }
    CHECK(out == good);
  }
}

TEST_CASE("local_reset/switch: a slave port is closed after each command and opened before the next",
          "[emu][designs]") {
  const bool opens = GENERATE(true, false);
  device_design d;
  const words data{100, 101, 102, 103, 104, 105, 106, 107};
  d.buffer(core2, "data", 0x400, 8, data);
  d.lock(core2, 0, 0);
  d.lock(core2, 1, 0);
  d.ring(core2, mm2s, 0, 0, {"data"}, 8, {1, 0});
  d.flow(core2, {bundle::dma, 0}, shim, {bundle::dma, 0});
  device_run run(d);
  auto& out = run.add_buffer(8);
  for (int dispatch = 0; dispatch < 3; ++dispatch) {
    std::ranges::fill(out, 0);
    code_builder code;
    if (opens) code.write(reg_at(core2, 0x3F104), 1u << 31);
    code.write(reg_at(core2, 0x1F000), 1);
    const shim_transfer back{.direction = s2mm, .count = 8, .shape = {}};
    add(code, back);
    wait(code, back);
    code.write(reg_at(core2, 0x3F104), 0);
    if (!opens && dispatch == 1) {
      CHECK(run.execute(code).outcome == command_outcome::timeout);
      return;
    }
    run.run(code);
    CHECK(out == data);
  }
}

TEST_CASE("local_reset/core, core_reset_op: a program that has ended runs again, its memory stays", "[emu][designs]") {
  device_design d;
  d.buffer(core2, "count", 0x400, 1, {7});
  d.buffer(core2, "out", 0x500, 1);
  d.fifo(core2, {0, 1}, 1);
  d.ring(core2, mm2s, 0, 0, {"out"}, 1, {0, 1});
  d.flow(core2, {bundle::dma, 0}, shim, {bundle::dma, 0});
  d.program(core2, "mova r2, #-1\nmova r3, #1\nmovxm p0, #" + std::to_string(0x70400) + "\nmovxm p1, #" +
                       std::to_string(0x70500) + "\n" + take(own_locks) + nops(4) + "lda r4, [p0, #0]\n" + nops(8) +
                       "st r4, [p1, #0]\nadd r4, r4, #1\n" + nops(2) + "st r4, [p0, #0]\n" + nops(8) +
                       give(own_locks + 1) + nops(4) + "done\n" + nops(6));
  device_run run(d);
  auto& out = run.add_buffer(2);
  code_builder code;
  for (std::uint32_t i = 0; i < 2; ++i) {
    const shim_transfer back{.direction = s2mm, .count = 1, .offset = 4 * i, .bd = i, .shape = {}};
    add(code, back);
    wait(code, back);
    if (i != 0) continue;
    code.mask_write(reg_at(core2, 0x32000), 2, 2).mask_write(reg_at(core2, 0x32000), 0, 2);
    code.mask_write(reg_at(core2, 0x32000), 1, 1);
  }
  run.run(code);
  CHECK(out == words{7, 8});
}

TEST_CASE("memtile_dma_starts_at_load: words that were sent before the command are not lost", "[emu][designs]") {
  device_design d;
  d.buffer(memtile, "data", 0, 256, count_up(256));
  d.lock(memtile, 0, 1);
  d.array.transfers.push_back(
      {memtile, 0, "data", {.length = 256, .acquire_enable = true, .acquire_lock = 0, .acquire_value = -1}});
  d.array.starts.push_back({memtile, mm2s, 0, {.bd = 0}});
  d.flow(memtile, {bundle::dma, 0}, shim, {bundle::dma, 0});
  device_run run(d);
  auto& out = run.add_buffer(256);
  code_builder code;
  const shim_transfer back{.direction = s2mm, .count = 256, .shape = {}};
  add(code, back);
  wait(code, back);
  run.run(code);
  CHECK(out == count_up(256));
}

TEST_CASE("dma_s2mm_ooo_shim_recv: packets name the shim's BDs, a lock counts them, a companion tells",
          "[emu][designs]") {
  device_design d;
  const words first{1, 2, 3, 4, 5, 6, 7, 8}, second{101, 102, 103, 104, 105, 106, 107, 108};
  d.buffer(core2, "first", 0x400, 8, first);
  d.buffer(core2, "done", 0x500, 8, {42});
  d.buffer(core3, "second", 0x400, 8, second);
  dma_bd bd{.length = 8, .use_next = true, .next_bd = 1, .packet_enable = true};
  d.array.transfers.push_back({core2, 0, "first", bd});
  bd.packet_id = 2;
  bd.use_next = false;
  d.array.transfers.push_back({core2, 1, "done", bd});
  bd.packet_id = bd.out_of_order_id = 1;
  d.array.transfers.push_back({core3, 0, "second", bd});
  for (const tile_id t : {core2, core3}) d.array.starts.push_back({t, mm2s, 0, {.bd = 0}});
  d.packets(core2, {bundle::dma, 0}, shim, {bundle::dma, 0}, 0, false);
  d.packets(core3, {bundle::dma, 0}, shim, {bundle::dma, 0}, 1, false);
  d.packets(core2, {bundle::dma, 0}, shim, {bundle::dma, 1}, 2, true);
  device_run run(d);
  auto& out = run.add_buffer(16);
  auto& token = run.add_buffer(8);
  code_builder code;
  code.mask_write(reg_at(shim, aie::dma_ctrl_offset(aie::tile_kind::shim, s2mm, 0)), 1u << 3, 1u << 3);
  const dma_bd counts{.release_lock = 0, .release_value = 1};
  add(code, {.direction = s2mm, .count = 8, .offset = 32, .bd = 0, .token = false, .shape = counts});
  add(code, {.direction = s2mm, .count = 8, .offset = 0, .bd = 1, .token = false, .shape = counts});
  const shim_transfer companion{.direction = s2mm,
                                .argument = 1,
                                .count = 8,
                                .bd = 2,
                                .channel = 1,
                                .shape = {.acquire_enable = true, .acquire_lock = 0, .acquire_value = -2}};
  add(code, companion);
  wait(code, companion);
  run.run(code);
  CHECK(words(out.begin() + 8, out.end()) == first);
  CHECK(words(out.begin(), out.begin() + 8) == second);
  CHECK(token[0] == 42);
}

TEST_CASE("a PDI may poll for what takes its time, such as a program's end", "[emu][designs]") {
  const bool ends = GENERATE(true, false);
  device_design d = relay_by(memtile, 16);
  d.program(core2, nops(500) + (ends ? "done\n" : "again:\nj #again\n") + nops(6));
  pdi_builder pdi = d.pdi();
  pdi.append({0x00040101, reg_at(core2, 0x32004), 1u << 20, 1u << 20, 0});
  device_run run(pdi, 1);
  const auto in = run.add_buffer(count_up(32));
  auto& out = run.add_buffer(32);
  const auto result = run.execute(in_and_out(32, 32));
  CHECK(result.outcome == (ends ? command_outcome::completed : command_outcome::error));
  CHECK((out == in) == ends);
}
