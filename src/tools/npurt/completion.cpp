// SPDX-License-Identifier: Apache-2.0
// npurt completion: a script for bash from the description of the command line.
#include <format>

#include "command_tree.hpp"

namespace npurt::tools {

namespace {

std::string words_of(const command_description& command) {
  std::string words;
  for (const option_description& option : command.options) {
    for (const std::string& name : option.names) {
      words += (words.empty() ? "" : " ") + name;
    }
  }
  return words;
}

/// Options whose value is no file; what they take is not completed.
std::string plain_values(const command_description& command) {
  std::string names;
  for (const option_description& option : command.options) {
    for (const std::string& name : option.names) {
      if (!option.value.empty() && !option.value.starts_with("FILE")) {
        names += (names.empty() ? "" : "|") + name;
      }
    }
  }
  return names;
}

}  // namespace

std::string bash_completion(const command_description& root) {
  std::string names, cases;
  for (const command_description& command : root.commands) {
    names += (names.empty() ? "" : " ") + command.name;
    const std::string plain = plain_values(command);
    cases += std::format("    {})\n      words=\"{}\"\n", command.name, words_of(command));
    if (!plain.empty()) {
      cases += std::format("      case $previous in {}) return ;; esac\n", plain);
    }
    cases += command.name == "completion" ? "      values=bash\n"
             : command.name == "manual"   ? "      values=$commands\n"
                                          : "";
    cases += "      ;;\n";
  }
  return std::format(R"(# bash completion of {0}, written by `{0} completion bash`
_{0}_complete() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}}
  local commands="{1}" words= values=
  COMPREPLY=()
  if (( COMP_CWORD == 1 )); then
    mapfile -t COMPREPLY < <(compgen -W "$commands {2}" -- "$current")
    return
  fi
  case ${{COMP_WORDS[1]}} in
{3}    *) return ;;
  esac
  if [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  elif [[ $values ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$values" -- "$current")
  else
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  fi
}}
complete -F _{0}_complete {0}
)",
                     root.name, names, words_of(root), cases);
}

}  // namespace npurt::tools
