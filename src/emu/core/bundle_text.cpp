// SPDX-License-Identifier: Apache-2.0
// Bundles as assembly text, for reports of faults.
#include <algorithm>
#include <format>

#include "emu/core/decode_cache.hpp"

namespace npurt::emu {
namespace {

namespace isa = aie::isa;

std::string hex_bytes(std::span<const std::uint8_t> bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += std::format("{}{:02x}", text.empty() ? "" : " ", byte);
  }
  return text;
}

std::string instruction_text(const isa::decoded_instruction& insn) {
  std::string text;
  std::string_view rest = insn.row->syntax;
  while (!rest.empty()) {
    const std::size_t dollar = rest.find('$');
    text += rest.substr(0, dollar);
    if (dollar == std::string_view::npos) {
      break;
    }
    rest.remove_prefix(dollar + 1);
    const std::size_t length = std::min(rest.find_first_of(" ,]:)"), rest.size());
    const std::string_view name = rest.substr(0, length);
    rest.remove_prefix(length);
    for (std::size_t i = 0; i < insn.row->operands.size(); ++i) {
      const isa::operand& operand = insn.row->operands[i];
      if (operand.name == name) {
        const auto value = static_cast<std::size_t>(insn.values[i]);
        text += operand.kind == isa::operand_kind::imm ? std::format("#{}", insn.values[i])
                                                       : std::string(isa::registers()[value].asm_name);
        break;
      }
    }
  }
  return text;
}

}  // namespace

std::string bundle_text(std::span<const std::byte> program, std::uint32_t pc) {
  if (pc >= program.size()) {
    return {};
  }
  const auto bytes = bundle_bytes(program, pc);
  const auto decoded = bytes.size() < isa::bundle_length(bytes[0]) ? std::nullopt : isa::decode(bytes);
  if (!decoded) {
    return hex_bytes(bytes);
  }
  std::string text;
  for (unsigned i = 0; i < decoded->count; ++i) {
    if (!is_nop(*decoded->slots[i].row) || decoded->count == 1) {
      text += (text.empty() ? "" : "; ") + instruction_text(decoded->slots[i]);
    }
  }
  return text.empty() ? "nop" : text;
}

}  // namespace npurt::emu
