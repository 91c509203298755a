// SPDX-License-Identifier: Apache-2.0
// The rows of the .inc files as they are written; tables.cpp makes isa.hpp's tables of them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace npurt::aie::isa::detail {

struct register_row {
  std::string_view name, asm_name;
  std::uint16_t width;
  std::string_view parts;
};
struct class_row {
  std::string_view name;
  std::uint8_t bits;
  std::string_view registers, also_decodes;
};
struct group_row {
  std::string_view name, registers;
};
struct schedule_row {
  std::string_view name, stages, claims, bypass, memory;
};
struct variant_row {
  std::string_view schedule, condition, refined;
};
struct instruction_row {
  std::string_view name, syntax, where, layout, operands, implicit, schedule, flags, source;
};
struct format_row {
  std::string_view name;
  std::uint8_t bytes;
  std::string_view layout, source;
};

std::span<const register_row> register_rows();
std::span<const class_row> class_rows();
std::span<const group_row> group_rows();
std::span<const schedule_row> schedule_rows();
std::span<const variant_row> variant_rows();
std::span<const instruction_row> instruction_rows();
std::span<const format_row> format_rows();

}  // namespace npurt::aie::isa::detail
