// SPDX-License-Identifier: Apache-2.0
// npurt lint: what would fail with files.
#include <algorithm>
#include <format>
#include <nlohmann/json.hpp>
#include <span>

#include "../files.hpp"
#include "inspect/file_kind.hpp"
#include "inspect/lint.hpp"
#include "options.hpp"

namespace npurt::tools {

namespace {

using inspect::file_kind;
using file_bytes = std::vector<std::uint8_t>;

bool is_control_code(file_kind kind) { return kind == file_kind::control_code || kind == file_kind::control_code_text; }

/// Findings of each file; those of a control code with the one XCLBIN among the files come with the control code.
std::vector<std::vector<inspect::finding>> lint_all(const std::vector<file_bytes>& files) {
  std::vector<std::vector<inspect::finding>> found;
  std::vector<file_kind> kinds;
  std::vector<bool> readable;
  for (const file_bytes& file : files) {
    const auto bytes = std::as_bytes(std::span(file));
    kinds.push_back(inspect::recognise(bytes));
    found.push_back(inspect::lint(bytes));
    readable.push_back(!std::ranges::contains(found.back(), "damaged", &inspect::finding::id));
  }
  if (std::ranges::count(kinds, file_kind::xclbin) != 1) {
    return found;
  }
  const auto xclbin = static_cast<std::size_t>(std::ranges::find(kinds, file_kind::xclbin) - kinds.begin());
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (is_control_code(kinds[i]) && readable[i] && readable[xclbin]) {
      const auto together =
          inspect::lint_together(std::as_bytes(std::span(files[xclbin])), std::as_bytes(std::span(files[i])));
      found[i].insert(found[i].end(), together.begin(), together.end());
    }
  }
  return found;
}

}  // namespace

int run_lint(const lint_options& options) {
  std::vector<file_bytes> files;
  for (const std::string& file : options.files) {
    files.push_back(read_file(file));
  }
  const auto found = lint_all(files);
  auto reports = nlohmann::ordered_json::array();
  std::string text;
  bool clean = true;
  for (std::size_t i = 0; i < files.size(); ++i) {
    clean = clean && found[i].empty();
    reports.push_back({{"file", options.files[i]}, {"findings", inspect::to_json(found[i])}});
    text += found[i].empty() ? std::format("{}: nothing found\n", options.files[i])
                             : std::format("{}: {} finding{}\n", options.files[i], found[i].size(),
                                           found[i].size() == 1 ? "" : "s") +
                                   inspect::to_text(found[i]);
  }
  print_text(options.json ? nlohmann::ordered_json{{"files", reports}}.dump(2) + "\n" : text);
  return clean ? all_well : found_something;
}

}  // namespace npurt::tools
