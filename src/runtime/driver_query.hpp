// SPDX-License-Identifier: Apache-2.0
// What XRT's public API does not tell about a device, asked of the amdxdna driver itself.
#pragma once

#include <string>

namespace npurt::detail {

/// Columns of the array of the device at a PCI address (QUERY_AIE_METADATA).
/// @throws device_error
unsigned query_columns(const std::string& bdf);

/// Firmware version, "major.minor.patch.build" (QUERY_FIRMWARE_VERSION).
/// @throws device_error
std::string query_firmware_version(const std::string& bdf);

}  // namespace npurt::detail
