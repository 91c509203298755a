// SPDX-License-Identifier: Apache-2.0
// Text of instructions, bundles and programs.
#include "asm/disassembler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

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

/// The bundle at an offset into a section; nothing if its bytes are none.
std::optional<decoded_bundle> bundle_at(const section& code, std::size_t at) {
  return decode(std::span(code.bytes.begin() + static_cast<std::ptrdiff_t>(at), code.bytes.end()));
}

/// The addresses at which a line of the listing begins, and the sections' ends: only there can a label be printed.
std::set<std::uint32_t> line_addresses(const program& p) {
  std::set<std::uint32_t> addresses;
  for (const auto& s : p.sections) {
    if (!s.executable) continue;
    for (std::size_t at = 0; at < s.bytes.size();) {
      addresses.insert(s.address + static_cast<std::uint32_t>(at));
      const auto bundle = bundle_at(s, at);
      at += bundle ? bundle->bytes : 1;
    }
    addresses.insert(s.address + static_cast<std::uint32_t>(s.bytes.size()));
  }
  return addresses;
}

/// Names of code addresses.
label_map labels_of(const program& p) {
  label_map labels;
  const auto printable = line_addresses(p);
  for (const auto& s : p.symbols)
    if (s.section >= 0 && p.sections[static_cast<std::size_t>(s.section)].executable && printable.contains(s.value))
      labels[s.value].push_back(s.name);
  return labels;
}

void print_bytes(std::string& out, std::span<const std::uint8_t> bytes) {
  for (const auto byte : bytes) fmt::format_to(std::back_inserter(out), "{:02x} ", byte);
}

/// Prints the labels of an address, once: a section may begin where another ends.
void print_labels(std::uint32_t address, label_map& unprinted, std::string& out) {
  const auto found = unprinted.find(address);
  if (found == unprinted.end()) return;
  for (const auto& name : found->second) fmt::format_to(std::back_inserter(out), "{}:\n", name);
  unprinted.erase(found);
}

void disassemble_section(const section& code, const label_map& labels, label_map& unprinted, std::string& out) {
  const address_names names = [&](std::uint32_t address) {
    const auto found = labels.find(address);
    return found == labels.end() ? std::string() : found->second.front();
  };
  constexpr std::size_t column = 3 * 16;  // the longest bundle's bytes
  fmt::format_to(std::back_inserter(out), "\n// section {}\n", code.name);
  for (std::size_t at = 0; at < code.bytes.size();) {
    const auto address = code.address + static_cast<std::uint32_t>(at);
    print_labels(address, unprinted, out);
    const auto bundle = bundle_at(code, at);
    const std::size_t length = bundle ? bundle->bytes : 1;
    std::string bytes;
    print_bytes(bytes, std::span(code.bytes).subspan(at, length));
    fmt::format_to(std::back_inserter(out), "/* {:5x}: {:{}}*/ {}\n", address, bytes, column,
                   bundle ? to_text(*bundle, names) : fmt::format(".byte {:#04x}", code.bytes[at]));
    at += length;
  }
  print_labels(code.address + static_cast<std::uint32_t>(code.bytes.size()), unprinted, out);
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
  auto unprinted = labels;
  for (const auto& s : p.sections)
    if (s.executable) disassemble_section(s, labels, unprinted, out);
  return out;
}

}  // namespace npurt::assembler
