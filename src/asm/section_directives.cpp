// SPDX-License-Identifier: Apache-2.0
// First pass: directives that switch sections.
#include <fmt/format.h>

#include <algorithm>

#include "asm/collector.hpp"

namespace npurt::assembler {
namespace {

std::string_view unquoted(std::string_view text) {
  return text.size() >= 2 && text.front() == '"' && text.back() == '"' ? text.substr(1, text.size() - 2) : text;
}

bool is_family(std::string_view name, std::string_view family) {
  return name.starts_with(family) && (name.size() == family.size() || name[family.size()] == '.');
}

std::string_view default_flags(std::string_view name) {
  if (is_family(name, ".text")) return "ax";
  if (is_family(name, ".data") || is_family(name, ".bss")) return "aw";
  return is_family(name, ".rodata") ? "a" : "aw";
}

}  // namespace

unit_section& collector::enter(std::string_view name, bool executable, bool writable, bool no_bits) {
  const auto to = [&]() -> std::size_t {
    for (std::size_t i = 0; i < u_.sections.size(); ++i)
      if (u_.sections[i].name == name) return i;
    auto& made = u_.sections.emplace_back();
    made.name = name;
    made.executable = executable;
    made.writable = writable;
    made.no_bits = no_bits;
    made.alignment = executable ? 16 : 32;  // a bundle fetch, a vector
    return u_.sections.size() - 1;
  }();
  leave({to, false});
  return current();
}

void collector::leave(place to) {
  before_ = at_;
  at_ = to;
}

void collector::plain_section(const statement& s) {
  if (!wants(s, 0, 0, "without arguments")) return;
  enter(s.head.text, s.head.text == ".text", s.head.text != ".text", s.head.text == ".bss");
}

/// NAME[, "flags"[, @type[, entry size (flag M)][, group, comdat (flag G)][, ADDRESS]]]. A section that is not to be
/// loaded (no flag a: notes, debug information) is left out.
void collector::section(const statement& s) {
  if (!wants(s, 1, 6, "NAME[, \"flags\"[, @progbits|@nobits[, ADDRESS]]]")) return;
  const auto name = unquoted(s.items[0].text);
  auto flags = default_flags(name);
  bool no_bits = is_family(name, ".bss");
  if (s.items.size() > 1) {
    flags = unquoted(s.items[1].text);
    if (flags.size() + 2 != s.items[1].text.size() || flags.find_first_not_of("awxeMSGRo") != flags.npos)
      return u_.error(s.items[1],
                      "expected flags in quotes, of a (allocate), w (writable), x (executable), M, S, G, e");
  } else if (is_family(name, ".debug") || is_family(name, ".note") || is_family(name, ".comment")) {
    flags = "";
  }
  if (flags.find('a') == flags.npos) return leave({at_.section, true});
  if (name.empty() || !std::ranges::all_of(name, [](char c) { return is_symbol_part(c) || c == '-'; }))
    return u_.error(s.items[0], "expected a section name, of letters, digits and . _ $ -");
  if (s.items.size() > 2) {
    if (!s.items[2].text.starts_with('@')) return u_.error(s.items[2], "expected @progbits or @nobits");
    if (s.items[2].text != "@progbits" && s.items[2].text != "@nobits" && !s.items[2].text.ends_with("_array"))
      return u_.error(s.items[2], "expected @progbits or @nobits");
    no_bits = s.items[2].text == "@nobits";
  }
  auto& entered = enter(name, flags.find('x') != flags.npos, flags.find('w') != flags.npos, no_bits);
  if (s.items.size() < 4 || flags.find_first_of("MG") != flags.npos) return;
  const auto address = u_.number(s.items[3]);
  if (!address) return;
  if (*address < 0 || *address > 0xFFFFF) return u_.error(s.items[3], "expected an address of 20 bits");
  entered.wanted_address = static_cast<std::uint32_t>(*address);
}

void collector::push_section(const statement& s) {
  pushed_.push_back(at_);
  section(s);
}

void collector::pop_section(const statement& s) {
  if (pushed_.empty()) return u_.error(s.head, "expected a .pushsection before this .popsection");
  leave(pushed_.back());
  pushed_.pop_back();
}

void collector::previous(const statement&) { leave(before_); }

}  // namespace npurt::assembler
