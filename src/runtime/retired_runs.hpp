// SPDX-License-Identifier: Apache-2.0
// Runs that were destroyed while in flight: kept until their commands end, and with them their contexts and buffers.
#pragma once

namespace npurt::detail {

/// Lets go of those that have ended. Called where their contexts or memory may be missed.
void release_ended_runs();

}  // namespace npurt::detail
