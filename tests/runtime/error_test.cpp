// SPDX-License-Identifier: Apache-2.0
// What XRT's failures become.
#include "npurt/error.hpp"

#include <cerrno>
#include <stdexcept>
#include <system_error>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "npurt/detail/owner.hpp"
#include "runtime/overlay/session.hpp"
#include "runtime/translate.hpp"

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;
using npurt::detail::throw_context_error;
using npurt::detail::throw_device_error;
using npurt::detail::translated;

TEST_CASE("an exception of XRT's becomes the asked type and keeps its text", "[runtime][error]") {
  CHECK_THROWS_MATCHES(translated<npurt::buffer_error>("a buffer", [] { throw std::runtime_error("no space"); }),
                       npurt::buffer_error,
                       MessageMatches(ContainsSubstring("a buffer") && ContainsSubstring("no space")));
}

TEST_CASE("npurt's own exceptions pass a translation unchanged", "[runtime][error]") {
  CHECK_THROWS_AS(translated<npurt::buffer_error>("a buffer", [] { throw npurt::xclbin_error("damaged"); }),
                  npurt::xclbin_error);
}

TEST_CASE("a translation hands on what the call returns", "[runtime][error]") {
  CHECK(translated<npurt::buffer_error>("a number", [] { return 7; }) == 7);
}

TEST_CASE("a seventh context is a context limit", "[runtime][error]") {
  // XRT 2.25's text, as observed.
  const std::runtime_error cause("DRM_IOCTL_AMDXDNA_CREATE_HWCTX IOCTL failed (err=-2): No such file or directory");
  CHECK_THROWS_MATCHES(throw_context_error("no hw_context", cause), npurt::context_limit_error,
                       MessageMatches(ContainsSubstring("six contexts") && ContainsSubstring("err=-2")));
}

TEST_CASE("full columns and a context of the whole array are context limits", "[runtime][error]") {
  const std::system_error full(ENOSPC, std::generic_category());
  const std::system_error busy(EBUSY, std::generic_category());
  CHECK_THROWS_AS(throw_context_error("no hw_context", full), npurt::context_limit_error);
  CHECK_THROWS_AS(throw_context_error("no hw_context", busy), npurt::context_limit_error);
}

TEST_CASE("an XCLBIN without a usable kernel is no context limit", "[runtime][error]") {
  const std::system_error cause(EINVAL, std::generic_category(), "No valid DPU kernel found in xclbin");
  CHECK_THROWS_AS(throw_context_error("no hw_context", cause), npurt::xclbin_error);
}

TEST_CASE("another failure to make a context is the device's", "[runtime][error]") {
  CHECK_THROWS_AS(throw_context_error("no hw_context", std::runtime_error("(err=-5): I/O error")), npurt::device_error);
}

TEST_CASE("a failed mapping of the heap names the locked-memory limit", "[runtime][error]") {
  const std::runtime_error cause("mmap(addr=0, len=67108864, prot=3, flags=8209, offset=4294967296) failed (err=-11)");
  CHECK_THROWS_MATCHES(throw_device_error("NPU 0", cause), npurt::device_error,
                       MessageMatches(ContainsSubstring("ulimit -l") && ContainsSubstring("err=-11")));
}

TEST_CASE("missing rights name the group", "[runtime][error]") {
  const std::system_error cause(EACCES, std::generic_category(), "open /dev/accel/accel0");
  CHECK_THROWS_MATCHES(throw_device_error("NPU 0", cause), npurt::device_error,
                       MessageMatches(ContainsSubstring("render")));
}

TEST_CASE("every state of a command has its ERT name", "[runtime][error]") {
  using npurt::command_state;
  CHECK_THAT(npurt::describe(command_state::error), ContainsSubstring("ERT_CMD_STATE_ERROR"));
  CHECK_THAT(npurt::describe(command_state::aborted), ContainsSubstring("ERT_CMD_STATE_ABORT"));
  CHECK_THAT(npurt::describe(command_state::timed_out), ContainsSubstring("ERT_CMD_STATE_TIMEOUT"));
  CHECK_THAT(npurt::describe(command_state::no_response), ContainsSubstring("ERT_CMD_STATE_NORESPONSE"));
  CHECK_THAT(npurt::describe(static_cast<command_state>(77)), ContainsSubstring("77"));
}

TEST_CASE("a device of another architecture is refused by the matmul", "[runtime][error]") {
  CHECK_NOTHROW(npurt::detail::overlay::check_architecture("overlay", "NPU Phoenix"));
  CHECK_NOTHROW(npurt::detail::overlay::check_architecture("overlay", "NPU Hawk Point"));
  CHECK_THROWS_MATCHES(npurt::detail::overlay::check_architecture("overlay", "NPU Strix"), npurt::architecture_error,
                       MessageMatches(ContainsSubstring("NPU Strix") && ContainsSubstring("AIE2")));
}

TEST_CASE("an object that was moved from says so", "[runtime][error]") {
  npurt::detail::owner<int> first(std::make_shared<int>(5), "buffer");
  const npurt::detail::owner<int> second(std::move(first));
  CHECK(*second == 5);
  CHECK_THROWS_MATCHES(*first, npurt::moved_from_error, MessageMatches(ContainsSubstring("npurt::buffer")));
  CHECK_THROWS_AS(first.share(), npurt::moved_from_error);
}
