// SPDX-License-Identifier: Apache-2.0
// Schedule classes to distances and resources.
#include "codegen/timing.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "codegen/error.hpp"

namespace npurt::codegen {
namespace {

constexpr resource first_unit = 8, first_bank = 56;
/// A lock operation changes the lock in E2 (aie2/README.md, SEMAPHORE E2..E5).
constexpr std::uint8_t lock_stage = 2;

const std::vector<std::string_view>& unit_names() {
  static const auto names = [] {
    std::vector<std::string_view> found;
    for (const auto& cls : isa::schedule_classes()) {
      for (const auto& claim : cls.claims) {
        if (std::ranges::find(found, claim.unit) == found.end()) {
          found.push_back(claim.unit);
        }
      }
    }
    return found;
  }();
  return names;
}

resource unit_resource(std::string_view name) {
  const auto& names = unit_names();
  return static_cast<resource>(first_unit + (std::ranges::find(names, name) - names.begin()));
}

bool fits(const isa::operand& op, std::int64_t value) {
  const std::int64_t scaled = value - op.offset;
  const std::int64_t span = std::int64_t{1} << op.width;
  const std::int64_t low = op.is_signed ? -span / 2 : 0;
  return scaled % op.scale == 0 && scaled / op.scale >= low && scaled / op.scale < low + span;
}

/// Some register that the operand could get, for the choice of the schedule class.
std::optional<isa::reg_id> sample_register(const isa::operand& row, const operand& op,
                                           const std::vector<value_info>& values) {
  const auto& info = values[op.value];
  for (const isa::reg_id reg : registers_of(info.kind)) {
    const isa::reg_id part = part_of(reg, op.first_leaf, op.leaves);
    if (part != isa::no_reg && isa::is_member(row.cls, part) && (!info.pinned || *info.pinned == reg)) {
      return part;
    }
  }
  return std::nullopt;
}

/// The instruction with sample registers; what is wrong with it in `why`.
std::optional<isa::decoded_instruction> sample(const isa::instruction& row, const operation& op,
                                               const std::vector<value_info>& values, std::string& why) {
  isa::decoded_instruction insn{.row = &row};
  if (row.operands.size() != op.operands.size()) {
    throw operand_error(std::format("{}: {} operands given, the instruction {} has {}", op.note, op.operands.size(),
                                    row.name, row.operands.size()));
  }
  for (std::size_t i = 0; i < op.operands.size(); ++i) {
    const operand& given = op.operands[i];
    const isa::operand& wanted = row.operands[i];
    if (given.kind == operand::type::value) {
      const auto reg = wanted.kind == isa::operand_kind::reg ? sample_register(wanted, given, values) : std::nullopt;
      if (!reg) {
        why += std::format("\n  {}: {} is of kind {}, which operand {} does not take", row.syntax,
                           values[given.value].name, to_string(values[given.value].kind), wanted.name);
        return std::nullopt;
      }
      insn.values[i] = *reg;
    } else if (given.kind == operand::type::physical) {
      insn.values[i] = given.reg;
    } else if (given.kind == operand::type::immediate && !fits(wanted, given.immediate)) {
      why += std::format("\n  {}: {} is out of range of {}", row.syntax, given.immediate, wanted.name);
      return std::nullopt;
    } else {
      insn.values[i] = given.immediate;
    }
  }
  isa::complete(insn);
  return insn;
}

bool forwarded(operand_time a, operand_time b) { return a.bypass != 0 && a.bypass == b.bypass; }

bool is_lock(ordering o) { return o == ordering::acquire || o == ordering::release; }

/// Addresses aside.
std::size_t scarcest_data(const operation& op, const std::vector<value_info>& values) {
  std::size_t least = isa::registers().size();
  for (const operand& o : op.operands) {
    if (o.kind == operand::type::value && values[o.value].kind != register_kind::p &&
        values[o.value].kind != register_kind::m && values[o.value].kind != register_kind::d2 &&
        values[o.value].kind != register_kind::d3) {
      least = std::min(least, registers_of(values[o.value].kind).size());
    }
  }
  return least;
}

}  // namespace

std::string resource_name(resource r) {
  if (r < isa::slot_count) {
    return "slot " + std::string(isa::to_string(static_cast<isa::slot>(r)));
  }
  if (r >= first_bank) {
    return "memory bank " + std::to_string(r - first_bank);
  }
  return "unit " + std::string(unit_names().at(r - first_unit));
}

resource bank_resource(unsigned bank) { return static_cast<resource>(first_bank + bank); }

std::vector<resource_use> resource_uses(const isa::decoded_instruction& insn, std::uint8_t banks) {
  std::vector<resource_use> uses;
  const auto slot_use = [&](isa::slot s) { uses.push_back({static_cast<resource>(s), 0, true}); };
  if (insn.row->where == isa::slot::lng) {
    slot_use(isa::slot::alu);
    slot_use(isa::slot::mv);
  } else if (insn.row->where != isa::slot::nop) {
    slot_use(insn.row->where);
  }
  for (const auto& claim : insn.schedule->claims) {
    for (unsigned c = 0; c < claim.cycles; ++c) {
      uses.push_back({unit_resource(claim.unit), static_cast<std::uint8_t>(claim.stage - 1 + c), claim.take});
    }
  }
  for (const std::uint8_t stage : insn.schedule->memory) {
    for (unsigned bank = 0; bank < memory_banks; ++bank) {
      if ((banks >> bank & 1) != 0) {
        uses.push_back({bank_resource(bank), static_cast<std::uint8_t>(stage - 1), true});
      }
    }
  }
  return uses;
}

memory_stages memory_of(const isa::decoded_instruction& insn, ordering order) {
  if (is_lock(order)) {
    return {lock_stage, lock_stage};
  }
  const auto stages = insn.schedule->memory;
  if (order == ordering::none || stages.empty()) {
    return {};
  }
  return {insn.row->load ? stages.front() : std::uint8_t{0}, insn.row->store ? stages.back() : std::uint8_t{0}};
}

operation_timing time_of(const operation& op, const std::vector<value_info>& values) {
  operation_timing timing;
  std::string why;
  for (const isa::instruction* row : op.ways) {
    const auto insn = sample(*row, op, values, why);
    if (!insn) {
      continue;
    }
    way w{.row = row, .operands = {}, .uses = resource_uses(*insn, op.banks)};
    for (std::size_t i = 0; i < row->operands.size(); ++i) {
      w.operands.push_back({isa::operand_cycle(*insn, i), isa::operand_bypass(*insn, i)});
    }
    const auto memory = memory_of(*insn, op.order);
    timing.memory_read = std::max(timing.memory_read, memory.read);
    timing.memory_write = std::max(timing.memory_write, memory.write);
    timing.ways.push_back(std::move(w));
  }
  timing.data_registers = scarcest_data(op, values);
  if (timing.ways.empty()) {
    throw operand_error(op.note + ": no instruction does this:" + why);
  }
  return timing;
}

int read_after_write(operand_time def, operand_time use) {
  return std::max(0, def.stage - use.stage + (forwarded(def, use) ? 0 : 1));
}

int write_after_read(operand_time use, operand_time def) {
  return use.stage - def.stage + (forwarded(use, def) ? 1 : 0);
}

int write_after_write(operand_time first, operand_time second) { return first.stage - second.stage + 1; }

bool may_meet(ordering first, alias_set at, ordering second, alias_set then) {
  return is_lock(first) || is_lock(second) || at == then || at == 0 || then == 0;
}

std::optional<int> memory_distance(ordering first, memory_stages at, ordering second, memory_stages then) {
  if (first == ordering::none || second == ordering::none || (first == ordering::load && second == ordering::load)) {
    return std::nullopt;
  }
  if (is_lock(first)) {
    return 1;  // the core stalls as a whole in E2, before any access of a later bundle
  }
  const int done = std::max(at.read, at.write);
  if (is_lock(second)) {
    return std::max(1, done - then.write + 1);
  }
  if (first == ordering::load && second == ordering::store) {
    return std::max(0, at.read - then.write);
  }
  const int seen = then.read != 0 ? then.read : then.write;
  return std::max(0, done - seen + 1);
}

}  // namespace npurt::codegen
