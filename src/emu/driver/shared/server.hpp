// SPDX-License-Identifier: Apache-2.0
// The process that holds a shared device.
#pragma once

#include <chrono>
#include <string_view>

#include "emu/driver/device.hpp"

namespace npurt::emu::driver::shared {

/// How long a server waits for the next program before it ends.
inline constexpr std::chrono::milliseconds default_linger{10'000};

/// Serves the shared device NAME until nobody has used it for `linger`, or SIGTERM or SIGINT come.
/// @return an exit code: 0, also if another server is there already; 1 if the log says why not
int serve(std::string_view name, const options& settings, std::chrono::milliseconds linger = default_linger);

}  // namespace npurt::emu::driver::shared
