// SPDX-License-Identifier: Apache-2.0
// First pass: labels, bundles, repetition.
#include <fmt/format.h>

#include <algorithm>

#include "asm/collector.hpp"

namespace npurt::assembler {
namespace {

constexpr std::size_t most_repeated = 65536;  // statements; a core's program memory holds 8192 bundles

bool switches_section(std::string_view directive) {
  return directive == ".text" || directive == ".data" || directive == ".bss" || directive == ".section" ||
         directive == ".pushsection" || directive == ".popsection" || directive == ".previous";
}

}  // namespace

void collector::run() {
  for (std::size_t i = 0; i < u_.source.statements.size(); ++i)
    if (u_.source.statements[i].head.text == ".rept")
      i = repeat(i, u_.source.statements.size());
    else
      take(u_.source.statements[i]);
}

void collector::take(const statement& s) {
  if (at_.discarded && !(s.kind == statement::type::directive && switches_section(s.head.text))) return;
  switch (s.kind) {
    case statement::type::label:
      label(s.head);
      break;
    case statement::type::directive:
      directive(s);
      break;
    case statement::type::bundle:
      bundle(s);
      break;
  }
}

/// The statements between the .rept at `first` and its .endr, as often as it says; the .endr.
std::size_t collector::repeat(std::size_t first, std::size_t last) {
  const auto& head = u_.source.statements[first];
  const auto end = end_of_repeat(first, last);
  if (end == last) {
    u_.error(head.head, "expected .endr at the end of what .rept repeats");
    return last;
  }
  if (at_.discarded || !wants(head, 1, 1, "COUNT")) return end;
  const auto count = u_.number(head.items[0]);
  if (!count) return end;
  const auto most = static_cast<std::int64_t>((most_repeated - repeated_) / std::max<std::size_t>(end - first - 1, 1));
  if (*count < 0 || *count > most) {
    u_.error(head.items[0], fmt::format("expected a count from 0 to {}", most));
    return end;
  }
  repeated_ += static_cast<std::size_t>(*count) * (end - first - 1);
  for (std::int64_t round = 0; round < *count; ++round)
    for (auto i = first + 1; i < end; ++i)
      if (u_.source.statements[i].head.text == ".rept")
        i = repeat(i, end);
      else
        take(u_.source.statements[i]);
  return end;
}

std::size_t collector::end_of_repeat(std::size_t first, std::size_t last) const {
  int depth = 0;
  for (auto i = first; i < last; ++i) {
    const auto& s = u_.source.statements[i];
    if (s.kind == statement::type::directive && s.head.text == ".rept") ++depth;
    if (s.kind == statement::type::directive && s.head.text == ".endr" && --depth == 0) return i;
  }
  return last;
}

section_item& collector::add(section_item::type kind, const source_text& at) {
  section_item item;
  item.kind = kind;
  item.line = at.line;
  item.column = at.column;
  return current().items.emplace_back(std::move(item));
}

/// The statement with local names spelled out; "." becomes a label in front of it.
statement collector::respelled(const statement& s) {
  statement made = s;
  bool uses_here = false;
  for (auto& item : made.items) item = u_.names.respell(item, uses_here);
  if (uses_here) {
    bool unused = false;
    label(u_.names.respell({".", s.head.line, s.head.column}, unused));
    u_.names.new_place();
  }
  return made;
}

bool collector::define(const source_text& name) {
  auto& symbol = u_.symbol_named(name.text);
  if (symbol.defined) {
    u_.error(name, fmt::format("'{}' is already defined in line {}", name.text, symbol.line));
    return false;
  }
  symbol.defined = true;
  symbol.line = name.line;
  symbol.column = name.column;
  return true;
}

void collector::label(const source_text& name) {
  const auto numbered = local_names::is_numeric(name.text) ? u_.names.define(name.text) : std::string(name.text);
  if (!define({numbered, name.line, name.column})) return;
  u_.symbol_named(numbered).section = static_cast<int>(at_.section);
  add(section_item::type::label, name).symbol = u_.symbol_index.at(numbered);
}

void collector::bundle(const statement& written) {
  if (!current().executable) {
    u_.error(written.head,
             fmt::format("instructions need an executable section; '{}' is data (use .text)", current().name));
    return;
  }
  const auto s = respelled(written);
  const symbol_lookup constants = [this](std::string_view name) { return u_.value_of(name); };
  std::vector<std::vector<candidate>> readings;
  bool good = true;
  for (const auto& text : s.items) {
    auto found = match(text, constants);
    if (found) {
      readings.push_back(std::move(*found));
      continue;
    }
    u_.error(text.line, found.error().column, found.error().message);
    good = false;
  }
  if (!good) return;
  auto packed = pack(readings);
  if (packed.shortest() == 0) {
    u_.error(s.head, no_format(s, readings));
    return;
  }
  add(section_item::type::bundle, s.head).encodings = std::move(packed);
}

std::string collector::no_format(const statement& s, const std::vector<std::vector<candidate>>& readings) {
  std::string text = "no bundle format holds these slots together: ";
  for (std::size_t i = 0; i < readings.size(); ++i) {
    if (i > 0) text += ", ";
    text += s.items[i].text.substr(0, s.items[i].text.find_first_of(" \t"));
    text += " in ";
    for (std::size_t k = 0; k < readings[i].size(); ++k)
      text += fmt::format("{}{}", k ? " or " : "", to_string(readings[i][k].instruction.row->where));
  }
  return text + "; legal is at most one instruction a slot, lng in place of alu and mv, nop alone or with lng";
}

void collect(unit& u) { collector(u).run(); }

}  // namespace npurt::assembler
