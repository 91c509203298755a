// SPDX-License-Identifier: Apache-2.0
// What the subcommands of npurt are asked for, and what carries them out.
#pragma once

#include <string>
#include <vector>

namespace npurt::tools {

// Exit codes of every subcommand; wrong arguments and files that cannot be read or written are 2.
inline constexpr int all_well = 0;
inline constexpr int found_something = 1;

struct inspect_options {
  std::string file;
  std::string plot;  ///< PNG file; none if empty
  bool json = false;
};
int run_inspect(const inspect_options& options);

struct lint_options {
  std::vector<std::string> files;
  bool json = false;
};
int run_lint(const lint_options& options);

struct pack_options {
  std::string pdi, output, kernel;
  std::vector<std::string> arguments;  ///< "NAME:bo"
  unsigned columns = 0;
  bool force = false, json = false;
};
int run_pack(const pack_options& options);

struct doctor_options {
  bool json = false;
};
int run_doctor(const doctor_options& options);

}  // namespace npurt::tools
