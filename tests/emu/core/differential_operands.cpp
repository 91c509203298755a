// SPDX-License-Identifier: Apache-2.0
// Operands that let a program go on, and initial registers that do.
#include "emu/core/differential_operands.hpp"

#include <cstring>
#include <optional>
#include <string>

#include "aie/isa/modes.hpp"
#include "emu/core/differential_ports.hpp"
#include "emu/core/differential_roles.hpp"
#include "emu/core/differential_rows.hpp"

namespace npurt::test {
namespace {

namespace isa = aie::isa;

isa::reg_id reg_named(std::string_view name) { return *isa::find_register(name); }

bool is_sparse(const isa::instruction& row) { return row.name.find("sparse") != std::string_view::npos; }
bool is_float(const isa::instruction& row) { return row.mnemonic.ends_with(".f"); }
bool is_multiplier(const isa::instruction& row) {
  return row.where == isa::slot::vec && !row.operands.empty() && row.operands.back().name == "c";
}

/// Bytes that an access must be aligned to, by the mnemonic.
std::int32_t access_of(const isa::instruction& row) {
  const auto name = row.mnemonic;
  if (!row.load && !row.store) return 1;
  if (name.starts_with("v")) return 32;
  if (name.ends_with("8")) return 1;
  if (name.ends_with("16")) return 2;
  return row.name.find("_q_") != std::string_view::npos || row.name.find("dmv") != std::string_view::npos ? 16 : 4;
}

std::int32_t rounded_down(std::int32_t value, std::int32_t unit) { return (value / unit - (value % unit < 0)) * unit; }

}  // namespace

std::span<const isa::reg_id> operand_maker::relied_on() {
  static const auto list = [] {
    std::vector<isa::reg_id> result;
    for (std::size_t i = 0; i < isa::registers().size(); ++i) {
      const auto reg = static_cast<isa::reg_id>(i);
      const auto what = role_of(reg);
      const bool wide = isa::registers()[i].width > 32 || !isa::registers()[i].parts.empty();
      if (what != role::none && what != role::target && what != role::loop && what != role::counter && !wide)
        result.push_back(reg);
    }
    return result;
  }();
  return list;
}

bool operand_maker::drifts(isa::reg_id reg) {
  const auto what = role_of(reg);
  return what == role::vector_pointer || what == role::word_pointer || what == role::byte_pointer ||
         what == role::stack;
}

/// Other bits of a configuration than its shape: half of the time no sub_mask; signs, now and then shift16.
std::int32_t operand_maker::mac_word(std::uint32_t word) {
  if (random_.one_in(2)) word &= 0xFFFF;
  word |= random_.below(2) | random_.below(4) << 8 | random_.below(8) << 11;
  if (random_.one_in(8)) word |= 1u << 10;
  return static_cast<std::int32_t>(word);
}

std::int32_t operand_maker::legal_value(isa::reg_id reg) {
  const auto pointer = [&](std::int32_t unit) {
    const auto base = static_cast<std::int32_t>(random_.one_in(3) ? seeded_ports::south : seeded_ports::own);
    return base + random_.between(0x2000, 0xE000) / unit * unit;
  };
  switch (role_of(reg)) {
    case role::vector_pointer:
      return pointer(32);
    case role::word_pointer:
      return pointer(4);
    case role::byte_pointer:
      return pointer(1);
    case role::stack:
      return static_cast<std::int32_t>(seeded_ports::north) + random_.between(0x100, 0x200) * 32;
    case role::step:
      return random_.between(-3, 3) * 32;
    case role::mac_int:
    case role::mac_float:
    case role::sparse_int:
    case role::sparse_float:
      return mac_word(random_.pick(words_of(role_of(reg))));
    case role::shuffle:
      return random_.between(0, static_cast<std::int32_t>(isa::shuffle_modes().size()) - 1);
    case role::lock:
      return random_.between(0, 63);
    case role::shift:
      return random_.between(0, 12);
    case role::alignment:
      return random_.between(0, 4);
    case role::rounding:
      return isa::rounding_modes()[random_.below(isa::rounding_modes().size())].mode;
    case role::enabled:
      return 1;
    default:
      return static_cast<std::int32_t>(random_.next());
  }
}

isa::reg_id operand_maker::any_scalar() { return reg_named("r" + std::to_string(random_.below(32))); }

isa::decoded_instruction operand_maker::nop(isa::slot where) {
  isa::decoded_instruction insn;
  insn.row = &isa::slot_nop(where);
  complete(insn);
  return insn;
}

isa::decoded_instruction operand_maker::random_operands(const isa::instruction& row, bool& found) {
  const auto word = row.value | (random_.next() & ((1ull << isa::slot_width(row.where)) - 1) & ~row.mask);
  const auto insn = isa::decode(row.where, word);
  found = insn && insn->row == &row;
  return found ? *insn : nop(row.where);
}

std::optional<isa::decoded_instruction> operand_maker::settled(const isa::instruction& row) {
  for (int attempt = 0; attempt < 4; ++attempt) {
    bool found = false;
    auto insn = random_operands(row, found);
    if (found && settle(insn)) return insn;
  }
  return std::nullopt;
}

isa::decoded_instruction operand_maker::wild(isa::slot where) {
  const auto& row = *random_.pick(rows_of(where).all);
  bool found = false;
  return random_operands(row, found);
}

isa::decoded_instruction operand_maker::instruction(isa::slot where) {
  const auto& lists = rows_of(where);
  if (lists.going_on.empty()) return nop(where);
  for (int attempt = 0; attempt < 24; ++attempt) {
    const auto& row =
        random_.one_in(2) ? *random_.pick(lists.going_on) : *random_.pick(random_.pick(lists.by_mnemonic));
    if (const auto insn = settled(row)) return *insn;
  }
  return nop(where);
}

void operand_maker::settle_registers(isa::decoded_instruction& insn) {
  const auto& row = *insn.row;
  const bool gathers = row.mnemonic.starts_with("vldb.4x");
  const bool floors = row.mnemonic.starts_with("vfloor");
  const bool locks = row.mnemonic.starts_with("acq") || row.mnemonic.starts_with("rel");
  for (std::size_t i = 0; i < row.operands.size(); ++i) {
    const auto& operand = row.operands[i];
    auto& value = insn.values[i];
    if (operand.kind == isa::operand_kind::imm || operand.role == isa::operand_role::def) continue;
    if (is_multiplier(row) && operand.name == "c") {
      const auto floating = is_float(row);
      const char* dense = floating ? (random_.one_in(2) ? "r14" : "r15") : (random_.one_in(2) ? "r12" : "r13");
      value = reg_named(is_sparse(row) ? (floating ? "r9" : "r8") : dense);
    } else if (row.mnemonic == "vshuffle" && operand.name == "mod") {
      value = reg_named("r10");
    } else if (locks && operand.name == "mRx") {
      value = reg_named("r11");
    } else if (row.mnemonic == "vshift.align" && operand.name == "pre") {
      value = reg_named("s2");
    } else if (gathers && operand.name == "src") {
      value = reg_named(random_.one_in(2) ? "wl11" : "wh11");
    } else if (floors && operand.name == "src") {
      value = reg_named(row.name.ends_with("AM") ? "amhh8" : random_.one_in(2) ? "wl10" : "wh10");
    } else if (floors) {
      value = reg_named("s3");
    }
  }
}

void operand_maker::settle_address(isa::decoded_instruction& insn) {
  const auto& row = *insn.row;
  const auto access = access_of(row);
  std::int32_t unit = 32;
  bool updates = row.mnemonic.starts_with("padd"), found = false;
  for (std::size_t i = 0; i < row.operands.size(); ++i) {
    const auto& operand = row.operands[i];
    updates = updates || operand.name == "ptr_out";
    if (operand.name != "ptr") continue;
    found = true;
    const auto pointer = random_.below(access > 4 ? 5u : access > 1 ? 6u : 7u);
    unit = pointer == 6 ? 1 : pointer == 5 ? 4 : 32;
    insn.values[i] = reg_named("p" + std::to_string(pointer));
  }
  const bool stack = row.syntax.find("[sp") != std::string_view::npos;
  if (!found && !stack) return;
  for (std::size_t i = 0; i < row.operands.size(); ++i) {
    const auto& operand = row.operands[i];
    if (operand.name != "imm") continue;
    auto& value = insn.values[i];
    if (stack && !updates) value = -access * random_.between(1, 2048 / access);
    if (updates) value = rounded_down(value % 256, unit);
    if (!updates && !stack) value = rounded_down(value, access);
  }
}

/// A move may write a register with a role if what it moves has it, too.
bool operand_maker::settle_move(isa::decoded_instruction& insn) {
  const auto& operands = insn.row->operands;
  if (operands.size() != 2 || operands[0].role != isa::operand_role::def || !insn.row->mnemonic.starts_with("mov"))
    return false;
  const auto what = role_of(static_cast<isa::reg_id>(insn.values[0]));
  if (what == role::target || what == role::loop || what == role::counter) return false;
  if (operands[1].kind == isa::operand_kind::imm) {
    insn.values[1] = legal_value(static_cast<isa::reg_id>(insn.values[0]));
    return encode(insn).has_value();
  }
  return role_of(static_cast<isa::reg_id>(insn.values[1])) == what;
}

/// @return whether the instruction lets the program go on
bool operand_maker::settle(isa::decoded_instruction& insn) {
  settle_registers(insn);
  settle_address(insn);
  complete(insn);
  const auto operands = insn.row->operands;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const auto& operand = operands[i];
    const bool of_address = operand.name == "ptr_out" || operand.name.starts_with("count_");
    if (operand.role != isa::operand_role::def || of_address) continue;
    if (role_of(static_cast<isa::reg_id>(insn.values[i])) != role::none && !settle_move(insn)) return false;
  }
  for (const auto& implicit : insn.row->implicit) {
    const auto what = role_of(implicit.reg);
    if (implicit.role == isa::operand_role::def && what != role::none && what != role::stack) return false;
  }
  return encode(insn).has_value();
}

void set_registers(random_source& random, emu::core& core) {
  operand_maker maker(random);
  for (std::size_t i = 0; i < isa::registers().size(); ++i) {
    const auto reg = static_cast<isa::reg_id>(i);
    const auto& info = isa::registers()[i];
    if (!info.parts.empty() || info.name == "tile_cntr") continue;
    const auto bytes = core.reg(info.name);
    const auto what = role_of(reg);
    if (what == role::addresses || what == role::small_floats || info.width > 32) {
      fill_lanes(random, bytes);
    }
    if (what == role::addresses) {
      for (std::size_t at = 0; at < bytes.size(); at += 4) {
        const auto address = static_cast<std::uint32_t>(maker.legal_value(reg_named("p6")));
        std::memcpy(bytes.data() + at, &address, sizeof address);
      }
    } else if (what == role::small_floats) {
      for (std::size_t at = 0; at < bytes.size(); at += 2) {
        const auto half = static_cast<std::uint16_t>(random.below(2) << 15 | random.below(0x4700));  // below 2^15
        std::memcpy(bytes.data() + at, &half, sizeof half);
      }
    } else if (info.width <= 32) {
      std::uint32_t value = random.one_in(2) ? special_word(random) : static_cast<std::uint32_t>(random.next());
      if (what == role::loop || what == role::target)
        value = 0;
      else if (what != role::none)
        value = static_cast<std::uint32_t>(maker.legal_value(reg));
      const bool field = info.name.starts_with("cr") || info.name.starts_with("sr");
      if (field && what == role::none) value &= info.name == "crSat" ? 3 : 1;
      if (info.name.starts_with("s") && info.name.size() == 2) value &= 63;
      if (info.width < 32) value &= (1u << info.width) - 1;
      std::memcpy(bytes.data(), &value, sizeof value);
    }
  }
}

}  // namespace npurt::test
