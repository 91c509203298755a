// SPDX-License-Identifier: Apache-2.0
// npurt::executor with the emulated NPU: it is used where it can be, and each failure that may send a call to the CPU
// does so under where::prefer_npu alone.
#include "npurt/executor.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "npurt/emulator.hpp"
#include "npurt/npurt.hpp"
#include "ops/bf16_check.hpp"
#include "support/faults.hpp"

using namespace npurt::test;
using npurt::executor, npurt::fallback_cause, npurt::tensor_view, npurt::where;

namespace {

struct halves {
  bf16s x{npurt::to_bfloat16(3), npurt::to_bfloat16(-8)}, y = untouched(2);

  const npurt::op_report& operator()(executor& on) {
    return npurt::scale(on, tensor_view(x, 2), 0.5F, tensor_view(y, 2));
  }
  bool right() const { return npurt::to_float(y[0]) == 1.5F && npurt::to_float(y[1]) == -4; }
};

}  // namespace

TEST_CASE("an executor that has an NPU uses it", "[ops][executor]") {
  for (const where choice : {where::npu_only, where::prefer_npu}) {
    executor on(choice);
    halves call;
    const npurt::op_report& report = call(on);
    CHECK(call.right());
    CHECK(report.device_name == on.npu().name());
    CHECK(report.kernel == "overlay");
    CHECK(report.fallback == fallback_cause::none);
    CHECK(on.missing() == fallback_cause::none);
  }
}

TEST_CASE("an executor on an open device shares it, and leaves it alone for the CPU", "[ops][executor]") {
  const npurt::device device;
  executor npu(where::npu_only, device), cpu(where::cpu, device);
  CHECK(npu.npu().bdf() == device.bdf());
  halves call;
  CHECK(call(npu).emulated);
  CHECK(call(cpu).device_name == "cpu");
  CHECK(call.right());
}

TEST_CASE("a call beyond the NPU's limits runs on the CPU where it may", "[ops][executor]") {
  const npurt::device device;
  executor preferring(where::prefer_npu, device), only(where::npu_only, device);
  constexpr std::size_t columns = npurt::rows_max_columns + 1;
  const bf16s x(columns, npurt::to_bfloat16(1));
  bf16s y = untouched(columns);
  CHECK(npurt::softmax(preferring, tensor_view(x, 1, columns), tensor_view(y, 1, columns)).fallback ==
        fallback_cause::beyond_limits);
  CHECK(npurt::to_float(y[columns - 1]) == npurt::to_float(npurt::to_bfloat16(1.0F / columns)));
  y = untouched(columns);
  CHECK_THROWS_AS(npurt::softmax(only, tensor_view(x, 1, columns), tensor_view(y, 1, columns)), npurt::shape_error);
  CHECK(same_bits(y, untouched(columns)));

  // Of scales of one panel that lie too far apart for one shift.
  const std::vector<std::int8_t> a{100}, b{1, 1};
  std::vector<std::int8_t> c(2);
  const std::vector<npurt::column_scale> scales{{.multiplier = 1, .shift = 0}, {.multiplier = 32767, .shift = 46}};
  const auto multiply = [&](executor& on) -> auto& {
    return npurt::matmul(on, tensor_view(a, 1, 1), tensor_view(b, 1, 2), tensor_view(c, 1, 2), {.scales = scales});
  };
  CHECK(multiply(preferring).fallback == fallback_cause::beyond_limits);
  CHECK(c == std::vector<std::int8_t>{100, 0});
  CHECK_THROWS_AS(multiply(only), npurt::value_error);
  halves call;
  CHECK(call(preferring).kernel == "overlay");
}

TEST_CASE("weights of a device are read on the CPU, too", "[ops][executor]") {
  npurt::device device;
  executor npu(where::npu_only, device), cpu(where::cpu, device);
  constexpr std::size_t m = 3, n = 70, k = 33;
  bf16s a(m * k), b(k * n), bias(n), on_npu = untouched(m * n), on_cpu = untouched(m * n);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = bf16(static_cast<float>(i % 5) - 2);
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = bf16(static_cast<float>(i % 7) - 3);
  for (std::size_t i = 0; i < n; ++i) bias[i] = bf16(static_cast<float>(i));
  const npurt::matmul_weights weights(device, tensor_view(b, k, n), bias);
  npurt::matmul(npu, tensor_view(a, m, k), weights, tensor_view(on_npu, m, n));
  CHECK(npurt::matmul(cpu, tensor_view(a, m, k), weights, tensor_view(on_cpu, m, n)).device_name == "cpu");
  CHECK(same_bits(on_npu, on_cpu));
  CHECK_THROWS_AS(npurt::matmul(cpu, tensor_view(a, k, m), weights, tensor_view(on_cpu, m, n)), npurt::shape_error);
}

TEST_CASE("a device that refuses a context sends calls to the CPU where they may go", "[ops][executor]") {
  const npurt::device device;
  executor preferring(where::prefer_npu, device), only(where::npu_only, device);
  halves call;
  {
    const faults refused("ioctl:create_hwctx@1=EINVAL");
    CHECK_THROWS_AS(call(only), npurt::device_error);
    CHECK(same_bits(call.y, untouched(2)));
  }
  {
    const faults refused("ioctl:create_hwctx@1=EINVAL");
    CHECK(call(preferring).fallback == fallback_cause::device_refused);
    CHECK(call.right());
  }
  CHECK(call(preferring).fallback == fallback_cause::none);
}

TEST_CASE("a command that fails on the device is thrown by every executor with an NPU", "[ops][executor]") {
  for (const where choice : {where::npu_only, where::prefer_npu}) {
    executor on(choice);
    halves call;
    call(on);
    call.y = untouched(2);
    {
      const faults failing("command@1=error");
      CHECK_THROWS_AS(call(on), npurt::command_error);
      CHECK(same_bits(call.y, untouched(2)));
    }
    CHECK(call(on).kernel == "overlay");
    CHECK(call.right());
  }
}

TEST_CASE("a command that the driver does not take runs on the CPU where it may", "[ops][executor]") {
  for (const where choice : {where::npu_only, where::prefer_npu}) {
    executor on(choice);
    halves call;
    call(on);
    call.y = untouched(2);
    const faults refused("ioctl:exec_cmd@1=ENODEV");
    if (choice == where::npu_only) {
      CHECK_THROWS_AS(call(on), npurt::command_error);
      CHECK(same_bits(call.y, untouched(2)));
    } else {
      CHECK(call(on).fallback == fallback_cause::device_lost);
      CHECK(call.right());
    }
  }
}

TEST_CASE("a device that cannot be opened leaves the CPU where it may", "[ops][executor]") {
  const faults refused("ioctl:any@1+=EACCES");
  CHECK_THROWS_AS(executor(where::npu_only), npurt::device_error);
  executor preferring(where::prefer_npu);
  halves call;
  CHECK(call(preferring).fallback == fallback_cause::device_refused);
  CHECK(call.right());
}

TEST_CASE("the library is silent by default: calls, a fallback and failures write nothing to stderr",
          "[ops][executor][log]") {
  ::unsetenv("NPURT_LOG");
  const int file = ::memfd_create("stderr", 0), before = ::dup(STDERR_FILENO);
  REQUIRE(file >= 0);
  REQUIRE(before >= 0);
  const npurt::device device;
  halves call;
  {
    executor preferring(where::prefer_npu, device), only(where::npu_only, device);
    REQUIRE(::dup2(file, STDERR_FILENO) >= 0);
    {
      const faults refused("ioctl:create_hwctx@1-2=EINVAL");
      CHECK(call(preferring).fallback == fallback_cause::device_refused);
      CHECK_THROWS_AS(call(only), npurt::device_error);
    }
    CHECK(call(preferring).fallback == fallback_cause::none);
    CHECK_THROWS_AS(npurt::scale(only, tensor_view(call.x, 2), 0.5F, tensor_view(call.y, 1)), npurt::shape_error);
    const faults failing("command@1=error");
    CHECK_THROWS_AS(call(only), npurt::command_error);
  }
  std::fputs("the program's own line\n", stderr);
  std::fflush(stderr);
  ::dup2(before, STDERR_FILENO);
  std::string told(4096, '\0');
  const auto length = ::pread(file, told.data(), told.size(), 0);
  told.resize(static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
  // The emulated device tells of the command that fails, as the kernel's driver would in its log.
  std::istringstream lines(told);
  std::string others;
  for (std::string line; std::getline(lines, line);)
    if (!line.starts_with("npurt-emu: ")) others += line;
  CHECK(others == "the program's own line");
  ::close(before);
  ::close(file);
}
