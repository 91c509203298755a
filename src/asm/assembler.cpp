// SPDX-License-Identifier: Apache-2.0
// The passes in order, and the symbols that they share.
#include "asm/assembler.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "asm/unit.hpp"

namespace npurt::assembler {

std::string to_string(const diagnostic& d) {
  return fmt::format("{}:{}:{}: {}: {}", d.file, d.line, d.column, d.warning ? "warning" : "error", d.message);
}

unit_symbol& unit::symbol_named(std::string_view name) {
  const auto [place, added] = symbol_index.try_emplace(std::string(name), symbols.size());
  if (added) symbols.emplace_back().name = name;
  return symbols[place->second];
}

std::optional<std::int64_t> unit::value_of(std::string_view name, int depth) {
  constexpr int longest_chain = 32;
  const auto found = symbol_index.find(std::string(name));
  if (found == symbol_index.end()) return std::nullopt;
  auto& symbol = symbols[found->second];
  if (symbol.value || symbol.section >= 0 || !symbol.defined || depth == longest_chain) return symbol.value;
  const auto value =
      evaluate(symbol.expression.text, [&](std::string_view other) { return value_of(other, depth + 1); });
  if (value) symbol.value = *value;
  return symbol.value;
}

std::optional<std::int64_t> unit::number(const source_text& expression) {
  const auto value = evaluate(expression.text, [this](std::string_view name) { return value_of(name); });
  if (value) return *value;
  error(expression.line, expression.column + static_cast<unsigned>(value.error().offset), value.error().message);
  return std::nullopt;
}

std::expected<program, std::vector<diagnostic>> assemble(std::string_view source, std::string_view file_name) {
  // Far beyond what fills a core; alignment multiplies a source's size by a few hundred at most.
  constexpr std::size_t largest_source = 1 << 20;
  if (source.size() > largest_source)
    return std::unexpected(std::vector<diagnostic>{
        {std::string(file_name), 1, 1, fmt::format("the source is larger than {} bytes", largest_source)}});
  unit u;
  u.file = file_name;
  parse(source, file_name, u.source);
  u.errors = u.source.errors;
  collect(u);
  place(u);
  program made;
  if (u.errors.empty()) made = emit(u);
  if (u.errors.empty()) return made;
  std::ranges::stable_sort(u.errors, {}, [](const diagnostic& d) { return std::pair(d.line, d.column); });
  return std::unexpected(std::move(u.errors));
}

}  // namespace npurt::assembler
