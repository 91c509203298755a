// SPDX-License-Identifier: Apache-2.0
// Trace and profile of a run.
#include "observer.hpp"

#include <algorithm>
#include <format>
#include <numeric>
#include <stdexcept>

#include "aie/isa/isa.hpp"
#include "asm/disassembler.hpp"

namespace npurt::tools {
namespace {

using namespace aie;

/// The slots as columns of the profile; lng takes the place of alu and mv.
constexpr std::string_view slot_letters = "ABXMSV";
constexpr std::array<std::string_view, 6> slot_names{"lda", "ldb", "alu", "mv", "st", "vec"};

std::optional<isa::decoded_bundle> bundle_at(const emu::core& core, std::uint32_t pc) {
  if (pc >= core.program().size()) return std::nullopt;
  const std::span program(reinterpret_cast<const std::uint8_t*>(core.program().data()), core.program().size());
  return isa::decode(program.subspan(pc));
}

/// A letter for every slot that holds more than a NOP, else a point.
std::string slots_of(const isa::decoded_bundle& bundle) {
  std::string used(slot_letters.size(), '.');
  const auto mark = [&](char letter) { used[slot_letters.find(letter)] = letter; };
  for (std::size_t i = 0; i < bundle.count; ++i) {
    const auto& row = *bundle.slots[i].row;
    if (&row == &isa::slot_nop(row.where)) continue;
    switch (row.where) {
      case isa::slot::lda:
        mark('A');
        break;
      case isa::slot::ldb:
        mark('B');
        break;
      case isa::slot::alu:
        mark('X');
        break;
      case isa::slot::mv:
        mark('M');
        break;
      case isa::slot::st:
        mark('S');
        break;
      case isa::slot::vec:
        mark('V');
        break;
      case isa::slot::lng:
        mark('X');
        mark('M');
        break;
      case isa::slot::nop:
        break;
    }
  }
  return used;
}

}  // namespace

std::string text_at(const emu::core& core, std::uint32_t pc) {
  if (pc >= core.program().size()) return "outside program memory";
  const auto bundle = bundle_at(core, pc);
  if (bundle) return assembler::to_text(*bundle);
  std::string bytes = "no bundle:";
  const auto length = isa::bundle_length(std::to_integer<std::uint8_t>(core.program()[pc]));
  for (std::size_t i = pc; i < std::min<std::size_t>(pc + length, core.program().size()); ++i)
    bytes += std::format(" {:02x}", std::to_integer<unsigned>(core.program()[i]));
  return bytes;
}

observer::observer(emu::core& core, const std::string& trace_path) : core_(core) {
  if (trace_path.empty()) return;
  trace_.open(trace_path);
  trace_
      << "# cycle  pc     bundle [stall cycles before it]  | registers whose write lands in this cycle, hexadecimal\n";
  if (!trace_) throw std::runtime_error("cannot write " + trace_path);
}

std::uint64_t observer::stalled() const {
  const auto& stalls = core_.counters().stalls;
  return std::accumulate(stalls.begin() + 1, stalls.end(), std::uint64_t{0});
}

std::uint64_t observer::advanced() const { return core_.counters().cycles - stalled(); }

bool observer::step() {
  const auto pc = core_.pc();
  const auto cycle = core_.counters().cycles, bundles = core_.counters().bundles, stalls = stalled();
  if (core_.run(1) == 0) return false;
  const bool issued = core_.counters().bundles != bundles;
  auto& here = tallies_[pc];
  ++here.cycles;
  here.executed += issued;
  here.stalled += stalled() - stalls;
  waited_ += stalled() - stalls;
  if (!trace_.is_open()) return true;
  if (issued) note_writes(pc);
  const auto writes = landed(advanced());
  if (!issued && writes.empty()) return true;
  const auto waited = issued && waited_ > 0 ? std::format(" [{} stalled]", waited_) : std::string();
  if (issued) waited_ = 0;
  trace_ << std::format("{:7} {:05x}  {}{}{}\n", cycle, pc, issued ? text_at(core_, pc) : "(no bundle)", waited,
                        writes.empty() ? "" : "  |" + writes);
  return true;
}

/// Every write of a bundle lands in its stage: stage 1 in the cycle of the issue.
void observer::note_writes(std::uint32_t pc) {
  const auto bundle = bundle_at(core_, pc);
  if (!bundle) return;
  for (std::size_t i = 0; i < bundle->count; ++i) {
    const auto& insn = bundle->slots[i];
    for (std::size_t k = 0; k < insn.row->operands.size(); ++k)
      if (insn.row->operands[k].role == isa::operand_role::def)
        landings_.push_back({advanced() + isa::operand_cycle(insn, k) - 1, static_cast<isa::reg_id>(insn.values[k])});
    for (const auto& implicit : insn.row->implicit)
      if (implicit.role == isa::operand_role::def)
        landings_.push_back({advanced() + implicit.cycle - 1u, implicit.reg});
  }
}

std::string observer::landed(std::uint64_t now) {
  std::string text;
  for (const auto& l : landings_)
    if (l.due <= now) text += std::format(" {}={}", isa::registers()[l.reg].asm_name, value(l.reg));
  std::erase_if(landings_, [&](const landing& l) { return l.due <= now; });
  return text;
}

/// Hexadecimal, high byte first; a register that does not lie in one piece by its parts.
std::string observer::value(isa::reg_id reg) const {
  std::span<const std::byte> bytes;
  try {
    bytes = core_.reg(isa::registers()[reg].name);
  } catch (const std::out_of_range&) {
    std::string text;
    for (const auto part : isa::registers()[reg].parts) {
      if (!text.empty()) text.insert(0, 1, '\'');
      text.insert(0, value(part));
    }
    return text;
  }
  std::string text;
  for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte)
    text += std::format("{:02x}", std::to_integer<unsigned>(*byte));
  return text;
}

std::string observer::slot_summary() const {
  std::array<std::uint64_t, slot_names.size()> used{};
  std::uint64_t bundles = 0;
  for (const auto& [pc, here] : tallies_) {
    const auto bundle = bundle_at(core_, pc);
    if (!bundle) continue;
    bundles += here.executed;
    const auto slots = slots_of(*bundle);
    for (std::size_t i = 0; i < used.size(); ++i)
      if (slots[i] != '.') used[i] += here.executed;
  }
  std::string text = "slots used, of " + std::to_string(bundles) + " bundles:";
  for (std::size_t i = 0; i < used.size(); ++i)
    text += std::format(" {} {:.1f} %", slot_names[i],
                        bundles == 0 ? 0.0 : 100.0 * static_cast<double>(used[i]) / static_cast<double>(bundles));
  return text + "\n";
}

std::string observer::profile(const loaded_program& loaded) const {
  std::string text = "   cycles      runs    stalls  slots   pc     line\n";
  const auto add = [&](std::uint32_t pc, const std::string& line) {
    const auto found = tallies_.find(pc);
    const auto t = found == tallies_.end() ? tally{} : found->second;
    const auto bundle = bundle_at(core_, pc);
    text += std::format("{:9} {:9} {:9}  {}  {:05x}  {}\n", t.cycles, t.executed, t.stalled,
                        bundle ? slots_of(*bundle) : "......", pc, line);
  };
  if (loaded.program.lines.empty())
    for (const auto& s : loaded.program.sections)
      for (std::uint32_t at = 0; s.executable && at < s.bytes.size(); at += isa::bundle_length(s.bytes[at]))
        add(s.address + at, text_at(core_, s.address + at));
  for (const auto& line : loaded.program.lines)
    add(line.address,
        std::format("{:4}: {}", line.line, line.line <= loaded.source.size() ? loaded.source[line.line - 1] : ""));
  return text + slot_summary();
}

}  // namespace npurt::tools
