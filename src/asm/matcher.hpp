// SPDX-License-Identifier: Apache-2.0
// Finds the instructions that a piece of assembly text can stand for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "aie/isa/isa.hpp"
#include "asm/expression.hpp"
#include "asm/parser.hpp"

namespace npurt::assembler {

/// An immediate whose value needs label addresses.
struct deferred_value {
  std::size_t operand;
  source_text expression;
};

/// One reading of the text; several differ in their slot or encoding.
struct candidate {
  aie::isa::decoded_instruction instruction;
  std::vector<deferred_value> deferred;
  unsigned column = 0;  ///< of the text
};

struct match_error {
  unsigned column;
  std::string message;
};

/// All readings, at most one a slot, or what is wrong with the text. `constants` knows symbols whose value does not
/// hang on the layout.
std::expected<std::vector<candidate>, match_error> match(const source_text& text, const symbol_lookup& constants);

/// Puts a value into an immediate operand; says what is legal if it does not fit.
std::optional<std::string> set_immediate(aie::isa::decoded_instruction& instruction, std::size_t operand,
                                         std::int64_t value);

}  // namespace npurt::assembler
