// SPDX-License-Identifier: Apache-2.0
// What a core's program says before it runs.
#include "emu/array/program_scan.hpp"

#include <algorithm>

#include "aie/isa/isa.hpp"
#include "emu/core/operation.hpp"

namespace npurt::emu {
namespace {

namespace isa = aie::isa;

constexpr std::int32_t first_window = 0x40000, own_window = 0x70000, window_bytes = 0x10000;
constexpr std::int32_t own_locks = 48, locks_per_side = 16;
constexpr unsigned delay_slots = 5;
/// Bundles after which an instruction has passed its gate (the latest, of a stream read, is at E5), or has written its
/// register.
constexpr unsigned flight = 8;
constexpr std::uint16_t most_quiet = 60'000;

/// Calls f(value) for every immediate.
template <typename F>
void for_each_immediate(const isa::decoded_instruction& insn, F&& f) {
  for (std::size_t i = 0; i < insn.row->operands.size(); ++i)
    if (insn.row->operands[i].kind == isa::operand_kind::imm) f(insn.values[i]);
}

unsigned sides_of(const isa::decoded_instruction& insn, unit where) {
  const bool lock_request = where == unit::acquire || where == unit::release;
  unsigned sides = 0;
  for_each_immediate(insn, [&](std::int32_t value) {
    if (value >= first_window && value < own_window) sides |= 1u << (value - first_window) / window_bytes;
    if (lock_request && value >= 0 && value < own_locks) sides |= 1u << value / locks_per_side;
  });
  return sides;
}

bool reaches_out(const isa::decoded_instruction& insn, const semantics& s) {
  switch (s.where) {
    case unit::compute:
    case unit::branch:
    case unit::load:
    case unit::store:
    case unit::part_store:
    case unit::gather:
      return insn.row->name == "EVENT";
    default:
      return true;
  }
}

bool sets_loop(const isa::decoded_instruction& insn) {
  for (std::size_t i = 0; i < insn.row->operands.size(); ++i) {
    const isa::operand& o = insn.row->operands[i];
    if (o.role != isa::operand_role::def || o.kind == isa::operand_kind::imm) continue;
    const auto reg = o.fixed != isa::no_reg ? o.fixed : static_cast<isa::reg_id>(insn.values[i]);
    const std::string_view name = isa::registers()[reg].name;
    if (name == "LC" || name == "LS" || name == "LE") return true;
  }
  return false;
}

}  // namespace

program_scan::program_scan(std::span<const std::byte> program) {
  connect(decode(program));
  mark_in_flight();
  measure();
}

std::vector<program_scan::jump> program_scan::decode(std::span<const std::byte> program) {
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(program.data()), program.size());
  const auto written = std::ranges::find_if(bytes.rbegin(), bytes.rend(), [](std::uint8_t b) { return b != 0; });
  const auto end = static_cast<std::size_t>(bytes.rend() - written);
  constexpr std::size_t smallest_bundle = 2;
  std::vector<jump> jumps;
  for (std::size_t at = 0; at < end;) {
    const std::size_t length = isa::bundle_length(bytes[at]);
    const auto decoded = length <= bytes.size() - at ? isa::decode(bytes.subspan(at, length)) : std::nullopt;
    if (!decoded) {
      at += smallest_bundle;
      continue;
    }
    bundle b{.address = static_cast<std::uint32_t>(at), .end = static_cast<std::uint32_t>(at + decoded->bytes)};
    for (unsigned i = 0; i < decoded->count; ++i) {
      const isa::decoded_instruction& insn = decoded->slots[i];
      if (insn.row->mnemonic.starts_with("nop")) continue;
      const semantics* const found = find_semantics(*insn.row);
      const unit where = found != nullptr ? found->where : unit::compute;
      sides_ |= sides_of(insn, where);
      b.reaches_out |= found == nullptr || reaches_out(insn, *found);
      b.sets_loop |= sets_loop(insn);
      if (where != unit::branch) continue;
      b.branches = true;
      jumps.push_back({bundles_.size(), -1});
      for_each_immediate(insn, [&](std::int32_t value) { jumps.back().target = value; });
    }
    bundles_.push_back(b);
    at += decoded->bytes;
  }
  return jumps;
}

std::size_t program_scan::find(std::uint32_t address) const {
  const auto found = std::ranges::lower_bound(bundles_, address, {}, &bundle::address);
  return found != bundles_.end() && found->address == address ? static_cast<std::size_t>(found - bundles_.begin())
                                                              : unknown;
}

void program_scan::connect(const std::vector<jump>& jumps) {
  for (const jump& j : jumps) {
    const std::size_t to = j.target < 0 ? unknown : find(static_cast<std::uint32_t>(j.target));
    for (unsigned k = 0; k <= delay_slots && j.from + k < bundles_.size(); ++k)
      edges_.push_back({j.from + k, to, 1 + delay_slots - k});
  }
}

/// What follows a bundle that reaches out or sets the loop within its flight, whichever way.
void program_scan::mark_in_flight() {
  std::vector<unsigned> left(bundles_.size(), 0);
  for (std::size_t i = 0; i < bundles_.size(); ++i)
    if (bundles_[i].reaches_out || bundles_[i].sets_loop) left[i] = flight + 1;
  for (bool changed = true; changed;) {
    changed = false;
    const auto pass = [&](std::size_t from, std::size_t to, unsigned cost) {
      if (left[from] <= cost) return;
      if (to == unknown) {
        lost_ = true;
      } else if (left[to] < left[from] - cost) {
        left[to] = left[from] - cost;
        changed = true;
      }
    };
    for (std::size_t i = 0; i < bundles_.size(); ++i)
      if (follows(i)) pass(i, i + 1, 1);
    for (const edge& e : edges_) pass(e.from, e.to, e.cost);
  }
  in_flight_.resize(bundles_.size());
  for (std::size_t i = 0; i < bundles_.size(); ++i) in_flight_[i] = left[i] != 0;
}

void program_scan::measure() {
  for (std::size_t i = 0; i < bundles_.size(); ++i) bundles_[i].quiet = in_flight_[i] ? 0 : most_quiet;
  for (bool changed = !lost_; changed;) {
    changed = false;
    const auto shorten = [&](std::size_t at, unsigned to) {
      if (to >= bundles_[at].quiet) return;
      bundles_[at].quiet = static_cast<std::uint16_t>(to);
      changed = true;
    };
    for (const edge& e : edges_) shorten(e.from, e.cost + (e.to == unknown ? 0u : bundles_[e.to].quiet));
    for (std::size_t i = bundles_.size(); i-- > 0;) shorten(i, 1u + (follows(i) ? bundles_[i + 1].quiet : 0u));
  }
}

std::uint64_t program_scan::quiet_cycles(std::uint32_t pc, const hardware_loop& loop) const {
  const std::size_t at = find(pc);
  if (lost_ || at == unknown || in_flight_[at]) return 0;
  const std::uint64_t straight = bundles_[at].quiet;
  if (loop.count == 0) return straight;
  const std::size_t first = find(loop.start), last = find(loop.end);
  if (first == unknown || last == unknown || last < first) return 0;
  for (std::size_t i = first; i <= last; ++i)
    if (in_flight_[i] || bundles_[i].branches || (i < last && !follows(i))) return 0;
  if (at < first || at > last) return std::min<std::uint64_t>(straight, bundles_[first].quiet);
  // The rest of this turn, the turns after it, and what follows the loop.
  return last - at + 1 + (std::uint64_t{loop.count} - 1) * (last - first + 1) +
         (follows(last) ? bundles_[last + 1].quiet : 0u);
}

}  // namespace npurt::emu
