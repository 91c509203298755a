// SPDX-License-Identifier: Apache-2.0
// What XRT's failures at opening mean, in words.
#include "runtime/translate.hpp"

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <string_view>
#include <system_error>

namespace npurt::detail {

int errno_of(const std::exception& cause) {
  constexpr std::string_view marker = "(err=";
  const std::string_view text = cause.what();
  if (const auto at = text.find(marker); at != std::string_view::npos) {
    int value = 0;
    const auto digits = text.substr(at + marker.size());
    if (std::from_chars(digits.data(), digits.data() + digits.size(), value).ec == std::errc{}) return std::abs(value);
  }
  const auto* system = dynamic_cast<const std::system_error*>(&cause);
  return system ? std::abs(system->code().value()) : 0;
}

void throw_device_error(const std::string& what, const std::exception& cause) {
  std::string hint;
  const std::string_view text = cause.what();
  if (text.find("mmap(") != std::string_view::npos) {
    hint =
        "; the driver locks 64 MiB of memory per device: raise the locked-memory limit (ulimit -l, memlock in "
        "/etc/security/limits.conf)";
  } else if (errno_of(cause) == EACCES || text.find("ermission denied") != std::string_view::npos) {
    hint = "; the user needs read and write access to /dev/accel (group render, in a container --device /dev/accel)";
  }
  throw device_error(fmt::format("{}: XRT says: {}{}", what, text, hint));
}

void throw_context_error(const std::string& what, const std::exception& cause) {
  const std::string text = fmt::format("{}: XRT says: {}", what, cause.what());
  if (std::string_view(cause.what()).find("No valid DPU kernel") != std::string_view::npos) throw xclbin_error(text);
  // The driver's answers to CREATE_HWCTX (aie2_ctx_runqueue.c).
  switch (errno_of(cause)) {
    case ENOENT:
      throw context_limit_error(text +
                                "; an NPU runs at most six contexts at a time, of all processes: end one of "
                                "them first");
    case ENOSPC:
      throw context_limit_error(text +
                                "; not as many columns are free side by side: end another context "
                                "first");
    case EBUSY:
      throw context_limit_error(text + "; another context has the whole array for itself: end it first");
    default:
      throw device_error(text);
  }
}

}  // namespace npurt::detail
