// SPDX-License-Identifier: Apache-2.0
// Commands: submission and outcomes.
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>

#include <cerrno>
#include <stdexcept>
#include <vector>

#include "driver_fixture.hpp"

using namespace npurt::tests;
using npurt::emu::command_outcome;
using npurt::emu::command_result;
using npurt::emu::device_memory;
using npurt::emu::npu_command;

TEST_CASE("a kernel's register map reaches the NPU as control code and buffer addresses", "[emu][driver][cmd]") {
  test_client client(make_device());
  running_context context(client);
  npu_command seen;
  std::size_t code_size = 0;
  on_execute([&](const npu_command& command, device_memory&) {
    seen = command;
    code_size = command.control_code.size();
    return command_result{};
  });
  const auto packet = context.kernel_packet(0x7ff2bb758000);
  std::uint64_t seq = 99;
  REQUIRE(client.exec(context.hwctx, packet.handle, seq, {context.code}) == 0);
  CHECK(seq == 0);
  REQUIRE(client.wait(context.hwctx, seq) == 0);
  CHECK(packet.state() == completed);
  CHECK(code_size == 64);  // 16 words
  CHECK(seen.cu == 0);
  CHECK(seen.apply_patches);
  CHECK(seen.arguments == std::vector<std::uint64_t>{0x7ff2bb758000, 0, 0, 0, 0});
}

TEST_CASE("kernels of DPU sequences have other register maps", "[emu][driver][cmd]") {
  test_client client(make_device());
  running_context context(client);
  npu_command seen;
  std::size_t code_size = 0;
  on_execute([&](const npu_command& command, device_memory&) {
    seen = command;
    code_size = command.control_code.size();
    return command_result{};
  });
  const auto code = static_cast<std::uint32_t>(context.code_address);
  SECTION("without an opcode: instructions, their 64-bit count, buffers") {
    const auto packet =
        context.make_packet(std::vector<std::uint32_t>{11u << 12 | 1, 1, code, 0, 16, 0, 1, 2, 3, 4, 5, 6});
    CHECK(state_after(client, context, packet) == completed);
    CHECK(seen.arguments == std::vector<std::uint64_t>{0x200000001, 0x400000003, 0x600000005});
  }
  SECTION("opcode 1: ifm, param, ofm, inter, instructions, their count, mc_code") {
    const std::vector<std::uint32_t> words{16u << 12 | 1, 1, 1, 0, 10, 0, 20, 0, 30, 0, 40, 0, code, 0, 16, 60, 0};
    CHECK(state_after(client, context, context.make_packet(words)) == completed);
    CHECK(seen.arguments == std::vector<std::uint64_t>{10, 20, 30, 40, 0, 60});
  }
  CHECK(seen.is_dpu_sequence);
  CHECK(seen.apply_patches);
  CHECK(code_size == 64);
}

TEST_CASE("an ELF flow packet counts bytes and is already patched", "[emu][driver][cmd]") {
  test_client client(make_device());
  running_context context(client);
  std::size_t code_size = 0;
  bool patches = true;
  on_execute([&](const npu_command& command, device_memory&) {
    code_size = command.control_code.size();
    patches = command.apply_patches;
    return command_result{};
  });
  const auto code = static_cast<std::uint32_t>(context.code_address);
  const std::vector<std::uint32_t> words{0x3a007001, 1, code, 0, 272, 0, 3, 0};
  const auto packet = context.make_packet(words);
  std::uint64_t seq = 0;
  REQUIRE(client.exec(context.hwctx, packet.handle, seq) == 0);
  REQUIRE(client.wait(context.hwctx, seq) == 0);
  CHECK(packet.state() == completed);
  CHECK(code_size == 272);
  CHECK_FALSE(patches);
}

TEST_CASE("device memory is what lies in one live buffer object", "[emu][driver][cmd]") {
  test_client client(make_device());
  running_context context(client);
  const auto live = client.bo(AMDXDNA_BO_SHARE, 8192), closed = client.bo(AMDXDNA_BO_SHARE, 4096);
  // Pages of nobody on both sides, so that no other buffer is its neighbour.
  auto* around = static_cast<std::byte*>(::mmap(nullptr, 16384, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  REQUIRE(around != MAP_FAILED);
  auto* memory = client.map(live, 8192, around + 4096);
  memory[4096] = std::byte{7};
  const auto address = reinterpret_cast<std::uint64_t>(memory);
  const auto closed_address = reinterpret_cast<std::uint64_t>(client.map(closed, 4096));
  client.close(closed);
  std::vector<bool> found;
  std::byte value{};
  on_execute([&](const npu_command&, device_memory& device) {
    if (auto* at = device.translate(address + 4096, 4096)) {
      value = *at;
      *at = std::byte{9};
    }
    for (const auto& [start, size] :
         std::vector<std::pair<std::uint64_t, std::uint64_t>>{{address, 8192},
                                                              {address, 8193},
                                                              {address - 1, 1},
                                                              {address + 1, ~std::uint64_t{0}},
                                                              {closed_address, 1},
                                                              {context.code_address, 4096},
                                                              {context.code_address, 4097},
                                                              {0, 1}})
      found.push_back(device.translate(start, size) != nullptr);
    return command_result{};
  });
  std::uint64_t seq = 0;
  REQUIRE(client.exec(context.hwctx, context.kernel_packet().handle, seq) == 0);
  REQUIRE(client.wait(context.hwctx, seq) == 0);
  CHECK(value == std::byte{7});
  CHECK(memory[4096] == std::byte{9});
  CHECK(found == std::vector<bool>{true, false, false, false, false, true, false, false});
}

TEST_CASE("a program may unmap a buffer before its command runs", "[emu][driver][cmd]") {
  test_client client(make_device());
  running_context context(client);
  auto* memory = client.map(client.bo(AMDXDNA_BO_SHARE, 4096), 4096);
  const auto address = reinterpret_cast<std::uint64_t>(memory);
  ::munmap(memory, 4096);
  bool written = false;
  on_execute([&](const npu_command&, device_memory& device) {
    if (auto* at = device.translate(address, 4)) *at = std::byte{1}, written = true;
    return command_result{};
  });
  std::uint64_t seq = 0;
  REQUIRE(client.exec(context.hwctx, context.kernel_packet(address).handle, seq) == 0);
  REQUIRE(client.wait(context.hwctx, seq) == 0);
  CHECK(written);
}

TEST_CASE("a packet is parsed from a copy, whatever the program writes meanwhile", "[emu][driver][cmd]") {
  using npurt::emu::driver::packet;
  std::vector<std::uint32_t> words{19u << 23 | 10u << 12 | 1, 2, 0, 0, 0, 0, 0, 7, 0, 8, 0};
  auto bytes = packet(std::as_writable_bytes(std::span(words))).copy();
  REQUIRE(bytes.has_value());
  words[0] = 19u << 23 | 0x7ffu << 12 | 1;
  words[1] = 64;
  CHECK(packet(*bytes).parse_chain() == std::vector<std::uint32_t>{7, 8});
  CHECK(packet(std::as_writable_bytes(std::span(words))).copy().error() == EINVAL);
}

TEST_CASE("EXEC_CMD refuses what it cannot submit", "[emu][driver][cmd]") {
  test_client client(make_device());
  running_context context(client);
  const auto packet = context.kernel_packet();
  std::uint64_t seq = 0;
  CHECK(client.exec(context.hwctx + 1, packet.handle, seq) == -EINVAL);
  CHECK(client.exec(context.hwctx, 999, seq) == -EINVAL);
  CHECK(client.exec(context.hwctx, context.code, seq) == -EINVAL);  // not a CMD buffer
  CHECK(client.exec(context.hwctx, packet.handle, seq, {999}) == -ENOENT);
  const auto refused = [&](std::vector<std::uint32_t> words) {
    return client.exec(context.hwctx, context.make_packet(words).handle, seq);
  };
  CHECK(refused({0x30400001, 1}) == -EINVAL);                  // 1024 payload words in a page
  CHECK(refused({0x30000001}) == -EINVAL);                     // no payload
  CHECK(refused({0x30010001, 0, 3}) == -EINVAL);               // no CU
  CHECK(refused({0x30010001, 2, 3}) == -EINVAL);               // CU 1 is not configured
  CHECK(refused({0x30002001, 1, 3}) == -EINVAL);               // register map too short
  CHECK(refused({0x30010001 | 21u << 23, 1}) == -EOPNOTSUPP);  // preemption
  CHECK(refused({0x30010001 | 2u << 23, 1}) == -EINVAL);       // no such opcode
  amdxdna_drm_exec_cmd args{};
  args.hwctx = context.hwctx;
  args.cmd_handles = packet.handle;
  args.cmd_count = 2;
  CHECK(client.ioctl(DRM_IOCTL_AMDXDNA_EXEC_CMD, args) == -EINVAL);
  args.cmd_count = 1;
  args.arg_count = 1;
  CHECK(client.ioctl(DRM_IOCTL_AMDXDNA_EXEC_CMD, args) == -EFAULT);
  args.arg_count = 0;
  args.type = AMDXDNA_CMD_SUBMIT_SIGNAL;
  CHECK(client.ioctl(DRM_IOCTL_AMDXDNA_EXEC_CMD, args) == -EINVAL);
  CHECK(fake_npu::instance().executed == 0);
}

TEST_CASE("a context without compute units takes no command", "[emu][driver][cmd]") {
  test_client client(make_device());
  running_context context(client);
  std::uint32_t bare = 0;
  std::uint64_t seq = 0;
  REQUIRE(client.create_hwctx(16, bare) == 0);
  CHECK(client.exec(bare, context.kernel_packet().handle, seq) == -EINVAL);
}

TEST_CASE("a failed command has state 5 and leaves the next ones alone", "[emu][driver][cmd]") {
  const auto device = make_device();
  test_client client(device);
  running_context context(client);
  on_execute([](const npu_command&, device_memory&) {
    const auto number = fake_npu::instance().executed.load();
    if (number == 2) throw std::runtime_error("boom");
    return command_result{.outcome = number == 1 ? command_outcome::error : command_outcome::completed,
                          .report = "lock 3"};
  });
  const auto first = context.kernel_packet(), second = context.kernel_packet(), third = context.kernel_packet();
  std::uint64_t seq = 0;
  REQUIRE(client.exec(context.hwctx, first.handle, seq) == 0);
  REQUIRE(client.wait(context.hwctx, seq) == 0);
  CHECK(device->get_last_command(::getpid())->result.report == "lock 3");
  REQUIRE(client.exec(context.hwctx, second.handle, seq) == 0);
  REQUIRE(client.exec(context.hwctx, third.handle, seq) == 0);
  REQUIRE(client.wait(context.hwctx, seq) == 0);
  CHECK(first.state() == error);
  CHECK(second.state() == error);
  CHECK(third.state() == completed);
}

TEST_CASE("control code outside every buffer fails the command", "[emu][driver][cmd]") {
  test_client client(make_device());
  running_context context(client);
  client.close(context.code);
  const auto packet = context.kernel_packet();
  std::uint64_t seq = 0;
  REQUIRE(client.exec(context.hwctx, packet.handle, seq) == 0);
  REQUIRE(client.wait(context.hwctx, seq) == 0);
  CHECK(packet.state() == error);
  CHECK(fake_npu::instance().executed == 0);
}

TEST_CASE("a chain runs its commands in order and names the one that failed", "[emu][driver][cmd]") {
  const auto device = make_device();
  test_client client(device);
  running_context context(client);
  std::vector<std::uint64_t> order;
  on_execute([&](const npu_command& command, device_memory&) {
    order.push_back(command.arguments[0]);
    return command_result{.outcome = order.size() == 3 ? command_outcome::error : command_outcome::completed,
                          .report = "x",
                          .cycles = 10,
                          .macs = 4,
                          .costs = {.compute = 5, .launch = 3, .transfer = 2, .lock_stalls = 7, .ddr_write_bytes = 11}};
  });
  std::vector<running_context::packet> parts;
  for (std::uint64_t i = 0; i < 4; ++i) parts.push_back(context.kernel_packet(i));
  const auto chain = context.chain_packet(parts);
  std::uint64_t seq = 0;
  REQUIRE(client.exec(context.hwctx, chain.handle, seq) == 0);
  REQUIRE(client.wait(context.hwctx, seq) == 0);
  CHECK(order == std::vector<std::uint64_t>{0, 1, 2});
  CHECK(chain.state() == error);
  CHECK(chain.words[3] == 2);  // error_index
  CHECK(parts[0].state() == submitted);
  const auto last = device->get_last_command(::getpid());
  CHECK(last->result.cycles == 30);
  CHECK(last->result.costs.compute == 15);
  CHECK(last->result.costs.launch == 9);
  CHECK(last->result.costs.transfer == 6);
  CHECK(last->result.costs.lock_stalls == 21);
  CHECK(last->result.costs.ddr_write_bytes == 33);
  CHECK(device->get_last_command(::getpid())->clock_hz == 1'028'000'000);
}

TEST_CASE("a chain of nothing, of too much, of unknown or mixed commands is EINVAL", "[emu][driver][cmd]") {
  test_client client(make_device());
  running_context context(client);
  const auto part = context.kernel_packet();
  const auto code = static_cast<std::uint32_t>(context.code_address);
  const std::vector<std::uint32_t> elf{0x3a007001, 1, code, 0, 272, 0, 3, 0};
  std::uint64_t seq = 0;
  const auto refused = [&](const std::vector<running_context::packet>& parts) {
    return client.exec(context.hwctx, context.chain_packet(parts).handle, seq);
  };
  CHECK(refused({}) == -EINVAL);
  CHECK(refused(std::vector(65, part)) == -EINVAL);
  CHECK(refused({part, {.handle = 999}}) == -EINVAL);
  CHECK(refused({part, context.make_packet(elf)}) == -EINVAL);
  CHECK(refused({context.chain_packet({part})}) == -EINVAL);
  CHECK(refused(std::vector(64, part)) == 0);
}
