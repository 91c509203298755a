// SPDX-License-Identifier: Apache-2.0
// Lint of the rows as they are written: none is without use, and every file of rows names where they come from.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "aie/isa/isa.hpp"
#include "aie/isa/rows.hpp"

using namespace npurt::aie::isa;

namespace {

using names = std::set<std::string_view>;

/// Every register that an instruction, a class, or a register that is used names.
names used_registers() {
  std::set<reg_id> used;
  for (const auto& row : instructions()) {
    for (const auto& operand : row.operands) {
      if (operand.kind != operand_kind::reg) continue;
      if (operand.fixed != no_reg) used.insert(operand.fixed);
      for (const auto& member : register_classes()[operand.cls].encode) used.insert(member.reg);
    }
    for (const auto& implicit : row.implicit) used.insert(implicit.reg);
  }
  for (std::size_t before = 0; before != used.size();) {
    before = used.size();
    for (const auto reg : std::set(used)) used.insert(registers()[reg].parts.begin(), registers()[reg].parts.end());
  }
  names result;
  for (const auto reg : used) result.insert(registers()[reg].name);
  return result;
}

names words(std::string_view text) {
  names result;
  constexpr std::string_view separators = " ,=:<>-";
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find_first_of(separators, at), text.size());
    if (end != at) result.insert(text.substr(at, end - at));
    at = end + 1;
  }
  return result;
}

}  // namespace

TEST_CASE("no register is without an instruction that can use it", "[isa]") {
  const auto used = used_registers();
  for (const auto& reg : registers()) {
    INFO(reg.name);
    // The whole of d<n>, d<n>_3d and the like may be named by their parts alone.
    const bool by_parts = !reg.parts.empty() && std::ranges::all_of(reg.parts, [&](reg_id part) {
      return used.contains(registers()[part].name);
    });
    CHECK((used.contains(reg.name) || by_parts));
  }
}

TEST_CASE("no register class, schedule class or group is without use", "[isa]") {
  names classes, schedules, conditions;
  for (const auto& row : detail::instruction_rows()) {
    classes.merge(words(row.operands));
    schedules.insert(row.schedule);
  }
  for (const auto& row : detail::variant_rows()) {
    schedules.insert(row.refined);
    conditions.merge(words(row.condition));
  }
  for (const auto& row : detail::class_rows()) {
    INFO(row.name);
    CHECK((classes.contains(row.name) || conditions.contains(row.name)));
  }
  for (const auto& row : detail::schedule_rows()) {
    INFO(row.name);
    CHECK(schedules.contains(row.name));
  }
  for (const auto& row : detail::group_rows()) {
    INFO(row.name);
    CHECK(conditions.contains(row.name));
  }
}

TEST_CASE("every instruction fits into a format, and every format is the only one of its slots", "[isa]") {
  std::set<slot> slots;
  std::set<std::vector<slot>> sets;
  for (const auto& format : formats()) {
    std::vector<slot> of;
    for (const auto& part : format.slots) of.push_back(part.where);
    slots.insert(of.begin(), of.end());
    std::ranges::sort(of);
    INFO(format.name);
    CHECK(sets.insert(of).second);
  }
  for (const auto& row : instructions()) CHECK(slots.contains(row.where));
}

TEST_CASE("every file of rows names its source", "[isa]") {
  int files = 0;
  for (const auto& file : std::filesystem::directory_iterator(NPURT_SOURCE_DIR "/src/aie/isa")) {
    if (file.path().extension() != ".inc") continue;
    ++files;
    std::ifstream in(file.path());
    bool named = false;
    for (std::string line; std::getline(in, line) && line.starts_with("//");)
      named = named || line.find("ource: ") != std::string::npos;
    INFO(file.path().filename());
    CHECK(named);
  }
  CHECK(files == 11);
}
