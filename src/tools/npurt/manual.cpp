// SPDX-License-Identifier: Apache-2.0
// Manual pages in troff's man macros, from the description of the command line.
#include <algorithm>
#include <format>
#include <stdexcept>

#include "command_tree.hpp"

namespace npurt::tools {

namespace {

/// Text in which troff finds nothing to obey.
std::string escaped(const std::string& text) {
  std::string out;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) {
      out += "\\&";
    }
    out += c == '\\' ? "\\e" : c == '-' ? "\\-" : std::string(1, c);
    line_begins = c == '\n';
  }
  return out;
}

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

std::string option_heading(const option_description& option) {
  std::string names;
  for (const std::string& name : option.names) {
    names += (names.empty() ? "\\fB" : ", \\fB") + escaped(name) + "\\fR";
  }
  const std::string value = option.value.empty() ? "" : "\\fI" + escaped(option.value) + "\\fR";
  return names + (names.empty() || value.empty() ? "" : " ") + value;
}

std::string options_section(const command_description& command) {
  std::string text = command.options.empty() ? "" : ".SH OPTIONS\n";
  for (const option_description& option : command.options) {
    text +=
        std::format(".TP\n{}\n{}{}{}\n", option_heading(option), escaped(option.text),
                    option.required ? ". Must be given" : "", option.repeated ? ". Can be given several times" : "");
  }
  return text;
}

std::string synopsis(const std::string& name, const command_description& command) {
  std::string text = std::format(".SH SYNOPSIS\n.B {}\n", escaped(name));
  if (!command.commands.empty()) {
    return text + ".I COMMAND\n[\\fIOPTIONS\\fR]\n";
  }
  text += "[\\fIOPTIONS\\fR]\n";
  for (const option_description& option : command.options) {
    if (option.names.empty()) {
      text += std::format("\\fI{}\\fR{}\n", escaped(option.value), option.repeated ? "..." : "");
    }
  }
  return text;
}

std::string commands_section(const command_description& root) {
  std::string text = root.commands.empty() ? "" : ".SH COMMANDS\n";
  for (const command_description& command : root.commands) {
    text += std::format(".TP\n.B {}\n{}; see {}\\-{}(1)\n", escaped(command.name), escaped(command.text), root.name,
                        escaped(command.name));
  }
  return text;
}

std::string page(const std::string& title, const std::string& invocation, const command_description& command) {
  return std::format(".TH {} 1 \"\" \"npurt {}\" \"npurt\"\n.SH NAME\n{} \\- {}\n", upper(escaped(title)),
                     NPURT_VERSION, escaped(title), escaped(command.text)) +
         synopsis(invocation, command) + commands_section(command) + options_section(command) + ".SH NOTES\n.nf\n" +
         escaped(command.footer) + "\n.fi\n";
}

}  // namespace

std::string manual_page(const command_description& root, const std::string& command) {
  if (command.empty() || command == root.name) {
    return page(root.name, root.name, root);
  }
  const auto found = std::ranges::find(root.commands, command, &command_description::name);
  if (found == root.commands.end()) {
    throw std::runtime_error("no command " + command);
  }
  return page(root.name + "-" + command, root.name + " " + command, *found);
}

}  // namespace npurt::tools
