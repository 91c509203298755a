// SPDX-License-Identifier: Apache-2.0
// Identifiers and digests that depend on nothing but the content: name-based UUIDs (RFC 9562 version 5).
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace npurt::binfmt {

using content_uuid = std::array<std::byte, 16>;

/// The UUID of these bytes in npurt's namespace.
content_uuid uuid_of(std::span<const std::byte> content);
content_uuid uuid_of(std::string_view content);

/// Lower-case hexadecimal digits.
std::string to_hex(std::span<const std::byte> bytes);

/// Lower-case hexadecimal digits, 8-4-4-4-12.
std::string to_text(const content_uuid& uuid);

}  // namespace npurt::binfmt
