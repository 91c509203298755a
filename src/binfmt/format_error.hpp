// SPDX-License-Identifier: Apache-2.0
// The one exception of the readers.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>

namespace npurt::binfmt {

/// A file is not what its format asks for. what() names the structure and the offset.
class format_error : public std::runtime_error {
 public:
  /// @param offset  bytes from the start of the input that the reader was given
  format_error(const std::string& message, std::size_t offset)
      : std::runtime_error(message + " (at byte " + std::to_string(offset) + ")"), offset_(offset) {}
  std::size_t offset() const { return offset_; }

 private:
  std::size_t offset_;
};

}  // namespace npurt::binfmt
