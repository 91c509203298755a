// SPDX-License-Identifier: Apache-2.0
// How each instruction is translated: own code, a call of something fast, or a call of the reference semantics.
#include "emu/core/translate/recipes.hpp"

#include <algorithm>
#include <unordered_map>

#include "emu/core/translate/kernels.hpp"

namespace npurt::emu::translate {
namespace {

struct entry {
  recipe how;
  bool words = false;
};
using recipe_map = std::unordered_map<std::string_view, entry>;

bool has_word_results(const operation& op) {
  const auto defs = std::span(op.defs).first(op.def_count);
  return std::ranges::all_of(defs, [](const def_operand& d) { return d.count == 1 && d.pieces[0].size == 4; });
}

recipe_map all_recipes() {
  recipe_map map;
  for (const auto rows : {scalar_recipes(), move_recipes(), branch_recipes(), memory_recipes()}) {
    for (const own_code& row : rows) {
      map[row.key] = {.how = {.emit = row.emit, .reads_memory_itself = row.reads_memory}, .words = row.words};
    }
  }
  for (const std::string_view key : {"DONE", "EVENT"}) {
    map[key].how.for_reference = true;
  }
  map["MOV_CNTR"].how.reads_clock = true;
  return map;
}

}  // namespace

recipe find_recipe(const operation& op) {
  // Never destroyed: a device may still be at work when the process ends.
  static const recipe_map& map = *new recipe_map(all_recipes());
  const semantics* row = find_semantics(*op.row);
  const auto found = map.find(row->key);
  recipe how;
  if (found != map.end() && (!found->second.words || has_word_results(op))) {
    how = found->second.how;
  }
  // Branches are understood at E1 only.
  if (op.where == unit::branch && (how.emit == nullptr || op.run_stage != 1)) {
    how.for_reference = true;
  }
  if (how.emit == nullptr) {
    const semantic_function fast = find_fast(row->key);
    how.call = fast != nullptr ? fast : op.run;
    how.multiplies = op.row->where == aie::isa::slot::vec;
  }
  return how;
}

}  // namespace npurt::emu::translate
