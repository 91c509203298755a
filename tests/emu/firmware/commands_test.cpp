// SPDX-License-Identifier: Apache-2.0
// Commands: results, errors, timeouts, figures.
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <nlohmann/json.hpp>

#include "emu/firmware/program.hpp"

using namespace npurt;
using namespace npurt::emu::testing;
using Catch::Matchers::ContainsSubstring;
using emu::command_outcome;

namespace {

struct machine {
  explicit machine(const std::vector<std::byte>& pdi, std::size_t size = 640)
      : src(host.add(src_address, size)), dst(host.add(dst_address, size)) {
    src = pattern(size);
    REQUIRE(npu.configure_cu(context, 0, pdi).empty());
  }
  emu::command_result run(const code_builder& code, bool patches = true) {
    const auto bytes = code.build();
    return npu.execute(
        context, {.cu = 0, .control_code = bytes, .arguments = {src_address, dst_address}, .apply_patches = patches});
  }

  host_memory host;
  words& src;
  words& dst;
  emu::npu npu{host};
  emu::context_id context = *npu.create_context(1);
};

}  // namespace

TEST_CASE("a command copies a buffer and completes", "[emu][firmware]") {
  machine m(relay(64).build());
  const auto result = m.run(transfer(640));
  INFO(result.report);
  CHECK(result.outcome == command_outcome::completed);
  CHECK(m.dst == m.src);
  // Firmware 30.5 k for the first command, ~5.6 k for the two tasks; the words.
  CHECK(result.cycles > 33'000);
  CHECK(result.cycles < 42'000);
}

TEST_CASE("later commands use the loaded configuration and new buffers", "[emu][firmware]") {
  machine m(relay(64).build());
  REQUIRE(m.run(transfer(640)).outcome == command_outcome::completed);
  const auto first_source = m.src;
  m.src = pattern(640, 99);
  const auto result = m.run(transfer(640));
  CHECK(result.outcome == command_outcome::completed);
  CHECK(m.dst == m.src);
  CHECK(m.dst != first_source);
}

TEST_CASE("the same commands take the same cycles", "[emu][firmware]") {
  const auto run = [] {
    machine m(relay(64).build());
    const auto a = m.run(transfer(640)).cycles, b = m.run(transfer(320)).cycles;
    return std::pair(a, b);
  };
  CHECK(run() == run());
}

TEST_CASE("patches are left alone when the stream is patched already", "[emu][firmware]") {
  machine m(relay(64).build());
  code_builder code;
  code.block(0x1D000, bd_words(aie::tile_kind::shim, {.address = dst_address + 0x80000000, .length = 64}))
      .patch(0x1D004, 1, 0);
  code.mask_write(0x1D200, 15u << 8, 0x1F00).write(0x1D204, 0x80000000);
  code.block(0x1D020, bd_words(aie::tile_kind::shim, {.address = src_address + 0x80000000, .length = 64}))
      .write(0x1D214, 1);
  code.sync(shim, 0, 0);
  CHECK(m.run(code, false).outcome == command_outcome::completed);
  CHECK(std::equal(m.dst.begin(), m.dst.begin() + 64, m.src.begin()));
}

TEST_CASE("a design that waits for a lock for ever times out and says for which", "[emu][firmware]") {
  machine m(relay(64, 0).build());  // no free buffer
  const auto result = m.run(transfer(640));
  CHECK(result.outcome == command_outcome::timeout);
  CHECK(result.failed_op == 7);
  CHECK_THAT(result.report, ContainsSubstring("token of S2MM 0 of tile (0,0)"));
  CHECK_THAT(result.report,
             ContainsSubstring("DMA (0,1) S2MM 0 BD 0: waits for lock 0 of tile (0,1) >= 1, its value is 0"));
  CHECK_THAT(result.report, ContainsSubstring("DMA (0,0) S2MM 0 BD 0: waits for 640 words"));
}

TEST_CASE("a context works again after a timeout", "[emu][firmware]") {
  machine m(relay(64).build());
  CHECK(m.run(transfer(640).sync(shim, 1, 1)).outcome == command_outcome::timeout);
  m.dst.assign(640, 0);
  CHECK(m.run(transfer(640)).outcome == command_outcome::completed);
  CHECK(m.dst == m.src);
}

TEST_CASE("an access outside the buffers is an error that names BD and address", "[emu][firmware]") {
  machine m(relay(64).build());
  const auto result = m.run(transfer(704));
  CHECK(result.outcome == command_outcome::error);
  CHECK_THAT(result.report,
             ContainsSubstring("tile (0,0)") && ContainsSubstring("BD") && ContainsSubstring("in no buffer"));
}

TEST_CASE("an argument that the command does not have is an error", "[emu][firmware]") {
  machine m(relay(64).build());
  const auto result = m.run(code_builder().patch(0x1D004, 2, 0));
  CHECK(result.outcome == command_outcome::error);
  CHECK_THAT(result.report, ContainsSubstring("argument 2"));
}

TEST_CASE("unknown registers and operations that are not built are errors by name", "[emu][firmware]") {
  machine m(relay(64).build());
  const auto unknown = m.run(code_builder().write(0x1D200, 0).write(0x00039990, 1));
  CHECK(unknown.outcome == command_outcome::error);
  CHECK(unknown.failed_op == 1);
  CHECK_THAT(unknown.report, ContainsSubstring("0x39990") && ContainsSubstring("(0,0)"));
  const auto load = m.run(code_builder().add({8, 16, 0, 0}));
  CHECK(load.outcome == command_outcome::error);
  CHECK_THAT(load.report, ContainsSubstring("no buffer object"));
}

TEST_CASE("control code that is no transaction is an error", "[emu][firmware]") {
  machine m(relay(64).build());
  const auto junk = bytes_of({1, 2, 3});
  CHECK(m.npu.execute(m.context, {.cu = 0, .control_code = junk, .arguments = {}}).outcome == command_outcome::error);
  CHECK(m.npu.execute(m.context, {.cu = 0, .control_code = {}, .arguments = {}}).outcome == command_outcome::error);
}

TEST_CASE("a DPU sequence copies a buffer", "[emu][firmware]") {
  machine m(relay(64).build());
  const auto bd = [](std::uint32_t bd_and_buffer, std::uint32_t offset) {
    words w = bd_words(aie::tile_kind::shim, {.address = offset, .length = 320});
    w.insert(w.begin(), 0x0B000000 | bd_and_buffer);
    return w;
  };
  words sequence;
  for (const words& operation : {bd(0x10, 0x100),
                                 {0x02000000, 0x1D200, 15u << 8},
                                 {0x02000000, 0x1D204, 0x80000000},
                                 bd(0x01, 0x200),
                                 {0x02000000, 0x1D214, 1},
                                 {0x03000000, 0x00010100}})
    sequence.insert(sequence.end(), operation.begin(), operation.end());
  const auto code = bytes_of(sequence);
  const auto result = m.npu.execute(
      m.context, {.cu = 0, .control_code = code, .arguments = {src_address, dst_address}, .is_dpu_sequence = true});
  INFO(result.report);
  CHECK(result.outcome == command_outcome::completed);
  CHECK(std::equal(m.dst.begin() + 64, m.dst.begin() + 384, m.src.begin() + 128));
  CHECK(m.dst[384] == 0);
}

TEST_CASE("a mask poll waits for a channel's status", "[emu][firmware]") {
  machine m(relay(64).build());
  // Channel_Running[19] of shim S2MM 0 falls when the words are there.
  const auto done = m.run(transfer(640, false).mask_poll(0x1D220, 0, 1u << 19));
  CHECK(done.outcome == command_outcome::completed);
  CHECK(m.dst == m.src);
  const auto never = m.run(code_builder().mask_poll(0x1D220, 1u << 19, 1u << 19));
  CHECK(never.outcome == command_outcome::timeout);
  CHECK_THAT(never.report, ContainsSubstring("0x1d220"));
}

TEST_CASE("a buffer freed while a transfer hangs is not touched by the next command", "[emu][firmware]") {
  machine m(relay(64).build(), 200'000);  // more than moves after the command's end
  REQUIRE(m.run(transfer(200'000, false).mask_poll(0x1D220, 0, 0)).outcome == command_outcome::completed);
  m.host.remove(dst_address);
  const auto result = m.run(code_builder().sync(shim, 0, 0));
  CHECK(result.outcome == command_outcome::error);
  CHECK_THAT(result.report, ContainsSubstring("in no buffer"));
}

TEST_CASE("statistics count words and name the clock", "[emu][firmware]") {
  machine m(relay(64).build());
  const auto result = m.run(transfer(640));
  const auto json = nlohmann::json::parse(m.npu.statistics());
  CHECK(json["clock_mhz"] == 1028);
  CHECK(json["totals"]["commands"] == 1);
  CHECK(json["totals"]["cycles"] == result.cycles);
  CHECK(json["totals"]["ddr_read_bytes"] == 640 * 4);
  CHECK(json["totals"]["ddr_write_bytes"] == 640 * 4);
  CHECK(json["commands"][0]["outcome"] == "completed");
  CHECK(json["commands"][0]["channels"].size() == 4);
  for (const auto& channel : json["commands"][0]["channels"]) CHECK(channel["words"] == 640);
  // Words pass the shim's switch on the way in and out, and the memtile's.
  CHECK(json["commands"][0]["links"].size() == 4);
  for (const auto& link : json["commands"][0]["links"]) CHECK(link["words"] == 640);
  CHECK(json["totals"]["channels"] == json["commands"][0]["channels"]);
  std::uint64_t busy = 0;
  for (const auto& [operation, cycles] : json["commands"][0]["firmware_cycles_by_operation"].items())
    busy += cycles.get<std::uint64_t>();
  CHECK(busy == json["totals"]["firmware_cycles"]);
  // No core is enabled: what is not the firmware's is transfers.
  const auto& costs = result.costs;
  CHECK(json["totals"]["contexts"] == 1);
  CHECK(json["totals"]["pdi_loads"] == 1);
  CHECK(costs.compute == 0);
  CHECK(costs.launch == busy);
  CHECK(costs.transfer == result.cycles - busy);
  CHECK(costs.core_cycles == 0);
  CHECK(costs.ddr_read_bytes == 640 * 4);
  CHECK(costs.ddr_write_bytes == 640 * 4);
  CHECK(json["commands"][0]["time"] == nlohmann::json{{"compute", 0}, {"launch", busy}, {"transfer", costs.transfer}});
}

TEST_CASE("waiting that a hung command ends in counts for it, and not again for the next", "[emu][firmware]") {
  machine m(relay(64, 0).build());  // memtile S2MM 0 waits for its lock from the PDI's end on
  std::uint64_t total = 0;
  for (std::size_t command = 0; command < 2; ++command) {
    const auto result = m.run(transfer(640));
    REQUIRE(result.outcome == command_outcome::timeout);
    const auto json = nlohmann::json::parse(m.npu.statistics());
    std::uint64_t lock_waits = 0;
    for (const auto& channel : json["commands"][command]["channels"])
      if (channel["tile"] == nlohmann::json{0, 1} && channel["channel"] == "S2MM 0") {
        lock_waits = channel["waits"]["lock"].get<std::uint64_t>();
        CHECK(channel["task_cycles"].get<std::uint64_t>() >= lock_waits);
      }
    // All of the command but the channel's start.
    CHECK(lock_waits <= result.cycles);
    CHECK(lock_waits > result.cycles - 100);
    total += lock_waits;
    for (const auto& channel : json["totals"]["channels"])
      if (channel["tile"] == nlohmann::json{0, 1} && channel["channel"] == "S2MM 0")
        CHECK(channel["waits"]["lock"] == total);
  }
}

TEST_CASE("a design that moves for ever without result is stopped at the cycle limit", "[emu][firmware]") {
  pdi_builder p;
  const auto kind = aie::tile_kind::memtile;
  p.block(memtile, 0xA0000, bd_words(kind, {.address = 0x80000, .length = 16, .use_next = true, .next_bd = 0}));
  p.block(memtile, 0xA0020, bd_words(kind, {.address = 0x81000, .length = 16, .use_next = true, .next_bd = 1}));
  p.write(memtile, aie::slave_offset(kind, 0), aie::pack_slave({.enable = true}));
  p.write(memtile, aie::master_offset(kind, 0), aie::pack_master({.enable = true, .slave = 0}));
  p.write(memtile, 0xA0604, 0).write(memtile, 0xA0634, 1);
  machine m(p.build());
  m.npu.limit_cycles(200'000);
  const auto result = m.run(code_builder().sync(shim, 0, 0));
  CHECK(result.outcome == command_outcome::timeout);
  CHECK(result.cycles >= 200'000);
  CHECK_THAT(result.report, ContainsSubstring("cycle budget"));
}

TEST_CASE("a command that is cancelled ends as aborted and leaves a context that works", "[emu][firmware]") {
  machine m(relay(64).build());
  std::atomic<bool> cancelled = true;
  const auto code = transfer(640).sync(shim, 1, 1).build();
  const auto result = m.npu.execute(
      m.context, {.cu = 0, .control_code = code, .arguments = {src_address, dst_address}, .cancelled = &cancelled});
  CHECK(result.outcome == command_outcome::aborted);
  CHECK_THAT(result.report, ContainsSubstring("cancelled"));
  CHECK(m.run(transfer(640)).outcome == command_outcome::completed);
}

TEST_CASE("a command that is cancelled ends at once where it only writes, too", "[emu][firmware]") {
  machine m(relay(64).build());
  REQUIRE(m.run(transfer(640)).outcome == command_outcome::completed);
  // Cancelled by the DMA's first access; nothing after that waits for anything.
  struct cancelling_memory final : emu::device_memory {
    explicit cancelling_memory(emu::device_memory& behind_it) : behind(behind_it) {}
    std::byte* translate(std::uint64_t address, std::uint64_t size, emu::memory_access access) override {
      cancelled = true;
      return behind.translate(address, size, access);
    }
    emu::device_memory& behind;
    std::atomic<bool> cancelled = false;
  } memory(m.host);
  code_builder writes = transfer(640, false);
  for (int i = 0; i < 1000; ++i) writes.write(1u << 20 | 0x4000, 1);
  const auto code = writes.build();
  const auto result = m.npu.execute(m.context, {.cu = 0,
                                                .control_code = code,
                                                .arguments = {src_address, dst_address},
                                                .cancelled = &memory.cancelled,
                                                .memory = &memory});
  CHECK(result.outcome == command_outcome::aborted);
  CHECK(result.failed_op > 0);
  CHECK(result.failed_op < 100);
  CHECK_THAT(result.report, ContainsSubstring("(write): the command is cancelled"));
}

TEST_CASE("what a PDI waits counts as the command's time, and can be cancelled", "[emu][firmware]") {
  const words delay{0x00010104, 0xFFFFFFFF};  // 4.3 G cycles; the watchdog lets 2 s pass
  machine endless(pdi_builder().append(delay).build());
  const auto result = endless.run(code_builder().write(1u << 20 | 0x4000, 1));
  CHECK(result.outcome == command_outcome::timeout);
  CHECK_THAT(result.report, ContainsSubstring("CDO command at byte") && ContainsSubstring("takes more"));

  pdi_builder short_delays;
  for (int i = 0; i < 30; ++i) short_delays.append({0x00010104, 10'000});
  machine m(short_delays.build());
  m.npu.limit_cycles(299'999);
  CHECK(m.run(code_builder().write(1u << 20 | 0x4000, 1)).outcome == command_outcome::timeout);
  m.npu.limit_cycles(310'000);
  CHECK(m.run(code_builder().write(1u << 20 | 0x4000, 1)).outcome == command_outcome::completed);

  std::atomic<bool> cancelled = true;
  machine other(pdi_builder().append({0x00010104, 1'000'000'000}).build());
  const auto code = code_builder().write(1u << 20 | 0x4000, 1).build();
  const auto ended =
      other.npu.execute(other.context, {.cu = 0, .control_code = code, .arguments = {}, .cancelled = &cancelled});
  CHECK(ended.outcome == command_outcome::aborted);
  CHECK(ended.cycles < 1'000'000);
}

TEST_CASE("a PDI that sets more words than there are fails the command by their place", "[emu][firmware]") {
  machine m(pdi_builder().append({0x0004010C, 0, 1u << 20, 0x20001, 0}).build());
  const auto result = m.run(code_builder().write(1u << 20 | 0x4000, 1));
  CHECK(result.outcome == command_outcome::error);
  CHECK_THAT(result.report, ContainsSubstring("CDO set at byte 20: 131073 words are more than any memory has"));
}

TEST_CASE("a timeout's report explains the cycle of waiting", "[emu][firmware]") {
  machine m(relay(64, 0).build());
  CHECK_THAT(m.run(transfer(640)).report,
             ContainsSubstring("why: the firmware waits for a token of S2MM 0 of shim (0,0), which waits for 640 words "
                               "from MM2S 0 of memtile (0,1), which waits for lock 1") &&
                 ContainsSubstring("a cycle of waiting"));
}

TEST_CASE("a core that only spins is stopped long before the watchdog", "[emu][firmware]") {
  const aie::tile_id core{0, 2};
  pdi_builder p = relay(64, 0);
  // j #0 and its five delay slots of nop (llvm-aie's encodings).
  p.block(core, 0x20000, {0x00000095, 0x00010000, 0x00010001, 0x00010001});
  p.write(core, 0x32000, 0).write(core, 0x32000, 1);
  machine m(p.build());
  const auto result = m.run(transfer(640));
  CHECK(result.outcome == command_outcome::timeout);
  CHECK(result.cycles < 500'000'000);  // the watchdog would let 2 s pass: 2056 M cycles
  CHECK_THAT(result.report, ContainsSubstring("cores run, but no lock is touched and no word moves"));
}
