// SPDX-License-Identifier: Apache-2.0
// Where the XCLBINs that come with npurt are.
#pragma once

#include <filesystem>
#include <string_view>

namespace npurt::detail {

/// The file `<name>.xclbin` in, first one wins: the folders of the environment variable NPURT_KERNEL_PATH (separated by
/// colons); share/npurt/kernels beside the library or the executable.
/// @throws file_error listing the folders
std::filesystem::path find_prebuilt(std::string_view name);

}  // namespace npurt::detail
