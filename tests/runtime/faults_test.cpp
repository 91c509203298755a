// SPDX-License-Identifier: Apache-2.0
// What the library makes of a device that fails: faults on demand of the emulated NPU, and the typed errors they
// become.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <utility>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "npurt/detail/control_code.hpp"
#include "npurt/emulator.hpp"
#include "npurt/npurt.hpp"

using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;

namespace {

const std::filesystem::path prebuilt = std::filesystem::path(NPURT_SOURCE_DIR) / "kernels/prebuilt/i8-matmul.xclbin";

/// Faults for as long as it lives.
struct faults {
  explicit faults(const std::string& text) { REQUIRE(npurt::emulator::set_faults(text)); }
  ~faults() { npurt::emulator::set_faults(""); }
  faults(const faults&) = delete;
  faults& operator=(const faults&) = delete;
};

struct opened {
  npurt::device device;
  npurt::hw_context context{device, npurt::xclbin(prebuilt)};
  npurt::kernel kernel{context, "i8_matmul"};
};

/// C = A * B of 256 x 256 x 64, what the kernel pads everything to, with constant inputs.
struct product {
  static constexpr std::size_t mn = 256, k = 64;

  explicit product(const npurt::kernel& kernel)
      : a(kernel, mn * k),
        b(kernel, k * mn),
        c(kernel, mn * mn),
        run(kernel, npurt::detail::matmul_control_code({.m = mn, .n = mn, .k = k}), a, b, c) {
    std::ranges::fill(a, std::int8_t{-2});
    std::ranges::fill(b, std::int8_t{3});
    a.to_device();
    b.to_device();
  }

  bool right() {
    c.from_device();
    return std::ranges::all_of(c, [](std::int32_t value) { return value == -6 * static_cast<int>(k); });
  }

  npurt::buffer<std::int8_t> a, b;
  npurt::buffer<std::int32_t> c;
  npurt::run run;
};

/// Everything from opening to the result.
bool computes() {
  opened o;
  product p(o.kernel);
  p.run.start();
  p.run.wait(60s);
  return p.right();
}

/// The error of a command with that fault.
npurt::command_error failure_of(const std::string& fault) {
  opened o;
  product p(o.kernel);
  const faults now("command@1=" + fault);
  p.run.start();
  try {
    p.run.wait(30s);
  } catch (const npurt::command_error& error) {
    return error;
  }
  FAIL("the command completed");
  throw std::logic_error("not reached");
}

}  // namespace

TEST_CASE("faults that cannot be read are refused", "[runtime][faults]") {
  CHECK_FALSE(npurt::emulator::set_faults("command@1=slow"));
  CHECK_FALSE(npurt::emulator::set_faults("firmware=old"));
}

TEST_CASE("the driver's answers to CREATE_HWCTX become context errors", "[runtime][faults]") {
  const npurt::device device;
  const npurt::xclbin xclbin(prebuilt);
  for (const char* full : {"ENOENT", "ENOSPC", "EBUSY"}) {
    const faults now(std::string("ioctl:create_hwctx@1=") + full);
    CHECK_THROWS_AS(npurt::hw_context(device, xclbin), npurt::context_limit_error);
  }
  const faults now("ioctl:create_hwctx@1=EIO");
  CHECK_THROWS_AS(npurt::hw_context(device, xclbin), npurt::device_error);
}

TEST_CASE("memory that runs out is a buffer error, and there is some again when buffers are gone",
          "[runtime][faults]") {
  opened o;
  const faults now("ioctl:create_bo@2=ENOMEM");
  const npurt::buffer<std::int8_t> first(o.kernel, 4096);
  CHECK_THROWS_MATCHES(npurt::buffer<std::int8_t>(o.kernel, 4096), npurt::buffer_error,
                       MessageMatches(ContainsSubstring("4096")));
  CHECK_NOTHROW(npurt::buffer<std::int8_t>(o.kernel, 4096));
}

TEST_CASE("a buffer beyond the memory there is, is a buffer error", "[runtime][faults]") {
  const faults now("memory=80M");
  opened o;
  CHECK_THROWS_AS(npurt::buffer<std::int8_t>(o.kernel, 32u << 20), npurt::buffer_error);
  CHECK_NOTHROW(npurt::buffer<std::int8_t>(o.kernel, 1u << 20));
}

TEST_CASE("a command that the driver does not take is a command error", "[runtime][faults]") {
  opened o;
  product p(o.kernel);
  {
    const faults now("ioctl:exec_cmd@1=EINVAL");
    CHECK_THROWS_MATCHES(p.run.start(), npurt::command_error,
                         MessageMatches(ContainsSubstring("was not taken by the driver")));
  }
  p.run.start();
  p.run.wait(60s);
  CHECK(p.right());
}

TEST_CASE("each way that a command can end badly has its state", "[runtime][faults]") {
  CHECK(failure_of("timeout").state() == npurt::command_state::timed_out);
  CHECK(failure_of("abort").state() == npurt::command_state::aborted);
  CHECK(failure_of("error").state() == npurt::command_state::error);
  CHECK(computes());
}

TEST_CASE("a DMA error is a command error that says which DMA", "[runtime][faults]") {
  const npurt::command_error error = failure_of("dma_error");
  CHECK(error.state() == npurt::command_state::error);
  CHECK_THAT(error.what(), ContainsSubstring("MM2S") && ContainsSubstring("is in no buffer of the host"));
}

TEST_CASE("a lost command is a timeout error at the caller's deadline", "[runtime][faults]") {
  {
    opened o;
    product p(o.kernel);
    const faults now("command@1=lost");
    p.run.start();
    CHECK_THROWS_AS(p.run.wait(50ms), npurt::timeout_error);
    CHECK_THROWS_AS(p.run.wait(50ms), npurt::timeout_error);
  }
  CHECK(computes());
}

TEST_CASE("a device that disappears is an error for who has it open and works for who opens it again",
          "[runtime][faults]") {
  {
    opened o;
    product p(o.kernel);
    const faults now("device@1=gone:0");
    CHECK_THROWS_AS(p.run.start(), npurt::command_error);
    CHECK_THROWS_AS(npurt::buffer<std::int8_t>(o.kernel, 4096), npurt::buffer_error);
    CHECK_THROWS_AS(npurt::hw_context(o.device, npurt::xclbin(prebuilt)), npurt::error);
  }
  CHECK(computes());
}

TEST_CASE("a device that disappears under a command ends it", "[runtime][faults]") {
  opened o;
  product p(o.kernel);
  const faults now("command@1=lost;device@2=gone:0");  // EXEC_CMD, then the wait
  p.run.start();
  CHECK_THROWS_AS(p.run.wait(5s), npurt::command_error);
}

TEST_CASE("a command that hangs says why in its error", "[runtime][faults]") {
  opened o;
  npurt::detail::control_code code(1);
  code.wait_token(0, npurt::detail::shim_channel::s2mm_0);
  npurt::run run(o.kernel, std::move(code).finish());
  run.start();
  CHECK_THROWS_MATCHES(run.wait(60s), npurt::command_error,
                       MessageMatches(ContainsSubstring("why: the firmware waits for a token of S2MM 0 of shim (0,0), "
                                                        "whose task was never queued")));
}

/// Opens everything and runs control code that only sets a register.
void run_a_little() {
  opened o;
  npurt::detail::control_code code(1);
  code.set_controller(0, npurt::detail::shim_channel::s2mm_0);
  const npurt::buffer<std::int8_t> buffer(o.kernel, 4096);
  npurt::run run(o.kernel, std::move(code).finish(), buffer);
  run.start();
  run.wait(60s);
}

// As SQLite tests running out of memory: the n-th call fails, for n = 1, 2, ... until everything goes through.
TEST_CASE("whichever ioctl fails, the library throws an error of its own or goes on", "[runtime][faults]") {
  // Failures that XRT swallows (closing a handle) do not end the series: a run has fewer ioctls than this.
  constexpr int most_ioctls = 100;
  for (const char* error : {"EIO", "ENOMEM"}) {
    int refused = 0;
    for (int n = 1; n <= most_ioctls; ++n) {
      const faults now("ioctl:any@" + std::to_string(n) + "=" + error);
      try {
        run_a_little();
      } catch (const npurt::error&) {
        ++refused;
      }
    }
    INFO(error);
    CHECK(refused > 10);
    CHECK(refused < most_ioctls);
  }
  CHECK(computes());
}
