// SPDX-License-Identifier: Apache-2.0
// Symbols for "." and numeric labels.
#include "asm/local_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "asm/expression.hpp"

namespace npurt::assembler {
namespace {

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)); }

/// Characters of the word, number, quoted string or single mark that `text` starts with.
std::size_t piece_length(std::string_view text) {
  std::size_t length = 1;
  if (text[0] == '"') {
    while (length < text.size() && text[length] != '"') length += text[length] == '\\' ? 2 : 1;
    return std::min(length + 1, text.size());
  }
  if (is_symbol_part(text[0]))
    while (length < text.size() && is_symbol_part(text[length])) ++length;
  return length;
}

bool is_reference(std::string_view piece) {
  return piece.size() > 1 && (piece.back() == 'b' || piece.back() == 'f') &&
         local_names::is_numeric(piece.substr(0, piece.size() - 1));
}

}  // namespace

bool local_names::is_numeric(std::string_view label) { return !label.empty() && std::ranges::all_of(label, is_digit); }

// '$' starts no symbol and so these names cannot be met in a source that spells symbols as compilers do.
std::string local_names::symbol(std::string_view number, unsigned count) const {
  return fmt::format(".L${}${}", number, count);
}

std::string local_names::here() const { return fmt::format(".L$here${}", places_); }

std::string local_names::define(std::string_view number) { return symbol(number, ++defined_[std::string(number)]); }

source_text local_names::respell(const source_text& text, bool& uses_here) {
  std::string spelled;
  bool changed = false;
  for (std::size_t at = 0; at < text.text.size();) {
    const auto piece = text.text.substr(at, piece_length(text.text.substr(at)));
    at += piece.size();
    if (piece == ".") {
      spelled += here();
      uses_here = changed = true;
    } else if (is_reference(piece)) {
      const auto number = piece.substr(0, piece.size() - 1);
      const auto count = defined_[std::string(number)];
      spelled += symbol(number, piece.back() == 'b' ? count : count + 1);
      changed = true;
    } else {
      spelled += piece;
    }
  }
  if (!changed) return text;
  return {spelled_.emplace_back(std::move(spelled)), text.line, text.column};
}

}  // namespace npurt::assembler
