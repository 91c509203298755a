// SPDX-License-Identifier: Apache-2.0
// Decodes a program and connects its bundles.
#include "asm/flow.hpp"

#include <algorithm>
#include <ranges>
#include <set>
#include <unordered_map>

namespace npurt::assembler {
namespace {

using namespace aie::isa;

template <typename Visit>
void for_each_leaf(reg_id reg, Visit visit) {
  if (registers()[reg].parts.empty()) return visit(reg);
  for (const auto part : registers()[reg].parts) for_each_leaf(part, visit);
}

/// The target that a branch spells; nothing for one through a register.
std::optional<std::uint32_t> target_of(const decoded_instruction& branch) {
  for (std::size_t i = 0; i < branch.row->operands.size(); ++i)
    if (branch.row->operands[i].kind == operand_kind::imm) return static_cast<std::uint32_t>(branch.values[i]);
  return std::nullopt;
}

bool is_conditional(const instruction& branch) {
  return branch.mnemonic.starts_with("jz") || branch.mnemonic.starts_with("jnz");
}

/// The constant that an instruction moves to a register; nothing if it does not.
std::optional<std::uint32_t> constant_for(const decoded_instruction& insn, reg_id reg) {
  const auto operands = insn.row->operands;
  if (operands.size() != 2 || operands[0].kind != operand_kind::reg || operands[1].kind != operand_kind::imm) return {};
  if (operands[0].role != operand_role::def || insn.values[0] != reg) return {};
  return static_cast<std::uint32_t>(insn.values[1]);
}

/// A port of a register file: the bank, and whether it reads or writes.
struct port {
  std::string_view bank;
  operand_role role;
};

/// Whether an instruction needs a port that its schedule class claims. A class claims the ports of every bank that its
/// operand may be in; in real programs only those of the bank that it is in collide (st r1 stands beside mov r17, crSat
/// in programs of AMD's compiler, though both classes claim the read port of p). Pointers of memory accesses have ports
/// of their own.
bool needs(const decoded_instruction& insn, std::string_view unit) {
  static const std::unordered_map<std::string_view, port> ports{
      {"P_WM", {"p", operand_role::def}},   {"M_WM", {"m", operand_role::def}},   {"DJ_WM", {"dj", operand_role::def}},
      {"DN_WM", {"dn", operand_role::def}}, {"DC_WM", {"dc", operand_role::def}}, {"R_WA", {"r", operand_role::def}},
      {"P_RM", {"p", operand_role::use}},   {"R_RV", {"r", operand_role::use}}};
  const auto wanted = ports.find(unit);
  if (wanted == ports.end()) return true;
  for (std::size_t i = 0; i < insn.row->operands.size(); ++i) {
    const auto& op = insn.row->operands[i];
    if (op.kind != operand_kind::reg || op.role != wanted->second.role || op.name == "ptr") continue;
    const auto name = registers()[static_cast<reg_id>(insn.values[i])].asm_name;
    if (name.substr(0, name.find_first_of("0123456789")) == wanted->second.bank) return true;
  }
  return false;
}

}  // namespace

flow::flow(const program& p) {
  read_bundles(p);
  find_loops();
  connect();
  mark_entries(p);
}

void flow::read_bundles(const program& p) {
  for (const auto& line : p.lines) {
    const auto home = std::ranges::find_if(p.sections, [&](const section& s) {
      return s.executable && line.address >= s.address && line.address + line.size <= s.address + s.bytes.size();
    });
    if (home == p.sections.end()) continue;
    const auto found = decode(std::span(home->bytes).subspan(line.address - home->address));
    if (!found) continue;
    auto& b = bundles_.emplace_back();
    b.address = line.address;
    b.line = line.line;
    b.column = line.column;
    b.columns = line.columns;
    b.bundle = *found;
    read_accesses(b);
  }
  std::ranges::sort(bundles_, {}, &flow_bundle::address);
}

void flow::read_accesses(flow_bundle& b) const {
  for (std::uint8_t slot = 0; slot < b.bundle.count; ++slot) {
    const auto& insn = b.bundle.slots[slot];
    if (insn.row->delay_slots > 0) b.branch = slot;
    const auto add = [&](reg_id reg, operand_role role, std::uint8_t stage, char bypass, bool implicit) {
      for_each_leaf(reg, [&](reg_id leaf) {
        (role == operand_role::def ? b.writes : b.reads).push_back({leaf, reg, stage, bypass, slot, implicit});
      });
    };
    for (std::size_t i = 0; i < insn.row->operands.size(); ++i)
      if (insn.row->operands[i].kind == operand_kind::reg)
        add(static_cast<reg_id>(insn.values[i]), insn.row->operands[i].role, operand_cycle(insn, i),
            operand_bypass(insn, i), false);
    for (const auto& i : insn.row->implicit) add(i.reg, i.role, i.cycle, 0, true);
    for (const auto& claim : insn.schedule->claims)
      if (needs(insn, claim.unit)) b.units.push_back({claim, slot});
  }
}

bool flow::adjacent(std::size_t bundle) const {
  return bundle + 1 < bundles_.size() &&
         bundles_[bundle].address + bundles_[bundle].bundle.bytes == bundles_[bundle + 1].address;
}

std::size_t flow::at(std::uint32_t address) const {
  const auto found = std::ranges::lower_bound(bundles_, address, {}, &flow_bundle::address);
  const bool exact = found != bundles_.end() && found->address == address;
  return exact ? static_cast<std::size_t>(found - bundles_.begin()) : bundles_.size();
}

/// Pairs every constant that le gets with the constant that the nearest write gives to ls.
void flow::find_loops() {
  const auto ls = *find_register("LS"), le = *find_register("LE");
  std::vector<std::pair<std::size_t, std::uint32_t>> starts, ends;
  for (std::size_t i = 0; i < bundles_.size(); ++i)
    for (std::size_t slot = 0; slot < bundles_[i].bundle.count; ++slot) {
      const auto& insn = bundles_[i].bundle.slots[slot];
      if (const auto start = constant_for(insn, ls)) starts.emplace_back(i, *start);
      if (const auto end = constant_for(insn, le)) ends.emplace_back(i, *end);
    }
  for (const auto& [setup, last] : ends) {
    const auto distance = [&, from = setup](const auto& start) {
      return start.first > from ? start.first - from : from - start.first;
    };
    const auto nearest = std::ranges::min_element(starts, {}, distance);
    if (nearest != starts.end() && nearest->second <= last) loops_.push_back({nearest->second, last, setup});
  }
}

void flow::connect() {
  for (std::size_t i = 0; i < bundles_.size(); ++i) {
    const bool after_slots =
        i >= delay_slots && bundles_[i - delay_slots].branch >= 0 &&
        std::ranges::all_of(std::views::iota(i - delay_slots, i), [this](std::size_t k) { return adjacent(k); });
    if (after_slots)
      connect_branch(i - delay_slots, i);
    else if (adjacent(i))
      bundles_[i].next.push_back(i + 1);
    for (const auto& [first, last, setup] : loops_)
      if (bundles_[i].address == last && at(first) < bundles_.size()) bundles_[i].next.push_back(at(first));
  }
}

void flow::connect_branch(std::size_t branch, std::size_t last) {
  const auto& from = bundles_[branch];
  const auto& insn = from.bundle.slots[static_cast<std::size_t>(from.branch)];
  auto& to = bundles_[last];
  to.calls = insn.row->mnemonic == "jl";
  if (to.calls) return;
  if (is_conditional(*insn.row) && adjacent(last)) to.next.push_back(last + 1);
  const auto target = target_of(insn);
  if (target && at(*target) < bundles_.size()) to.next.push_back(at(*target));
}

/// Functions: global symbols, what is called, and what nothing in the text leads to.
void flow::mark_entries(const program& p) {
  std::set<std::uint32_t> called;
  for (const auto& b : bundles_)
    if (b.branch >= 0 && b.mnemonic(static_cast<std::size_t>(b.branch)) == "jl")
      if (const auto target = target_of(b.bundle.slots[static_cast<std::size_t>(b.branch)])) called.insert(*target);
  for (const auto& s : p.symbols)
    if (s.global && s.section >= 0) called.insert(s.value);
  std::vector<bool> reached(bundles_.size(), false);
  for (std::size_t i = 0; i < bundles_.size(); ++i) {
    for (const auto next : bundles_[i].next) reached[next] = true;
    if (bundles_[i].calls && adjacent(i)) reached[i + 1] = true;
  }
  for (std::size_t i = 0; i < bundles_.size(); ++i)
    bundles_[i].entered = called.contains(bundles_[i].address) || !reached[i];
}

void flow::walk(std::size_t from, unsigned depth, const std::function<bool(std::size_t, unsigned)>& visit) const {
  std::set<std::size_t> here{from};
  for (unsigned distance = 1; distance <= depth && !here.empty(); ++distance) {
    std::set<std::size_t> reached;
    for (const auto bundle : here) reached.insert(bundles_[bundle].next.begin(), bundles_[bundle].next.end());
    here.clear();
    for (const auto bundle : reached)
      if (visit(bundle, distance)) here.insert(bundle);
  }
}

}  // namespace npurt::assembler
