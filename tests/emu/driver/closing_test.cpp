// SPDX-License-Identifier: Apache-2.0
// Files and buffers that are closed while others go on: faults of the device, other clients' commands, other closers,
// calls that fail.
#include <catch2/catch_test_macros.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <latch>
#include <new>
#include <optional>
#include <string>
#include <thread>

#include "emu/driver/fault_plan.hpp"
#include "emu/driver/shared/ioctl_message.hpp"
#include "emu/driver/shared/server_session.hpp"
#include "shared_fixture.hpp"

using namespace npurt::tests;
using namespace std::chrono_literals;
namespace emu = npurt::emu;
namespace fs = std::filesystem;

namespace {

/// An allocation of exactly so many bytes fails; 0: none does.
constinit std::atomic<std::size_t> failing_size = 0;

void* allocate(std::size_t size) noexcept {
  if (size != 0 && size == failing_size) return nullptr;
  return std::malloc(size == 0 ? 1 : size);
}

void set(emu::driver::device& device, std::string_view text) {
  device.on_demand().set(emu::driver::fault_plan::parse(text).value());
}

std::string contents(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Commands that nothing ends but the test.
struct stubborn_commands {
  std::latch entered{1}, released{1};
  std::atomic<bool> over = false;
  std::atomic<const std::atomic<bool>*> cancelled = nullptr;
  stubborn_commands() {
    on_execute([this](const emu::npu_command& command, emu::device_memory&) {
      cancelled = command.cancelled;
      entered.count_down();
      released.wait();
      over = true;
      return emu::command_result{};
    });
  }
};

}  // namespace

void* operator new(std::size_t size) {
  if (void* memory = allocate(size)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }

TEST_CASE("a file that closes while a fault stops its context waits for the fault's end", "[emu][driver][closing]") {
  for (const char* fault : {"device@1=reset", "device@1=gone"}) {
    INFO(fault);
    const auto device = make_device();
    std::optional<test_client> closing(device);
    test_client other(device);
    stubborn_commands commands;
    running_context context(*closing);
    const auto bo = closing->bo(AMDXDNA_BO_SHARE, 4096);
    const auto running = context.kernel_packet(), behind = context.kernel_packet();
    std::uint64_t seq = 0;
    REQUIRE(closing->exec(context.hwctx, running.handle, seq, {bo}) == 0);
    REQUIRE(closing->exec(context.hwctx, behind.handle, seq, {bo}) == 0);
    commands.entered.wait();
    set(*device, fault);
    std::thread meets([&] { other.close(0); });
    while (!commands.cancelled.load()->load()) std::this_thread::yield();  // the fault has the context in its hands
    std::atomic<bool> over_when_closed = false;
    std::thread closes([&] {
      closing.reset();
      over_when_closed = commands.over.load();
    });
    std::this_thread::sleep_for(50ms);
    commands.released.count_down();
    closes.join();
    meets.join();
    CHECK(over_when_closed);
    CHECK(behind.state() == aborted);
  }
}

TEST_CASE("memory of a closed buffer is free when its client's commands are over, whoever else's run",
          "[emu][driver][closing]") {
  const auto device = make_device();
  test_client busy(device), client(device);
  stubborn_commands commands;
  running_context context(busy);
  const auto command = context.kernel_packet();
  std::uint64_t seq = 0;
  std::uint32_t own = 0, others = 0, next = 0;
  set(*device, "memory=80M");  // the heap is 64 of them
  REQUIRE(busy.create_bo(AMDXDNA_BO_SHARE, 7 << 20, own) == 0);
  REQUIRE(client.create_bo(AMDXDNA_BO_SHARE, 8 << 20, others) == 0);
  REQUIRE(busy.exec(context.hwctx, command.handle, seq) == 0);
  commands.entered.wait();
  CHECK(client.close(others) == 0);
  CHECK(client.create_bo(AMDXDNA_BO_SHARE, 8 << 20, others) == 0);
  CHECK(client.close(others) == 0);
  CHECK(busy.close(own) == 0);  // this one the command may be using
  CHECK(client.create_bo(AMDXDNA_BO_SHARE, 9 << 20, next) == -ENOMEM);
  commands.released.count_down();
  REQUIRE(busy.wait(context.hwctx, seq) == 0);
  CHECK(client.create_bo(AMDXDNA_BO_SHARE, 9 << 20, next) == 0);
}

TEST_CASE("the file of statistics is whole whoever writes it and whenever it is read", "[emu][driver][closing]") {
  const shared_device::directory directory;
  const auto path = directory.path / "stats.json";
  const auto device = make_device({.stats_path = path.string()});
  auto& fake = fake_npu::instance();
  const auto set_statistics = [&](std::function<std::string()> text) {
    const std::lock_guard lock(fake.mutex);
    fake.statistics = std::move(text);
  };
  set_statistics([] { return std::string("first"); });
  device->write_statistics();
  REQUIRE(contents(path) == "first\n");

  std::latch entered{1}, released{1};
  std::atomic<int> writers = 0, at_once = 0;
  std::atomic<bool> any = false;
  set_statistics([&] {
    if (++writers > 1) ++at_once;
    if (!any.exchange(true)) entered.count_down();
    released.wait();
    --writers;
    return std::string(100'000, 'x');
  });
  std::thread one([&] { test_client{device}; }), two([&] { test_client{device}; });
  entered.wait();
  CHECK(contents(path) == "first\n");
  std::this_thread::sleep_for(20ms);
  released.count_down();
  one.join();
  two.join();
  CHECK(at_once == 0);
  CHECK(contents(path) == std::string(100'000, 'x') + "\n");
  CHECK(std::distance(fs::directory_iterator(directory.path), {}) == 1);

  // A link is the user's: what it leads to is written.
  const auto link = directory.path / "link";
  fs::create_symlink(path, link);
  make_device({.stats_path = link.string()})->write_statistics();
  CHECK(fs::is_symlink(link));
  CHECK(contents(path) == "{\"fake\": true}\n");
}

TEST_CASE("a file of a server ends although a call of it has failed for want of memory", "[emu][driver][closing]") {
  child server([] {
    ::alarm(20);
    constexpr std::size_t size = 7'654'321;
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) != 0) return 1;
    shared::server_session file(make_device(), ::getpid());
    bool failed = false;
    std::thread serves([&] {
      try {
        file.serve(ends[1]);
      } catch (const std::bad_alloc&) {
        failed = true;
      }
      ::close(ends[1]);
    });
    if (!shared::receive(ends[0])) return 2;  // attached
    shared::message call{.kind = shared::request::ioctl, .payload = std::vector<std::byte>(size)};
    failing_size = size;
    shared::send(ends[0], call);
    serves.join();
    failing_size = 0;
    if (!failed) return 3;
    file.end();
    return 0;
  });
  CHECK(server.wait() == 0);
}
