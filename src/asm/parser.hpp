// SPDX-License-Identifier: Apache-2.0
// Splits assembly text into labels, directives and bundles, each with its place in the source.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "asm/diagnostic.hpp"

namespace npurt::assembler {

/// A trimmed piece of a line.
struct source_text {
  std::string_view text;
  unsigned line = 0, column = 0;

  /// The rest behind the first `count` characters, trimmed.
  source_text behind(std::size_t count) const;
  source_text part(std::size_t start, std::size_t count) const;
};

struct statement {
  enum class type { label, directive, bundle } kind;
  source_text head;                ///< label or directive name (with its dot); the whole line of a bundle
  std::vector<source_text> items;  ///< arguments of a directive, instructions of a bundle
};

struct parsed_source {
  std::string text;  ///< the source with comments blanked; statements point into it
  std::vector<statement> statements;
  std::vector<diagnostic> errors;
};

/// Never fails as a whole: lines that make no sense become errors and the rest is still parsed.
void parse(std::string_view source, std::string_view file, parsed_source& result);

source_text trimmed(std::string_view text, unsigned line, unsigned column);
/// Pieces between separators outside of parentheses, brackets and quotes.
std::vector<source_text> split(const source_text& whole, char separator);

}  // namespace npurt::assembler
