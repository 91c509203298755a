// SPDX-License-Identifier: Apache-2.0
// Owners of device objects on the emulated NPU: errors per cause, moves, order of destruction, ends of runs.
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "npurt/detail/control_code.hpp"
#include "npurt/npurt.hpp"
#include "runtime/i8_matmul_kernel.hpp"

using namespace npurt::test;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;
using npurt::detail::control_code;
using npurt::detail::shim_channel;

namespace {

// A call that waits for ever: nobody sends this token.
std::vector<std::uint32_t> endless() {
  control_code code(1);
  code.wait_token(0, shim_channel::s2mm_0);
  return std::move(code).finish();
}

}  // namespace

TEST_CASE("a device tells what it is", "[runtime][device]") {
  const npurt::device device;
  CHECK_THAT(device.name(), ContainsSubstring("Phoenix"));
  CHECK_THAT(device.bdf(), ContainsSubstring(":"));
  CHECK(device.columns() == 5);
  CHECK_THAT(device.firmware_version(), ContainsSubstring("."));
  CHECK(device.emulated());
  const auto all = npurt::device::enumerate();
  REQUIRE(all.size() >= 1);
  CHECK(all[0].bdf == device.bdf());
}

TEST_CASE("an index behind the last device is refused with their number", "[runtime][device]") {
  CHECK_THROWS_MATCHES(npurt::device(7), npurt::no_device_error, MessageMatches(ContainsSubstring("NPU 7")));
}

TEST_CASE("an unknown kernel is refused with a list of the known ones", "[runtime][kernel]") {
  const npurt::device device;
  const npurt::hw_context context(device, npurt::xclbin(prebuilt_file()));
  CHECK_THROWS_MATCHES(npurt::kernel(context, "i9_matmul"), npurt::kernel_not_found_error,
                       MessageMatches(ContainsSubstring("i9_matmul") && ContainsSubstring("i8_matmul")));
}

TEST_CASE("the seventh pinned context is a context limit, and the next one after a release is none",
          "[runtime][hw_context]") {
  npurt::device device;
  device.set_context_budget({6, 0ms});
  const npurt::xclbin image(prebuilt_file());
  std::vector<npurt::hw_context> contexts;
  const auto fill = [&] {
    for (int count = 0; count < 7; ++count) contexts.emplace_back(device, image).pin();
  };
  CHECK_THROWS_AS(fill(), npurt::context_limit_error);
  REQUIRE_FALSE(contexts.empty());
  contexts.pop_back();
  CHECK_NOTHROW(npurt::hw_context(device, image));
  device.set_context_budget({});
}

TEST_CASE("a run can be started again and again", "[runtime][run]") {
  opened o;
  npurt::run run(o.kernel, harmless());
  for (int count = 0; count < 5; ++count) {
    run.start();
    run.wait(10s);
    CHECK(run.state() == npurt::command_state::completed);
  }
}

TEST_CASE("a deadline may be as late as there is one, or past", "[runtime][run]") {
  opened o;
  npurt::run run(o.kernel, harmless());
  run.start();
  CHECK_NOTHROW(run.wait(std::chrono::milliseconds::max()));
  npurt::run never(o.kernel, endless());
  never.start();
  CHECK_THROWS_AS(never.wait(std::chrono::milliseconds::min()), npurt::timeout_error);
}

TEST_CASE("a run that was not started cannot be waited for", "[runtime][run]") {
  opened o;
  npurt::run run(o.kernel, harmless());
  CHECK_THROWS_AS(run.wait(1s), npurt::command_error);
}

TEST_CASE("more buffers than the kernel takes are refused", "[runtime][run]") {
  opened o;
  const npurt::buffer<int> one(o.kernel, 16);
  CHECK_THROWS_AS(npurt::run(o.kernel, harmless(), one, one, one, one, one, one, one, one), npurt::buffer_error);
}

TEST_CASE("a run without control code is refused", "[runtime][run]") {
  opened o;
  CHECK_THROWS_AS(npurt::run(o.kernel, std::vector<std::uint32_t>{}), npurt::buffer_error);
}

TEST_CASE("a call that the firmware cannot read is a command error with its state", "[runtime][run]") {
  opened o;
  npurt::run run(o.kernel, unreadable());
  run.start();
  try {
    run.wait(30s);
    FAIL("the command completed");
  } catch (const npurt::command_error& failure) {
    CHECK(failure.state() != npurt::command_state::completed);
    CHECK_THAT(failure.what(), ContainsSubstring("i8_matmul") && ContainsSubstring("ERT_CMD_STATE_"));
  }
}

TEST_CASE("a call that never ends does not hang or abort the program", "[runtime][run]") {
  opened o;
  npurt::run run(o.kernel, endless());
  run.start();
  // The emulator sees at once that nothing can end it, hardware's watchdog after two seconds: either way an npurt
  // error.
  CHECK_THROWS_AS(run.wait(30s), npurt::error);
}

TEST_CASE("a run that nobody waited for is destroyed without an abort", "[runtime][run]") {
  opened o;
  {
    npurt::run run(o.kernel, harmless());
    run.start();
  }
  {
    npurt::run run(o.kernel, endless());
    run.start();
  }
  SUCCEED("still running");
}

TEST_CASE("device objects may be destroyed in any order", "[runtime][run]") {
  std::optional<npurt::device> device(std::in_place);
  std::optional<npurt::xclbin> image(prebuilt_file());
  std::optional<npurt::hw_context> context(std::in_place, *device, *image);
  std::optional<npurt::kernel> kernel(std::in_place, *context, "i8_matmul");
  std::optional<npurt::buffer<int>> buffer(std::in_place, *kernel, std::size_t{64});
  npurt::run run(*kernel, harmless(), *buffer);
  device.reset();
  image.reset();
  context.reset();
  kernel.reset();
  buffer.reset();
  run.start();
  CHECK_NOTHROW(run.wait(10s));
}

TEST_CASE("whatever was moved from throws", "[runtime][owner]") {
  opened o;
  npurt::buffer<int> buffer(o.kernel, 4);
  npurt::run run(o.kernel, harmless());
  const auto moved = std::make_tuple(std::move(o.device), std::move(o.image), std::move(o.context), std::move(o.kernel),
                                     std::move(buffer), std::move(run));
  CHECK_THROWS_AS(o.device.name(), npurt::moved_from_error);
  CHECK_THROWS_AS(o.image.kernels(), npurt::moved_from_error);
  CHECK_THROWS_AS(o.context.native(), npurt::moved_from_error);
  CHECK_THROWS_AS(o.kernel.name(), npurt::moved_from_error);
  CHECK_THROWS_AS(buffer.data(), npurt::moved_from_error);
  CHECK_THROWS_AS(buffer.size(), npurt::moved_from_error);
  CHECK_THROWS_AS(run.start(), npurt::moved_from_error);
}

TEST_CASE("a buffer is mapped, zero elements are none and too many are refused", "[runtime][buffer]") {
  opened o;
  npurt::buffer<std::uint16_t> buffer(o.kernel, 1000);
  for (std::size_t index = 0; index < buffer.size(); ++index) buffer[index] = static_cast<std::uint16_t>(index);
  buffer.to_device();
  buffer.from_device();
  CHECK(buffer[999] == 999);
  CHECK(buffer.span().size() == 1000);
  CHECK_THROWS_AS(npurt::buffer<int>(o.kernel, 0), npurt::buffer_error);
  CHECK_THROWS_AS(npurt::buffer<int>(o.kernel, std::size_t{1} << 60), npurt::buffer_error);
}
