// SPDX-License-Identifier: Apache-2.0
// Which register has which role.
#include "emu/core/differential_roles.hpp"

#include <array>
#include <string_view>
#include <utility>
#include <vector>

namespace npurt::test {
namespace {

namespace isa = aie::isa;

constexpr auto named_roles = std::to_array<std::pair<std::string_view, role>>({
    {"p0", role::vector_pointer}, {"p1", role::vector_pointer}, {"p2", role::vector_pointer},
    {"p3", role::vector_pointer}, {"p4", role::vector_pointer}, {"p5", role::word_pointer},
    {"p6", role::byte_pointer},   {"p7", role::target},         {"lr", role::target},
    {"SP", role::stack},          {"LS", role::loop},           {"LE", role::loop},
    {"LC", role::loop},           {"r24", role::counter},       {"r25", role::counter},
    {"r12", role::mac_int},       {"r13", role::mac_int},       {"r14", role::mac_float},
    {"r15", role::mac_float},     {"r8", role::sparse_int},     {"r9", role::sparse_float},
    {"r10", role::shuffle},       {"r11", role::lock},          {"s3", role::shift},
    {"s2", role::alignment},      {"wl11", role::addresses},    {"wh11", role::addresses},
    {"wl10", role::small_floats}, {"wh10", role::small_floats}, {"amhh8", role::small_floats},
    {"crRnd", role::rounding},    {"crMCDEn", role::enabled},   {"crSCDEn", role::enabled},
    {"r29", role::shuffle},
});

role leaf_role(std::string_view name) {
  const bool digit = name.back() >= '0' && name.back() <= '9';
  if (digit && (name.substr(0, name.size() - 1) == "m" || name.substr(0, name.size() - 1) == "dj")) return role::step;
  for (const auto& [known, what] : named_roles) {
    if (known == name) return what;
  }
  return role::none;
}

role find_role(isa::reg_id reg) {
  const auto& info = isa::registers()[reg];
  if (info.parts.empty()) return leaf_role(info.name);
  for (const auto part : info.parts) {
    if (const auto found = find_role(part); found != role::none) return found;
  }
  return role::none;
}

}  // namespace

role role_of(isa::reg_id reg) {
  static const auto roles = [] {
    std::vector<role> result;
    for (std::size_t i = 0; i < isa::registers().size(); ++i) result.push_back(find_role(static_cast<isa::reg_id>(i)));
    return result;
  }();
  return roles[reg];
}

}  // namespace npurt::test
