// SPDX-License-Identifier: Apache-2.0
// XRT's exceptions become npurt's: one wrapper around every call of XRT.
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "npurt/error.hpp"

namespace npurt::detail {

/// Returns f(); any exception but npurt's own becomes an Error: "<what>: XRT says: <text>".
template <typename Error, typename Function>
decltype(auto) translated(std::string_view what, Function&& f) {
  try {
    return std::forward<Function>(f)();
  } catch (const error&) {
    throw;
  } catch (const std::exception& cause) {
    throw Error(fmt::format("{}: XRT says: {}", what, cause.what()));
  }
}

/// The errno in an exception of XRT's ("... IOCTL failed (err=-2): ..." or a std::system_error); 0 if there is none.
int errno_of(const std::exception& cause);

/// Throws what a failed opening of a device or hw_context means.
[[noreturn]] void throw_device_error(const std::string& what, const std::exception& cause);
[[noreturn]] void throw_context_error(const std::string& what, const std::exception& cause);

}  // namespace npurt::detail
