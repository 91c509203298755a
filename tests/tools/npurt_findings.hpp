// SPDX-License-Identifier: Apache-2.0
// Findings by their ids.
#pragma once

#include <algorithm>
#include <set>
#include <span>
#include <string>

#include "inspect/finding.hpp"

namespace npurt::test {

inline std::set<std::string> ids_of(std::span<const inspect::finding> findings) {
  std::set<std::string> ids;
  for (const inspect::finding& f : findings) ids.insert(f.id);
  return ids;
}

/// The finding of an id; one without an id if there is none.
inline inspect::finding find(std::span<const inspect::finding> findings, const std::string& id) {
  const auto found = std::ranges::find(findings, id, &inspect::finding::id);
  return found == findings.end() ? inspect::finding{} : *found;
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace npurt::test
