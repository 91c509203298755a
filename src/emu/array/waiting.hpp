// SPDX-License-Identifier: Apache-2.0
// What an agent waits for and who could end its waiting: the edges of the wait-for graph.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "emu/array/array.hpp"
#include "emu/array/releasers.hpp"

namespace npurt::emu {

struct partition;

/// Somebody who could end a waiting; `how` continues the sentence: ", which only core (0,2) releases".
struct wait_link {
  agent_id who = 0;
  std::string how;
};

/// Sentences are made of `what` (a predicate, "waits for 64 words") followed by a link's `how`, or, where the search
/// ends, by `verdict` (", whose task was never queued").
struct wait_state {
  std::string what;                              ///< empty: does not wait for anybody
  std::optional<lock_name> lock = std::nullopt;  ///< it waits for
  std::vector<wait_link> links = {};
  std::string verdict = {};  ///< why nothing comes from here; used when there is no link
};

wait_state examine(const partition& p, agent_id agent);

/// The firmware that waits for a token.
wait_state examine(const partition& p, const awaited_token& token);

}  // namespace npurt::emu
