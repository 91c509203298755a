// SPDX-License-Identifier: Apache-2.0
// Places of all registers, worked out once from their names and parts.
#include "emu/core/state.hpp"

#include <charconv>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace npurt::emu {
namespace {

namespace isa = aie::isa;

struct indexed_name {
  std::string_view prefix;
  unsigned number;
};

std::optional<indexed_name> split(std::string_view name) {
  const std::size_t digits = name.find_last_not_of("0123456789") + 1;
  if (digits == 0 || digits == name.size()) {
    return std::nullopt;
  }
  unsigned number = 0;
  std::from_chars(name.data() + digits, name.data() + name.size(), number);
  return indexed_name{name.substr(0, digits), number};
}

struct leaf_group {
  std::string_view prefix;
  std::uint16_t base, stride, size;
  std::uint32_t mask;
};

// Six bits of s registers are used (AM020 chapter 4): the shift amounts.
constexpr std::array leaf_groups = {
    leaf_group{"r", layout::r, 4, 4, 0xFFFFFFFF},
    leaf_group{"p", layout::p, 4, 4, address_mask},
    leaf_group{"m", layout::d, 16, 4, address_mask},
    leaf_group{"dn", layout::d + 4, 16, 4, address_mask},
    leaf_group{"dj", layout::d + 8, 16, 4, address_mask},
    leaf_group{"dc", layout::d + 12, 16, 4, address_mask},
    leaf_group{"s", layout::s, 4, 4, 0x3F},
    leaf_group{"wl", layout::x, 64, 32, 0},
    leaf_group{"wh", layout::x + 32, 64, 32, 0},
    leaf_group{"amll", layout::cm, 128, 32, 0},
    leaf_group{"amlh", layout::cm + 32, 128, 32, 0},
    leaf_group{"amhl", layout::cm + 64, 128, 32, 0},
    leaf_group{"amhh", layout::cm + 96, 128, 32, 0},
    leaf_group{"ql", layout::q, 16, 8, 0},
    leaf_group{"qh", layout::q + 8, 16, 8, 0},
};

/// Widths of the fields of Core_CR and Core_SR; the assembler's registers hold a field each.
std::uint32_t named_mask(const isa::register_info& info) {
  const std::string_view name = info.name;
  if (name.starts_with("cr") || name.starts_with("sr")) {
    const bool five = name.ends_with("Mask") || name.ends_with("Flags");
    const unsigned width = name == "crRnd" ? 4 : name == "crSat" || name == "srSS0" ? 2 : five ? 5 : 1;
    return (1u << width) - 1;
  }
  return info.width == 20 ? address_mask : 0xFFFFFFFF;
}

void append(register_place& place, const register_piece& piece) {
  if (place.count > 0 && place.pieces[place.count - 1u].offset + place.pieces[place.count - 1u].size == piece.offset) {
    place.pieces[place.count - 1u].size = static_cast<std::uint16_t>(place.pieces[place.count - 1u].size + piece.size);
    return;
  }
  if (place.count == 2) {
    throw std::logic_error("register of more than two pieces");
  }
  place.pieces[place.count++] = piece;
}

class place_table {
 public:
  place_table() : places_(isa::registers().size()) {
    for (std::size_t i = 0; i < places_.size(); ++i) {
      place(static_cast<isa::reg_id>(i));
    }
  }
  const register_place& at(isa::reg_id reg) const { return places_.at(reg); }

 private:
  void place(isa::reg_id reg) {
    register_place& result = places_[reg];
    const isa::register_info& info = isa::registers()[reg];
    if (result.count != 0) {
      return;
    }
    for (const isa::reg_id part : info.parts) {
      place(part);
      for (unsigned i = 0; i < places_[part].count; ++i) {
        append(result, places_[part].pieces[i]);
      }
    }
    if (info.parts.empty()) {
      place_leaf(result, info);
    }
  }

  void place_leaf(register_place& result, const isa::register_info& info) {
    if (const auto name = split(info.name)) {
      for (const leaf_group& group : leaf_groups) {
        if (group.prefix == name->prefix) {
          result.pieces[0] = {static_cast<std::uint16_t>(group.base + group.stride * name->number), group.size};
          result.mask = group.mask;
          result.count = 1;
          return;
        }
      }
    }
    const auto size = static_cast<std::uint16_t>(info.width > 32 ? 8 : 4);
    result.pieces[0] = {next_named_, size};
    result.mask = named_mask(info);
    result.count = 1;
    next_named_ = static_cast<std::uint16_t>(next_named_ + 8);
    if (next_named_ > layout::end) {
      throw std::logic_error("too many named registers");
    }
  }

  std::vector<register_place> places_;
  std::uint16_t next_named_ = layout::named;
};

}  // namespace

const register_place& place_of(isa::reg_id reg) {
  // Never destroyed: a device may still be at work when the process ends.
  static const place_table& table = *new place_table;
  return table.at(reg);
}

std::uint16_t word_offset(std::string_view name) {
  const auto reg = isa::find_register(name);
  if (!reg) {
    throw std::logic_error("no register " + std::string(name));
  }
  return place_of(*reg).pieces[0].offset;
}

bool is_sticky(isa::reg_id reg) {
  const std::string_view name = isa::registers()[reg].name;
  return name.ends_with("_of") || name.ends_with("_uf") || name.ends_with("Flags");
}

register_file reset_registers() {
  register_file registers;
  registers.set_word(word_offset("crMCDEn"), 1);
  registers.set_word(word_offset("crSCDEn"), 1);
  return registers;
}

}  // namespace npurt::emu
