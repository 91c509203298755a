// SPDX-License-Identifier: Apache-2.0
// First pass: directives for symbols, alignment and data. Those that switch sections are in section_directives.cpp.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <unordered_map>

#include "asm/collector.hpp"

namespace npurt::assembler {
namespace {

constexpr std::int64_t largest_section = data_memory_size;                   // bytes; nothing larger fits either memory
constexpr std::int64_t most_space = program_memory_size + data_memory_size;  // bytes, of all .space together

constexpr std::string_view known_directives =
    ".text .data .bss .section .pushsection .popsection .previous .globl .global .weak .set .equ .type .size .align "
    ".balign .p2align .byte .short .half .hword .2byte .word .long .int .4byte .quad .8byte .float .single .double "
    ".ascii "
    ".asciz .string .zero .space .skip .fill .comm .lcomm .rept or .endr";

unsigned width_of(std::string_view directive) {
  static const std::unordered_map<std::string_view, unsigned> widths{
      {".byte", 1}, {".short", 2}, {".half", 2},  {".hword", 2}, {".2byte", 2}, {".word", 4},
      {".long", 4}, {".int", 4},   {".4byte", 4}, {".quad", 8},  {".8byte", 8}};
  return widths.at(directive);
}

template <typename T>
bool append_number(std::string_view text, std::vector<std::uint8_t>& bytes) {
  if (text.starts_with('+')) text.remove_prefix(1);
  T value{};
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (wrong != std::errc{} || end != text.data() + text.size()) return false;
  const auto made = std::bit_cast<std::array<std::uint8_t, sizeof(T)>>(value);
  bytes.insert(bytes.end(), made.begin(), made.end());
  return true;
}

/// The character that the escape sequence behind a backslash stands for; moves `at` behind it. Nothing if it is none.
std::optional<std::uint8_t> unescaped(std::string_view text, std::size_t& at) {
  static const std::unordered_map<char, std::uint8_t> letters{{'n', '\n'}, {'t', '\t'},  {'r', '\r'}, {'b', '\b'},
                                                              {'f', '\f'}, {'\\', '\\'}, {'"', '"'}};
  if (at == text.size()) return std::nullopt;
  if (const auto known = letters.find(text[at]); known != letters.end()) return ++at, known->second;
  const bool hex = text[at] == 'x';
  const auto digits = text.substr(at + hex, hex ? 2 : 3);
  unsigned value = 0;
  const auto [end, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), value, hex ? 16 : 8);
  if (wrong != std::errc{} || value > 255) return std::nullopt;
  at += hex + static_cast<std::size_t>(end - digits.data());
  return static_cast<std::uint8_t>(value);
}

/// The bytes of a quoted string; nothing if it is not one.
std::optional<std::vector<std::uint8_t>> bytes_of(std::string_view quoted) {
  if (quoted.size() < 2 || quoted.front() != '"' || quoted.back() != '"') return std::nullopt;
  const auto text = quoted.substr(1, quoted.size() - 2);
  std::vector<std::uint8_t> bytes;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '"') return std::nullopt;
    if (text[at] != '\\') {
      bytes.push_back(static_cast<std::uint8_t>(text[at++]));
      continue;
    }
    const auto value = unescaped(text, ++at);
    if (!value) return std::nullopt;
    bytes.push_back(*value);
  }
  return bytes;
}

}  // namespace

collector::handler collector::handler_of(std::string_view directive) {
  using c = collector;
  static const std::unordered_map<std::string_view, handler> handlers{
      {".text", &c::plain_section},
      {".data", &c::plain_section},
      {".bss", &c::plain_section},
      {".section", &c::section},
      {".previous", &c::previous},
      {".pushsection", &c::push_section},
      {".popsection", &c::pop_section},
      {".globl", &c::global},
      {".global", &c::global},
      {".weak", &c::global},
      {".set", &c::set},
      {".equ", &c::set},
      {".type", &c::symbol_type},
      {".size", &c::symbol_size},
      {".align", &c::align},
      {".balign", &c::align},
      {".p2align", &c::align},
      {".byte", &c::data},
      {".short", &c::data},
      {".half", &c::data},
      {".hword", &c::data},
      {".2byte", &c::data},
      {".word", &c::data},
      {".long", &c::data},
      {".int", &c::data},
      {".4byte", &c::data},
      {".quad", &c::data},
      {".8byte", &c::data},
      {".float", &c::floats},
      {".single", &c::floats},
      {".double", &c::floats},
      {".ascii", &c::string},
      {".asciz", &c::string},
      {".string", &c::string},
      {".zero", &c::space},
      {".space", &c::space},
      {".skip", &c::space},
      {".fill", &c::fill},
      {".comm", &c::common},
      {".lcomm", &c::common},
      // For debuggers and linkers that choose what to keep; an AIE2 program is linked here, whole.
      {".file", &c::ignore},
      {".loc", &c::ignore},
      {".ident", &c::ignore},
      {".addrsig", &c::ignore},
      {".addrsig_sym", &c::ignore},
      {".local", &c::ignore},
      {".hidden", &c::ignore},
      {".protected", &c::ignore},
      {".internal", &c::ignore}};
  if (directive.starts_with(".cfi_")) return &c::ignore;
  const auto known = handlers.find(directive);
  return known == handlers.end() ? nullptr : known->second;
}

void collector::directive(const statement& s) {
  const auto handle = handler_of(s.head.text);
  if (handle == &collector::ignore) return;
  if (s.head.text == ".endr") return u_.error(s.head, "expected a .rept before this .endr");
  if (handle == nullptr)
    return u_.error(s.head, fmt::format("unknown directive '{}'; expected {}", s.head.text, known_directives));
  (this->*handle)(respelled(s));
}

void collector::ignore(const statement&) {}

bool collector::wants(const statement& s, std::size_t least, std::size_t most, std::string_view usage) {
  if (s.items.size() >= least && s.items.size() <= most) return true;
  u_.error(s.head, fmt::format("expected {} {}", s.head.text, usage));
  return false;
}

bool collector::is_symbol(const source_text& name) {
  if (!name.text.empty() && is_symbol_start(name.text[0]) && std::ranges::all_of(name.text, is_symbol_part))
    return true;
  u_.error(name, "expected a symbol name");
  return false;
}

bool collector::has_contents(const statement& s) {
  if (!current().no_bits) return true;
  u_.error(s.head, fmt::format("section '{}' has no contents (@nobits); only .space and .zero are legal in it",
                               current().name));
  return false;
}

void collector::global(const statement& s) {
  if (!wants(s, 1, 64, "NAME, ...")) return;
  for (const auto& name : s.items) {
    auto& symbol = u_.symbol_named(name.text);
    symbol.global = true;
    if (symbol.line == 0) symbol.line = name.line, symbol.column = name.column;
  }
}

/// Only checked: a label in code is a function, in data an object.
void collector::symbol_type(const statement& s) {
  if (!wants(s, 2, 2, "NAME, @function|@object|@notype") || !is_symbol(s.items[0])) return;
  const auto type = s.items[1].text;
  if (type != "@function" && type != "@object" && type != "@notype" && type != "@common" && type != "%function" &&
      type != "%object")
    u_.error(s.items[1], "expected @function, @object or @notype");
}

void collector::symbol_size(const statement& s) {
  if (!wants(s, 2, 2, "NAME, EXPRESSION") || !is_symbol(s.items[0])) return;
  u_.symbol_named(s.items[0].text).size_expression = s.items[1];
}

void collector::set(const statement& s) {
  if (!wants(s, 2, 2, "NAME, EXPRESSION") || !is_symbol(s.items[0])) return;
  if (define(s.items[0])) u_.symbol_named(s.items[0].text).expression = s.items[1];
}

void collector::align(const statement& s) {
  if (!wants(s, 1, 2, "EXPRESSION[, FILL]")) return;
  auto value = u_.number(s.items[0]);
  if (!value) return;
  if (s.head.text == ".p2align")
    value = *value >= 0 && *value <= 12 ? std::optional(std::int64_t{1} << *value) : std::optional<std::int64_t>(0);
  if (*value < 1 || *value > 4096 || !std::has_single_bit(static_cast<std::uint64_t>(*value)))
    return u_.error(s.items[0], "expected a power of two from 1 to 4096 (.p2align: its exponent, 0 to 12)");
  if (s.items.size() > 1 && u_.number(s.items[1]).value_or(0) != 0)
    return u_.error(s.items[1], "expected 0: code is aligned by longer bundles or NOPs, data by zero bytes");
  add(section_item::type::align, s.head).alignment = static_cast<std::uint32_t>(*value);
  current().alignment = std::max(current().alignment, static_cast<std::uint32_t>(*value));
}

void collector::data(const statement& s) {
  if (!wants(s, 1, 4096, "EXPRESSION, ...") || !has_contents(s)) return;
  const unsigned width = width_of(s.head.text);
  auto& item = add(section_item::type::data, s.head);
  for (const auto& expression : s.items) {
    current().values.push_back({current().items.size() - 1, item.bytes.size(), width, expression});
    item.bytes.resize(item.bytes.size() + width);
  }
}

void collector::floats(const statement& s) {
  if (!wants(s, 1, 4096, "NUMBER, ...") || !has_contents(s)) return;
  auto& item = add(section_item::type::data, s.head);
  for (const auto& number : s.items) {
    const bool good = s.head.text == ".double" ? append_number<double>(number.text, item.bytes)
                                               : append_number<float>(number.text, item.bytes);
    if (!good) u_.error(number, "expected a decimal floating point number, such as -1.5 or 2e-3");
  }
}

void collector::string(const statement& s) {
  if (!wants(s, 1, 4096, "\"TEXT\", ...") || !has_contents(s)) return;
  auto& item = add(section_item::type::data, s.head);
  for (const auto& text : s.items) {
    const auto bytes = bytes_of(text.text);
    if (!bytes) {
      u_.error(text, "expected a string in quotes; legal escapes are \\n \\t \\r \\b \\f \\\\ \\\" \\ooo \\xhh");
      continue;
    }
    item.bytes.insert(item.bytes.end(), bytes->begin(), bytes->end());
    if (s.head.text != ".ascii") item.bytes.push_back(0);
  }
}

void collector::reserve(const statement& s, const source_text& count_at, std::int64_t bytes, std::int64_t fill) {
  if (bytes < 0 || bytes > largest_section)
    return u_.error(count_at, fmt::format("expected a number of bytes from 0 to {}", largest_section));
  if (bytes > most_space - space_)
    return u_.error(count_at,
                    fmt::format("with this there are more than {} bytes of .space, more than a core has", most_space));
  space_ += bytes;
  if (fill != 0 && !has_contents(s)) return;
  auto& item = add(section_item::type::data, s.head);
  if (fill == 0)
    item.reserved = static_cast<std::uint32_t>(bytes);
  else
    item.bytes.assign(static_cast<std::size_t>(bytes), static_cast<std::uint8_t>(fill));
}

void collector::space(const statement& s) {
  if (!wants(s, 1, 2, "BYTES[, FILL]")) return;
  const auto bytes = u_.number(s.items[0]);
  const auto fill = s.items.size() > 1 ? u_.number(s.items[1]) : std::optional<std::int64_t>(0);
  if (!bytes || !fill) return;
  if (*fill < -128 || *fill > 255) return u_.error(s.items[1], "expected a byte from -128 to 255");
  reserve(s, s.items[0], *bytes, *fill);
}

void collector::fill(const statement& s) {
  if (!wants(s, 1, 3, "COUNT[, BYTES[, VALUE]]")) return;
  const auto count = u_.number(s.items[0]);
  const auto width = s.items.size() > 1 ? u_.number(s.items[1]) : std::optional<std::int64_t>(1);
  const auto value = s.items.size() > 2 ? u_.number(s.items[2]) : std::optional<std::int64_t>(0);
  if (!count || !width || !value) return;
  if (*count < 0 || *count > largest_section)
    return u_.error(s.items[0], fmt::format("expected a count from 0 to {}", largest_section));
  if (*width < 1 || *width > 8) return u_.error(s.items[1], "expected a width from 1 to 8 bytes");
  if (*value == 0) return reserve(s, s.items[0], *count * *width, 0);
  if (*count * *width > most_space - space_) return reserve(s, s.items[0], most_space, 0);
  space_ += *count * *width;
  if (!has_contents(s)) return;
  auto& item = add(section_item::type::data, s.head);
  for (std::int64_t i = 0; i < *count * *width; ++i)
    item.bytes.push_back(static_cast<std::uint8_t>(*value >> (8 * (i % *width))));
}

void collector::common(const statement& s) {
  if (!wants(s, 2, 3, "NAME, BYTES[, ALIGNMENT]") || !is_symbol(s.items[0])) return;
  const auto back = at_, before = before_;
  enter(".bss", false, true, true);
  statement alignment{statement::type::directive, s.head, {}};
  if (s.items.size() > 2) alignment.items = {s.items[2]}, align(alignment);
  if (s.head.text == ".comm") u_.symbol_named(s.items[0].text).global = true;
  label(s.items[0]);
  if (const auto bytes = u_.number(s.items[1])) reserve(s, s.items[1], *bytes, 0);
  at_ = back;
  before_ = before;
}

}  // namespace npurt::assembler
