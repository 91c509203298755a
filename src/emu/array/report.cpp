// SPDX-License-Identifier: Apache-2.0
// The report of a command that hangs: why, in sentences that follow the wait-for graph; then who waits for what.
#include <algorithm>
#include <format>
#include <set>

#include "emu/array/array.hpp"
#include "emu/array/dma_words.hpp"
#include "emu/array/partition.hpp"
#include "emu/array/waiting.hpp"

namespace npurt::emu {
namespace {

using step_state = dma_channel::step_state;

/// Sentences of a report; what a design with more to say lacks is in the list below them.
constexpr std::size_t most_sentences = 16;

/// Follows the graph depth first; every agent is entered once.
class explainer {
 public:
  explicit explainer(const partition& p) : partition_(p) {}

  void start(const awaited_token& token) { follow("the firmware", examine(partition_, token)); }

  void start(agent_id agent) {
    if (seen_.insert(agent).second) walk_from(agent, name(agent));
  }

  std::string text() const {
    std::string all;
    for (std::size_t i = 0; i < std::min(sentences_.size(), most_sentences); ++i) all += "why: " + sentences_[i] + "\n";
    if (sentences_.size() > most_sentences)
      all += std::format("why: {} more of the kind\n", sentences_.size() - most_sentences);
    return all;
  }

 private:
  std::string name(agent_id agent) const {
    const bool busy = agent < max_channels && partition_.channels[agent].state != step_state::idle;
    return agent_name(partition_, agent, busy ? std::optional<unsigned>(partition_.channels[agent].bd) : std::nullopt);
  }

  void walk_from(agent_id agent, const std::string& sentence) {
    path_.push_back(agent);
    follow(sentence, examine(partition_, agent));
    path_.pop_back();
  }

  void follow(const std::string& subject, const wait_state& state) {
    const std::string sentence = state.what.empty() ? subject : subject + " " + state.what;
    if (state.links.empty()) return sentences_.push_back(sentence + state.verdict);
    for (const wait_link& link : state.links) {
      if (const auto at = std::ranges::find(path_, link.who); at != path_.end()) {
        sentences_.push_back(sentence + link.how + circle(at));
      } else if (seen_.insert(link.who).second) {
        const bool acts = !examine(partition_, link.who).what.empty();
        walk_from(link.who, sentence + link.how + (acts ? ", which" : ""));
      }
    }
  }

  std::string circle(std::vector<agent_id>::const_iterator from) const {
    std::string text = ": a cycle of waiting, ";
    std::string locks;
    for (auto at = from; at != path_.end(); ++at) {
      text += name(*at) + " -> ";
      if (const auto lock = examine(partition_, *at).lock)
        locks += std::format("{}lock {} of tile {}", locks.empty() ? "" : " or ", lock->id, aie::to_string(lock->tile));
    }
    text += name(*from);
    return locks.empty() ? text : text + "; a larger value of " + locks + " at the start, or one more release, ends it";
  }

  const partition& partition_;
  std::set<agent_id> seen_;
  std::vector<agent_id> path_;
  std::vector<std::string> sentences_;
};

std::vector<agent_id> waiting_agents(const partition& p) {
  std::vector<agent_id> found;
  for (const auto& c : p.cores)
    if (c->processor().enabled() && !c->processor().done()) found.push_back(c->agent());
  for (const dma_channel& c : p.channels)
    if (c.state != step_state::idle || c.queued != 0) found.push_back(c.agent);
  return found;
}

/// Those first that nobody waits for: their sentences are the longest.
std::vector<agent_id> in_order_of_explanation(const partition& p) {
  std::vector<agent_id> agents = waiting_agents(p);
  std::set<agent_id> waited_for;
  for (const agent_id a : agents)
    for (const wait_link& link : examine(p, a).links) waited_for.insert(link.who);
  std::ranges::stable_partition(agents, [&](agent_id a) { return !waited_for.contains(a); });
  return agents;
}

std::string list(const partition& p) {
  std::string text;
  for (const auto& c : p.cores)
    if (c->processor().enabled() && !c->processor().done()) {
      const wait_state s = examine(p, c->agent());
      text += std::format("core {} at pc {:#x}: {}\n", aie::to_string(c->id()), c->processor().pc(),
                          s.links.empty() ? s.what + s.verdict : s.what);
    }
  for (const dma_channel& c : p.channels) {
    const wait_state s = examine(p, c.agent);
    if (c.state != step_state::idle || c.queued != 0)
      text += std::format("DMA {} {}: {}; {} more tasks queued\n", aie::to_string(c.tile), describe(c),
                          s.links.empty() ? s.what + s.verdict : s.what, c.queued);
    if (c.overflow)
      text += std::format("DMA {} {} {}: a task was pushed to its full queue and is lost\n", aie::to_string(c.tile),
                          c.direction == aie::dma_direction::mm2s ? "MM2S" : "S2MM", c.index);
  }
  for (const tile& t : p.tiles)
    for (std::size_t i = 0; i < t.locks.size(); ++i)
      if (t.locks[i].overflow || t.locks[i].underflow)
        text += std::format("lock {} of tile {} {}\n", i, aie::to_string(t.id),
                            t.locks[i].overflow ? "was released beyond 63" : "was released below 0");
  return text;
}

}  // namespace

std::string array::waiting_report(const std::optional<awaited_token>& awaited) const {
  const partition& p = *partition_;
  explainer why(p);
  if (awaited) {
    why.start(*awaited);
  } else {
    for (const agent_id a : in_order_of_explanation(p)) why.start(a);
  }
  return why.text() + list(p);
}

}  // namespace npurt::emu
