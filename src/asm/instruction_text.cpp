// SPDX-License-Identifier: Apache-2.0
// Text of instructions and bundles.
#include <fmt/format.h>

#include <algorithm>

#include "asm/disassembler.hpp"

namespace npurt::assembler {
namespace {

using namespace aie::isa;

/// Operands that may hold an address: branch targets, and constants of more bits than an address has.
bool may_be_address(const instruction& row, const operand& op) {
  return op.kind == operand_kind::imm && op.width >= 20 && row.where == slot::lng;
}

std::string operand_text(const decoded_instruction& instruction, std::size_t which, const address_names& names) {
  const auto& op = instruction.row->operands[which];
  const auto value = instruction.values[which];
  if (op.kind == operand_kind::reg) return std::string(registers()[static_cast<reg_id>(value)].asm_name);
  if (!may_be_address(*instruction.row, op)) return fmt::format("#{}", value);
  const auto name = names ? names(instruction, static_cast<std::uint32_t>(value)) : std::string();
  if (!name.empty()) return "#" + name;
  return op.width == 20 ? fmt::format("#{:#x}", value) : fmt::format("#{}", value);
}

}  // namespace

std::string to_text(const decoded_instruction& instruction, const address_names& names) {
  std::string out;
  const auto syntax = instruction.row->syntax;
  for (std::size_t i = 0; i < syntax.size();) {
    if (syntax[i] != '$') {
      out += syntax[i++];
      continue;
    }
    const auto end = std::min(syntax.find_first_of(" ,]", i), syntax.size());
    const auto op = std::ranges::find(instruction.row->operands, syntax.substr(i + 1, end - i - 1), &operand::name);
    out += operand_text(instruction, static_cast<std::size_t>(op - instruction.row->operands.begin()), names);
    i = end;
  }
  return out;
}

std::string to_text(const decoded_bundle& bundle, const address_names& names) {
  std::string out;
  for (std::size_t i = 0; i < bundle.count; ++i) out += (i ? " ; " : "") + to_text(bundle.slots[i], names);
  return out;
}

}  // namespace npurt::assembler
