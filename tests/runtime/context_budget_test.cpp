// SPDX-License-Identifier: Apache-2.0
// More contexts than a device has places for: who makes room, who stays, who waits, and what it says when the wait
// ends.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
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
using Catch::Matchers::MessageMatches;

namespace {

constexpr std::size_t places = 6;  // of a Phoenix (xdna-driver npu1_regs.c)

/// A budget for as long as it lives.
struct budget {
  budget(npurt::device& on, unsigned most, std::chrono::milliseconds wait) : device(on), before(on.context_budget()) {
    device.set_context_budget({most, wait});
  }
  ~budget() { device.set_context_budget(before); }
  budget(const budget&) = delete;
  budget& operator=(const budget&) = delete;

  npurt::device& device;
  npurt::context_budget before;
};

/// A context with a product, and with control code that does next to nothing.
struct worker {
  worker(const npurt::device& device, int factor)
      : context(device, npurt::xclbin(prebuilt_file())),
        kernel(context, "i8_matmul"),
        product(kernel, factor, 1),
        little(kernel, harmless(), product.a) {}

  bool right() {
    product.run.start();
    product.run.wait(60s);
    return product.right();
  }
  void touch() {
    little.start();
    little.wait(60s);
  }

  npurt::hw_context context;
  npurt::kernel kernel;
  constant_product product;
  npurt::run little;
};

std::size_t own_contexts(const npurt::device& device) {
  return static_cast<std::size_t>(std::ranges::count_if(device.context_holders(), &npurt::context_holder::own));
}

using workers = std::vector<std::unique_ptr<worker>>;

workers open_workers(const npurt::device& device, std::size_t count) {
  workers all;
  for (std::size_t i = 0; i < count; ++i) all.push_back(std::make_unique<worker>(device, static_cast<int>(i) + 1));
  return all;
}

}  // namespace

TEST_CASE("more contexts than a device has places for take turns, with the overlay among them",
          "[runtime][hw_context]") {
  npurt::device device;
  std::vector<std::bfloat16_t> x(64, std::bfloat16_t(2)), y(64);
  const workers all = open_workers(device, places + 2);
  CHECK(own_contexts(device) == places);
  for (int round = 0; round < 2; ++round) {
    for (const auto& each : all) each->touch();
    npurt::relu(device, npurt::tensor_view<const std::bfloat16_t, 1>(x, 64), npurt::tensor_view(y, 64));
    CHECK(y == x);
    CHECK(all.front()->right());
    CHECK(own_contexts(device) == places);
  }
}

TEST_CASE("a page of the overlay's code is there again after another context had the columns for a moment",
          "[runtime][hw_context]") {
  npurt::device device;
  const std::vector<std::bfloat16_t> x(64, std::bfloat16_t(2));
  const auto softmax = [&] {
    std::vector<std::bfloat16_t> y(64);
    npurt::softmax(device, npurt::matrix_view<const std::bfloat16_t>(x, 1, 64),
                   npurt::matrix_view<std::bfloat16_t>(y, 1, 64));
    return y;
  };
  const auto first = softmax();
  CHECK(worker(device, 3).right());
  CHECK(softmax() == first);
}

TEST_CASE("pinned contexts stay, and who finds only such is told who holds them", "[runtime][hw_context]") {
  npurt::device device;
  const budget short_wait(device, places, 0ms);
  const workers all = open_workers(device, places);
  for (const auto& each : all) each->context.pin();
  CHECK(all[0]->context.pinned());
  CHECK_THROWS_MATCHES(
      worker(device, 1), npurt::context_limit_error,
      MessageMatches(ContainsSubstring("held by this process") && ContainsSubstring("i8-matmul.xclbin (pinned)") &&
                     ContainsSubstring("by others")));
  all[2]->context.unpin();
  CHECK_NOTHROW(worker(device, 1).touch());
  CHECK_FALSE(all[2]->context.pinned());
}

TEST_CASE("a context that cannot be opened again is not pinned, until it can", "[runtime][hw_context]") {
  npurt::device device;
  const budget only_one(device, 1, 0ms);
  worker first(device, 2);
  first.touch();
  worker(device, 3).touch();  // in the first one's place
  {
    const faults refused("ioctl:create_hwctx@1+=EINVAL");
    CHECK_THROWS_AS(first.context.pin(), npurt::device_error);
  }
  CHECK_FALSE(first.context.pinned());
  first.context.pin();
  CHECK(first.right());
}

TEST_CASE("a context in use is not closed, one that is idle for longest is", "[runtime][hw_context]") {
  npurt::device device;
  const budget two(device, 2, 0ms);
  worker busy(device, 1), idle(device, 2);
  REQUIRE(npurt::emulator::set_faults("command@1=lost"));
  busy.little.start();
  worker third(device, 3);
  third.touch();
  CHECK_THROWS_AS(busy.little.wait(10ms), npurt::timeout_error);
  third.little.start();
  CHECK_THROWS_MATCHES(idle.touch(), npurt::context_limit_error, MessageMatches(ContainsSubstring("(in use)")));
  third.little.wait(60s);
  CHECK(idle.right());
  REQUIRE(npurt::emulator::set_faults("device@1=reset"));  // which ends the lost command
  CHECK_THROWS_AS(busy.little.wait(60s), npurt::command_error);
  REQUIRE(npurt::emulator::set_faults(""));
}

TEST_CASE("a budget of one context is enough for several", "[runtime][hw_context]") {
  npurt::device device;
  const budget one(device, 1, 1000ms);
  const workers all = open_workers(device, 3);
  for (const auto& each : all) {
    CHECK(each->right());
    CHECK(own_contexts(device) == 1);
  }
  CHECK_THROWS_AS(device.set_context_budget({0, 1ms}), npurt::value_error);
}

TEST_CASE("whoever needs a place waits until XRT's own contexts, or pinned ones, leave it", "[runtime][hw_context]") {
  npurt::device device;
  const budget wait(device, places, 20s);
  xrt::device same = device.native();
  const npurt::xclbin image(prebuilt_file());
  const xrt::uuid id = same.register_xclbin(image.native());
  std::vector<xrt::hw_context> foreign;
  for (std::size_t i = 0; i < places; ++i) foreign.emplace_back(same, id);
  std::jthread releases([&] {
    std::this_thread::sleep_for(30ms);
    foreign.pop_back();
  });
  worker first(device, 5);
  CHECK(first.right());
  releases.join();
  first.context.pin();
  std::jthread unpins([&] {
    std::this_thread::sleep_for(30ms);
    first.context.unpin();
  });
  worker second(device, 6);
  CHECK(second.right());
  unpins.join();
  device.set_context_budget({places, 0ms});
  second.context.pin();
  CHECK_THROWS_MATCHES(first.touch(), npurt::context_limit_error, MessageMatches(ContainsSubstring("5 of XRT's own")));
}

TEST_CASE("holds all places for a while", "[.holder]") {
  npurt::device device;
  const workers all = open_workers(device, places);
  for (const auto& each : all) each->context.pin();
  std::puts("held");
  std::fflush(stdout);
  std::this_thread::sleep_for(500ms);
}

TEST_CASE("finds all places taken, and waits for one", "[.waiter]") {
  npurt::device device;
  device.set_context_budget({places, 0ms});
  CHECK_THROWS_MATCHES(worker(device, 1), npurt::context_limit_error,
                       MessageMatches(ContainsSubstring("by others: process ") && ContainsSubstring("runtime_device")));
  device.set_context_budget({places, 20s});
  CHECK(worker(device, 3).right());
}

TEST_CASE("whoever needs a place waits until another process leaves it", "[runtime][hw_context][process]") {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  const std::string command = fmt::format("NPURT_EMU_SHARED=npurt-budget-{} '{}' ", ::getpid(), self);
  std::FILE* const holder = ::popen((command + "'[.holder]'").c_str(), "r");
  REQUIRE(holder != nullptr);
  std::array<char, 256> line{};
  while (std::fgets(line.data(), line.size(), holder) != nullptr && std::string(line.data()) != "held\n") {
  }
  CHECK(std::string(line.data()) == "held\n");
  CHECK(std::system((command + "'[.waiter]'").c_str()) == 0);
  while (std::fgets(line.data(), line.size(), holder) != nullptr) {
  }
  CHECK(::pclose(holder) == 0);
}
