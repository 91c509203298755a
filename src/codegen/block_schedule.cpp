// SPDX-License-Identifier: Apache-2.0
// List scheduling of straight code.
#include <algorithm>
#include <limits>
#include <numeric>

#include "codegen/reservation.hpp"
#include "codegen/schedule.hpp"

namespace npurt::codegen {
namespace {

/// Longest path, in cycles, from each operation to the end of the block.
std::vector<int> heights(const dependence_graph& graph) {
  std::vector<int> height(graph.timings.size(), 0);
  std::vector<std::vector<const dependence*>> out(graph.timings.size());
  for (const dependence& e : graph.edges) {
    out[e.from].push_back(&e);
  }
  for (std::size_t i = height.size(); i-- > 0;) {  // edges of a block lead forward
    for (const dependence* e : out[i]) {
      height[i] = std::max(height[i], height[e->to] + e->latency);
    }
  }
  return height;
}

class block_scheduler {
 public:
  explicit block_scheduler(const dependence_graph& graph)
      : graph_(graph), table_(0), chosen_(graph.timings.size()), waits_for_(graph.timings.size(), 0) {
    out_.resize(graph.timings.size());
    for (const dependence& e : graph.edges) {
      out_[e.from].push_back(&e);
      ++waits_for_[e.to];
    }
    earliest_.assign(graph.timings.size(), 0);
  }

  const std::vector<slot_choice>& by_critical_path() {
    const auto height = heights(graph_);
    std::vector<std::size_t> ready;
    for (std::size_t i = 0; i < chosen_.size(); ++i) {
      if (waits_for_[i] == 0) {
        ready.push_back(i);
      }
    }
    for (int cycle = 0; !ready.empty(); ++cycle) {
      bool placed_one = true;
      while (placed_one) {  // a placed operation may make others ready in the same bundle
        placed_one = false;
        std::ranges::sort(ready, [&](std::size_t a, std::size_t b) {
          return height[a] != height[b] ? height[a] > height[b] : a < b;
        });
        for (std::size_t k = 0; k < ready.size() && !placed_one; ++k) {
          const std::size_t op = ready[k];
          if (earliest_[op] <= cycle && try_place(op, cycle)) {
            ready.erase(ready.begin() + static_cast<std::ptrdiff_t>(k));
            release_successors(op, ready);
            placed_one = true;
          }
        }
      }
    }
    return chosen_;
  }

  /// As by_critical_path(), then everything as late as what needs it allows: values wait for less time in registers.
  std::vector<slot_choice> by_need() {
    by_critical_path();
    std::vector<std::size_t> latest_first(chosen_.size());
    std::iota(latest_first.begin(), latest_first.end(), 0u);
    std::ranges::stable_sort(latest_first, [&](std::size_t a, std::size_t b) {
      return chosen_[a].cycle != chosen_[b].cycle ? chosen_[a].cycle > chosen_[b].cycle : a > b;
    });
    for (const std::size_t op : latest_first) {
      if (!out_[op].empty()) {
        move_on(op);
      }
    }
    return std::move(chosen_);
  }

  /// @param apart  cycles from one operation to the next, at least
  std::vector<slot_choice> in_order(int apart) {
    int cycle = -apart;
    std::vector<std::size_t> ready;
    for (std::size_t op = 0; op < chosen_.size(); ++op) {
      cycle = std::max(cycle + apart, earliest_[op]);
      while (!try_place(op, cycle)) {
        ++cycle;
      }
      release_successors(op, ready);
    }
    return std::move(chosen_);
  }

 private:
  bool try_place(std::size_t op, int cycle) {
    const auto& ways = graph_.timings[op].ways;
    for (std::size_t w = 0; w < ways.size(); ++w) {
      if (table_.is_free(ways[w].uses, cycle)) {
        table_.take(ways[w].uses, cycle, op);
        chosen_[op] = {cycle, w};
        return true;
      }
    }
    return false;
  }

  void move_on(std::size_t op) {
    const slot_choice before = chosen_[op];
    int last = std::numeric_limits<int>::max();
    for (const dependence* e : out_[op]) {
      last = std::min(last, chosen_[e->to].cycle - e->latency);
    }
    table_.release(graph_.timings[op].ways[before.way].uses, before.cycle, op);
    for (int cycle = last; cycle > before.cycle; --cycle) {
      if (try_place(op, cycle)) {
        return;
      }
    }
    table_.take(graph_.timings[op].ways[before.way].uses, before.cycle, op);
  }

  void release_successors(std::size_t op, std::vector<std::size_t>& ready) {
    for (const dependence* e : out_[op]) {
      earliest_[e->to] = std::max(earliest_[e->to], chosen_[op].cycle + e->latency);
      if (--waits_for_[e->to] == 0) {
        ready.push_back(e->to);
      }
    }
  }

  const dependence_graph& graph_;
  reservation_table table_;
  std::vector<slot_choice> chosen_;
  std::vector<std::vector<const dependence*>> out_;
  std::vector<int> waits_for_, earliest_;
};

}  // namespace

std::vector<slot_choice> schedule_block(const dependence_graph& graph, block_order order) {
  block_scheduler scheduler(graph);
  switch (order) {
    case block_order::critical_path:
      return scheduler.by_critical_path();
    case block_order::by_need:
      return scheduler.by_need();
    case block_order::in_order:
      return scheduler.in_order(0);
    case block_order::source:
      break;
  }
  return scheduler.in_order(1);
}

}  // namespace npurt::codegen
