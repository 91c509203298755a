// SPDX-License-Identifier: Apache-2.0
// Runs that were destroyed while in flight: kept until their commands end, and with them their contexts and buffers.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

namespace npurt::detail {

/// Keeps what the device still works on; for ever if even its state cannot be had.
/// @param name  for the log
/// @param ended asked from time to time; what it throws counts as no
void keep_until(std::shared_ptr<void> what, std::string_view name, std::function<bool()> ended) noexcept;

/// Lets go of those that have ended. Called where their contexts or memory may be missed.
void release_ended_runs();

}  // namespace npurt::detail
