// SPDX-License-Identifier: Apache-2.0
// Sequences on a device that fails: typed errors, and the same sequence right again afterwards.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "npurt/emulator.hpp"
#include "npurt/npurt.hpp"
#include "runtime/i8_matmul_kernel.hpp"
#include "support/faults.hpp"

using namespace npurt::test;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using npurt::matrix_view;
using bf16 = std::bfloat16_t;

namespace {

constexpr std::size_t rows = 3, inputs = 4, outputs = 2;

/// y = relu(x · w + b) of small whole numbers, which are exact: x[r, k] = r + factor, w = 1, b = 1.
struct product {
  explicit product(npurt::device& device)
      : weights(device, matrix_view<const bf16>(ones, inputs, outputs), bias), sequence(device) {
    const npurt::sequence_tensor x = sequence.input("x", rows, inputs);
    sequence.output("y", sequence.relu(sequence.matmul(x, weights)));
    sequence.compile();
    write(1);
  }

  void write(int now) {
    factor = now;
    std::vector<bf16> x;
    for (std::size_t i = 0; i < rows * inputs; ++i)
      x.push_back(static_cast<bf16>(static_cast<int>(i / inputs) + factor));
    sequence.write("x", matrix_view<const bf16>(x, rows, inputs));
  }

  bool right() {
    std::vector<bf16> y(rows * outputs);
    sequence.read("y", matrix_view<bf16>(y, rows, outputs));
    for (std::size_t i = 0; i < y.size(); ++i) {
      if (y[i] != static_cast<bf16>(4 * (static_cast<int>(i / outputs) + factor) + 1)) return false;
    }
    return true;
  }

  bool runs_right() {
    sequence.run();
    return right();
  }

  std::vector<bf16> ones = std::vector<bf16>(inputs * outputs, bf16(1));
  std::vector<bf16> bias = std::vector<bf16>(outputs, bf16(1));
  npurt::matmul_weights weights;
  npurt::sequence sequence;
  int factor = 0;
};

}  // namespace

TEST_CASE("a sequence whose command fails says which operation and in which state, and works again",
          "[runtime][sequence][faults]") {
  npurt::device device;
  product p(device);
  REQUIRE(p.runs_right());
  for (const auto& [fault, state] : {std::pair("timeout", npurt::command_state::timed_out),
                                     {"abort", npurt::command_state::aborted},
                                     {"error", npurt::command_state::error}}) {
    INFO(fault);
    {
      const faults now(std::string("command@1=") + fault);
      try {
        p.sequence.run();
        FAIL("the run completed");
      } catch (const npurt::command_error& error) {
        CHECK(error.state() == state);
        CHECK_THAT(error.what(), ContainsSubstring("matmul 3x2x4 +bias"));
      }
    }
    CHECK_THROWS_AS(p.right(), npurt::sequence_error);
    CHECK(p.runs_right());
  }
}

TEST_CASE("a failure is not lost to who asks first whether the sequence is busy", "[runtime][sequence][faults]") {
  npurt::device device;
  product p(device);
  REQUIRE(p.runs_right());
  {
    const faults now("command@1=error");
    p.sequence.start();
    while (p.sequence.busy()) std::this_thread::sleep_for(1ms);
    CHECK_THROWS_AS(p.sequence.wait(60s), npurt::command_error);
  }
  CHECK_THROWS_AS(p.right(), npurt::sequence_error);
  CHECK(p.runs_right());
}

TEST_CASE("each run's end is told to the callback that it began with, whatever is set afterwards",
          "[runtime][sequence]") {
  npurt::device device;
  product p(device);
  std::atomic<int> ends = 0;
  constexpr int runs = 20;
  for (int i = 0; i < runs; ++i) {
    p.sequence.on_completion([&](const std::exception_ptr& failure) { ends += failure ? 1000 : 1; });
    p.sequence.start();
    p.sequence.wait(60s);
    p.sequence.on_completion({});
  }
  for (int i = 0; i < 1000 && ends < runs; ++i) std::this_thread::sleep_for(10ms);
  CHECK(ends == runs);
}

TEST_CASE("a sequence is right again after a reset, and goes on after a suspension", "[runtime][sequence][faults]") {
  npurt::device device;
  product p(device);
  REQUIRE(p.runs_right());
  for (const char* fault : {"device@1=reset", "command@1=lost;device@2=reset"}) {
    INFO(fault);
    {
      const faults now(fault);
      CHECK_THROWS_AS(p.sequence.run(), npurt::command_error);
    }
    CHECK(p.runs_right());
  }
  for (const char* fault : {"device@1=suspend", "device@2=suspend"}) {
    const faults now(fault);
    CHECK(p.runs_right());
  }
}

TEST_CASE("a restarted driver is a typed error for a sequence, a new one works", "[runtime][sequence][faults]") {
  {
    npurt::device device;
    product p(device);
    REQUIRE(p.runs_right());
    const faults now("device@1=restart");
    CHECK_THROWS_AS(p.sequence.run(), npurt::command_error);
    CHECK_THROWS_AS(p.sequence.run(), npurt::error);
  }
  npurt::device device;
  product p(device);
  CHECK(p.runs_right());
}

TEST_CASE("sequences make room for other contexts and are right afterwards", "[runtime][sequence]") {
  npurt::device device;
  device.set_context_budget({1, std::chrono::seconds(5)});
  product p(device);
  const npurt::xclbin image(prebuilt_file());
  for (int round = 0; round < 2; ++round) {
    CHECK(p.runs_right());
    const npurt::hw_context other(device, image);
    CHECK(device.context_holders().size() == 1);
    CHECK(p.runs_right());
    CHECK(device.context_holders().size() == 1);
  }
  device.set_context_budget({});
}

TEST_CASE("a run that is lost is a timeout at the caller's deadline, and the next one is right",
          "[runtime][sequence][faults]") {
  npurt::device device;
  product p(device);
  {
    const faults now("command@1=lost");
    CHECK_THROWS_AS(p.sequence.run(30ms), npurt::timeout_error);
  }
  CHECK(p.runs_right());
  {
    const faults now("command@1=lost");
    p.sequence.start();
    CHECK_THROWS_AS(p.sequence.wait(10ms), npurt::timeout_error);
    CHECK(p.sequence.busy());
    CHECK_THROWS_AS(p.sequence.start(), npurt::command_error);
    CHECK_THROWS_AS(p.write(2), npurt::command_error);
  }
}

TEST_CASE("a sequence is right after another call has lost the context that they share",
          "[runtime][sequence][faults]") {
  npurt::device device;
  product p(device);
  REQUIRE(p.runs_right());
  {
    std::vector<bf16> x(4), y(4);
    const faults now("command@1=abort");
    CHECK_THROWS_AS(npurt::relu(device, matrix_view<const bf16>(x, 2, 2), matrix_view<bf16>(y, 2, 2)),
                    npurt::command_error);
  }
  CHECK(p.runs_right());
}

TEST_CASE("a completion callback is told what a wait would throw", "[runtime][sequence][faults]") {
  npurt::device device;
  product p(device);
  std::atomic<int> wrong = 0, ends = 0;
  p.sequence.on_completion([&](std::exception_ptr failure) {
    try {
      if (failure) std::rethrow_exception(failure);
      ++wrong;
    } catch (const npurt::command_error& error) {
      if (error.state() != npurt::command_state::error) ++wrong;
    }
    ++ends;
  });
  const faults now("command@1=error");
  p.sequence.start();
  CHECK_THROWS_AS(p.sequence.wait(60s), npurt::command_error);
  for (int i = 0; i < 1000 && ends == 0; ++i) std::this_thread::sleep_for(10ms);
  CHECK(ends == 1);
  CHECK(wrong == 0);
}

TEST_CASE("a sequence may be destroyed while it is in flight", "[runtime][sequence]") {
  npurt::device device;
  {
    product p(device);
    p.sequence.start();
  }
  product next(device);
  CHECK(next.runs_right());
  {
    const faults now("command@1=lost");
    product p(device);
    p.sequence.start();
  }
  CHECK_THROWS_AS(next.sequence.run(50ms), npurt::timeout_error);  // behind the lost one
  CHECK(next.runs_right());
}

// As SQLite tests running out of memory: the n-th call fails, for n = 1, 2, ... until everything goes through.
TEST_CASE("whichever ioctl fails under a sequence, it throws an error of npurt's and is right afterwards",
          "[runtime][sequence][faults]") {
  // Failures that XRT swallows (closing a handle) do not end the series, some in a row do.
  constexpr int most_swallowed = 10;
  for (const auto& [error, step] : {std::pair("EIO", 3), {"ENOMEM", 4}}) {  // ops/nth_failure_test.cpp takes each
    int refused = 0;
    for (int n = 1, quiet = 0; quiet < most_swallowed; n += step) {
      npurt::device device;
      std::optional<product> p;
      bool wrong = false;
      ++quiet;
      {
        const faults now("ioctl:any@" + std::to_string(n) + "=" + error);
        try {
          p.emplace(device);
          wrong = !p->runs_right();
        } catch (const npurt::error&) {
          ++refused;
          quiet = 0;
        }
      }
      INFO(error << " at ioctl " << n);
      CHECK_FALSE(wrong);
      if (!p) p.emplace(device);
      CHECK(p->runs_right());
    }
    CHECK(refused > 4);
  }
}

TEST_CASE("whichever ioctl of a replay fails, the replay after it is right", "[runtime][sequence][faults]") {
  npurt::device device;
  product p(device);
  REQUIRE(p.runs_right());
  int refused = 0;
  for (int n = 1; n <= 4; ++n) {
    for (const char* error : {"EIO", "ENOMEM", "EINVAL"}) {
      INFO(error << " at ioctl " << n);
      p.write(n);
      bool wrong = false;
      {
        const faults now("ioctl:any@" + std::to_string(n) + "=" + error);
        try {
          wrong = !p.runs_right();
        } catch (const npurt::error&) {
          ++refused;
        }
      }
      CHECK_FALSE(wrong);
      CHECK(p.runs_right());
    }
  }
  CHECK(refused >= 3);
}

TEST_CASE("sequences and calls of several threads share a device", "[runtime][sequence][threads]") {
  npurt::device device;
  std::atomic<int> wrong = 0;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      product p(device);
      for (int i = 0; i < 5; ++i) {
        p.write(t + i);
        if (!p.runs_right()) ++wrong;
      }
    });
    threads.emplace_back([&] {
      const std::vector<bf16> x{bf16(-1), bf16(2)};
      for (int i = 0; i < 5; ++i) {
        std::vector<bf16> y(2);
        npurt::relu(device, matrix_view<const bf16>(x, 1, 2), matrix_view<bf16>(y, 1, 2));
        if (y[0] != bf16(0) || y[1] != bf16(2)) ++wrong;
      }
    });
  }
  threads.clear();
  CHECK(wrong == 0);
}
