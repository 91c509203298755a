// SPDX-License-Identifier: Apache-2.0
// Command states in words.
#include "npurt/error.hpp"

#include <fmt/format.h>
#include <xrt/detail/ert.h>

namespace npurt {

static_assert(static_cast<int>(command_state::created) == ERT_CMD_STATE_NEW);
static_assert(static_cast<int>(command_state::queued) == ERT_CMD_STATE_QUEUED);
static_assert(static_cast<int>(command_state::running) == ERT_CMD_STATE_RUNNING);
static_assert(static_cast<int>(command_state::completed) == ERT_CMD_STATE_COMPLETED);
static_assert(static_cast<int>(command_state::error) == ERT_CMD_STATE_ERROR);
static_assert(static_cast<int>(command_state::aborted) == ERT_CMD_STATE_ABORT);
static_assert(static_cast<int>(command_state::submitted) == ERT_CMD_STATE_SUBMITTED);
static_assert(static_cast<int>(command_state::timed_out) == ERT_CMD_STATE_TIMEOUT);
static_assert(static_cast<int>(command_state::no_response) == ERT_CMD_STATE_NORESPONSE);

std::string describe(command_state state) {
  switch (state) {
    case command_state::created:
      return "new or in flight (ERT_CMD_STATE_NEW)";
    case command_state::queued:
      return "queued (ERT_CMD_STATE_QUEUED)";
    case command_state::running:
      return "running (ERT_CMD_STATE_RUNNING)";
    case command_state::completed:
      return "completed (ERT_CMD_STATE_COMPLETED)";
    case command_state::error:
      return "failed on the device (ERT_CMD_STATE_ERROR)";
    case command_state::aborted:
      return "aborted, the context was reset (ERT_CMD_STATE_ABORT)";
    case command_state::submitted:
      return "submitted (ERT_CMD_STATE_SUBMITTED)";
    case command_state::timed_out:
      return "stopped by the driver's watchdog because it hung (ERT_CMD_STATE_TIMEOUT)";
    case command_state::no_response:
      return "given up, the firmware does not answer (ERT_CMD_STATE_NORESPONSE)";
  }
  return fmt::format("in unknown state {}", static_cast<std::uint32_t>(state));
}

}  // namespace npurt
