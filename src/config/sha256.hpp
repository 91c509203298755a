// SPDX-License-Identifier: Apache-2.0
// SHA-256, for identifiers and digests that depend on nothing but the content.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace npurt::config {

using sha256_digest = std::array<std::byte, 32>;

sha256_digest sha256(std::span<const std::byte> bytes);
sha256_digest sha256(std::string_view text);

/// Lower-case hexadecimal digits.
std::string to_hex(std::span<const std::byte> bytes);

}  // namespace npurt::config
