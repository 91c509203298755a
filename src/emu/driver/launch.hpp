// SPDX-License-Identifier: Apache-2.0
// Starting the server of a shared device.
#pragma once

#include <string_view>

namespace npurt::emu::driver {

/// Starts `npurt-emu --serve NAME` of this library's installation, as a process of its own that outlives this one.
void start_server(std::string_view name);

}  // namespace npurt::emu::driver
