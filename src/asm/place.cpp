// SPDX-License-Identifier: Apache-2.0
// Second pass: hardware loops, addresses of sections, items and labels.
#include <fmt/format.h>

#include <algorithm>

#include "asm/hazards.hpp"
#include "asm/unit.hpp"

namespace npurt::assembler {
namespace {

using namespace aie::isa;

const decoded_bundle& bundle_of(const section_item& item) {
  return item.encodings.by_length[item.encodings.shortest() / 2]->bundle;
}

bool writes_loop_register(const section_item& item) {
  static const std::array<reg_id, 3> loop_registers{*find_register("LS"), *find_register("LE"), *find_register("LC")};
  const auto& bundle = bundle_of(item);
  for (std::size_t s = 0; s < bundle.count; ++s)
    for (std::size_t i = 0; i < bundle.slots[s].row->operands.size(); ++i)
      if (bundle.slots[s].row->operands[i].role == operand_role::def &&
          bundle.slots[s].row->operands[i].kind == operand_kind::reg &&
          std::ranges::find(loop_registers, static_cast<reg_id>(bundle.slots[s].values[i])) != loop_registers.end())
        return true;
  return false;
}

class placement {
 public:
  explicit placement(unit& u) : u_(u) {}

  void run() {
    check_references();
    if (!u_.errors.empty()) return;
    find_loops();
    insert_loop_alignment();
    place_code();
    while (lengthen_loop_setups()) place_code();
    check_loop_setups();
    place_data();
    set_labels();
    check_set_values();
  }

 private:
  /// Names that nothing defines, all of them, before anything is placed.
  void check_references() {
    for (const auto& section : u_.sections) {
      for (const auto& value : section.values) check_names(value.expression);
      for (const auto& item : section.items)
        if (item.kind == section_item::type::bundle)
          for (const auto& [slot_number, value] : item.encodings.by_length[item.encodings.shortest() / 2]->deferred)
            check_names(value.expression);
    }
    for (const auto& symbol : u_.symbols) {
      if (!symbol.defined && symbol.global)
        u_.error(symbol.line, symbol.column,
                 fmt::format("unknown symbol '{}': .globl names it but nothing defines it", symbol.name));
      else if (symbol.defined && symbol.section < 0)
        check_names(symbol.expression);
      if (!symbol.size_expression.text.empty()) check_names(symbol.size_expression);
    }
  }

  void check_names(const source_text& expression) {
    const auto value = evaluate(expression.text, [this](std::string_view name) -> std::optional<std::int64_t> {
      const auto found = u_.symbol_index.find(std::string(name));
      return found != u_.symbol_index.end() && u_.symbols[found->second].defined ? std::optional<std::int64_t>(1)
                                                                                 : std::nullopt;
    });
    if (!value && value.error().unknown_symbol)
      u_.error(expression.line, expression.column + static_cast<unsigned>(value.error().offset), value.error().message);
  }

  /// Labels that "movxm ls, #label" and "movxm le, #label" name.
  void find_loops() {
    for (const auto& section : u_.sections)
      for (const auto& item : section.items) {
        if (item.kind != section_item::type::bundle) continue;
        const auto& encoding = *item.encodings.by_length[item.encodings.shortest() / 2];
        for (const auto& [slot_number, value] : encoding.deferred)
          note_loop_label(encoding.bundle.slots[slot_number], value);
      }
  }

  void note_loop_label(const decoded_instruction& instruction, const deferred_value& value) {
    const auto label = u_.symbol_index.find(std::string(value.expression.text));
    if (label == u_.symbol_index.end() || instruction.row->operands[0].kind != operand_kind::reg) return;
    const auto target = static_cast<reg_id>(instruction.values[0]);
    if (target == find_register("LS")) starts_.insert(label->second);
    if (target == find_register("LE")) ends_.insert(label->second);
  }

  void insert_loop_alignment() {
    for (auto& section : u_.sections)
      for (std::size_t i = 0; i < section.items.size(); ++i) {
        if (section.items[i].kind != section_item::type::label) continue;
        const auto first = i;
        bool aligned = false;
        bool ends = false;
        for (; i < section.items.size() && section.items[i].kind == section_item::type::label; ++i) {
          ends = ends || ends_.contains(section.items[i].symbol);
          aligned = aligned || ends || starts_.contains(section.items[i].symbol);
        }
        if (ends) end_loop(section, first, i);
        if (!aligned) continue;
        section_item align;
        align.kind = section_item::type::align;
        align.line = section.items[first].line;
        align.column = section.items[first].column;
        align.alignment = 16;
        section.items.insert(section.items.begin() + static_cast<std::ptrdiff_t>(first), std::move(align));
        for (auto& value : section.values)
          if (value.item >= first) ++value.item;
        ++i;
      }
  }

  void end_loop(unit_section& section, std::size_t label, std::size_t next) {
    const bool follows = next < section.items.size() && section.items[next].kind == section_item::type::bundle;
    if (follows) {
      section.items[next].forced_length = 16;
      refuse_part_word_store(section.items[next]);
    } else
      u_.error(section.items[label].line, section.items[label].column,
               "le names this label: expected the loop's last bundle right behind it");
  }

  /// On hardware such a store is mostly lost when the loop jumps back (xdna-emu,
  /// 2026-05-31-bugb-zol-store-flush-investigation.md).
  void refuse_part_word_store(const section_item& item) {
    const auto& bundle = bundle_of(item);
    for (std::size_t s = 0; s < bundle.count; ++s)
      if (bundle.slots[s].row->store && bundle.slots[s].row->where == slot::lda)
        u_.error(
            item.line, item.column,
            fmt::format(
                "{} must not stand in a loop's last bundle: the hardware loses such stores when the loop jumps back",
                bundle.slots[s].row->mnemonic));
  }

  void place_code() {
    std::uint32_t address = 0;
    code_errors_.clear();
    for (auto& section : u_.sections) {
      if (!section.executable) continue;
      section.address = (address + section.alignment - 1) / section.alignment * section.alignment;
      if (section.wanted_address) section.address = *section.wanted_address;
      if (section.address < address)
        code_errors_.push_back({section.items.empty() ? 1 : section.items[0].line, 1,
                                fmt::format("section '{}' is to start at {:#x}, but the one before ends at {:#x}",
                                            section.name, section.address, address)});
      address = section.address;
      for (auto& wrong : lay_out(section.items, address, true)) code_errors_.push_back(std::move(wrong));
      section.size = section.items.empty() ? 0 : section.items.back().address + section.items.back().size() - address;
      address += section.size;
    }
  }

  /// Calls visit(section, first item, last item) for every write of a loop register and the loop end that it is too
  /// close to.
  template <typename Visit>
  void visit_short_setups(Visit visit) {
    for (auto& section : u_.sections) {
      std::size_t passed = 0;  // items up to the previous loop's end
      for (std::size_t end = 0; end < section.items.size(); ++end) {
        if (section.items[end].forced_length == 0 || !is_loop_end(section, end)) continue;
        for (std::size_t i = passed; i <= end; ++i)
          if (section.items[i].kind == section_item::type::bundle && writes_loop_register(section.items[i]) &&
              section.items[end].address - section.items[i].address < loop_setup_distance)
            visit(section, i, end);
        passed = end + 1;
      }
    }
  }

  bool is_loop_end(const unit_section& section, std::size_t item) const {
    for (; item > 0 && section.items[item - 1].kind == section_item::type::label; --item)
      if (ends_.contains(section.items[item - 1].symbol)) return true;
    return false;
  }

  /// Makes bundles between a close write and its loop's end 16 bytes long, the last ones first, as many as are missing;
  /// whether any was found.
  bool lengthen_loop_setups() {
    std::vector<section_item*> longer;
    visit_short_setups([&](unit_section& section, std::size_t first, std::size_t last) {
      const auto distance = section.items[last].address - section.items[first].address;
      for (auto missing = static_cast<std::int64_t>(loop_setup_distance - distance); last > first && missing > 0;
           --last) {
        auto& item = section.items[last - 1];
        if (item.kind == section_item::type::bundle && item.forced_length == 0 && item.encodings.has(longest_bundle)) {
          longer.push_back(&item);
          missing -= longest_bundle - item.length;
        }
      }
    });
    for (auto* item : longer) item->forced_length = longest_bundle;
    return !longer.empty();
  }

  void check_loop_setups() {
    for (auto& wrong : code_errors_) u_.error(wrong.line, wrong.column, std::move(wrong.message));
    visit_short_setups([&](unit_section& section, std::size_t first, std::size_t last) {
      const auto& write = section.items[first];
      u_.error(write.line, write.column,
               fmt::format("this write of ls, le or lc lies {} bytes before the loop's last bundle (line {}); legal is "
                           "{} bytes or more: "
                           "put at least {} more bundle(s) between them",
                           section.items[last].address - write.address, section.items[last].line, loop_setup_distance,
                           (loop_setup_distance - (section.items[last].address - write.address) + 15) / 16));
    });
    for (const auto& section : u_.sections)
      if (section.executable && section.address + section.size > program_memory_size)
        u_.error(1, 1,
                 fmt::format("section '{}' ends at {:#x}; program memory ends at {:#x}", section.name,
                             section.address + section.size, program_memory_size));
  }

  void place_data() {
    std::uint32_t next = data_memory_base;
    for (auto& section : u_.sections) {
      if (section.executable) continue;
      auto address =
          section.wanted_address.value_or((next + section.alignment - 1) / section.alignment * section.alignment);
      section.address = address;
      for (auto& wrong : lay_out(section.items, address, false))
        u_.error(wrong.line, wrong.column, std::move(wrong.message));
      section.size = section.items.empty() ? 0 : section.items.back().address + section.items.back().size() - address;
      if (!section.wanted_address) next = address + section.size;
      if (address < data_memory_base || section.size > data_memory_size ||
          address + section.size > data_memory_base + data_memory_size)
        u_.error(
            section.items.empty() ? 1 : section.items[0].line, 1,
            fmt::format("section '{}' takes {:#x}..{:#x}; the core's own data memory is {:#x}..{:#x}", section.name,
                        address, address + section.size, data_memory_base, data_memory_base + data_memory_size));
    }
    check_overlap();
  }

  void check_overlap() {
    for (const auto& a : u_.sections)
      for (const auto& b : u_.sections)
        if (&a < &b && !a.executable && !b.executable && a.size && b.size && a.address < b.address + b.size &&
            b.address < a.address + a.size)
          u_.error(
              b.items[0].line, 1,
              fmt::format("sections '{}' and '{}' overlap at {:#x}", a.name, b.name, std::max(a.address, b.address)));
  }

  void set_labels() {
    for (auto& section : u_.sections)
      for (const auto& item : section.items)
        if (item.kind == section_item::type::label) u_.symbols[item.symbol].value = item.address;
  }

  void check_set_values() {
    for (const auto& symbol : u_.symbols)
      if (symbol.defined && symbol.section < 0) u_.number(symbol.expression);
  }

  unit& u_;
  std::set<std::size_t> starts_, ends_;  ///< symbols that name the first and last bundle of a loop
  std::vector<layout_error> code_errors_;
};

}  // namespace

void place(unit& u) { placement(u).run(); }

}  // namespace npurt::assembler
