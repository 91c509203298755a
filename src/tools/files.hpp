// SPDX-License-Identifier: Apache-2.0
// Files of the tools, read and written whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace npurt::tools {

/// @throws std::runtime_error if it cannot be read or has more than 16 MiB
std::vector<std::uint8_t> read_file(const std::string& path);

/// @throws std::runtime_error if it cannot be written
void write_file(const std::string& path, std::span<const std::byte> bytes);

/// To the standard output. @throws std::runtime_error if it cannot be written
void print_text(std::string_view text);

}  // namespace npurt::tools
