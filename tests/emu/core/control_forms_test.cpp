// SPDX-License-Identifier: Apache-2.0
// Branches, locks, stream and cascade moves: every row runs, and what leaves the core is what the row says.
#include <bit>

#include "forms.hpp"
#include "single_instruction.hpp"

using namespace npurt;
using namespace npurt::test;

namespace {

const std::string slots = "nop\nnop\nnop\nnop\nnop\n";

bool is_packet_move(const aie::isa::instruction& row) {
  return row.mnemonic.starts_with("mov") && row.name.find("2ms") != std::string_view::npos;
}

/// Rows of this file by mnemonic, but for the moves to the stream.
bool is_branch_or_lock(std::string_view mnemonic) {
  for (const std::string_view name :
       {"j",        "jl",       "jz",  "jnz",  "jnzd", "ret",  "done", "event", "acq",  "rel",
        "acq.cond", "rel.cond", "nop", "nopa", "nopb", "nopm", "nops", "nopv",  "nopx", "nopxm"}) {
    if (mnemonic == name) return true;
  }
  return false;
}

}  // namespace

bool test::is_control_form(const aie::isa::instruction& row) {
  return is_packet_move(row) || is_branch_or_lock(row.mnemonic) || row.name == "MOV_mv_ss2scl" ||
         row.name == "MOV_NB_mv_ss2scl" || row.name == "VMOV_mv_scd" || row.name == "VMOV_mv_mcd";
}

TEST_CASE("a move to the stream sends its word, with tlast where its name or r28 says so", "[emu][core][forms]") {
  for (const aie::isa::instruction& row : aie::isa::instructions()) {
    if (!is_packet_move(row)) {
      continue;
    }
    for (const unsigned r28 : {0u, 1u}) {
      INFO(row.name << " r28 " << r28);
      const single_instruction insn(row);
      const auto bench = insn.bench();
      std::uint32_t expected = 0x1234;
      if (insn.has("addr")) {  // control word: id 3, operation 1, words - 1 = 1, address
        bench->set(insn.reg("addr"), 0x31234);
        bench->set(insn.reg("id"), 3);
        expected = 3u << 24 | 1u << 22 | 1u << 20 | 0x31234;
      } else if (insn.has("id")) {  // packet header: type 1, id 9, from column 0, row 0
        bench->set(insn.reg("id"), 9);
        expected = 1u << 12 | 9;
      } else {
        bench->set(insn.use(0), expected);
      }
      if (insn.has("id")) {
        expected |= std::popcount(expected) % 2 == 0 ? 0x80000000u : 0u;
      }
      bench->set("r28", r28);
      bench->run();
      const bool last = row.mnemonic.ends_with("tlast") || (insn.has("tlast") && r28 == 1);
      CHECK(bench->ports.stream_out == std::vector<std::pair<std::uint32_t, bool>>{{expected, last}});
      if (row.mnemonic.find(".nb") != std::string_view::npos) {
        CHECK(bench->reg("srMS0") == 1);
      }
    }
  }
}

TEST_CASE("moves that do not wait report whether the stream took or gave a word", "[emu][core][forms]") {
  core_bench full("mova r1, #5\nmov.nb ms, r1\n" + ending(8));
  full.ports.stream_room = 0;
  full.run();
  CHECK(full.reg("srMS0") == 0);
  CHECK(full.ports.stream_out.empty());
  core_bench empty("mov.nb r1, SS\n" + ending(8));
  empty.run();
  CHECK(empty.reg("srSS0") == 0);
  core_bench word("mov.nb r1, SS\n" + ending(8));
  word.ports.stream_in.push_back({77, true});
  word.run();
  CHECK(word.reg("r1") == 77);
  CHECK(word.reg("srSS0") == 3);  // bit 0 tlast, bit 1 taken (aiev2_streams.h)
}

TEST_CASE("branches go where their operands say after five delay slots", "[emu][core][forms]") {
  // r1 counts what was passed; the target skips the addition behind the delay slots.
  struct row {
    const char* text;
    std::uint32_t r0;
    bool taken;
  };
  for (const row& r : {row{"j #there", 0, true},
                       {"j p0", 0, true},
                       {"jl #there", 0, true},
                       {"jl p0", 0, true},
                       {"jz r0, #there", 0, true},
                       {"jz r0, #there", 1, false},
                       {"jnz r0, #there", 1, true},
                       {"jnz r0, #there", 0, false},
                       {"jnzd r0, r0, p0", 2, true},
                       {"jnzd r0, r0, p0", 0, false},
                       {"ret lr", 0, true}}) {
    INFO(r.text << " with " << r.r0);
    const bool call = std::string_view(r.text).starts_with("jl");
    core_bench bench("movxm p0, #there\n" + std::string(call ? "" : "movxm lr, #there\n") + "nop\nnop\nnop\nnop\n" +
                     r.text + "\n" + slots + "add.nc r1, r1, #1\n.p2align 4\nthere:\n" + ending(8));
    bench.set("r0", r.r0);
    bench.run();
    CHECK(bench.reg("r1") == (r.taken ? 0u : 1u));
    if (std::string_view(r.text).starts_with("jnzd")) {
      CHECK(bench.reg("r0") == r.r0 - 1);
    }
  }
}

TEST_CASE("lock requests name lock and value, conditional ones only if r26 is set", "[emu][core][forms]") {
  for (const aie::isa::instruction& row : aie::isa::instructions()) {
    const bool acquires = row.mnemonic.starts_with("acq"), releases = row.mnemonic.starts_with("rel");
    if (!acquires && !releases) {
      continue;
    }
    for (const unsigned r26 : {0u, 1u}) {
      INFO(row.name << " r26 " << r26);
      single_instruction insn(row);
      unsigned id = 50;
      if (insn.has("id")) {
        insn.set("id", 50);
      }
      const auto bench = insn.bench();
      if (insn.has("mRx")) {
        bench->set(insn.reg("mRx"), id);
      }
      bench->set(insn.reg("mRy"), acquires ? static_cast<std::uint32_t>(-1) : 1u);
      bench->set("r26", r26);
      bench->ports.locks[id] = 2;
      bench->run();
      const bool acts = row.mnemonic.find(".cond") == std::string_view::npos || r26 != 0;
      CHECK(bench->ports.locks[id] == (!acts ? 2 : acquires ? 1 : 3));
    }
  }
}

TEST_CASE("events carry their number", "[emu][core][forms]") {
  core_bench bench("event #0\nevent #3\n" + ending(8));
  bench.run();
  CHECK(bench.ports.events == std::vector<unsigned>{0, 3});
}
