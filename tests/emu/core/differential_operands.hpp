// SPDX-License-Identifier: Apache-2.0
// Random instructions: all rows of a slot that the reference executes, with operands that do not end the program.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "aie/isa/isa.hpp"
#include "emu/core/core.hpp"
#include "emu/core/differential_random.hpp"

namespace npurt::test {

class operand_maker {
 public:
  explicit operand_maker(random_source& random) : random_(random) {}

  /// Any instruction of the slot that goes on to the next bundle.
  aie::isa::decoded_instruction instruction(aie::isa::slot where);
  /// Any instruction of the slot with any operands.
  aie::isa::decoded_instruction wild(aie::isa::slot where);
  /// The instruction with operands that let a program go on; nothing if none were found.
  std::optional<aie::isa::decoded_instruction> settled(const aie::isa::instruction& row);
  aie::isa::decoded_instruction nop(aie::isa::slot where);

  /// One-word registers with a role that a program may set by movxm.
  static std::span<const aie::isa::reg_id> relied_on();
  /// Whether instructions move the register away from where it was set.
  static bool drifts(aie::isa::reg_id reg);
  std::int32_t legal_value(aie::isa::reg_id reg);
  aie::isa::reg_id any_scalar();

 private:
  std::int32_t mac_word(std::uint32_t word);
  aie::isa::decoded_instruction random_operands(const aie::isa::instruction& row, bool& found);
  bool settle(aie::isa::decoded_instruction& insn);
  void settle_registers(aie::isa::decoded_instruction& insn);
  void settle_address(aie::isa::decoded_instruction& insn);
  bool settle_move(aie::isa::decoded_instruction& insn);

  random_source& random_;
};

/// Initial values of the registers that programs rely on (addresses, multiplier configurations, modes), and anything in
/// the others.
void set_registers(random_source& random, emu::core& core);

}  // namespace npurt::test
