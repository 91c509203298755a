// SPDX-License-Identifier: Apache-2.0
// Commands that hang or are late: who else is kept from his deadline, and in which opening of a context things run.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <numeric>
#include <span>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "npurt/detail/op_code.hpp"
#include "npurt/npurt.hpp"
#include "runtime/device_state.hpp"
#include "runtime/run_state.hpp"
#include "support/faults.hpp"

#include "i8_matmul_kernel.hpp"

using namespace std::chrono_literals;
using namespace npurt::test;
using npurt::detail::hw_context_state;
using npurt::detail::overlay::open_place;
using bf16 = std::bfloat16_t;

namespace {

constexpr auto soon = 5s;                  // to a human; commands that hang do so for an hour
constexpr std::size_t commands_taken = 4;  // by the driver for a context (amdxdna: HWCTX_MAX_CMDS)

std::size_t own_contexts(const npurt::device& device) {
  return static_cast<std::size_t>(std::ranges::count_if(device.context_holders(), &npurt::context_holder::own));
}

/// Ends commands that were lost. What is open must be opened anew.
void end_all_commands(const npurt::device& device) {
  const faults now("device@1=reset");
  static_cast<void>(device.context_holders());
}

/// A row of equal numbers: each is 1/64 of the sum.
constexpr std::size_t columns = 64;
const std::vector<bf16> equal_numbers(columns, bf16(3));
bool is_softmax_of_equal(const auto& y) {
  return std::ranges::all_of(y, [](bf16 each) { return each == bf16(1.0F / columns); });
}

/// Softmax of one row: an operation whose page of code does not come with the array.
struct softmax_call {
  explicit softmax_call(npurt::device& device) : plan(device, 1, columns) {}
  void start() { plan.start(npurt::matrix_view(equal_numbers, 1, columns)); }
  void wait(std::chrono::milliseconds deadline) { plan.wait(npurt::matrix_view(y, 1, columns), deadline); }
  bool right() {
    std::ranges::fill(y, bf16(0));
    start();
    wait(60s);
    return is_softmax_of_equal(y);
  }

  npurt::softmax_plan plan;
  std::vector<bf16> y = std::vector<bf16>(columns);
};

}  // namespace

TEST_CASE("a page of code is loaded in the opening that the command behind it runs in", "[runtime][stalls]") {
  npurt::device device;
  const auto session = device.state()->ops.open(device);
  hw_context_state& context = *session->target.state()->context;
  const npurt::detail::op_code code = npurt::detail::softmax_op_code(1, columns);
  const auto elements = [&](std::size_t i) {
    const auto& extents = code.arguments[i].extents;
    return std::accumulate(extents.begin(), extents.end(), std::size_t{1}, std::multiplies<>());
  };
  npurt::buffer<bf16> x(session->target, elements(0)), y(session->target, elements(1));
  std::ranges::copy(equal_numbers, x.begin());
  x.to_device();
  npurt::run run(session->target, code.words, x, y);
  const auto page =
      npurt::detail::overlay::page_of(session->pages.pages(), npurt::detail::overlay::operation{code.operation});
  REQUIRE(page);

  // As if a thread found that commands hang while another one is about to start some.
  const open_place before = context.use();
  context.suspect(before->number);
  const open_place after = context.use();
  REQUIRE(after->number != before->number);
  for (const open_place& place : {before, after, before, after, after}) {
    std::ranges::fill(y, bf16(0));
    y.to_device();
    session->pages.start(session->target, place, {page, page}, [&] { npurt::detail::start_in(place, *run.shared()); });
    run.wait(60s);
    y.from_device();
    CHECK(is_softmax_of_equal(std::span(y.data(), columns)));
  }
}

TEST_CASE("a page of code that hangs keeps nobody from his deadline", "[runtime][stalls]") {
  npurt::device device;
  softmax_call first(device), second(device);
  {
    const faults now("command@1=lost");  // the page's
    first.start();
  }
  opened();  // which may have cost the array its page: it is loaded again
  const auto begin = std::chrono::steady_clock::now();
  second.start();
  CHECK_THROWS_AS(second.wait(10ms), npurt::timeout_error);
  CHECK(softmax_call(device).right());
  CHECK(std::chrono::steady_clock::now() - begin < soon);
  end_all_commands(device);
  CHECK_THROWS_AS(first.wait(60s), npurt::command_error);
  CHECK_THROWS_AS(second.wait(60s), npurt::command_error);
}

TEST_CASE("who starts more in an opening than the driver takes keeps nobody from the opening that replaces it",
          "[runtime][stalls]") {
  npurt::device device;
  std::vector<softmax_call> calls;
  for (std::size_t i = 0; i < commands_taken; ++i) calls.emplace_back(device);
  softmax_call waiting(device);
  REQUIRE(waiting.right());
  {
    const faults now("command@1=lost");
    for (softmax_call& each : calls) each.start();
  }
  std::thread other([&] {
    try {
      waiting.start();
      waiting.wait(60s);
    } catch (const npurt::command_error&) {  // of the reset that makes room for it
    }
  });
  std::this_thread::sleep_for(20ms);
  CHECK_THROWS_AS(calls.back().wait(10ms), npurt::timeout_error);
  const auto begin = std::chrono::steady_clock::now();
  CHECK(softmax_call(device).right());
  CHECK(std::chrono::steady_clock::now() - begin < soon);
  end_all_commands(device);
  other.join();
  const auto right_again = [&] {
    try {
      return waiting.right();
    } catch (const npurt::command_error&) {  // what was opened before the reset did not outlive it
      return waiting.right();
    }
  };
  CHECK(right_again());
}

TEST_CASE("a page of code whose command the driver does not take keeps its context open until it has ended, no longer",
          "[runtime][stalls]") {
  npurt::device device;
  softmax_call call(device);
  {
    const faults now("ioctl:exec_cmd@2=EIO");
    CHECK_THROWS_AS(call.start(), npurt::command_error);
  }
  CHECK(call.right());
  device.set_context_budget({1, 10s});
  CHECK_NOTHROW(opened());
  CHECK(own_contexts(device) == 0);
  device.set_context_budget({});
}

TEST_CASE("who calls a plan while another thread waits for it comes back at his deadline", "[runtime][stalls]") {
  npurt::device device;
  softmax_call call(device);
  REQUIRE(call.right());
  {
    const faults now("command@1=lost");
    call.start();
  }
  std::atomic<bool> failed = false;
  std::thread other([&] {
    try {
      call.wait(60s);
    } catch (const npurt::command_error&) {
      failed = true;
    }
  });
  std::this_thread::sleep_for(20ms);
  const auto begin = std::chrono::steady_clock::now();
  CHECK_THROWS_AS(call.wait(10ms), npurt::timeout_error);
  CHECK(std::chrono::steady_clock::now() - begin < soon);
  end_all_commands(device);
  other.join();
  CHECK(failed);
  CHECK(call.right());
}

TEST_CASE("threads that open contexts at once stay within the budget", "[runtime][stalls][threads]") {
  npurt::device device;
  device.set_context_budget({2, 60s});
  std::atomic<int> wrong = 0;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 3; ++i) {
        const opened o;
        npurt::run run(o.kernel, harmless());
        run.start();
        if (own_contexts(device) > 2) ++wrong;
        run.wait(60s);
      }
    });
  }
  threads.clear();
  CHECK(wrong == 0);
  device.set_context_budget({});
}

TEST_CASE("a run with a callback that is late has its context replaced for others", "[runtime][stalls]") {
  opened o;
  npurt::run late(o.kernel, harmless()), other(o.kernel, harmless());
  late.on_completion([](const std::exception_ptr&) {});
  {
    const faults now("command@1=lost");
    late.start();
  }
  CHECK_THROWS_AS(late.wait(10ms), npurt::timeout_error);
  other.start();
  CHECK_NOTHROW(other.wait(60s));
  end_all_commands(o.device);
  CHECK_THROWS_AS(late.wait(60s), npurt::command_error);
}

TEST_CASE("a sequence that is late has its context replaced for others, and is right when it is given up",
          "[runtime][stalls][sequence]") {
  npurt::device device;
  npurt::sequence sequence(device);
  sequence.output("y", sequence.softmax(sequence.input("x", 1, columns)));
  sequence.compile();
  sequence.write("x", npurt::matrix_view(equal_numbers, 1, columns));
  const auto right = [&] {
    std::vector<bf16> y(columns);
    sequence.read("y", npurt::matrix_view(y, 1, columns));
    return is_softmax_of_equal(y);
  };
  sequence.run();
  CHECK(right());
  {
    const faults now("command@1=lost");
    sequence.start();
  }
  CHECK_THROWS_AS(sequence.wait(10ms), npurt::timeout_error);
  CHECK(softmax_call(device).right());
  end_all_commands(device);
  CHECK_THROWS_AS(sequence.wait(60s), npurt::command_error);
  CHECK_THROWS_AS(sequence.run(), npurt::command_error);  // what the other call opened did not outlive the reset
  {
    const faults now("command@1+=lost");
    CHECK_THROWS_AS(sequence.run_stepwise([](std::size_t, const npurt::sequence_step&) {}, 10ms), npurt::timeout_error);
    CHECK_THROWS_AS(sequence.run(10ms), npurt::timeout_error);
  }
  CHECK_THROWS_AS(right(), npurt::sequence_error);
  sequence.run();
  CHECK(right());
  end_all_commands(device);
}

TEST_CASE("an opening that was replaced is closed when its last command has ended, whoever was used in it before",
          "[runtime][stalls]") {
  opened o;
  npurt::run idle(o.kernel, harmless()), other(o.kernel, harmless());
  idle.start();
  idle.wait(60s);
  hw_context_state& context = *o.context.state();
  {
    const auto in_flight = context.use();
    context.suspect(in_flight->number);
    other.start();
    other.wait(60s);
    CHECK(own_contexts(o.device) == 2);
  }
  other.start();
  other.wait(60s);
  CHECK(own_contexts(o.device) == 1);
  idle.start();
  CHECK_NOTHROW(idle.wait(60s));
}
