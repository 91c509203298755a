// SPDX-License-Identifier: Apache-2.0
// Runs in flight on the emulated NPU: completion callbacks, several at a time, other buffers, and the host's timeline.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "npurt/detail/control_code.hpp"
#include "npurt/npurt.hpp"
#include "runtime/i8_matmul_kernel.hpp"
#include "support/faults.hpp"

using namespace npurt::test;
using namespace std::chrono_literals;
using npurt::detail::control_code;

namespace {

/// What callbacks were told.
class told {
 public:
  void operator()(std::exception_ptr failure) {
    const std::lock_guard lock(mutex_);
    failures_.push_back(std::move(failure));
    threads_.push_back(std::this_thread::get_id());
    changed_.notify_all();
  }

  /// Waits for so many.
  bool have(std::size_t wanted) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 60s, [&] { return failures_.size() >= wanted; });
  }

  std::size_t size() {
    const std::lock_guard lock(mutex_);
    return failures_.size();
  }
  std::exception_ptr failure(std::size_t i) { return failures_.at(i); }
  std::thread::id thread(std::size_t i) { return threads_.at(i); }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::exception_ptr> failures_;
  std::vector<std::thread::id> threads_;
};

}  // namespace

TEST_CASE("a completion callback comes once for each start, on one thread that is not the caller's",
          "[runtime][completion]") {
  opened o;
  told calls;
  {
    npurt::run run(o.kernel, harmless());
    run.on_completion(std::ref(calls));
    for (std::size_t count = 1; count <= 3; ++count) {
      run.start();
      CHECK_NOTHROW(run.wait(60s));
      CHECK(run.state() == npurt::command_state::completed);
    }
    REQUIRE(calls.have(3));
    run.on_completion({});
    run.start();
    run.wait(60s);
  }
  CHECK(calls.size() == 3);
  CHECK(calls.failure(0) == nullptr);
  CHECK(calls.thread(0) != std::this_thread::get_id());
  CHECK(calls.thread(0) == calls.thread(2));
}

TEST_CASE("a completion callback is told what the wait throws", "[runtime][completion]") {
  opened o;
  told calls;
  npurt::run run(o.kernel, unreadable());
  run.on_completion(std::ref(calls));
  run.start();
  CHECK_THROWS_AS(run.wait(60s), npurt::command_error);
  REQUIRE(calls.have(1));
  CHECK_THROWS_AS(std::rethrow_exception(calls.failure(0)), npurt::command_error);
}

TEST_CASE("a completion callback may start its run again, throw, and end it", "[runtime][completion]") {
  opened o;
  told calls;
  std::optional<npurt::run> run(std::in_place, o.kernel, harmless());
  run->on_completion([&](std::exception_ptr failure) {
    const std::size_t before = calls.size();
    if (before < 2) run->start();
    if (before == 2) run.reset();
    calls(failure);
    if (before == 0) throw std::runtime_error("of a callback");
    throw before;
  });
  run->start();
  REQUIRE(calls.have(3));
  CHECK_FALSE(run.has_value());
}

TEST_CASE("a run that goes while it is in flight does not call", "[runtime][completion]") {
  opened o;
  told calls;
  const faults now("command@1=lost");
  {
    npurt::run run(o.kernel, harmless());
    run.on_completion(std::ref(calls));
    run.start();
    CHECK_THROWS_AS(run.wait(20ms), npurt::timeout_error);
    CHECK_THROWS_AS(run.start(), npurt::command_error);
    CHECK_THROWS_AS(run.on_completion({}), npurt::command_error);
  }
  CHECK(calls.size() == 0);
}

TEST_CASE("runs of a context end in the order of their starts", "[runtime][completion]") {
  opened o;
  std::vector<npurt::run> runs;
  for (int count = 0; count < 4; ++count) runs.emplace_back(o.kernel, harmless());
  for (npurt::run& each : runs) each.start();
  runs.back().wait(60s);
  for (npurt::run& each : runs) CHECK(each.state() == npurt::command_state::completed);
  for (npurt::run& each : runs) {
    if (&each != &runs.back()) CHECK_NOTHROW(each.wait(60s));
  }
}

TEST_CASE("a run is given other buffers between starts", "[runtime][run]") {
  constexpr std::size_t mn = 256, k = 64;
  opened o;
  const npurt::buffer<std::int8_t> a(o.kernel, mn * k), b(o.kernel, k * mn), twos(o.kernel, k * mn);
  npurt::buffer<std::int32_t> c(o.kernel, mn * mn);
  std::ranges::fill(a, std::int8_t{1});
  std::ranges::fill(b, std::int8_t{1});
  std::ranges::fill(twos, std::int8_t{2});
  npurt::run run(o.kernel, npurt::detail::matmul_control_code({.m = mn, .n = mn, .k = k}), a, b, c);
  run.bind(1, twos);
  run.start();
  run.wait(60s);
  c.from_device();
  CHECK(c[mn * mn - 1] == 2 * static_cast<int>(k));
  CHECK_THROWS_AS(run.bind(3, a), npurt::buffer_error);
  CHECK_THROWS_AS(run.bind(1, npurt::buffer<std::int8_t>(o.kernel, 64)), npurt::buffer_error);
  CHECK_NOTHROW(run.start());
  CHECK_NOTHROW(run.wait(60s));
}

TEST_CASE("some calls for NPURT_TRACE", "[.trace]") {
  npurt::device device;
  std::vector<std::bfloat16_t> x(64 * 64, std::bfloat16_t(1)), y = x;
  const npurt::matrix_view<const std::bfloat16_t> from(x, 64, 64);
  const npurt::matrix_view<std::bfloat16_t> to(y, 64, 64);
  npurt::relu(device, from, to);
  npurt::gelu(device, from, to);
  npurt::sequence s(device);
  s.output("a \"y\"", s.relu(s.input("x", 64, 64)));
  s.compile();
  told calls;
  s.on_completion(std::ref(calls));
  s.write("x", from);
  s.start();
  s.wait();
  REQUIRE(calls.have(1));
  s.read("a \"y\"", to);
}
