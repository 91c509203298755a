// SPDX-License-Identifier: Apache-2.0
// Dependences by registers, program order within a register, and memory order by alias sets.
#include "codegen/dependence.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace npurt::codegen {
namespace {

/// A leaf of a value or, from `first_register` on, a leaf register.
using place = std::uint32_t;
constexpr place first_register = 1u << 31;
constexpr unsigned leaves_of_a_value = 16;

struct access {
  std::size_t op;
  bool is_def;
  std::vector<operand_time> times;  ///< by way
};

class graph_builder {
 public:
  graph_builder(const std::vector<operation>& ops, const std::vector<value_info>& values, bool is_loop)
      : ops_(ops), values_(values), is_loop_(is_loop) {}

  dependence_graph run() {
    for (const operation& op : ops_) {
      graph_.timings.push_back(time_of(op, values_));
      graph_.yielding = static_cast<std::uint8_t>(graph_.yielding | (op.yields ? op.banks : 0));
    }
    for (std::size_t i = 0; i < ops_.size(); ++i) {
      collect(i);
    }
    for (const auto& [at, accesses] : accesses_) {
      order_accesses(at, accesses);
    }
    order_memory();
    return std::move(graph_);
  }

 private:
  void collect(std::size_t i) {
    const isa::instruction& row = *graph_.timings[i].ways[0].row;
    for (const bool defs : {false, true}) {  // an instruction reads before it writes
      for (std::size_t j = 0; j < row.operands.size(); ++j) {
        if ((row.operands[j].role == isa::operand_role::def) == defs) {
          collect_operand(i, j, defs);
        }
      }
      for (const auto& implicit : row.implicit) {
        if ((implicit.role == isa::operand_role::def) == defs) {
          accesses_[first_register + implicit.reg].push_back({i, defs, {{implicit.cycle, 0}}});
        }
      }
    }
  }

  void collect_operand(std::size_t i, std::size_t j, bool is_def) {
    const operand& given = ops_[i].operands[j];
    std::vector<operand_time> times;
    for (const way& w : graph_.timings[i].ways) {
      times.push_back(w.operands[j]);
    }
    if (given.kind == operand::type::value) {
      for (unsigned leaf = 0; leaf < given.leaves; ++leaf) {
        accesses_[given.value * leaves_of_a_value + given.first_leaf + leaf].push_back({i, is_def, times});
      }
    } else if (given.kind == operand::type::physical) {
      for (const isa::reg_id leaf : leaves(given.reg)) {
        accesses_[first_register + leaf].push_back({i, is_def, times});
      }
    }
  }

  void order_accesses(place at, const std::vector<access>& accesses) {
    const bool named = at >= first_register;
    // Flags that are only written, and modes that are only read, order nothing.
    if (named && (std::ranges::none_of(accesses, &access::is_def) || std::ranges::all_of(accesses, &access::is_def)) &&
        !written_by_name(accesses)) {
      return;
    }
    const bool wraps = is_loop_ && (named || values_[at / leaves_of_a_value].is_variable);
    const std::size_t count = accesses.size();
    std::optional<std::size_t> last_def;
    std::vector<std::size_t> uses;
    for (std::size_t k = 0; k < count * (wraps ? 2 : 1); ++k) {
      const access& now = accesses[k % count];
      const auto edge = [&](std::size_t earlier, auto distance_of) {
        if (k < count || earlier < count) {
          add(accesses[earlier % count], now, k >= count ? 1 : 0, distance_of);
        }
      };
      if (last_def) {
        edge(*last_def, now.is_def ? write_after_write : read_after_write);
      }
      if (!now.is_def) {
        uses.push_back(k);
        continue;
      }
      for (const std::size_t use : uses) {
        edge(use, write_after_read);
      }
      uses.clear();
      last_def = k;
    }
  }

  /// Whether an operand, not only a side effect, writes the register.
  bool written_by_name(const std::vector<access>& accesses) const {
    return std::ranges::any_of(accesses, [&](const access& a) {
      return a.is_def && std::ranges::any_of(ops_[a.op].operands,
                                             [](const operand& o) { return o.kind == operand::type::physical; });
    });
  }

  template <typename Distance>
  void add(const access& from, const access& to, int distance, Distance distance_of) {
    if (from.op == to.op && distance == 0) {
      return;
    }
    int latency = -64;
    for (const operand_time& first : from.times) {
      for (const operand_time& then : to.times) {
        latency = std::max(latency, distance_of(first, then));
      }
    }
    graph_.edges.push_back({from.op, to.op, latency, distance});
  }

  void order_memory() {
    for (std::size_t i = 0; i < ops_.size(); ++i) {
      for (std::size_t j = 0; j < ops_.size(); ++j) {
        const bool later = i < j;
        if ((later || is_loop_) && may_meet(ops_[i].order, ops_[i].alias, ops_[j].order, ops_[j].alias)) {
          if (const auto latency = memory_latency(i, j)) {
            graph_.edges.push_back({i, j, *latency, later ? 0 : 1});
          }
        }
      }
    }
  }

  std::optional<int> memory_latency(std::size_t i, std::size_t j) const {
    const auto& a = graph_.timings[i];
    const auto& b = graph_.timings[j];
    return memory_distance(ops_[i].order, {a.memory_read, a.memory_write}, ops_[j].order,
                           {b.memory_read, b.memory_write});
  }

  const std::vector<operation>& ops_;
  const std::vector<value_info>& values_;
  bool is_loop_;
  dependence_graph graph_;
  std::map<place, std::vector<access>> accesses_;
};

}  // namespace

dependence_graph build_graph(const std::vector<operation>& ops, const std::vector<value_info>& values, bool is_loop) {
  return graph_builder(ops, values, is_loop).run();
}

}  // namespace npurt::codegen
