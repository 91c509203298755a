// SPDX-License-Identifier: Apache-2.0
// The subset of XML that xclbinutil generates: elements and attributes; text between elements is skipped.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "binfmt/format_error.hpp"

namespace npurt::binfmt {

struct xml_element {
  std::string name;
  std::size_t offset = 0;  ///< of its tag, bytes from the start of the text
  std::vector<std::pair<std::string, std::string>> attributes;
  std::vector<xml_element> children;

  /// The attribute's value, or nullptr.
  const std::string* attribute(std::string_view key) const;
  /// The first child of that name, or nullptr.
  const xml_element* child(std::string_view child_name) const;
};

/// The root element of a document.
/// @param base  added to the offsets of errors
/// @throws format_error for anything that is not well-formed, for type declarations and nesting beyond 32 levels
xml_element parse_xml(std::string_view text, std::size_t base = 0);

}  // namespace npurt::binfmt
