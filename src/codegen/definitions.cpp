// SPDX-License-Identifier: Apache-2.0
// Where values are written and read: what nothing reads is dropped, what nothing has written is refused.
#include <algorithm>
#include <format>
#include <map>
#include <set>

#include "codegen/error.hpp"
#include "codegen/region.hpp"

namespace npurt::codegen {
namespace {

void check_operand(const region_list& list, const operation& op, std::size_t i, bool is_def, std::size_t at,
                   std::map<value_id, std::size_t>& written) {
  const value_id v = op.operands[i].value;
  const value_info& info = list.values[v];
  if (is_def) {
    written.emplace(v, at);
    return;
  }
  if (info.pinned) {
    return;
  }
  const auto found = written.find(v);
  if (found == written.end()) {
    throw undefined_value_error(std::format("{}: {} is read before anything writes it", op.note, info.name));
  }
  const auto leaves = [&](const loop_span& span) {
    const auto inside = [&](std::size_t r) { return r >= span.first && r <= span.last; };
    return !info.is_variable && inside(found->second) && !inside(at);
  };
  if (std::ranges::any_of(list.loops, leaves)) {
    throw undefined_value_error(std::format(
        "{}: {} belongs to an iteration of a loop and is read behind it: make it a variable", op.note, info.name));
  }
  if (std::ranges::any_of(list.conditions, leaves)) {
    throw undefined_value_error(
        std::format("{}: {} is written under a condition and read behind it: make it a variable", op.note, info.name));
  }
}

}  // namespace

bool drop_unread(region_list& list) {
  std::set<value_id> read;
  const auto note = [&](const operation& op) {
    for (std::size_t i = 0; i < op.operands.size(); ++i) {
      if (op.operands[i].kind == operand::type::value && op.ways[0]->operands[i].role == isa::operand_role::use) {
        read.insert(op.operands[i].value);
      }
    }
  };
  for (const region& r : list.regions) {
    visit_operations(r, note);
  }
  const auto is_unread = [&](const operation& op) {
    bool writes = false;
    for (std::size_t i = 0; i < op.operands.size(); ++i) {
      const operand& o = op.operands[i];
      if (op.ways[0]->operands[i].role == isa::operand_role::def) {
        writes = true;
        if (o.kind != operand::type::value || list.values[o.value].is_variable || read.contains(o.value)) {
          return false;
        }
      }
    }
    return writes && (op.order == ordering::none || op.order == ordering::load);
  };
  std::size_t dropped = 0;
  for (region& r : list.regions) {
    dropped += std::erase_if(r.ops, is_unread);
  }
  return dropped != 0;
}

void check_definitions(const region_list& list) {
  std::map<value_id, std::size_t> written;
  for (std::size_t r = 0; r < list.regions.size(); ++r) {
    visit_operations(list.regions[r], [&](const operation& op) {
      for (const bool defs : {false, true}) {
        for (std::size_t i = 0; i < op.operands.size(); ++i) {
          if (op.operands[i].kind == operand::type::value &&
              (op.ways[0]->operands[i].role == isa::operand_role::def) == defs) {
            check_operand(list, op, i, defs, r, written);
          }
        }
      }
    });
  }
}

}  // namespace npurt::codegen
