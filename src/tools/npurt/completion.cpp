// SPDX-License-Identifier: Apache-2.0
// npurt completion: scripts for bash, zsh and fish from the description of the command line.
#include <format>
#include <stdexcept>

#include "command_tree.hpp"

namespace npurt::tools {

namespace {

std::string joined(const std::vector<std::string>& words, const char* between = " ") {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : between) + word;
  }
  return text;
}

std::vector<std::string> command_names(const command_description& root) {
  std::vector<std::string> names;
  for (const command_description& command : root.commands) {
    names.push_back(command.name);
  }
  return names;
}

/// The words that an argument without a name is one of; empty where it is a file.
std::vector<std::string> choices(const command_description& root, const command_description& command) {
  if (command.name == "completion") {
    return {shells.begin(), shells.end()};
  }
  return command.name == "manual" ? command_names(root) : std::vector<std::string>{};
}

bool takes_file(const option_description& option) { return option.value.starts_with("FILE"); }

/// The text with a backslash before each of these characters.
std::string escaped(const std::string& text, std::string_view special) {
  std::string out;
  for (const char c : text) {
    out += special.contains(c) ? std::string{'\\', c} : std::string(1, c);
  }
  return out;
}

// ---- bash ----

std::string words_of(const command_description& command) {
  std::vector<std::string> words;
  for (const option_description& option : command.options) {
    words.insert(words.end(), option.names.begin(), option.names.end());
  }
  return joined(words);
}

/// Options whose value is no file; what they take is not completed.
std::string plain_values(const command_description& command) {
  std::vector<std::string> names;
  for (const option_description& option : command.options) {
    if (!option.value.empty() && !takes_file(option)) {
      names.insert(names.end(), option.names.begin(), option.names.end());
    }
  }
  return joined(names, "|");
}

std::string bash_completion(const command_description& root) {
  std::string cases;
  for (const command_description& command : root.commands) {
    const std::string plain = plain_values(command), values = joined(choices(root, command));
    cases += std::format("    {})\n      words=\"{}\"\n", command.name, words_of(command));
    cases += plain.empty() ? "" : std::format("      case $previous in {}) return ;; esac\n", plain);
    cases += values.empty() ? "" : std::format("      values=\"{}\"\n", values);
    cases += "      ;;\n";
  }
  return std::format(R"(# bash completion of {0}, written by `{0} completion bash`
_{0}_complete() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}}
  local words= values=
  COMPREPLY=()
  if (( COMP_CWORD == 1 )); then
    mapfile -t COMPREPLY < <(compgen -W "{1} {2}" -- "$current")
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
                     root.name, joined(command_names(root)), words_of(root), cases);
}

// ---- zsh: the specifications of _arguments ----

std::string zsh_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    out += c == '\'' ? "'\\''" : std::string(1, c);
  }
  return out + "'";
}

std::string zsh_action(const option_description& option, const std::vector<std::string>& values) {
  if (!values.empty()) {
    return "(" + joined(values) + ")";
  }
  return takes_file(option) || option.names.empty() ? "_files" : " ";
}

std::string zsh_specifications(const command_description& root, const command_description& command) {
  std::string text;
  const auto add = [&](const std::string& specification) { text += " \\\n        " + zsh_quoted(specification); };
  for (const option_description& option : command.options) {
    const std::string message = ":" + escaped(option.value, ":\\") + ":";
    if (option.names.empty()) {
      add((option.repeated ? "*" : "1") + message + zsh_action(option, choices(root, command)));
    }
    for (const std::string& name : option.names) {
      add((option.repeated ? "*" : "") + name + "[" + escaped(option.text, "[]\\") + "]" +
          (option.value.empty() ? "" : message + zsh_action(option, {})));
    }
  }
  return text;
}

std::string zsh_completion(const command_description& root) {
  std::string names, cases;
  for (const command_description& command : root.commands) {
    names += "        " + zsh_quoted(escaped(command.name, ":") + ":" + command.text) + "\n";
    cases += std::format("        {}) _arguments{} ;;\n", command.name, zsh_specifications(root, command));
  }
  return std::format(R"(#compdef {0}
# zsh completion of {0}, written by `{0} completion zsh`
_{0}() {{
  local curcontext=$curcontext state line
  local -a commands
  _arguments -C '1:command:->command' '*::argument:->argument'{1} && return
  case $state in
    command)
      commands=(
{2}      )
      _describe -t commands command commands
      ;;
    argument)
      case $words[1] in
{3}      esac
      ;;
  esac
}}
if [[ $funcstack[1] == _{0} ]]; then _{0} "$@"; else compdef _{0} {0}; fi
)",
                     root.name, zsh_specifications(root, root), names, cases);
}

// ---- fish: one line per command and option ----

std::string fish_quoted(const std::string& text) { return "'" + escaped(text, "'\\") + "'"; }

std::string fish_option(const std::string& start, const option_description& option) {
  std::string line = start;
  for (const std::string& name : option.names) {
    line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  line += option.value.empty() ? "" : takes_file(option) ? " -r -F" : " -x";
  return line + " -d " + fish_quoted(option.text) + "\n";
}

std::string fish_completion(const command_description& root) {
  std::string text = std::format(R"(# fish completion of {0}, written by `{0} completion fish`
function __{0}_at
  set -l words (commandline -opc)
  test (count $words) -gt 1; and test $words[2] = $argv[1]
end
complete -c {0} -f
)",
                                 root.name);
  const std::string first = std::format("complete -c {} -n 'test (count (commandline -opc)) -eq 1'", root.name);
  for (const option_description& option : root.options) {
    text += fish_option(first, option);
  }
  for (const command_description& command : root.commands) {
    text += first + " -a " + command.name + " -d " + fish_quoted(command.text) + "\n";
    const std::string start = std::format("complete -c {0} -n '__{0}_at {1}'", root.name, command.name);
    for (const option_description& option : command.options) {
      const std::string values = joined(choices(root, command));
      text += option.names.empty() ? std::format("{} {}\n", start, values.empty() ? "-F" : "-a " + fish_quoted(values))
                                   : fish_option(start, option);
    }
  }
  return text;
}

}  // namespace

std::string completion(const command_description& root, std::string_view shell) {
  if (shell == "bash") {
    return bash_completion(root);
  }
  if (shell == "zsh") {
    return zsh_completion(root);
  }
  if (shell == "fish") {
    return fish_completion(root);
  }
  throw std::runtime_error("no completion for " + std::string(shell));
}

}  // namespace npurt::tools
