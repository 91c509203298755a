// SPDX-License-Identifier: Apache-2.0
// What is in a file, as JSON and as text.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "binfmt/control_code.hpp"
#include "inspect/configuration.hpp"

namespace npurt::inspect {

/// An XCLBIN, PDI, ELF or control code, recognised by its content: "kind", "bytes" and what the kind has. Configured
/// arrays are below "array".
/// @throws binfmt::format_error for a damaged file and one of no known kind
nlohmann::ordered_json describe(std::span<const std::byte> bytes);

/// The same to read. @param description of describe()
std::string to_text(const nlohmann::ordered_json& description);

/// The configurations in a file: of each PDI of an XCLBIN, of a PDI, or what a control code writes.
/// @throws binfmt::format_error
std::vector<configuration> configurations(std::span<const std::byte> bytes);

// Of the parts.
nlohmann::ordered_json describe(const configuration& array);
nlohmann::ordered_json describe(const binfmt::control_code& code);

/// "S2MM 0".
std::string channel_name(aie::dma_direction direction, unsigned channel);

/// What a PDI sets the array to. @throws binfmt::format_error
configuration configuration_of_pdi(std::span<const std::byte> image);

}  // namespace npurt::inspect
