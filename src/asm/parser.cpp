// SPDX-License-Identifier: Apache-2.0
// Comments, lines, labels, directives, bundles.
#include "asm/parser.hpp"

#include "asm/expression.hpp"

namespace npurt::assembler {
namespace {

/// Blanks // and /* */ comments and carriage returns, keeping every column where it was. A backslash in quotes hides
/// the character behind it.
void blank_comments(parsed_source& result, std::string_view file) {
  auto& text = result.text;
  bool quoted = false;
  unsigned line = 1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') ++line, quoted = false;
    if (text[i] == '\r') text[i] = ' ';
    if (quoted && text[i] == '\\' && text.substr(i + 1, 1) != "\n") {
      ++i;
      continue;
    }
    if (text[i] == '"') quoted = !quoted;
    if (quoted || text[i] != '/' || i + 1 == text.size()) continue;
    if (text[i + 1] == '/') {
      while (i < text.size() && text[i] != '\n') text[i++] = ' ';
      --i;
    } else if (text[i + 1] == '*') {
      const auto end = text.find("*/", i + 2);
      if (end == text.npos) result.errors.push_back({std::string(file), line, 1, "comment without its end */"});
      const auto stop = std::min(end == text.npos ? end : end + 2, text.size());
      for (; i < stop; ++i) {
        if (text[i] == '\n')
          ++line;
        else
          text[i] = ' ';
      }
      --i;
    }
  }
}

std::size_t symbol_length(std::string_view text) {
  std::size_t length = 0;
  if (!text.empty() && is_symbol_start(text[0]))
    while (length < text.size() && is_symbol_part(text[length])) ++length;
  return length;
}

/// Of a label's name: a symbol, or digits.
std::size_t label_length(std::string_view text) {
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  return digits > 0 ? digits : symbol_length(text);
}

/// "NAME = EXPRESSION" as .set.
bool parse_assignment(const source_text& line, parsed_source& result) {
  const auto name = symbol_length(line.text);
  if (name == 0) return false;
  const auto rest = line.behind(name);
  if (!rest.text.starts_with('=') || rest.text.starts_with("==")) return false;
  result.statements.push_back(
      {statement::type::directive, {".set", line.line, line.column}, {line.part(0, name), rest.behind(1)}});
  return true;
}

void parse_line(source_text rest, parsed_source& result) {
  if (rest.text.starts_with('#')) return;  // what a preprocessor left: # 1 "file.S", #APP
  while (!rest.text.empty()) {
    const auto name = label_length(rest.text);
    if (name == 0 || name == rest.text.size() || rest.text[name] != ':') break;
    result.statements.push_back({statement::type::label, rest.part(0, name), {}});
    rest = rest.behind(name + 1);
  }
  if (rest.text.empty() || parse_assignment(rest, result)) return;
  if (rest.text[0] == '.') {
    const auto name = symbol_length(rest.text);
    const auto arguments = rest.behind(name);
    statement directive{statement::type::directive, rest.part(0, name), {}};
    if (!arguments.text.empty()) directive.items = split(arguments, ',');
    result.statements.push_back(std::move(directive));
    return;
  }
  statement bundle{statement::type::bundle, rest, {}};
  for (const auto& piece : split(rest, ';'))
    if (!piece.text.empty()) bundle.items.push_back(piece);
  if (!bundle.items.empty()) result.statements.push_back(std::move(bundle));
}

}  // namespace

source_text trimmed(std::string_view text, unsigned line, unsigned column) {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {{}, line, column};
  const auto last = text.find_last_not_of(" \t");
  return {text.substr(first, last - first + 1), line, column + static_cast<unsigned>(first)};
}

source_text source_text::behind(std::size_t count) const {
  return trimmed(text.substr(count), line, column + static_cast<unsigned>(count));
}

source_text source_text::part(std::size_t start, std::size_t count) const {
  return trimmed(text.substr(start, count), line, column + static_cast<unsigned>(start));
}

std::vector<source_text> split(const source_text& whole, char separator) {
  std::vector<source_text> pieces;
  std::size_t start = 0;
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < whole.text.size(); ++i) {
    const char c = whole.text[i];
    if (quoted && c == '\\') {
      ++i;
      continue;
    }
    if (c == '"') quoted = !quoted;
    if (c == '(' || c == '[') ++depth;
    if (c == ')' || c == ']') --depth;
    if (quoted || c != separator || (depth > 0 && separator != ';')) continue;
    pieces.push_back(whole.part(start, i - start));
    start = i + 1;
  }
  pieces.push_back(whole.part(start, whole.text.size() - start));
  return pieces;
}

void parse(std::string_view source, std::string_view file, parsed_source& result) {
  result.text = source;
  blank_comments(result, file);
  const std::string_view text = result.text;
  unsigned line = 1;
  for (std::size_t start = 0; start < text.size(); ++line) {
    const auto end = std::min(text.find('\n', start), text.size());
    parse_line(trimmed(text.substr(start, end - start), line, 1), result);
    start = end + 1;
  }
}

}  // namespace npurt::assembler
