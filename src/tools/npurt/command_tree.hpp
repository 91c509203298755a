// SPDX-License-Identifier: Apache-2.0
// The command line of npurt as data, from which completion and manual pages are made.
#pragma once

#include <string>
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

/// A script for bash: `source <(npurt completion bash)`.
std::string bash_completion(const command_description& root);

/// A manual page (troff, section 1) of the root or, with its name, of one of its commands.
/// @throws std::runtime_error if there is none of that name
std::string manual_page(const command_description& root, const std::string& command);

}  // namespace npurt::tools
