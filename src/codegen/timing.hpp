// SPDX-License-Identifier: Apache-2.0
// When an operation reads, writes and occupies what, by the schedule classes of the instruction set.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "codegen/ir.hpp"

namespace npurt::codegen {

/// Slots of the bundle, functional units and memory banks alike; lng takes the slots alu and mv.
using resource = std::uint8_t;
inline constexpr std::size_t resource_count = 64;
std::string resource_name(resource r);
resource bank_resource(unsigned bank);

/// `take` collides with take and avoid of the same cycle, avoid only with take.
struct resource_use {
  resource what;
  std::uint8_t offset;  ///< cycles after issue
  bool take;
};

struct operand_time {
  std::uint8_t stage;  ///< 1 = issue
  char bypass;         ///< forwarding network, 0 if none
};

/// One instruction that an operation may become.
struct way {
  const isa::instruction* row = nullptr;
  std::vector<operand_time> operands;
  std::vector<resource_use> uses;
};

struct operation_timing {
  std::vector<way> ways;
  std::uint8_t memory_read = 0, memory_write = 0;  ///< stages, 0 if not; locks act where they are read and written
  std::size_t data_registers = 0;  ///< how many registers there are of the scarcest kind it reads or writes
};

/// Refines the schedule classes with registers of the operands' kinds and drops the ways whose immediates do not fit.
/// @throws operand_error if no way is left
operation_timing time_of(const operation& op, const std::vector<value_info>& values);

/// What an instruction occupies; banks are the operation's.
std::vector<resource_use> resource_uses(const isa::decoded_instruction& insn, std::uint8_t banks);

/// Stages in which memory, or a lock, is read and written; 0 if not.
struct memory_stages {
  std::uint8_t read = 0, write = 0;
};
memory_stages memory_of(const isa::decoded_instruction& insn, ordering order);

/// Bundles from a write to a read of a register, so that the read sees it.
int read_after_write(operand_time def, operand_time use);
/// From a read to a write, so that the read does not see it; may be negative.
int write_after_read(operand_time use, operand_time def);
/// From a write to the write that must remain; may be negative.
int write_after_write(operand_time first, operand_time second);

/// Whether two accesses may touch the same bytes; locks stand for all of memory.
bool may_meet(ordering first, alias_set at, ordering second, alias_set then);

/// From one access to the next when both may touch the same bytes; nothing if they need no order.
std::optional<int> memory_distance(ordering first, memory_stages at, ordering second, memory_stages then);

}  // namespace npurt::codegen
