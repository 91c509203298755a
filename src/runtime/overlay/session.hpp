// SPDX-License-Identifier: Apache-2.0
// An XCLBIN's kernel, open on a device for all calls of its operations.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "npurt/kernel.hpp"
#include "npurt/ops/op_report.hpp"
#include "runtime/overlay/page_loader.hpp"

namespace npurt::detail::overlay {

/// Members go in the opposite order: runs before the kernel, the kernel before its context.
struct session {
  hw_context context;
  kernel target;
  op_report report;
  page_loader pages;
};

/// @throws architecture_error if a device of this name is not one that the kernels are built for
void check_architecture(std::string_view kernel_name, const std::string& device_name);

/// The one of all device objects of the process that stand for the same device, opened now if there is none.
/// @throws file_error, xclbin_error, architecture_error, context_limit_error, device_error
std::shared_ptr<session> shared_session(const device& target);

/// What a call is given unless it says otherwise.
std::chrono::milliseconds default_deadline(const op_report& report);

}  // namespace npurt::detail::overlay
