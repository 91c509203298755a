// SPDX-License-Identifier: Apache-2.0
// Reading the strings of the rows: lists of words, numbers, and layouts of bits.
#include <charconv>
#include <stdexcept>
#include <string>

#include "aie/isa/tables.hpp"

namespace npurt::aie::isa::detail {
namespace {

[[noreturn]] void malformed(std::string_view text) {
  throw std::logic_error("malformed row of the instruction tables: " + std::string(text));
}

/// The bits that a token of a layout takes.
unsigned token_width(std::string_view token) {
  if (const auto colon = token.find(':'); colon != token.npos && token.find('[') == token.npos)
    return static_cast<unsigned>(number_of(token.substr(colon + 1)));
  if (const auto open = token.find('['); open != token.npos) {
    const auto colon = token.find(':', open);
    if (colon == token.npos || token.back() != ']') malformed(token);
    const int high = number_of(token.substr(open + 1, colon - open - 1));
    const int low = number_of(token.substr(colon + 1, token.size() - colon - 2));
    if (low > high) malformed(token);
    return static_cast<unsigned>(high - low + 1);
  }
  return static_cast<unsigned>(token.size());
}

void add_opcode(layout& result, std::string_view token, unsigned lsb) {
  for (std::size_t i = 0; i < token.size(); ++i) {
    const unsigned bit = lsb + static_cast<unsigned>(token.size() - 1 - i);
    const auto place = std::uint64_t{1} << (bit % 64);
    if (token[i] != 'x') result.mask[bit / 64] |= place;
    if (token[i] == '1') result.value[bit / 64] |= place;
  }
}

void add_piece(layout& result, std::string_view token, unsigned lsb) {
  const auto name = token.substr(0, token.find_first_of(":["));
  const auto open = token.find('[');
  const int to = open == token.npos
                     ? 0
                     : number_of(token.substr(token.find(':', open) + 1, token.size() - token.find(':', open) - 2));
  const unsigned width = token_width(token);
  layout_field* field = nullptr;
  for (auto& known : result.fields)
    if (known.name == name) field = &known;
  if (!field) field = &result.fields.emplace_back(layout_field{name, {}, 0});
  field->pieces.push_back(
      {static_cast<std::uint8_t>(lsb), static_cast<std::uint8_t>(width), static_cast<std::uint8_t>(to)});
  field->width += width;
}

}  // namespace

std::vector<std::string_view> words_of(std::string_view text, char separator) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    if (end > 0) words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

int number_of(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) malformed(text);
  return value;
}

layout read_layout(std::string_view text) {
  layout result;
  const auto tokens = words_of(text);
  for (const auto token : tokens) result.width += token_width(token);
  if (result.width == 0 || result.width > 128) malformed(text);
  unsigned top = result.width;
  for (const auto token : tokens) {
    top -= token_width(token);
    if (token.find_first_not_of("01x") == token.npos)
      add_opcode(result, token, top);
    else
      add_piece(result, token, top);
  }
  return result;
}

}  // namespace npurt::aie::isa::detail
