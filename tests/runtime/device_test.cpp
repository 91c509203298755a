// SPDX-License-Identifier: Apache-2.0
// Opening devices where there is none.
#include "npurt/device.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "npurt/error.hpp"

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;

TEST_CASE("without an NPU the error says where one was looked for and how to get an emulated one",
          "[runtime][device]") {
  if (!npurt::device::enumerate().empty()) SKIP("this machine has an NPU");
  CHECK_THROWS_MATCHES(npurt::device(), npurt::no_device_error,
                       MessageMatches(ContainsSubstring("/dev/accel") && ContainsSubstring("npurt-emu PROGRAM") &&
                                      ContainsSubstring("npurt::emulator")));
}

TEST_CASE("an index beyond the last NPU is a missing device", "[runtime][device]") {
  CHECK_THROWS_AS(npurt::device(1000), npurt::no_device_error);
}
