// SPDX-License-Identifier: Apache-2.0
// A kernel before scheduling: values, operations, blocks and counted loops.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "codegen/target.hpp"

namespace npurt::codegen {

using value_id = std::uint32_t;

/// A value is written once, by one operation or part by part by several, and gets a register of its own in every
/// iteration of a loop. A variable may be written again and keeps one register from its first use to its last.
struct value_info {
  std::string name;
  register_kind kind;
  bool is_variable = false;
  std::optional<isa::reg_id> pinned;  ///< must live here: arguments
};

/// Numbers that are known only when a loop is scheduled. Its pipelined form starts `ramp` iterations before the first
/// pass of the kernel, and `unroll` in each pass.
enum class loop_parameter : std::uint8_t { least_trips, minus_ramp, minus_log2_unroll, unroll_mask, passes };

struct operand {
  enum class type : std::uint8_t { value, physical, immediate, label, parameter } kind = type::immediate;
  value_id value = 0;
  std::uint8_t first_leaf = 0, leaves = 0;  ///< the part of the value
  isa::reg_id reg = isa::no_reg;            ///< physical
  std::int32_t immediate = 0;
  std::string label{};
  loop_parameter parameter{};
  std::size_t loop = 0;  ///< parameter: of which loop
};

/// How an operation is ordered among those that touch memory or locks.
enum class ordering : std::uint8_t { none, load, store, acquire, release };

/// An access's alias set: accesses of different sets never touch the same bytes. Set 0 may touch all.
using alias_set = unsigned;

/// Logical banks of 16 KiB in a core tile's data memory.
inline constexpr unsigned memory_banks = 4;

struct operation {
  /// Instructions that do it, best first, all with operands in the same order; operand i belongs to rows' operand i.
  std::vector<const isa::instruction*> ways{};
  std::vector<operand> operands{};
  std::string note{};  ///< the comment beside it
  ordering order = ordering::none;
  alias_set alias = 0;
  std::uint8_t banks = 0;                ///< mask of the banks it may touch; 0: not declared
  bool yields = false;                   ///< loops leave every fourth cycle of its banks to the DMA
  std::optional<std::size_t> sets_up{};  ///< writes ls, le or lc for this loop
};

struct loop;
using block = std::vector<operation>;
using node = std::variant<block, std::unique_ptr<loop>>;

/// What a pipelined loop does at its end.
enum class loop_end : std::uint8_t {
  exact,
  /// Operations that stand early in an iteration, no stores and no locks, may run once or twice more than the count
  /// says. That saves the code of a separate end; variables that they move are undefined behind the loop.
  overrun,
  plain,  ///< one iteration behind the other: the least code, for loops that run rarely
};

struct loop {
  std::string name;
  std::optional<std::uint32_t> trips;  ///< known when the kernel is built
  value_id trip_value = 0;             ///< else in this scalar, 0 or more
  std::vector<node> body;
  loop_end end = loop_end::exact;
  bool is_condition = false;  ///< no loop: the body once if the scalar is not 0
  bool is_repeat = false;     ///< the body once, and again as long as the scalar is not 0 behind it
};

struct function {
  std::string name;
  std::vector<value_info> values;
  std::vector<node> body{};
};

}  // namespace npurt::codegen
