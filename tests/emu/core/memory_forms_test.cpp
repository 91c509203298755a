// SPDX-License-Identifier: Apache-2.0
// Every load, store and pointer instruction in every addressing form: the address, what it leaves in pointer and
// counts, and the data. Expected values follow aie2/README.md, "Addresses and pointers" and "srs, ups, pack,
// conversions".
#include "forms.hpp"
#include "single_instruction.hpp"

using namespace npurt;
using namespace npurt::test;

namespace {

constexpr std::uint32_t base = 0x71000;
constexpr unsigned shift = 2;

bool is_padd(const std::string& family) { return family.starts_with("padd"); }

struct expected_address {
  std::uint32_t access = base, pointer = base;
  std::uint32_t count_low = 0, count_high = 0;
};

/// Modifiers and what becomes of them: 2D steps on (1 of 3), 3D ends its inner dimension and steps the outer one.
expected_address set_address(core_bench& bench, const single_instruction& insn, bool stack) {
  expected_address e;
  bench.set(stack ? "SP" : "p2", base);
  const bool post = insn.has("ptr_out") || is_padd(family_name(insn.row()));
  const auto imm = insn.has("imm") ? static_cast<std::uint32_t>(insn.value("imm")) : 0u;
  if (insn.has("count_hi_out")) {
    for (const auto& [reg, value] :
         {std::pair{"m1", 32u}, {"dn1", 3u}, {"dj1", 64u}, {"dc1", 3u}, {"dn5", 9u}, {"dj5", 128u}, {"dc5", 4u}}) {
      bench.set(reg, value);
    }
    e.pointer = base + 128;
    e.count_high = 5;
  } else if (insn.has("count_out")) {
    for (const auto& [reg, value] : {std::pair{"m1", 32u}, {"dn1", 3u}, {"dj1", 64u}, {"dc1", 1u}}) {
      bench.set(reg, value);
    }
    e.pointer = base + 64;
    e.count_low = 2;
  } else if (insn.has("mod")) {
    bench.set("m1", 160);
    e.pointer = base + 160;
  } else if (insn.has("dj")) {
    bench.set("dj1", 192);
    e.access = base + 192;
  } else if (insn.has("imm")) {
    (post ? e.pointer : e.access) = base + imm;
  }
  return e;
}

void check_address(core_bench& bench, const single_instruction& insn, const expected_address& e, bool stack) {
  CHECK(bench.reg(stack ? "SP" : "p2") == e.pointer);
  if (insn.has("count_out") || insn.has("count_hi_out")) {
    CHECK(bench.reg("dc1") == e.count_low);
  }
  if (insn.has("count_hi_out")) {
    CHECK(bench.reg("dc5") == e.count_high);
  }
}

/// Element i of the data: small, of both signs, fits four bits.
std::int64_t sample(unsigned i) { return static_cast<std::int64_t>(i * 5 % 16) - 8; }

void check_load(const single_instruction& insn, core_bench& bench, std::uint32_t at, const std::string& family) {
  const auto memory = std::span(bench.ports.data(at, 32), 32);
  const auto word = [&] { return static_cast<std::int32_t>(bench.reg(insn.def(0))); };
  const auto element = [&](unsigned bits, unsigned i) { return get_element(memory, bits, i); };
  if (family == "lda.s8") {
    CHECK(word() == element(8, 0));
  } else if (family == "lda.u8") {
    CHECK(word() == (element(8, 0) & 0xFF));
  } else if (family == "lda.s16") {
    CHECK(word() == element(16, 0));
  } else if (family == "lda.u16") {
    CHECK(word() == (element(16, 0) & 0xFFFF));
  } else if (family.starts_with("vlda.conv")) {
    for (unsigned i = 0; i < 16; ++i) {
      CHECK(lanes_of<std::uint32_t>(bench, insn.def(0))[i] == static_cast<std::uint32_t>(element(16, i)) << 16);
    }
  } else if (family.starts_with("vlda.ups") || family.starts_with("vldb.unpack")) {
    const named_widths w = widths_in(family);
    const unsigned left = family.starts_with("vlda.ups") ? shift : 0;
    for (unsigned i = 0; i < 256 / w.from; ++i) {
      CHECK(get_element(bench.core.reg(insn.def(0)), w.to, i) == element(w.from, i) * (1 << left));
    }
  } else {
    const auto reg = bench.core.reg(insn.def(0));
    const std::size_t bytes = family.ends_with(".128") ? 16 : reg.size();
    CHECK(std::ranges::equal(reg.first(bytes), memory.first(bytes)));
    CHECK(std::ranges::all_of(reg.subspan(bytes), [](std::byte b) { return b == std::byte{0}; }));
  }
}

/// Fills the source so that nothing is lost by narrowing: `unit` times the samples in its lanes.
void set_source(const single_instruction& insn, core_bench& bench, const std::string& family) {
  const auto reg = bench.core.reg(insn.use(0));
  if (family.starts_with("vst.srs") || family.starts_with("vst.pack")) {
    const named_widths w = widths_in(family);
    for (unsigned i = 0; i < 256 / w.to; ++i) {
      set_element(reg, w.from, i, sample(i) * (family.starts_with("vst.srs") ? 1 << shift : 1));
    }
  } else {
    for (std::size_t i = 0; i < reg.size(); ++i) {
      reg[i] = static_cast<std::byte>(family == "vst.conv.bf16.fp32" && i % 4 < 2 ? 0 : 0x11 + i);
    }
  }
}

void check_store(const single_instruction& insn, core_bench& bench, std::uint32_t at, const std::string& family) {
  const auto memory = std::span(bench.ports.data(at, 64), 64);
  const auto reg = bench.core.reg(insn.use(0));
  std::size_t bytes = family == "st.s8" ? 1 : family == "st.s16" ? 2 : family == "vst.128" ? 16 : reg.size();
  if (family.starts_with("vst.srs") || family.starts_with("vst.pack")) {
    const named_widths w = widths_in(family);
    for (unsigned i = 0; i < 256 / w.to; ++i) {
      CHECK(get_element(memory, w.to, i) == sample(i));
    }
    bytes = 32;
  } else if (family == "vst.conv.bf16.fp32") {
    for (unsigned i = 0; i < 16; ++i) {
      CHECK(get_element(memory, 16, i) == get_element(reg, 16, 2 * i + 1));
    }
    bytes = 32;
  } else {
    CHECK(std::ranges::equal(memory.first(bytes), reg.first(bytes)));
  }
  CHECK(std::ranges::all_of(memory.subspan(bytes), [](std::byte b) { return b == std::byte{0xEE}; }));
}

void exercise_access(const aie::isa::instruction& row) {
  single_instruction insn(row);
  const std::string family = family_name(row);
  if (insn.has("imm") && family.ends_with("16") && insn.value("imm") == 1) {
    insn.set("imm", 2);  // scale 1, but halfwords are aligned
  }
  const auto bench = insn.bench();
  const bool stack = !insn.has("ptr");
  make_signed(*bench);
  if (insn.has("shft")) {
    bench->set(insn.reg("shft"), shift);
  }
  const expected_address e = set_address(*bench, insn, stack);
  const bool stores = row.store;
  std::fill(bench->ports.memory.begin(), bench->ports.memory.end(), std::byte{0xEE});
  if (stores) {
    set_source(insn, *bench, family);
  } else {
    for (unsigned i = 0; i < 32; ++i) {
      bench->ports.data(e.access, 32)[i] = static_cast<std::byte>(0x83 + 37 * i);
    }
    if (family == "lda" && bench->core.reg(is_padd(family) ? "p2" : insn.def(0)).size() == 4) {
      bench->ports.put(e.access, 0x2Au);  // fits every register that a word load reaches
    }
  }
  bench->run();
  check_address(*bench, insn, e, stack);
  if (stores) {
    check_store(insn, *bench, e.access, family);
  } else if (!is_padd(family)) {
    check_load(insn, *bench, e.access, family);
  }
}

/// Gathers: of four rows that hold their entries twice, the odd ones from the second copy, the entry that the address
/// names and what follows in its copy, up to 8 bytes.
void exercise_gather(const aie::isa::instruction& row) {
  const single_instruction insn(row);
  const auto bench = insn.bench();
  const std::string family = family_name(row);
  const unsigned entry = family.find("4x16") != std::string::npos   ? 2
                         : family.find("4x32") != std::string::npos ? 4
                                                                    : 8;
  const std::array<unsigned, 8> entries = {1, 0, 16 / entry - 1, 8 / entry, 0, 1, 8 / entry, 16 / entry - 1};
  std::vector<std::uint32_t> addresses(8);
  for (unsigned i = 0; i < 8; ++i) {
    addresses[i] = 0x72000 + 0x120 * i + 2 * entry * entries[i] + entry / 2;
  }
  fill_lanes(*bench, insn.use(0), addresses);
  for (unsigned i = 0; i < 0x2000; ++i) {
    bench->ports.memory[0x2000 + i] = static_cast<std::byte>(i * 7 + i / 256);
  }
  bench->run();
  const auto out = lanes_of<std::uint64_t>(*bench, insn.def(0));
  for (unsigned i = 0; i < 4; ++i) {
    const unsigned word = i + (family.ends_with(".hi") ? 4 : 0), offset = entry * entries[word];
    const std::uint32_t copy = 0x72000 + 0x120 * word + (i % 2 != 0 ? 16 : 0);
    const std::uint64_t inside = offset > 8 ? ~0ull >> 8 * (offset - 8) : ~0ull;
    CHECK(out[i] == (bench->ports.at<std::uint64_t>(copy + offset) & inside));
  }
}

bool is_gather(const aie::isa::instruction& row) { return row.mnemonic.starts_with("vldb.4x"); }

}  // namespace

bool test::is_memory_form(const aie::isa::instruction& row) {
  const std::string family = family_name(row);
  const bool refused = family.starts_with("vldb.sparse") || family.starts_with("vldb.compr") || family.ends_with(".tm");
  return ((row.load || row.store) && !refused) || is_padd(family);
}

TEST_CASE("every addressing form reaches its address, moves its pointer and delivers its data", "[emu][core][forms]") {
  unsigned rows = 0;
  for (const aie::isa::instruction& row : aie::isa::instructions()) {
    if (is_memory_form(row)) {
      INFO(row.name);
      is_gather(row) ? exercise_gather(row) : exercise_access(row);
      ++rows;
    }
  }
  CHECK(rows > 250);
}
