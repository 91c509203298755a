// SPDX-License-Identifier: Apache-2.0
// Collects the labels of a program to be printed.
#include "asm/label_table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "asm/expression.hpp"
#include "asm/flow.hpp"

namespace npurt::assembler {
namespace {

using namespace aie::isa;

bool writes_one_of(const decoded_bundle& bundle, std::initializer_list<std::optional<reg_id>> wanted) {
  for (std::size_t slot = 0; slot < bundle.count; ++slot) {
    const auto& insn = bundle.slots[slot];
    for (std::size_t i = 0; i < insn.row->operands.size(); ++i)
      if (insn.row->operands[i].kind == operand_kind::reg && insn.row->operands[i].role == operand_role::def &&
          std::ranges::find(wanted, static_cast<reg_id>(insn.values[i])) != wanted.end())
        return true;
  }
  return false;
}

bool writes(const decoded_instruction& insn, std::string_view reg) {
  return !insn.row->operands.empty() && insn.row->operands[0].kind == operand_kind::reg &&
         insn.row->operands[0].role == operand_role::def && insn.values[0] == find_register(reg);
}

}  // namespace

void for_each_bundle(const section& code,
                     const std::function<void(std::size_t, const std::optional<decoded_bundle>&)>& visit) {
  for (std::size_t at = 0; at < code.bytes.size();) {
    const auto bundle = decode(std::span(code.bytes).subspan(at));
    visit(at, bundle);
    at += bundle ? bundle->bytes : step_without_bundle;
  }
}

label_table::label_table(const program& p) : lines_(p.sections.size()), entries_(p.sections.size()) {
  for (std::size_t i = 0; i < p.sections.size(); ++i) {
    if (!p.sections[i].executable) continue;
    for_each_bundle(p.sections[i], [&](std::size_t at, const auto&) {
      lines_[i].insert(p.sections[i].address + static_cast<std::uint32_t>(at));
    });
    lines_[i].insert(p.sections[i].address + static_cast<std::uint32_t>(p.sections[i].bytes.size()));
  }
  add_symbols(p);
  for (const auto& s : p.sections)
    if (s.executable) add_targets(s);
  for (std::size_t i = 0; i < p.sections.size(); ++i)
    for (const auto& [address, made] : entries_[i]) names_.try_emplace(address, made.front().name);
  find_sound_loops(p);
}

/// The name as the assembler can read it, different from all others; empty if it cannot.
std::string label_table::spellable(const std::string& name) {
  if (name.empty() || !is_symbol_start(name[0]) || name == "." || !std::ranges::all_of(name, is_symbol_part)) return {};
  auto made = name;
  for (int i = 2; !used_.insert(made).second; ++i) made = fmt::format("{}${}", name, i);
  return made;
}

/// Globals first: they keep their names where local ones are the same.
void label_table::add_symbols(const program& p) {
  for (const bool global : {true, false})
    for (const auto& s : p.symbols)
      if (s.global == global) add_symbol(p, s);
}

void label_table::add_symbol(const program& p, const symbol& s) {
  const auto name = spellable(s.name);
  if (name.empty()) {
    auto shown = s.name;
    std::ranges::replace_if(shown, [](unsigned char c) { return c < ' '; }, '?');  // the comment must stay one line
    others_ += fmt::format("// symbol '{}' at {:#x} cannot be spelled\n", shown, s.value);
    return;
  }
  const auto home = static_cast<std::size_t>(s.section);
  const auto* in = s.section < 0 ? nullptr : &p.sections[home];
  const bool inside = in && s.value >= in->address && s.value - in->address <= in->size;
  if (inside && (!in->executable || lines_[home].contains(s.value))) {
    entries_[home][s.value].push_back({name, s.global, s.size});
    return;
  }
  if (s.global) others_ += fmt::format(".globl {}\n", name);
  others_ += fmt::format(".set {}, {:#x}\n", name, s.value);
}

/// Labels for where branches go and loops begin and end.
void label_table::add_targets(const section& code) {
  std::set<std::uint32_t> targets;
  for_each_bundle(code, [&](std::size_t, const auto& bundle) {
    for (std::size_t slot = 0; bundle && slot < bundle->count; ++slot) {
      const auto& insn = bundle->slots[slot];
      const bool loop = writes(insn, "LS") || writes(insn, "LE");
      for (std::size_t i = 0; i < insn.row->operands.size(); ++i)
        if (insn.row->operands[i].kind == operand_kind::imm && (insn.row->delay_slots > 0 || loop))
          targets.insert(static_cast<std::uint32_t>(insn.values[i]));
    }
  });
  for (const auto target : targets)
    for (std::size_t i = 0; i < lines_.size(); ++i)
      if (lines_[i].contains(target) && !entries_[i].contains(target)) {
        entries_[i][target].push_back({spellable(fmt::format(".L{:x}", target)), false, 0});
        break;
      }
}

/// A loop that does not keep the rules which the assembler enforces for labels is printed with numbers.
void label_table::find_sound_loops(const program& p) {
  const auto ls = find_register("LS"), le = find_register("LE"), lc = find_register("LC");
  for (const auto& s : p.sections) {
    if (!s.executable) continue;
    std::uint32_t quiet_from = 0;  // no loop register is written from here on
    for_each_bundle(s, [&](std::size_t at, const auto& bundle) {
      if (!bundle) return;
      const auto address = s.address + static_cast<std::uint32_t>(at);
      const bool sets = writes_one_of(*bundle, {ls, le, lc});
      if (!sets && bundle->bytes == 16 && address % 16 == 0 && address >= quiet_from) loop_ends_.insert(address);
      if (sets) quiet_from = address + 112;
    });
  }
}

std::string label_table::definitions(std::size_t section, std::uint32_t address) {
  const auto found = entries_[section].find(address);
  if (found == entries_[section].end()) return {};
  std::string text;
  for (const auto& e : found->second) {
    if (e.global) text += fmt::format(".globl {}\n", e.name);
    if (e.size > 0 && e.size <= 0xFFFFF) text += fmt::format(".size {}, {}\n", e.name, e.size);
    text += e.name + ":\n";
  }
  entries_[section].erase(found);
  return text;
}

std::uint32_t label_table::next(std::size_t section, std::uint32_t address, std::uint32_t end) const {
  const auto found = entries_[section].lower_bound(address);
  return found == entries_[section].end() ? end : std::min(found->first, end);
}

std::string label_table::name(const decoded_instruction& user, std::uint32_t value) const {
  const auto found = names_.find(value);
  if (found == names_.end()) return {};
  if (user.row->delay_slots > 0 || value >= data_memory_base) return found->second;
  if (writes(user, "LS")) return value % 16 == 0 ? found->second : std::string();
  return writes(user, "LE") && loop_ends_.contains(value) ? found->second : std::string();
}

}  // namespace npurt::assembler
