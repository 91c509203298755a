// SPDX-License-Identifier: Apache-2.0
// Text of instructions, bundles and programs.
#include "asm/disassembler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>

namespace npurt::assembler {
namespace {

using namespace aie::isa;

bool is_branch_target(const instruction& row, const operand& op) {
  return op.kind == operand_kind::imm && op.width == 20 && row.where == slot::lng;
}

std::string operand_text(const decoded_instruction& instruction, std::size_t which, const address_names& names) {
  const auto& op = instruction.row->operands[which];
  const auto value = instruction.values[which];
  if (op.kind == operand_kind::reg) return std::string(registers()[static_cast<reg_id>(value)].asm_name);
  if (!is_branch_target(*instruction.row, op)) return fmt::format("#{}", value);
  const auto name = names ? names(static_cast<std::uint32_t>(value)) : std::string();
  return name.empty() ? fmt::format("#{:#x}", value) : "#" + name;
}

using label_map = std::map<std::uint32_t, std::vector<std::string>>;

/// Names of code addresses.
label_map labels_of(const program& p) {
  label_map labels;
  for (const auto& s : p.symbols)
    if (s.section >= 0 && p.sections[static_cast<std::size_t>(s.section)].executable) labels[s.value].push_back(s.name);
  return labels;
}

void print_bytes(std::string& out, std::span<const std::uint8_t> bytes) {
  for (const auto byte : bytes) fmt::format_to(std::back_inserter(out), "{:02x} ", byte);
}

void disassemble_section(const section& code, const label_map& labels, std::string& out) {
  const address_names names = [&](std::uint32_t address) {
    const auto found = labels.find(address);
    return found == labels.end() ? std::string() : found->second.front();
  };
  constexpr std::size_t column = 3 * 16;  // the longest bundle's bytes
  fmt::format_to(std::back_inserter(out), "\n// section {}\n", code.name);
  for (std::size_t at = 0; at < code.bytes.size();) {
    const auto address = code.address + static_cast<std::uint32_t>(at);
    if (const auto found = labels.find(address); found != labels.end())
      for (const auto& name : found->second) fmt::format_to(std::back_inserter(out), "{}:\n", name);
    const std::span rest(code.bytes.begin() + static_cast<std::ptrdiff_t>(at), code.bytes.end());
    const auto bundle = decode(rest);
    const std::size_t length = bundle ? bundle->bytes : 1;
    std::string bytes;
    print_bytes(bytes, rest.first(length));
    fmt::format_to(std::back_inserter(out), "/* {:5x}: {:{}}*/ {}\n", address, bytes, column,
                   bundle ? to_text(*bundle, names) : fmt::format(".byte {:#04x}", rest[0]));
    at += length;
  }
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

std::string disassemble(const program& p) {
  std::string out;
  const auto labels = labels_of(p);
  for (const auto& s : p.sections)
    if (s.executable) disassemble_section(s, labels, out);
  return out;
}

}  // namespace npurt::assembler
