// SPDX-License-Identifier: Apache-2.0
// What the passes of the assembler share: the sections and symbols of one source file.
#pragma once

#include <deque>
#include <set>
#include <unordered_map>

#include "asm/assembler.hpp"
#include "asm/local_names.hpp"
#include "asm/text_layout.hpp"

namespace npurt::assembler {

/// Data bytes that wait for a value.
struct data_value {
  std::size_t item, offset;
  unsigned width;  ///< bytes
  source_text expression;
};

struct unit_section {
  std::string name;
  bool executable = false, writable = false, no_bits = false;
  std::optional<std::uint32_t> wanted_address;
  std::uint32_t alignment = 1, address = 0, size = 0;
  std::vector<section_item> items;
  std::vector<data_value> values;
};

struct unit_symbol {
  std::string name;
  unsigned line = 0, column = 0;
  bool defined = false, global = false;
  int section = -1;                   ///< -1: set by .set
  std::optional<std::int64_t> value;  ///< .set: once known; label: once laid out
  source_text expression;             ///< .set
  source_text size_expression;        ///< .size
};

struct unit {
  std::string file;
  parsed_source source;
  local_names names;
  std::deque<unit_section> sections;
  std::deque<unit_symbol> symbols;
  std::unordered_map<std::string, std::size_t> symbol_index;
  std::vector<diagnostic> errors;

  unit_symbol& symbol_named(std::string_view name);
  void error(unsigned line, unsigned column, std::string message) {
    errors.push_back({file, line, column, std::move(message)});
  }
  void error(const source_text& at, std::string message) { error(at.line, at.column, std::move(message)); }

  /// The value of a symbol as far as it is known; values of .set that hang on others are worked out, cycles have none.
  std::optional<std::int64_t> value_of(std::string_view name, int depth = 0);
  /// The value of an expression whose symbols all should be known by now; reports what is wrong.
  std::optional<std::int64_t> number(const source_text& expression);
};

/// Reads all statements into sections and symbols.
void collect(unit& u);
/// Prepares loops, gives every item its address and every label its value.
void place(unit& u);
/// Encodes the placed sections.
program emit(unit& u);

}  // namespace npurt::assembler
