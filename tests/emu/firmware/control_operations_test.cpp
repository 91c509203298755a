// SPDX-License-Identifier: Apache-2.0
// Control-code operations beyond writes, patches and syncs: parameters of the host, merge sync, PDIs loaded again.
// Expectations follow mlir-aie's AIEX.td, aie-rt's xaie_txn.h and aiebu's gen-preemption.cpp.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <algorithm>

#include "emu/firmware/command_end.hpp"
#include "emu/firmware/program.hpp"

using namespace npurt;
using namespace npurt::emu::testing;
using Catch::Matchers::ContainsSubstring;
using emu::command_outcome;

namespace {

constexpr std::uint64_t table_address = 0x20000000, pdi_address = 0x30000000;
constexpr std::uint32_t multiply = 0, increase = 1, decrease = 2;
constexpr std::uint32_t cell = 1u << 20 | 0x4000;  // two words of the memtile

struct parameters_machine {
  parameters_machine() {
    src = pattern(640);
    REQUIRE(npu.configure_cu(context, 0, relay(64).build()).empty());
  }
  emu::command_result run(const code_builder& code) {
    const auto bytes = code.build();
    return npu.execute(context, {.cu = 0, .control_code = bytes, .arguments = {src_address, dst_address}});
  }
  void complete(const code_builder& code) {
    const auto result = run(code);
    INFO(result.report);
    REQUIRE(result.outcome == command_outcome::completed);
  }
  std::string refusal(const code_builder& code) {
    const auto result = run(code);
    CHECK(result.outcome == command_outcome::error);
    return result.report;
  }

  host_memory host;
  words& src = host.add(src_address, 640);
  words& dst = host.add(dst_address, 640);
  words& table = host.add(table_address, 32);
  emu::npu npu{host};
  emu::context_id context = *npu.create_context(1);
};

code_builder& create_scratchpad(code_builder& c, std::uint32_t bytes) {
  return c.add({0x0A, bytes, static_cast<std::uint32_t>(table_address), 0});
}
code_builder& update_register(code_builder& c, std::uint32_t entry, std::uint32_t function, std::uint32_t operand,
                              std::uint32_t reg) {
  return c.add({0x0Cu | entry << 8 | function << 16, operand, reg});
}
code_builder& update_entry(code_builder& c, std::uint32_t entry, std::uint32_t function, std::uint32_t operand) {
  return c.add({0x0Bu | entry << 8 | function << 16, operand});
}
code_builder& expect(code_builder& c, std::uint32_t reg, std::uint32_t value) {
  return c.mask_poll(reg, value, 0xFFFFFFFF);
}

}  // namespace

TEST_CASE("a parameter of the host moves a BD's address", "[emu][firmware]") {
  parameters_machine m;
  m.table[3] = 16;  // words
  code_builder c;
  create_scratchpad(c, 16);
  c.block(0x1D000, bd_words(aie::tile_kind::shim, {.length = 64})).patch(0x1D004, 1, 0);
  c.mask_write(0x1D200, 15u << 8, 0x1F00).write(0x1D204, 0x80000000);
  c.block(0x1D020, bd_words(aie::tile_kind::shim, {.length = 64})).patch(0x1D024, 0, 0);
  update_register(c, 3, multiply, 4, 0x1D024).write(0x1D214, 1).sync(shim, 0, 0);
  m.complete(c);
  CHECK(std::equal(m.dst.begin(), m.dst.begin() + 64, m.src.begin() + 16));
}

TEST_CASE("a parameter is added to 48 bits of two words, of which the lowest two become 0", "[emu][firmware]") {
  parameters_machine m;
  m.table[0] = 0x1007;
  m.table[1] = 0xFFFFFFF0;
  code_builder c;
  create_scratchpad(c, 8).block(cell, {0x13, 0xABCD0000});
  expect(expect(update_register(c, 0, increase, 0, cell), cell, 0x1014), cell + 4, 0xABCD0000);
  expect(expect(update_register(c, 1, increase, 0, cell), cell, 0x1004), cell + 4, 0xABCD0001);
  expect(expect(update_register(c, 1, decrease, 0xFFFFFFF4, cell), cell, 0x1000), cell + 4, 0xABCD0001);
  m.complete(c);
  create_scratchpad(c = {}, 8).block(cell, {0, 0});
  const auto never = m.run(expect(update_register(c, 0, increase, 0, cell), cell, 0x1007));
  CHECK(never.outcome == command_outcome::timeout);
}

TEST_CASE("the state table is changed by control code and goes back to the host", "[emu][firmware]") {
  parameters_machine m;
  m.table = pattern(32);
  const words before = m.table;
  code_builder c;
  create_scratchpad(c, 128);
  update_entry(update_entry(update_entry(c, 0, multiply, 3), 5, increase, 7), 31, decrease, 9);
  m.complete(c);
  CHECK(m.table == before);
  words after = before;
  after[0] *= 3;
  after[5] += 7;
  after[31] -= 9;
  m.complete(c.add({0x0D}));
  CHECK(m.table == after);
}

TEST_CASE("a state table's limits are kept", "[emu][firmware]") {
  parameters_machine m;
  code_builder c;
  CHECK_THAT(m.refusal(update_register(c, 0, increase, 0, cell)), ContainsSubstring("entry 0 of a state table of 0"));
  CHECK_THAT(m.refusal(update_entry(create_scratchpad(c = {}, 16), 4, increase, 0)), ContainsSubstring("entry 4"));
  CHECK_THAT(m.refusal(create_scratchpad(c = {}, 132)), ContainsSubstring("132 bytes"));
  CHECK_THAT(m.refusal(create_scratchpad(c = {}, 0)), ContainsSubstring("0 bytes"));
  CHECK_THAT(m.refusal(code_builder().add({0x010A, 16, 0x20000000, 0})), ContainsSubstring("use 1"));
  CHECK_THAT(m.refusal(code_builder().add({0x0A, 16, 0x700, 0})), ContainsSubstring("no buffer object"));
  CHECK_THAT(m.refusal(code_builder().add({0x0D})), ContainsSubstring("no scratchpad"));
  CHECK_THAT(m.refusal(code_builder().add({0x0E, 16, 0, 0})), ContainsSubstring("operation 14"));
}

TEST_CASE("merge sync takes tokens of any channels", "[emu][firmware]") {
  parameters_machine m;
  // Both channels of the shim issue a token, MM2S too.
  const auto both = [] {
    code_builder c;
    c.block(0x1D000, bd_words(aie::tile_kind::shim, {.length = 64})).patch(0x1D004, 1, 0);
    c.mask_write(0x1D200, 15u << 8, 0x1F00).write(0x1D204, 0x80000000);
    c.block(0x1D020, bd_words(aie::tile_kind::shim, {.length = 64})).patch(0x1D024, 0, 0);
    return c.mask_write(0x1D210, 15u << 8, 0x1F00).write(0x1D214, 0x80000001);
  };
  m.complete(both().add({0x84, 12, 0x0102}));
  CHECK(std::equal(m.dst.begin(), m.dst.begin() + 64, m.src.begin()));
  const auto third = m.run(both().add({0x84, 12, 0x0103}));
  CHECK(third.outcome == command_outcome::timeout);
  CHECK_THAT(third.report, ContainsSubstring("token 3 of 3 from the first 1 columns"));
  CHECK(m.run(both().add({0x84, 12, 0x0001})).outcome == command_outcome::timeout);  // of no column
}

TEST_CASE("a PDI that is loaded already is not loaded again until another one was", "[emu][firmware]") {
  parameters_machine m;
  const auto pdi = relay(64).build();
  words& file = m.host.add(pdi_address, 2 * pdi.size());
  for (const std::size_t at : {std::size_t{0}, pdi.size() / 4}) std::memcpy(file.data() + at, pdi.data(), pdi.size());
  const auto size = static_cast<std::uint32_t>(pdi.size()), address = static_cast<std::uint32_t>(pdi_address);
  const words first{0x00010008, size, address, 0}, second{0x00020008, size, address + size, 0};
  m.complete(expect(code_builder().add(first).write(cell, 5).add(first), cell, 5));
  m.complete(expect(code_builder().add(first), cell, 5));  // nor by the next command
  const auto again = m.run(code_builder().add(first));
  CHECK(again.outcome == command_outcome::completed);
  m.complete(expect(code_builder().add(second), cell, 0));
  m.complete(expect(code_builder().write(cell, 6).add(first), cell, 0));
}

TEST_CASE("a PDI to load must have an address and a size", "[emu][firmware]") {
  parameters_machine m;
  CHECK_THAT(m.refusal(code_builder().add({0x00030008, 0, 0, 0})),
             ContainsSubstring("load of PDI 3 without address and size"));
}

TEST_CASE("program loads by preemption's operation have no effect and are told once", "[emu][firmware]") {
  parameters_machine m;
  const auto first = m.run(code_builder().add({0x00000109, 3}).write(cell, 1));
  CHECK(first.outcome == command_outcome::completed);
  REQUIRE(first.notes.size() == 1);
  CHECK_THAT(first.notes[0], ContainsSubstring("load_pm_start") && ContainsSubstring("not established"));
  CHECK(m.run(code_builder().add({0x00000109, 3}).write(cell, 1)).notes.empty());
}

TEST_CASE("notes are bounded, of a command and of the device", "[emu][firmware]") {
  parameters_machine m;
  const auto pdi = pdi_builder().build();
  std::memcpy(m.host.add(pdi_address, pdi.size()).data(), pdi.data(), pdi.size());
  const auto size = static_cast<std::uint32_t>(pdi.size()), address = static_cast<std::uint32_t>(pdi_address);
  std::size_t told = 0;
  std::uint32_t id = 0;
  const auto run = [&] {  // a PDI that is loaded already is a note of its own
    code_builder code;
    for (int i = 0; i < 50; ++i, ++id)
      for (int twice = 0; twice < 2; ++twice) code.add({id << 16 | 8, size, address, 0});
    return m.run(code).notes;
  };
  const auto first = run();
  REQUIRE(first.size() == 33);
  CHECK_THAT(first.back(), ContainsSubstring("left out"));
  for (int i = 0; i < 50; ++i) told += run().size();
  CHECK(told <= 1025);
  CHECK(run().empty());

  std::vector<std::string> notes;
  emu::add_note(notes, std::string(1'000'000, 'x'));
  emu::add_note(notes, std::string(1'000'001, 'x'));
  REQUIRE(notes.size() == 1);
  CHECK(notes[0].size() < 500);
}

TEST_CASE("a mask poll for bits outside its mask is never met", "[emu][firmware]") {
  // AMD's controller compares the masked register with the value as it stands.
  parameters_machine m;
  CHECK(m.run(code_builder().mask_poll(cell, 0x100, 0xFF)).outcome == command_outcome::timeout);
}
