// SPDX-License-Identifier: Apache-2.0
// Modulo scheduling: an iterative search that may take operations back.
//
// Computation is placed first, longest path first, as early as what it reads allows; then the accesses to memory,
// always the one with the least room: loads as late as their readers allow, stores as early as their data. So values
// stay in registers for a short time. Rau, "Iterative modulo scheduling" (MICRO 27, 1994), is where taking back comes
// from; placing between neighbours from Llosa et al., "Swing modulo scheduling" (PACT 1996).
#include <algorithm>
#include <array>
#include <limits>
#include <tuple>

#include "codegen/path_matrix.hpp"
#include "codegen/reservation.hpp"
#include "codegen/schedule.hpp"

namespace npurt::codegen {
namespace {

constexpr int none = path_matrix::none;
constexpr std::size_t dma = std::numeric_limits<std::size_t>::max();  ///< an owner that is no operation

class loop_scheduler {
 public:
  loop_scheduler(const dependence_graph& graph, int interval, unsigned variant)
      : graph_(graph),
        interval_(interval),
        variant_(variant),
        paths_(graph, interval),
        table_(interval),
        chosen_(graph.timings.size()),
        placed_(graph.timings.size(), false),
        last_(graph.timings.size()) {
    leave_to_dma();
  }

  std::optional<std::vector<slot_choice>> run() {
    if (paths_.too_long() || !each_fits_alone()) {
      return std::nullopt;
    }
    find_feeders();
    find_heights();
    for (std::size_t budget = 12 * placed_.size() + 64; budget > 0; --budget) {
      const auto op = next();
      if (!op) {
        normalise();
        return std::move(chosen_);
      }
      place(*op);
    }
    return std::nullopt;
  }

 private:
  struct window {
    int first = none, last = -none;
    bool has_first() const { return first != none; }
    bool has_last() const { return last != -none; }
    int room() const { return has_first() && has_last() ? last - first : -none; }
  };

  /// Takes every fourth cycle of the banks that a DMA moves 16 bytes to or from every fourth cycle.
  void leave_to_dma() {
    constexpr int dma_period = 4;
    for (unsigned bank = 0; bank < memory_banks && interval_ % dma_period == 0; ++bank) {
      for (int cycle = 0; (graph_.yielding >> bank & 1) != 0 && cycle < interval_; cycle += dma_period) {
        table_.take(std::array{resource_use{bank_resource(bank), 0, true}}, cycle, dma);
      }
    }
  }

  bool each_fits_alone() {
    usable_.resize(placed_.size());
    for (std::size_t op = 0; op < placed_.size(); ++op) {
      const auto& ways = graph_.timings[op].ways;
      for (std::size_t w = 0; w < ways.size(); ++w) {
        if (!collides_with_itself(ways[w].uses, interval_)) {
          usable_[op].push_back(w);
        }
      }
      if (usable_[op].empty()) {
        return false;
      }
    }
    return true;
  }

  /// What only brings loaded values into shape for a computation belongs to the loads.
  void find_feeders() {
    feeds_.assign(placed_.size(), true);
    std::vector<bool> is_read(placed_.size(), false), reads(placed_.size(), false);
    for (const dependence& e : graph_.edges) {
      if (e.distance != 0 || e.from > e.to || e.latency <= 0) {
        continue;
      }
      reads[e.to] = true;
      is_read[e.from] = is_read[e.from] || !touches_memory(e.to);
      feeds_[e.to] = feeds_[e.to] && is_load(e.from);
    }
    for (std::size_t op = 0; op < placed_.size(); ++op) {
      feeds_[op] = feeds_[op] && reads[op] && is_read[op] && !touches_memory(op) && !is_critical(op);
    }
  }

  /// Longest paths through computation alone: accesses are placed around it, so what their pointers ask for must not
  /// skew the order of computations that use the same loaded values.
  void find_heights() {
    height_.assign(placed_.size(), 0);
    for (std::size_t from = placed_.size(); from-- > 0;) {
      for (const dependence& e : graph_.edges) {
        if (e.from == from && e.distance == 0 && e.to > from && !touches_memory(e.to)) {
          height_[from] = std::max(height_[from], height_[e.to] + e.latency);
        }
      }
    }
  }

  /// Whether a recurrence leaves no choice once one of its operations is placed.
  bool is_critical(std::size_t op) const { return paths_.at(op, op) == 0; }
  bool more_urgent(std::size_t a, std::size_t b) const {
    return is_critical(a) != is_critical(b) ? is_critical(a) : height_[a] > height_[b];
  }

  bool touches_memory(std::size_t op) const {
    return graph_.timings[op].memory_read != 0 || graph_.timings[op].memory_write != 0;
  }
  bool is_load(std::size_t op) const { return graph_.timings[op].memory_read != 0; }
  bool comes_late(std::size_t op) const { return is_load(op) || feeds_[op]; }

  window window_of(std::size_t op) const {
    window w;
    for (std::size_t other = 0; other < placed_.size(); ++other) {
      if (!placed_[other] || other == op) {
        continue;
      }
      if (paths_.at(other, op) != none) {
        w.first = std::max(w.first, chosen_[other].cycle + paths_.at(other, op));
      }
      if (paths_.at(op, other) != none) {
        w.last = std::min(w.last, chosen_[other].cycle - paths_.at(op, other));
      }
    }
    return w;
  }

  /// The operation to be placed now, nothing when all are.
  std::optional<std::size_t> next() const {
    std::optional<std::size_t> best;
    for (std::size_t op = 0; op < placed_.size(); ++op) {
      if (!placed_[op] && !touches_memory(op) && !feeds_[op] && (!best || more_urgent(op, *best))) {
        best = op;
      }
    }
    if (best) {
      return best;
    }
    std::tuple<bool, int, std::size_t, unsigned> least;
    for (std::size_t op = 0; op < placed_.size(); ++op) {
      if (placed_[op]) {
        continue;
      }
      // Data in scarce registers first: it gets the cycles next to the computation.
      const std::tuple room(comes_late(op) ? variant_ % 3 == 2 : variant_ % 3 == 1, window_of(op).room(),
                            graph_.timings[op].data_registers, shuffled(op));
      // Among equals the later load and the earlier store: each next to its neighbour in its pointer's chain.
      if (!best || room < least || (room == least && comes_late(op))) {
        best = op;
        least = room;
      }
    }
    return best;
  }

  /// The same for all operations in the first variants; later a number that hangs on operation and variant alone.
  unsigned shuffled(std::size_t op) const {
    constexpr unsigned unshuffled = 3;
    return variant_ < unshuffled ? 0 : (static_cast<unsigned>(op) * 2654435761u ^ variant_ * 40503u) >> 7 & 3u;
  }

  void place(std::size_t op) {
    const window w = window_of(op);
    const bool late = w.has_last() && (comes_late(op) || !w.has_first());
    const int start = late ? w.last : w.has_first() ? w.first : 0;
    const int stop = late ? std::max(w.first, start - interval_ + 1) : std::min(w.last, start + interval_ - 1);
    for (int cycle = start; late ? cycle >= stop : cycle <= stop; cycle += late ? -1 : 1) {
      for (const std::size_t way : usable_[op]) {
        if (table_.is_free(graph_.timings[op].ways[way].uses, cycle)) {
          put(op, cycle, way);
          return;
        }
      }
    }
    force(op, start, late);
  }

  /// Takes a cycle that is not free: what is in the way, or out of order now, is taken back.
  void force(std::size_t op, int start, bool late) {
    int cycle = start;
    if (last_[op]) {
      cycle = late ? std::min(cycle, *last_[op] - 1) : std::max(cycle, *last_[op] + 1);
    }
    const std::size_t way = usable_[op][static_cast<std::size_t>(forced_++) % usable_[op].size()];
    auto in_the_way = table_.in_the_way(graph_.timings[op].ways[way].uses, cycle);
    while (std::ranges::contains(in_the_way, dma)) {
      cycle += late ? -1 : 1;
      in_the_way = table_.in_the_way(graph_.timings[op].ways[way].uses, cycle);
    }
    std::ranges::for_each(in_the_way, [&](std::size_t other) { take_back(other); });
    for (std::size_t other = 0; other < placed_.size(); ++other) {
      if (placed_[other] && out_of_order(op, cycle, other)) {
        take_back(other);
      }
    }
    put(op, cycle, way);
  }

  bool out_of_order(std::size_t op, int cycle, std::size_t other) const {
    return (paths_.at(op, other) != none && chosen_[other].cycle < cycle + paths_.at(op, other)) ||
           (paths_.at(other, op) != none && cycle < chosen_[other].cycle + paths_.at(other, op));
  }

  void put(std::size_t op, int cycle, std::size_t way) {
    table_.take(graph_.timings[op].ways[way].uses, cycle, op);
    chosen_[op] = {cycle, way};
    placed_[op] = true;
    last_[op] = cycle;
  }

  void take_back(std::size_t op) {
    table_.release(graph_.timings[op].ways[chosen_[op].way].uses, chosen_[op].cycle, op);
    placed_[op] = false;
  }

  void normalise() {
    int first = chosen_.empty() ? 0 : chosen_[0].cycle;
    for (const auto& c : chosen_) {
      first = std::min(first, c.cycle);
    }
    for (auto& c : chosen_) {
      c.cycle -= first;
    }
  }

  const dependence_graph& graph_;
  int interval_;
  unsigned variant_;
  path_matrix paths_;
  reservation_table table_;
  std::vector<slot_choice> chosen_;
  std::vector<bool> placed_;
  std::vector<std::optional<int>> last_;
  std::vector<std::vector<std::size_t>> usable_;  ///< ways that do not collide with themselves
  std::vector<int> height_;
  std::vector<bool> feeds_;
  int forced_ = 0;
};

}  // namespace

std::optional<std::vector<slot_choice>> schedule_loop(const dependence_graph& graph, int interval, unsigned variant) {
  return loop_scheduler(graph, interval, variant).run();
}

}  // namespace npurt::codegen
