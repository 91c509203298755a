// SPDX-License-Identifier: Apache-2.0
// Lifetimes from a schedule.
#include "codegen/lifetime.hpp"

#include <algorithm>
#include <set>

namespace npurt::codegen {

int lifetime::end(char network) const {
  if (network == 0 || last_forwarded[network == 'M' ? 0 : 1] == never) {
    return last_read;
  }
  return std::max(last_read, last_forwarded[network == 'M' ? 0 : 1] + 1);
}

std::vector<lifetime> find_lifetimes(const std::vector<operation>& ops, const dependence_graph& graph,
                                     const std::vector<slot_choice>& chosen, const register_map& globals) {
  std::map<std::pair<value_id, unsigned>, lifetime> lives;
  std::set<std::pair<value_id, unsigned>> unread;
  for (const bool defs : {true, false}) {
    for (std::size_t i = 0; i < ops.size(); ++i) {
      const way& w = graph.timings[i].ways[chosen[i].way];
      for (std::size_t j = 0; j < ops[i].operands.size(); ++j) {
        const operand& o = ops[i].operands[j];
        if (o.kind != operand::type::value || globals.contains(o.value) ||
            (w.row->operands[j].role == isa::operand_role::def) != defs) {
          continue;
        }
        const int at = chosen[i].cycle + w.operands[j].stage - 1;
        for (unsigned leaf = o.first_leaf; leaf < static_cast<unsigned>(o.first_leaf + o.leaves); ++leaf) {
          if (defs) {
            lives[{o.value, leaf}] = {
                o.value, leaf, chosen[i].cycle, at, w.operands[j].bypass, at, {lifetime::never, lifetime::never}};
            unread.insert({o.value, leaf});
          } else if (const auto live = lives.find({o.value, leaf}); live != lives.end()) {
            live->second.last_read = std::max(live->second.last_read, at);
            unread.erase({o.value, leaf});
            if (w.operands[j].bypass != 0) {
              int& forwarded = live->second.last_forwarded[w.operands[j].bypass == 'M' ? 0 : 1];
              forwarded = std::max(forwarded, at);
            }
          }
        }
      }
    }
  }
  std::vector<lifetime> list;
  for (auto& [where, live] : lives) {
    // A side result that nobody reads has its register to itself from its issue on: a reader of the register in between
    // would look like one that comes too early.
    if (unread.contains(where)) {
      live.last_read = live.written + 1;
      live.written = live.issued;
    }
    list.push_back(live);
  }
  return list;
}

int copies_needed(const std::vector<lifetime>& lives, int interval) {
  int copies = 1;
  for (const lifetime& live : lives) {
    copies = std::max(copies, (live.end(live.bypass) - live.written + interval - 1) / interval);
  }
  return copies;
}

}  // namespace npurt::codegen
