// SPDX-License-Identifier: Apache-2.0
// The queue of commands: order, waits, threads, and the end of a context or device.
#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <latch>
#include <thread>
#include <vector>

#include "driver_fixture.hpp"

using namespace npurt::tests;
using npurt::emu::command_outcome;
using npurt::emu::command_result;
using npurt::emu::device_memory;
using npurt::emu::npu_command;

namespace {

/// Lets commands run only when the test says so.
struct gate {
  std::latch entered{1}, released{1};
  std::atomic<bool> first = true;
  fake_execute execute() {
    return [this](const npu_command&, device_memory&) {
      if (first.exchange(false)) entered.count_down();
      released.wait();
      return command_result{};
    };
  }
};

}  // namespace

TEST_CASE("a hung command has state 8 and health words; what was queued behind it is aborted", "[emu][driver][queue]") {
  test_client client(make_device());
  running_context context(client);
  gate gate;
  on_execute([&, wait = gate.execute()](const npu_command& command, device_memory& memory) {
    wait(command, memory);
    return command_result{.outcome = command_outcome::timeout, .report = "tile (1, 2) waits", .failed_op = 17};
  });
  const auto hung = context.kernel_packet(), queued = context.kernel_packet();
  std::uint64_t seq = 0;
  REQUIRE(client.exec(context.hwctx, hung.handle, seq) == 0);
  gate.entered.wait();
  REQUIRE(client.exec(context.hwctx, queued.handle, seq) == 0);
  gate.released.count_down();
  REQUIRE(client.wait(context.hwctx, seq) == 0);
  CHECK(hung.state() == timed_out);
  CHECK(hung.words[1] == 1);   // health data version
  CHECK(hung.words[3] == 17);  // txn_op_idx
  CHECK(queued.state() == aborted);
}

TEST_CASE("WAIT_CMD knows its numbers and keeps its time", "[emu][driver][queue]") {
  test_client client(make_device());
  running_context context(client);
  gate gate;
  on_execute(gate.execute());
  const auto packet = context.kernel_packet();
  std::uint64_t seq = 0;
  CHECK(client.wait(context.hwctx, 0) == -EINVAL);
  REQUIRE(client.exec(context.hwctx, packet.handle, seq) == 0);
  const auto start = std::chrono::steady_clock::now();
  CHECK(client.wait(context.hwctx, seq, 20) == -ETIME);
  CHECK(std::chrono::steady_clock::now() - start >= std::chrono::milliseconds(20));
  CHECK(packet.state() == submitted);
  CHECK(client.wait(context.hwctx, seq + 1) == -EINVAL);
  CHECK(client.wait(context.hwctx + 1, seq) == -EINVAL);
  gate.released.count_down();
  CHECK(client.wait(context.hwctx, seq, 0) == 0);
  CHECK(packet.state() == completed);
}

TEST_CASE("the fifth command in flight blocks its submitter", "[emu][driver][queue]") {
  test_client client(make_device());
  running_context context(client);
  gate gate;
  on_execute(gate.execute());
  std::uint64_t seq = 0;
  for (int i = 0; i < 4; ++i) REQUIRE(client.exec(context.hwctx, context.kernel_packet().handle, seq) == 0);
  const auto fifth = context.kernel_packet();
  std::atomic<bool> accepted = false;
  std::uint64_t last = 0;
  std::thread submitter([&] { accepted = client.exec(context.hwctx, fifth.handle, last) == 0; });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK_FALSE(accepted);
  gate.released.count_down();
  submitter.join();
  CHECK(accepted);
  CHECK(last == 4);
  CHECK(client.wait(context.hwctx, last) == 0);
}

TEST_CASE("destroying a context aborts what has not started", "[emu][driver][queue]") {
  test_client client(make_device());
  running_context context(client);
  gate gate;
  on_execute(gate.execute());
  const auto running = context.kernel_packet(), pending = context.kernel_packet();
  std::uint64_t seq = 0;
  REQUIRE(client.exec(context.hwctx, running.handle, seq) == 0);
  gate.entered.wait();
  REQUIRE(client.exec(context.hwctx, pending.handle, seq) == 0);
  std::thread destroyer([&] { CHECK(client.destroy_hwctx(context.hwctx) == 0); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  gate.released.count_down();
  destroyer.join();
  CHECK(running.state() == completed);
  CHECK(pending.state() == aborted);
  CHECK(client.exec(context.hwctx, pending.handle, seq) == -EINVAL);
}

TEST_CASE("destroying a context cancels the command that runs", "[emu][driver][queue]") {
  test_client client(make_device());
  running_context context(client);
  std::latch entered{1};
  on_execute([&](const npu_command& command, device_memory&) {
    entered.count_down();
    while (!command.cancelled->load()) std::this_thread::yield();
    return command_result{.outcome = command_outcome::aborted, .report = "cancelled"};
  });
  const auto running = context.kernel_packet(), pending = context.kernel_packet();
  std::uint64_t seq = 0;
  REQUIRE(client.exec(context.hwctx, running.handle, seq) == 0);
  entered.wait();
  REQUIRE(client.exec(context.hwctx, pending.handle, seq) == 0);
  CHECK(client.destroy_hwctx(context.hwctx) == 0);
  CHECK(running.state() == aborted);
  CHECK(pending.state() == aborted);
}

TEST_CASE("a buffer that is closed while its command waits for the device is not touched", "[emu][driver][queue]") {
  test_client client(make_device());
  running_context context(client);
  std::uint32_t second = 0;
  REQUIRE(client.create_hwctx(4, second) == 0);
  REQUIRE(client.config_cu(second, {client.bo(AMDXDNA_BO_DEV, 64)}) == 0);
  gate gate;
  on_execute(gate.execute());
  const auto running = context.kernel_packet();
  std::uint64_t seq = 0, waiting_seq = 0;
  REQUIRE(client.exec(context.hwctx, running.handle, seq) == 0);
  gate.entered.wait();
  const auto code = client.bo(AMDXDNA_BO_SHARE, 4096);
  context.code_address = reinterpret_cast<std::uint64_t>(client.map(code, 4096));
  const auto waiting = context.kernel_packet();
  REQUIRE(client.exec(second, waiting.handle, waiting_seq) == 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(client.close(code) == 0);
  gate.released.count_down();
  REQUIRE(client.wait(context.hwctx, seq) == 0);
  REQUIRE(client.wait(second, waiting_seq) == 0);
  CHECK(running.state() == completed);
  CHECK(waiting.state() == error);
  CHECK(fake_npu::instance().executed == 1);
}

TEST_CASE("null commands complete inside EXEC_CMD without the NPU", "[emu][driver][queue]") {
  test_client client(make_device({.null_commands = true}));
  running_context context(client);
  const auto packet = context.kernel_packet();
  const auto chain = context.chain_packet({packet, packet});
  std::uint64_t seq = 0;
  for (const auto& command : {packet, chain}) {
    REQUIRE(client.exec(context.hwctx, command.handle, seq) == 0);
    CHECK(command.state() == completed);
  }
  CHECK(seq == 1);
  CHECK(client.wait(context.hwctx, 1) == 0);
  CHECK(fake_npu::instance().executed == 0);
}

TEST_CASE("threads may submit to one context and to several", "[emu][driver][queue]") {
  const auto device = make_device();
  test_client client(device);
  running_context context(client);
  std::uint32_t second = 0;
  REQUIRE(client.create_hwctx(4, second) == 0);
  REQUIRE(client.config_cu(second, {client.bo(AMDXDNA_BO_DEV, 64)}) == 0);
  constexpr int runs = 200;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  std::vector<running_context::packet> packets;
  for (int t = 0; t < 4; ++t) packets.push_back(context.kernel_packet());
  for (unsigned t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      const auto hwctx = t % 2 == 0 ? context.hwctx : second;
      for (int i = 0; i < runs; ++i) {
        std::uint64_t seq = 0;
        const bool done = client.exec(hwctx, packets[t].handle, seq) == 0 && client.wait(hwctx, seq) == 0;
        if (!done || packets[t].state() != completed) ++wrong;
        client.close(client.bo(AMDXDNA_BO_SHARE, 4096));
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(fake_npu::instance().executed == 4 * runs);
}

TEST_CASE("a device that shuts down lets the running command end and fails the next", "[emu][driver][queue]") {
  const auto device = make_device();
  test_client client(device);
  running_context context(client);
  std::uint64_t seq = 0;
  device->shut_down();
  const auto packet = context.kernel_packet();
  REQUIRE(client.exec(context.hwctx, packet.handle, seq) == 0);
  REQUIRE(client.wait(context.hwctx, seq) == 0);
  CHECK(packet.state() == error);
  CHECK(fake_npu::instance().executed == 0);
}

TEST_CASE("commands of two contexts are with the NPU at the same time", "[emu][driver][queue]") {
  test_client client(make_device());
  running_context context(client);
  std::uint32_t second = 0;
  REQUIRE(client.create_hwctx(4, second) == 0);
  REQUIRE(client.config_cu(second, {client.bo(AMDXDNA_BO_DEV, 64)}) == 0);
  std::latch both{2};  // a command ends when the other one is there
  on_execute([&](const npu_command&, device_memory&) {
    both.arrive_and_wait();
    return command_result{};
  });
  const auto one = context.kernel_packet(), other = context.kernel_packet();
  std::uint64_t seq_one = 0, seq_other = 0;
  REQUIRE(client.exec(context.hwctx, one.handle, seq_one) == 0);
  REQUIRE(client.exec(second, other.handle, seq_other) == 0);
  CHECK(client.wait(context.hwctx, seq_one) == 0);
  CHECK(client.wait(second, seq_other) == 0);
  CHECK(one.state() == completed);
  CHECK(other.state() == completed);
}
