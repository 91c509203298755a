// SPDX-License-Identifier: Apache-2.0
// All tables of the instruction set, built once at first use; for the files of this folder only.
#pragma once

#include <bitset>
#include <deque>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "aie/isa/isa.hpp"

namespace npurt::aie::isa::detail {

inline constexpr std::size_t max_registers = 256;
using register_set = std::bitset<max_registers>;

/// Bits of a word, or of a bundle, read from a layout string.
struct layout_field {
  std::string_view name;
  std::vector<bit_piece> pieces;
  unsigned width = 0;
};
struct layout {
  unsigned width = 0;
  std::array<std::uint64_t, 2> mask{}, value{};
  std::vector<layout_field> fields;
};

/// One way to refine a schedule class: all conditions hold.
struct refinement {
  struct condition {
    std::size_t operand;
    const register_set* set;
  };
  std::vector<condition> conditions;
  std::uint16_t refined;
};

/// Candidates of a slot word by a few of its bits.
struct slot_index {
  std::vector<std::uint8_t> bits;                   ///< positions that make the key, low one first
  std::vector<std::vector<std::uint16_t>> buckets;  ///< instruction numbers by key
};

struct tables {
  std::vector<register_info> registers;
  std::vector<register_class> classes;
  std::vector<register_set> members;  ///< by class_id
  std::deque<register_set> groups;
  std::vector<std::vector<reg_id>> class_decode;        ///< by class_id, then field value; no_reg if none
  std::vector<std::vector<std::int32_t>> class_encode;  ///< by class_id, then register; -1 if none
  std::vector<schedule_class> schedule;
  std::vector<std::vector<refinement>> refinements;  ///< by schedule class
  std::vector<instruction> instructions;
  std::vector<bundle_format> formats;
  std::array<slot_index, slot_count> index;
  std::array<std::vector<std::uint16_t>, 17> formats_by_length;
  std::array<std::uint8_t, slot_count> slot_widths{};
  std::array<const instruction*, slot_count> nops{};
  std::unordered_map<std::string_view, reg_id> register_names;
  std::unordered_map<std::string_view, const register_set*> set_names;
  std::unordered_map<std::string_view, class_id> class_names;
  std::unordered_map<std::string_view, std::uint16_t> schedule_names, instruction_names;

  tables();

  /// A span that lives as long as the tables.
  template <typename T>
  std::span<const T> keep(std::vector<T> items) {
    auto& pool = std::get<std::deque<std::vector<T>>>(pools_);
    return pool.emplace_back(std::move(items));
  }

 private:
  void read_registers();
  void read_classes();
  void read_schedule();
  void read_variants();
  void read_instructions();
  void read_formats();
  void make_index(slot where);

  std::tuple<std::deque<std::vector<reg_id>>, std::deque<std::vector<class_member>>, std::deque<std::vector<bit_piece>>,
             std::deque<std::vector<operand>>, std::deque<std::vector<implicit_operand>>,
             std::deque<std::vector<unit_claim>>, std::deque<std::vector<std::uint8_t>>,
             std::deque<std::vector<format_slot>>>
      pools_;
};

const tables& get();

/// The register a definition tied to a use stands for: that register itself, or its part in the definition's class.
reg_id tied_register(const instruction& row, std::size_t definition, reg_id used);

layout read_layout(std::string_view text);
std::vector<std::string_view> words_of(std::string_view text, char separator = ' ');
int number_of(std::string_view text);

}  // namespace npurt::aie::isa::detail
