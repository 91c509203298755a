// SPDX-License-Identifier: Apache-2.0
// Third pass: bytes and symbol table.
#include <fmt/format.h>

#include <algorithm>

#include "asm/unit.hpp"

namespace npurt::assembler {
namespace {

using namespace aie::isa;

class emitter {
 public:
  explicit emitter(unit& u) : u_(u) {}

  program run() {
    for (auto& from : u_.sections) {
      fill_values(from);
      auto& to = made_.sections.emplace_back();
      to.name = from.name;
      to.address = from.address;
      to.alignment = from.alignment;
      to.size = from.size;
      to.executable = from.executable;
      to.writable = from.writable;
      to.no_bits = from.no_bits;
      for (const auto& item : from.items) add_item(item, to);
      if (from.no_bits) to.bytes.clear();
    }
    add_symbols();
    return std::move(made_);
  }

 private:
  void fill_values(unit_section& section) {
    for (const auto& wanted : section.values) {
      const auto value = u_.number(wanted.expression);
      if (!value) continue;
      if (wanted.width < 8) {
        const std::int64_t span = std::int64_t{1} << (8 * wanted.width);
        if (*value < -span / 2 || *value >= span) {
          u_.error(wanted.expression, fmt::format("expected a value from {} to {}", -span / 2, span - 1));
          continue;
        }
      }
      for (unsigned i = 0; i < wanted.width; ++i)
        section.items[wanted.item].bytes[wanted.offset + i] = static_cast<std::uint8_t>(*value >> (8 * i));
    }
  }

  void add_item(const section_item& item, section& to) {
    switch (item.kind) {
      case section_item::type::label:
        break;
      case section_item::type::bundle: {
        auto encoding = *item.encodings.by_length[item.length / 2];
        made_.lines.push_back({item.address, item.length, item.line, item.column, encoding.columns});
        if (resolve(encoding)) add_bundle(encoding.bundle, to);
        break;
      }
      case section_item::type::align:
        for (const auto length : item.padding) add_bundle(nop_bundle(length), to);
        to.bytes.resize(to.bytes.size() + item.reserved);
        break;
      case section_item::type::data:
        to.bytes.insert(to.bytes.end(), item.bytes.begin(), item.bytes.end());
        to.bytes.resize(to.bytes.size() + item.reserved);
        break;
    }
  }

  bool resolve(packed_bundle::choice& encoding) {
    for (const auto& [slot_number, wanted] : encoding.deferred) {
      const auto value = u_.number(wanted.expression);
      if (!value) return false;
      const auto legal = set_immediate(encoding.bundle.slots[slot_number], wanted.operand, *value);
      if (!legal) continue;
      u_.error(wanted.expression, fmt::format("expected {}; this is {}", *legal, *value));
      return false;
    }
    return true;
  }

  static decoded_bundle nop_bundle(unsigned length) { return pack({}).by_length[length / 2]->bundle; }

  void add_bundle(const decoded_bundle& bundle, section& to) {
    const auto bytes = encode(bundle);
    if (!bytes) throw std::logic_error("a bundle that was matched does not encode");
    to.bytes.insert(to.bytes.end(), bytes->begin(), bytes->begin() + bundle.bytes);
  }

  void add_symbols() {
    for (const auto& from : u_.symbols) {
      if (!from.value && from.section >= 0) continue;
      const auto value = u_.value_of(from.name);
      if (!value || from.name.starts_with(".L")) continue;
      made_.symbols.push_back(
          {from.name, static_cast<std::uint32_t>(*value), from.section, from.global, size_of(from)});
    }
  }

  std::uint32_t size_of(const unit_symbol& symbol) {
    if (symbol.size_expression.text.empty()) return 0;
    const auto size = u_.number(symbol.size_expression);
    if (size && (*size < 0 || *size > 0xFFFFF)) u_.error(symbol.size_expression, "expected a size of 20 bits");
    return static_cast<std::uint32_t>(size.value_or(0));
  }

  unit& u_;
  program made_;
};

}  // namespace

program emit(unit& u) { return emitter(u).run(); }

}  // namespace npurt::assembler
