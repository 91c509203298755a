// SPDX-License-Identifier: Apache-2.0
// Kinds and leaves, read from the register table once.
#include "codegen/target.hpp"

#include <array>
#include <string>
#include <vector>

namespace npurt::codegen {
namespace {

using register_list = std::vector<isa::reg_id>;

/// "<name><n>" for n in [first, last].
void append(register_list& list, std::string_view name, unsigned first, unsigned last, std::string_view suffix = "") {
  for (unsigned n = first; n <= last; ++n) {
    list.push_back(*isa::find_register(std::string(name) + std::to_string(n) + std::string(suffix)));
  }
}

/// r16-r23 and r26-r29 come last: some operands take only those.
register_list scalar_order() {
  register_list list;
  append(list, "r", 0, 15);
  append(list, "r", 24, 25);
  append(list, "r", 30, 31);
  append(list, "r", 20, 23);
  append(list, "r", 16, 19);
  append(list, "r", 26, 29);
  return list;
}

std::array<register_list, register_kinds> read_kinds() {
  std::array<register_list, register_kinds> kinds;
  const auto of = [&](register_kind kind) -> register_list& { return kinds[static_cast<std::size_t>(kind)]; };
  of(register_kind::r) = scalar_order();
  append(of(register_kind::l), "l", 0, 7);
  append(of(register_kind::s), "s", 0, 3);
  append(of(register_kind::p), "p", 0, 7);
  append(of(register_kind::m), "m", 0, 7);
  append(of(register_kind::dj), "dj", 0, 7);
  append(of(register_kind::d2), "d", 0, 7);
  append(of(register_kind::d3), "d", 0, 3, "_3d");
  append(of(register_kind::x), "x", 0, 11);
  append(of(register_kind::y), "y", 2, 5);
  append(of(register_kind::cm), "cm", 0, 8);
  for (unsigned n = 0; n <= 11; ++n) {
    append(of(register_kind::w), "wl", n, n);
    append(of(register_kind::w), "wh", n, n);
  }
  for (unsigned n = 0; n <= 8; ++n) {
    append(of(register_kind::bm), "bml", n, n);
    append(of(register_kind::bm), "bmh", n, n);
    for (const char* quarter : {"amll", "amlh", "amhl", "amhh"}) {
      append(of(register_kind::am), quarter, n, n);
    }
  }
  return kinds;
}

void append_leaves(register_list& list, isa::reg_id reg) {
  const auto parts = isa::registers()[reg].parts;
  if (parts.empty()) {
    list.push_back(reg);
  }
  for (const isa::reg_id part : parts) {
    append_leaves(list, part);
  }
}

std::vector<register_list> read_leaves() {
  std::vector<register_list> all(isa::registers().size());
  for (std::size_t reg = 0; reg < all.size(); ++reg) {
    append_leaves(all[reg], static_cast<isa::reg_id>(reg));
  }
  return all;
}

}  // namespace

std::string_view to_string(register_kind kind) {
  constexpr std::array<std::string_view, register_kinds> names{"r",      "l", "s", "p", "m",  "dj", "d (2D)",
                                                               "d (3D)", "w", "x", "y", "am", "bm", "cm"};
  return names[static_cast<std::size_t>(kind)];
}

std::span<const isa::reg_id> registers_of(register_kind kind) {
  static const auto kinds = read_kinds();
  return kinds[static_cast<std::size_t>(kind)];
}

std::span<const isa::reg_id> leaves(isa::reg_id reg) {
  static const auto all = read_leaves();
  return all[reg];
}

unsigned leaf_count(register_kind kind) { return static_cast<unsigned>(leaves(registers_of(kind)[0]).size()); }

isa::reg_id part_of(isa::reg_id reg, unsigned first, unsigned count) {
  if (first == 0 && count == leaves(reg).size()) {
    return reg;
  }
  for (const isa::reg_id part : isa::registers()[reg].parts) {
    const auto size = static_cast<unsigned>(leaves(part).size());
    if (first + count <= size) {
      return part_of(part, first, count);
    }
    if (first < size) {
      return isa::no_reg;
    }
    first -= size;
  }
  return isa::no_reg;
}

}  // namespace npurt::codegen
