// SPDX-License-Identifier: Apache-2.0
// npurt lint: what would fail with files.
#include <format>
#include <nlohmann/json.hpp>
#include <span>

#include "../files.hpp"
#include "inspect/lint.hpp"
#include "options.hpp"

namespace npurt::tools {

int run_lint(const lint_options& options) {
  auto reports = nlohmann::ordered_json::array();
  std::string text;
  bool clean = true;
  for (const std::string& file : options.files) {
    const auto bytes = read_file(file);
    const auto findings = inspect::lint(std::as_bytes(std::span(bytes)));
    clean = clean && findings.empty();
    reports.push_back({{"file", file}, {"findings", inspect::to_json(findings)}});
    text += findings.empty() ? std::format("{}: nothing found\n", file)
                             : std::format("{}: {} finding{}\n", file, findings.size(), findings.size() == 1 ? "" : "s") +
                                   inspect::to_text(findings);
  }
  print_text(options.json ? nlohmann::ordered_json{{"files", reports}}.dump(2) + "\n" : text);
  return clean ? all_well : found_something;
}

}  // namespace npurt::tools
