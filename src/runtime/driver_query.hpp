// SPDX-License-Identifier: Apache-2.0
// What XRT's public API does not tell about a device, asked of the amdxdna driver itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "npurt/device.hpp"

namespace npurt::detail {

/// Columns of the array of the device at a PCI address (QUERY_AIE_METADATA).
/// @throws device_error
unsigned query_columns(const std::string& bdf);

/// Firmware version, "major.minor.patch.build" (QUERY_FIRMWARE_VERSION).
/// @throws device_error
std::string query_firmware_version(const std::string& bdf);

/// Contexts on the device, of all processes (QUERY_RESOURCE_INFO); nothing if the driver does not tell.
std::optional<std::uint64_t> query_context_count(const std::string& bdf) noexcept;

/// Who has them (GET_ARRAY, HW_CONTEXT_ALL); empty if the driver does not tell.
std::vector<context_holder> query_context_holders(const std::string& bdf);

}  // namespace npurt::detail
