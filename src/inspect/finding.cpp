// SPDX-License-Identifier: Apache-2.0
// Findings as JSON and text.
#include "inspect/finding.hpp"

#include <algorithm>
#include <format>
#include <nlohmann/json.hpp>

namespace npurt::inspect {

std::string to_string(severity level) {
  constexpr const char* names[]{"note", "warning", "error"};
  return names[static_cast<std::size_t>(level)];
}

severity gravest(std::span<const finding> findings) {
  severity found = severity::note;
  for (const finding& f : findings) {
    found = std::max(found, f.level);
  }
  return found;
}

nlohmann::ordered_json to_json(std::span<const finding> findings) {
  auto list = nlohmann::ordered_json::array();
  for (const finding& f : findings) {
    list.push_back(
        {{"id", f.id}, {"severity", to_string(f.level)}, {"cause", f.cause}, {"evidence", f.evidence}, {"fix", f.fix}});
  }
  return list;
}

std::string to_text(std::span<const finding> findings) {
  std::string text;
  for (const finding& f : findings) {
    text += std::format("{} [{}]: {}\n", to_string(f.level), f.id, f.cause);
    text += std::format("  seen: {}\n", f.evidence);
    if (!f.fix.empty()) {
      text += std::format("  fix:  {}\n", f.fix);
    }
  }
  return text;
}

}  // namespace npurt::inspect
