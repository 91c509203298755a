// SPDX-License-Identifier: Apache-2.0
// Names that hold only near a place of the source: "." (here), and numeric labels "1:" with "1b" and "1f".
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "asm/parser.hpp"

namespace npurt::assembler {

/// Gives every such name a symbol that no source can define, and spells text with it.
class local_names {
 public:
  static bool is_numeric(std::string_view label);

  /// The symbol of the next "N:" label.
  std::string define(std::string_view number);
  /// `text` with the symbols in place of 1b, 1f and "."; `uses_here` tells whether "." occurs, which stands for
  /// here().
  source_text respell(const source_text& text, bool& uses_here);
  /// The symbol of "." since the last new_place().
  std::string here() const;
  void new_place() { ++places_; }

 private:
  std::string symbol(std::string_view number, unsigned count) const;

  std::unordered_map<std::string, unsigned> defined_;  ///< how often each number was a label so far
  std::deque<std::string> spelled_;                    ///< what the respelled texts point into
  unsigned places_ = 0;
};

}  // namespace npurt::assembler
