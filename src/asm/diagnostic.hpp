// SPDX-License-Identifier: Apache-2.0
// What the assembler says about a mistake in its input.
#pragma once

#include <string>

namespace npurt::assembler {

struct diagnostic {
  std::string file;
  unsigned line = 0;    ///< from 1
  unsigned column = 0;  ///< from 1
  std::string message;  ///< what was expected and what is legal
  bool warning = false;
};

/// "file:line:column: error: message", or "warning".
std::string to_string(const diagnostic& d);

}  // namespace npurt::assembler
