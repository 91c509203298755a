// SPDX-License-Identifier: Apache-2.0
// What the library makes of a device that fails: faults on demand of the emulated NPU, and the typed errors they
// become.
#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "npurt/detail/control_code.hpp"
#include "npurt/emulator.hpp"
#include "npurt/npurt.hpp"
#include "runtime/i8_matmul_kernel.hpp"
#include "support/faults.hpp"

using namespace npurt::test;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;

namespace {

/// Everything from opening to the result.
bool computes() {
  opened o;
  constant_product p(o.kernel);
  p.run.start();
  p.run.wait(60s);
  return p.right();
}

/// The error of a command with that fault.
npurt::command_error failure_of(const std::string& fault) {
  opened o;
  constant_product p(o.kernel);
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
  npurt::device device;
  const npurt::xclbin xclbin(prebuilt_file());
  for (const char* full : {"ENOENT", "ENOSPC", "EBUSY"}) {
    const faults once(std::string("ioctl:create_hwctx@1=") + full);
    CHECK_NOTHROW(npurt::hw_context(device, xclbin));  // somebody made room meanwhile
  }
  device.set_context_budget({6, 0ms});
  for (const char* full : {"ENOENT", "ENOSPC", "EBUSY"}) {
    const faults now(std::string("ioctl:create_hwctx@1+=") + full);
    CHECK_THROWS_AS(npurt::hw_context(device, xclbin), npurt::context_limit_error);
  }
  device.set_context_budget({});
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
  constant_product p(o.kernel);
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
    constant_product p(o.kernel);
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
    constant_product p(o.kernel);
    const faults now("device@1=gone:0");
    CHECK_THROWS_AS(p.run.start(), npurt::command_error);
    CHECK_THROWS_AS(npurt::buffer<std::int8_t>(o.kernel, 4096), npurt::buffer_error);
    CHECK_THROWS_AS(npurt::hw_context(o.device, npurt::xclbin(prebuilt_file())), npurt::error);
  }
  CHECK(computes());
}

TEST_CASE("a device that disappears under a command ends it", "[runtime][faults]") {
  opened o;
  constant_product p(o.kernel);
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

TEST_CASE("after whatever ends a command badly the same run works again, with its buffers", "[runtime][faults]") {
  opened o;
  constant_product p(o.kernel);
  for (const char* fault : {"command@1=timeout", "command@1=abort", "command@1=error", "command@1=dma_error",
                            "device@1=reset", "command@1=lost;device@2=reset", "ioctl:exec_cmd@1=EIO"}) {
    INFO(fault);
    {
      const faults now(fault);
      CHECK_THROWS_AS((p.run.start(), p.run.wait(30s)), npurt::command_error);
    }
    p.run.start();
    CHECK_NOTHROW(p.run.wait(60s));
    CHECK(p.right());
    std::ranges::fill(p.c, 0);
    p.c.to_device();
  }
}

TEST_CASE("a command that is lost keeps its context busy, other runs get another one", "[runtime][faults]") {
  opened o;
  constant_product lost(o.kernel), other(o.kernel);
  {
    const faults now("command@1=lost");
    lost.run.start();
  }
  CHECK_THROWS_AS(lost.run.wait(10ms), npurt::timeout_error);
  other.run.start();
  other.run.wait(60s);
  CHECK(other.right());
  CHECK_THROWS_AS(lost.run.start(), npurt::command_error);
  const faults now("device@1=reset");  // which ends it
  CHECK_THROWS_AS(lost.run.wait(60s), npurt::command_error);
}

TEST_CASE("a device that was suspended and resumed goes on where it was", "[runtime][faults]") {
  opened o;
  constant_product p(o.kernel);
  for (const int at : {1, 2}) {  // before the command, and while it runs
    const faults now("device@" + std::to_string(at) + "=suspend");
    p.run.start();
    CHECK_NOTHROW(p.run.wait(60s));
    CHECK(p.right());
  }
}

namespace {

using bf16 = std::bfloat16_t;

/// A row of equal numbers: each is 1/64 of the sum. An operation whose code comes in a page.
bool softmax_right(npurt::device& device) {
  const std::vector<bf16> x(64, bf16(3));
  std::vector<bf16> y(64);
  npurt::softmax(device, npurt::matrix_view(x, 1, 64), npurt::matrix_view(y, 1, 64));
  return std::ranges::all_of(y, [](bf16 each) { return each == bf16(1.0F / 64); });
}

struct double_plan {
  explicit double_plan(npurt::device& device) : plan(device, npurt::elementwise::scale, 100, 2) {}
  bool right() {
    const std::vector<bf16> x(100, bf16(3));
    std::vector<bf16> y(100);
    plan(npurt::tensor_view(x, 100), npurt::tensor_view(y, 100));
    return std::ranges::all_of(y, [](bf16 each) { return each == bf16(6); });
  }
  npurt::elementwise_plan plan;
};

}  // namespace

TEST_CASE("after whatever ends a call badly the same call and the same plan work again", "[runtime][faults]") {
  npurt::device device;
  double_plan twice(device);
  REQUIRE(softmax_right(device));
  for (const char* fault : {"command@1=timeout", "command@1-2=dma_error", "device@1=reset"}) {
    INFO(fault);
    {
      const faults now(fault);
      CHECK_THROWS_MATCHES(softmax_right(device), npurt::command_error,
                           MessageMatches(ContainsSubstring("softmax_bf16") && ContainsSubstring("x64")));
    }
    CHECK(softmax_right(device));
    {
      const faults now(fault);
      CHECK_THROWS_MATCHES(twice.right(), npurt::command_error, MessageMatches(ContainsSubstring("scale_bf16")));
    }
    CHECK(twice.right());
  }
}

TEST_CASE("a suspended device loses the page of code, which is loaded again", "[runtime][faults]") {
  npurt::device device;
  REQUIRE(softmax_right(device));
  std::this_thread::sleep_for(1100ms);  // no machine sleeps shorter
  const faults now("device@1=suspend");
  CHECK(softmax_right(device));
}

TEST_CASE("contexts that take turns on the array do not lose the pages of their code", "[runtime][faults]") {
  npurt::device device;
  opened other;
  constant_product p(other.kernel);
  for (int round = 0; round < 2; ++round) {
    CHECK(softmax_right(device));
    p.run.start();
    p.run.wait(60s);
    CHECK(p.right());
  }
}

TEST_CASE("a restarted driver is a typed error for who has the device open", "[runtime][faults]") {
  {
    npurt::device device;
    double_plan twice(device);
    REQUIRE(twice.right());
    const faults now("device@1=restart");
    CHECK_THROWS_AS(twice.right(), npurt::command_error);
    CHECK_THROWS_AS(twice.right(), npurt::error);
    CHECK_THROWS_AS(softmax_right(device), npurt::error);
  }
  npurt::device device;
  CHECK(softmax_right(device));
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
