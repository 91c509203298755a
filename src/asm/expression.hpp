// SPDX-License-Identifier: Apache-2.0
// Integer expressions of the assembler: + - * / % << >> & | ^ ~ ( ), decimal, 0x, 0b, symbols.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace npurt::assembler {

struct expression_error {
  std::size_t offset = 0;  ///< characters from the start of the text
  std::string message;
  bool unknown_symbol = false;  ///< the text is well formed so far but a symbol has no value (yet)
};

using symbol_lookup = std::function<std::optional<std::int64_t>(std::string_view)>;

/// The value of the whole text. Arithmetic wraps at 64 bits; the operators bind as in C.
std::expected<std::int64_t, expression_error> evaluate(std::string_view text, const symbol_lookup& lookup);

bool is_symbol_start(char c);
bool is_symbol_part(char c);

}  // namespace npurt::assembler
