// SPDX-License-Identifier: Apache-2.0
// Commands that fail, hang or take too long on the emulated NPU: the error that the caller sees, the emulator's report
// on stderr, and that the next hw_context works.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
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

using words = std::vector<std::uint32_t>;

/// What is written to stderr during its life.
class captured_stderr {
 public:
  captured_stderr() : file_(memfd_create("stderr", 0)), before_(dup(STDERR_FILENO)) { dup2(file_, STDERR_FILENO); }
  ~captured_stderr() {
    dup2(before_, STDERR_FILENO);
    close(before_);
    close(file_);
  }
  captured_stderr(const captured_stderr&) = delete;
  captured_stderr& operator=(const captured_stderr&) = delete;

  std::string text() const {
    std::string all(static_cast<std::size_t>(lseek(file_, 0, SEEK_END)), '\0');
    all.resize(static_cast<std::size_t>(std::max<ssize_t>(0, pread(file_, all.data(), all.size(), 0))));
    return all;
  }

 private:
  int file_, before_;
};

struct failure {
  npurt::command_state state;
  std::string text;    ///< of the exception
  std::string report;  ///< of the emulator
};

/// Runs control code that must fail.
template <typename... Buffers>
failure failure_of(const npurt::kernel& kernel, const words& code, const Buffers&... buffers) {
  const captured_stderr output;
  npurt::run run(kernel, code, buffers...);
  run.start();
  try {
    run.wait(30s);
  } catch (const npurt::command_error& error) {
    return {error.state(), error.what(), output.text()};
  }
  FAIL("the command completed");
  return {};
}

words operations(auto&& append) {
  control_code code(1);
  append(code);
  return std::move(code).finish();
}

/// That a new hw_context computes.
bool next_context_works() {
  opened o;
  constant_product p(o.kernel);
  p.run.start();
  p.run.wait(60s);
  return p.right();
}

// Runs in flight keep their contexts until the device has ended them.
bool sooner_or_later_context_works() {
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  while (true) {
    try {
      return next_context_works();
    } catch (const npurt::context_limit_error&) {
      if (std::chrono::steady_clock::now() > deadline) throw;
      std::this_thread::sleep_for(10ms);
    }
  }
}

struct callers_own {};

}  // namespace

TEST_CASE("a kernel that waits for ever is stopped with a timeout in words, and the next context works",
          "[runtime][run]") {
  opened o;
  const failure f =
      failure_of(o.kernel, operations([](control_code& code) { code.wait_token(0, shim_channel::s2mm_0); }));
  CHECK(f.state == npurt::command_state::timed_out);
  CHECK_THAT(f.text,
             ContainsSubstring("i8_matmul") && ContainsSubstring("hung") && ContainsSubstring("ERT_CMD_STATE_TIMEOUT"));
  CHECK_THAT(f.report, ContainsSubstring("npurt-emu: ") && ContainsSubstring("timed out"));
  CHECK(next_context_works());
}

TEST_CASE("a kernel that is still busy at its deadline is a timeout error in time, and the next context works",
          "[runtime][run]") {
  opened o;
  constant_product large(o.kernel, -2, 3, {.m = 512, .n = 512, .k = 512});
  large.run.start();
  const auto started = std::chrono::steady_clock::now();
  try {
    large.run.wait(20ms);
    FAIL("it ended before its deadline");
  } catch (const npurt::timeout_error& late) {
    CHECK(std::chrono::steady_clock::now() - started < 2s);
    CHECK(late.deadline() == 20ms);
    CHECK_THAT(late.what(), ContainsSubstring("i8_matmul") && ContainsSubstring("20 ms"));
  }
  CHECK(next_context_works());
  CHECK_NOTHROW(large.run.wait(60s));
  CHECK(large.right());
}

TEST_CASE("a write to a register that does not exist is a command error with its address on stderr", "[runtime][run]") {
  opened o;
  for (const std::uint32_t address : {0x0001E000u, 0x0021F800u}) {
    const failure f = failure_of(o.kernel, operations([&](control_code& code) { code.write(address, 1); }));
    CHECK(f.state == npurt::command_state::error);
    CHECK_THAT(f.text, ContainsSubstring("ERT_CMD_STATE_ERROR"));
    CHECK_THAT(f.report, ContainsSubstring("failed") && ContainsSubstring(fmt::format("{:#x}", address & 0xFFFFF)));
  }
  CHECK(next_context_works());
}

TEST_CASE("a DMA access outside every buffer is a command error", "[runtime][run]") {
  opened o;
  const words code = operations([](control_code& c) {
    const auto descriptor = npurt::detail::encode_shim_bd({.length = 64});
    for (std::uint32_t index = 0; index < descriptor.size(); ++index) c.write(0x1D000 + 4 * index, descriptor[index]);
    c.push(0, shim_channel::mm2s_0, 0, 1, true);
    c.wait_token(0, shim_channel::mm2s_0);
  });
  const failure f = failure_of(o.kernel, code);
  CHECK(f.state == npurt::command_state::error);
  CHECK_THAT(f.report, ContainsSubstring("failed") && ContainsSubstring("buffer"));
  CHECK(next_context_works());
}

TEST_CASE("buffers that are too small or too few for the control code are refused before anything runs",
          "[runtime][run]") {
  opened o;
  const words code = npurt::detail::matmul_control_code({512, 256, 64});
  const npurt::buffer<std::int8_t> a(o.kernel, 512 * 64), b(o.kernel, 64 * 256), small(o.kernel, 512 * 64 - 1);
  const npurt::buffer<std::int32_t> c(o.kernel, 512 * 256);
  CHECK_NOTHROW(npurt::run(o.kernel, code, a, b, c));
  CHECK_THROWS_MATCHES(
      npurt::run(o.kernel, code, small, b, c), npurt::buffer_error,
      MessageMatches(ContainsSubstring("buffer 0") && ContainsSubstring("32767") && ContainsSubstring("32768")));
  CHECK_THROWS_MATCHES(npurt::run(o.kernel, code, a, b), npurt::buffer_error,
                       MessageMatches(ContainsSubstring("buffer 2")));
}

TEST_CASE("an opcode that the firmware does not know is a command error", "[runtime][run]") {
  opened o;
  const failure f = failure_of(o.kernel, {0x06030100, 0x101, 1, 20, 0x7F});
  CHECK(f.state == npurt::command_state::error);
  CHECK(next_context_works());
}

TEST_CASE("a run whose command failed can be destroyed, and its context used for another one", "[runtime][run]") {
  opened o;
  for (int round = 0; round < 3; ++round) {
    failure_of(o.kernel, operations([](control_code& code) { code.wait_token(0, shim_channel::s2mm_0); }));
  }
  constant_product p(o.kernel);
  p.run.start();
  CHECK_NOTHROW(p.run.wait(60s));
  CHECK(p.right());
}

TEST_CASE("exceptions between start and wait leave nothing behind", "[runtime][run]") {
  for (int round = 0; round < 8; ++round) {
    try {
      opened o;
      constant_product p(o.kernel);
      p.run.start();
      throw callers_own{};
    } catch (const callers_own&) {
    } catch (const npurt::context_limit_error&) {
      std::this_thread::sleep_for(10ms);  // the commands of earlier rounds still run
    }
  }
  CHECK(sooner_or_later_context_works());
}
