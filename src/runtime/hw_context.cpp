// SPDX-License-Identifier: Apache-2.0
// Opening partitions.
#include "npurt/hw_context.hpp"

#include <fmt/format.h>

#include "runtime/hw_context_state.hpp"
#include "runtime/log.hpp"
#include "runtime/retired_runs.hpp"
#include "runtime/translate.hpp"

namespace npurt {

namespace {

// The driver would refuse it, too, but with the same ENOSPC as when the columns are taken.
void check_columns(const device& target, const xclbin& image) {
  const unsigned columns = target.columns();
  if (image.columns() <= columns) return;
  throw architecture_error(
      fmt::format("{} is for a partition of {} columns, {} has {}: use an XCLBIN "
                  "that is built for this device",
                  image.origin(), image.columns(), target.name(), columns));
}

std::shared_ptr<detail::hw_context_state> open_context(const device& target, const xclbin& image) {
  check_columns(target, image);
  detail::release_ended_runs();
  auto state = std::make_shared<detail::hw_context_state>();
  state->device = target.native();
  state->kernels = image.kernels();
  state->origin = image.origin();
  try {
    const xrt::uuid id = state->device.register_xclbin(image.native());
    state->native = xrt::hw_context(state->device, id);
  } catch (const std::exception& cause) {
    detail::throw_context_error(fmt::format("no hw_context for {} on {}", image.origin(), target.name()), cause);
  }
  detail::log().info("opened a hw_context of {} columns for {}", image.columns(), image.origin());
  return state;
}

}  // namespace

hw_context::hw_context(const device& target, const xclbin& image) : state_(open_context(target, image), "hw_context") {}

const xrt::hw_context& hw_context::native() const { return state_->native; }

}  // namespace npurt
