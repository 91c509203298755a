// SPDX-License-Identifier: Apache-2.0
// Look-ups in the instruction tables.
#include "aie/isa/isa.hpp"

#include "aie/isa/tables.hpp"

namespace npurt::aie::isa {

using detail::get;

std::string_view to_string(slot s) {
  constexpr std::array<std::string_view, slot_count> names{"lda", "ldb", "alu", "mv", "st", "vec", "lng", "nop"};
  return names[static_cast<std::size_t>(s)];
}

std::span<const register_info> registers() { return get().registers; }
std::span<const register_class> register_classes() { return get().classes; }
std::span<const schedule_class> schedule_classes() { return get().schedule; }
std::span<const instruction> instructions() { return get().instructions; }
std::span<const bundle_format> formats() { return get().formats; }

std::optional<reg_id> find_register(std::string_view name) {
  const auto found = get().register_names.find(name);
  if (found == get().register_names.end()) return std::nullopt;
  return found->second;
}

std::optional<reg_id> find_member(class_id cls, std::string_view name) {
  for (const auto& member : get().classes[cls].encode) {
    const auto& reg = get().registers[member.reg];
    if (reg.asm_name == name || reg.name == name) return member.reg;
  }
  return std::nullopt;
}

bool is_member(class_id cls, reg_id reg) { return reg < detail::max_registers && get().members[cls].test(reg); }

const instruction* find_instruction(std::string_view record_name) {
  const auto found = get().instruction_names.find(record_name);
  return found == get().instruction_names.end() ? nullptr : &get().instructions[found->second];
}

unsigned slot_width(slot s) { return get().slot_widths[static_cast<std::size_t>(s)]; }

const instruction& slot_nop(slot s) { return *get().nops[static_cast<std::size_t>(s)]; }

unsigned bundle_length(std::uint8_t first_byte) {
  switch (first_byte & 0xF) {
    case 1:
      return 2;
    case 9:
      return 4;
    case 5:
    case 13:
      return 6;
    case 3:
      return 8;
    case 11:
      return 10;
    case 7:
      return 12;
    case 15:
      return 14;
    default:
      return 16;
  }
}

std::uint8_t operand_cycle(const decoded_instruction& insn, std::size_t i) {
  const auto& stages = insn.schedule->cycles;
  return i < stages.size() ? stages[i] : insn.row->operands[i].cycle;
}

char operand_bypass(const decoded_instruction& insn, std::size_t i) {
  const auto bypass = insn.schedule->bypass;
  return i < bypass.size() && bypass[i] != '-' ? bypass[i] : '\0';
}

}  // namespace npurt::aie::isa
