// SPDX-License-Identifier: Apache-2.0
// The command line of npurt as data, from which completion and manual pages are made.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace npurt::tools {

struct option_description {
  std::vector<std::string> names;  ///< "--json", "-o"; empty for an argument without one
  std::string value;               ///< what it takes: "FILE"; empty for a flag
  std::string text;
  bool required = false;
  bool repeated = false;
};

struct command_description {
  std::string name;
  std::string text;
  std::string footer;  ///< exit codes and examples
  std::vector<option_description> options;
  std::vector<command_description> commands;
};

/// The shells that there is a completion for.
inline constexpr std::array<std::string_view, 3> shells{"bash", "zsh", "fish"};

/// A script for one of the shells, for it to read in: `source <(npurt completion bash)`.
/// @throws std::runtime_error if there is none for that shell
std::string completion(const command_description& root, std::string_view shell);

/// A manual page (troff, section 1) of the root or, with its name, of one of its commands.
/// @throws std::runtime_error if there is none of that name
std::string manual_page(const command_description& root, const std::string& command);

}  // namespace npurt::tools
