// SPDX-License-Identifier: Apache-2.0
// First pass: statements to section items and symbols.
#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "asm/unit.hpp"

namespace npurt::assembler {
namespace {

constexpr std::int64_t largest_section = data_memory_size;                   // bytes; nothing larger fits either memory
constexpr std::int64_t most_space = program_memory_size + data_memory_size;  // bytes, of all .space together

class collector {
 public:
  explicit collector(unit& u) : u_(u) { enter(".text", true, false, false); }

  void run() {
    for (const auto& s : u_.source.statements) {
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
  }

 private:
  using handler = void (collector::*)(const statement&);

  unit_section& current() { return u_.sections[current_]; }

  section_item& add(section_item::type kind, const source_text& at) {
    section_item item;
    item.kind = kind;
    item.line = at.line;
    item.column = at.column;
    return current().items.emplace_back(std::move(item));
  }

  unit_section& enter(std::string_view name, bool executable, bool writable, bool no_bits) {
    for (std::size_t i = 0; i < u_.sections.size(); ++i)
      if (u_.sections[i].name == name) return u_.sections[current_ = i];
    current_ = u_.sections.size();
    auto& made = u_.sections.emplace_back();
    made.name = name;
    made.executable = executable;
    made.writable = writable;
    made.no_bits = no_bits;
    made.alignment = executable ? 16 : 32;  // a bundle fetch, a vector
    return made;
  }

  bool define(const source_text& name) {
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

  void label(const source_text& name) {
    if (!define(name)) return;
    u_.symbol_named(name.text).section = static_cast<int>(current_);
    add(section_item::type::label, name).symbol = u_.symbol_index.at(std::string(name.text));
  }

  void bundle(const statement& s) {
    if (!current().executable) {
      u_.error(s.head,
               fmt::format("instructions need an executable section; '{}' is data (use .text)", current().name));
      return;
    }
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

  static std::string no_format(const statement& s, const std::vector<std::vector<candidate>>& readings) {
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

  void directive(const statement& s) {
    static const std::unordered_map<std::string_view, handler> handlers{{".text", &collector::plain_section},
                                                                        {".data", &collector::plain_section},
                                                                        {".bss", &collector::plain_section},
                                                                        {".section", &collector::section},
                                                                        {".globl", &collector::global},
                                                                        {".global", &collector::global},
                                                                        {".align", &collector::align},
                                                                        {".balign", &collector::align},
                                                                        {".p2align", &collector::align},
                                                                        {".byte", &collector::data},
                                                                        {".short", &collector::data},
                                                                        {".half", &collector::data},
                                                                        {".word", &collector::data},
                                                                        {".long", &collector::data},
                                                                        {".zero", &collector::space},
                                                                        {".space", &collector::space},
                                                                        {".set", &collector::set},
                                                                        {".equ", &collector::set}};
    const auto known = handlers.find(s.head.text);
    if (known == handlers.end())
      u_.error(s.head,
               fmt::format(
                   "unknown directive '{}'; expected .text .data .bss .section .globl .global .align .balign .p2align "
                   ".byte .short .half .word .long .zero .space .set or .equ",
                   s.head.text));
    else
      (this->*known->second)(s);
  }

  bool wants(const statement& s, std::size_t least, std::size_t most, std::string_view usage) {
    if (s.items.size() >= least && s.items.size() <= most) return true;
    u_.error(s.head, fmt::format("expected {} {}", s.head.text, usage));
    return false;
  }

  void plain_section(const statement& s) {
    if (!wants(s, 0, 0, "without arguments")) return;
    enter(s.head.text, s.head.text == ".text", s.head.text != ".text", s.head.text == ".bss");
  }

  void section(const statement& s) {
    if (!wants(s, 1, 4, "NAME[, \"flags\"[, @progbits|@nobits[, ADDRESS]]]")) return;
    const auto name = s.items[0].text;
    const bool text = name == ".text" || name.starts_with(".text.");
    std::string_view flags = text ? "ax" : name.starts_with(".rodata") ? "a" : "aw";
    bool no_bits = name == ".bss" || name.starts_with(".bss.");
    if (s.items.size() > 1) flags = s.items[1].text;
    if (s.items.size() > 1 && (flags.size() < 2 || flags.front() != '"' || flags.back() != '"' ||
                               flags.find_first_not_of("awx\"") != flags.npos))
      return u_.error(s.items[1], "expected flags in quotes, of a (allocate), w (writable), x (executable)");
    if (s.items.size() > 2) {
      if (s.items[2].text != "@progbits" && s.items[2].text != "@nobits")
        return u_.error(s.items[2], "expected @progbits or @nobits");
      no_bits = s.items[2].text == "@nobits";
    }
    auto& entered = enter(name, flags.find('x') != flags.npos, flags.find('w') != flags.npos, no_bits);
    if (s.items.size() < 4) return;
    if (entered.executable)
      return u_.error(s.items[3], "an executable section takes no address: code lies in program memory from 0 on");
    const auto address = u_.number(s.items[3]);
    if (!address) return;
    if (*address < 0 || *address > 0xFFFFF) return u_.error(s.items[3], "expected a data address of 20 bits");
    entered.wanted_address = static_cast<std::uint32_t>(*address);
  }

  void global(const statement& s) {
    if (!wants(s, 1, 64, "NAME, ...")) return;
    for (const auto& name : s.items) {
      auto& symbol = u_.symbol_named(name.text);
      symbol.global = true;
      if (symbol.line == 0) symbol.line = name.line, symbol.column = name.column;
    }
  }

  void align(const statement& s) {
    if (!wants(s, 1, 1, "EXPRESSION")) return;
    auto value = u_.number(s.items[0]);
    if (!value) return;
    if (s.head.text == ".p2align")
      value = *value >= 0 && *value <= 12 ? std::optional(std::int64_t{1} << *value) : std::optional<std::int64_t>(0);
    if (*value < 1 || *value > 4096 || !std::has_single_bit(static_cast<std::uint64_t>(*value)))
      return u_.error(s.items[0], "expected a power of two from 1 to 4096 (.p2align: its exponent, 0 to 12)");
    add(section_item::type::align, s.head).alignment = static_cast<std::uint32_t>(*value);
    current().alignment = std::max(current().alignment, static_cast<std::uint32_t>(*value));
  }

  bool has_contents(const statement& s) {
    if (!current().no_bits) return true;
    u_.error(s.head, fmt::format("section '{}' has no contents (@nobits); only .space and .zero are legal in it",
                                 current().name));
    return false;
  }

  void data(const statement& s) {
    if (!wants(s, 1, 4096, "EXPRESSION, ...") || !has_contents(s)) return;
    const unsigned width = s.head.text == ".byte" ? 1 : s.head.text == ".short" || s.head.text == ".half" ? 2 : 4;
    auto& item = add(section_item::type::data, s.head);
    for (const auto& expression : s.items) {
      current().values.push_back({current().items.size() - 1, item.bytes.size(), width, expression});
      item.bytes.resize(item.bytes.size() + width);
    }
  }

  void space(const statement& s) {
    if (!wants(s, 1, 2, "BYTES[, FILL]")) return;
    const auto bytes = u_.number(s.items[0]);
    const auto fill = s.items.size() > 1 ? u_.number(s.items[1]) : std::optional<std::int64_t>(0);
    if (!bytes || !fill) return;
    if (*bytes < 0 || *bytes > largest_section)
      return u_.error(s.items[0], fmt::format("expected a number of bytes from 0 to {}", largest_section));
    if (*fill < -128 || *fill > 255) return u_.error(s.items[1], "expected a byte from -128 to 255");
    if (*bytes > most_space - space_)
      return u_.error(s.items[0], fmt::format("with this there are more than {} bytes of .space, more than a core has",
                                              most_space));
    space_ += *bytes;
    if (*fill != 0 && !has_contents(s)) return;
    auto& item = add(section_item::type::data, s.head);
    if (*fill == 0)
      item.reserved = static_cast<std::uint32_t>(*bytes);
    else
      item.bytes.assign(static_cast<std::size_t>(*bytes), static_cast<std::uint8_t>(*fill));
  }

  void set(const statement& s) {
    if (!wants(s, 2, 2, "NAME, EXPRESSION")) return;
    const auto& name = s.items[0];
    if (name.text.empty() || !is_symbol_start(name.text[0]) || !std::ranges::all_of(name.text, is_symbol_part))
      return u_.error(name, "expected a symbol name");
    if (define(name)) u_.symbol_named(name.text).expression = s.items[1];
  }

  unit& u_;
  std::size_t current_ = 0;
  std::int64_t space_ = 0;  ///< bytes so far, so that a small source cannot ask for much memory
};

}  // namespace

void collect(unit& u) { collector(u).run(); }

}  // namespace npurt::assembler
