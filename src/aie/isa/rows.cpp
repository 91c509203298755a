// SPDX-License-Identifier: Apache-2.0
// The .inc files as constant arrays.
#include "aie/isa/rows.hpp"

namespace npurt::aie::isa::detail {
namespace {

constexpr register_row registers_inc[] = {
#include "aie/isa/registers.inc"
};
constexpr class_row classes_inc[] = {
#include "aie/isa/register_classes.inc"
};
constexpr group_row groups_inc[] = {
#include "aie/isa/register_groups.inc"
};
constexpr schedule_row schedule_inc[] = {
#include "aie/isa/schedule.inc"
};
constexpr variant_row variants_inc[] = {
#include "aie/isa/schedule_variants.inc"
};
constexpr instruction_row instructions_inc[] = {
#include "aie/isa/instructions.inc"
};
constexpr format_row formats_inc[] = {
#include "aie/isa/formats.inc"
};

}  // namespace

std::span<const register_row> register_rows() { return registers_inc; }
std::span<const class_row> class_rows() { return classes_inc; }
std::span<const group_row> group_rows() { return groups_inc; }
std::span<const schedule_row> schedule_rows() { return schedule_inc; }
std::span<const variant_row> variant_rows() { return variants_inc; }
std::span<const instruction_row> instruction_rows() { return instructions_inc; }
std::span<const format_row> format_rows() { return formats_inc; }

}  // namespace npurt::aie::isa::detail
