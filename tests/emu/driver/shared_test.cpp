// SPDX-License-Identifier: Apache-2.0
// A device that several processes share: the server is a child of the test, so are the other processes.
#include <catch2/catch_test_macros.hpp>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <random>
#include <set>
#include <thread>

#include "shared_fixture.hpp"

using namespace npurt::tests;
using namespace std::chrono_literals;
namespace emu = npurt::emu;
namespace fs = std::filesystem;

namespace {

/// Contexts as xrt-smi sees them.
std::vector<amdxdna_drm_hwctx_entry> contexts_seen_by(test_client& client) {
  std::vector<amdxdna_drm_hwctx_entry> entries(32);
  amdxdna_drm_get_array args{};
  args.param = DRM_AMDXDNA_HW_CONTEXT_ALL;
  args.element_size = sizeof(amdxdna_drm_hwctx_entry);
  args.num_element = static_cast<std::uint32_t>(entries.size());
  args.buffer = reinterpret_cast<std::uint64_t>(entries.data());
  REQUIRE(client.ioctl(DRM_IOCTL_AMDXDNA_GET_ARRAY, args) == 0);
  CHECK(args.buffer == reinterpret_cast<std::uint64_t>(entries.data()));
  entries.resize(args.num_element);
  return entries;
}

template <class Condition>
bool becomes(const Condition& condition) {
  for (int i = 0; i < 1000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

/// Runs until its context is ended.
emu::command_result hang(const emu::npu_command& command, emu::device_memory&) {
  while (!command.cancelled->load()) std::this_thread::sleep_for(1ms);
  return {.outcome = emu::command_outcome::aborted, .report = "cancelled"};
}

/// Of that point, which need not be submitted yet.
drm_syncobj_timeline_wait wait_for_ever(const std::uint32_t& handle, const std::uint64_t& point) {
  return timeline_wait(handle, point, INT64_MAX, DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT);
}

}  // namespace

TEST_CASE("six contexts are those of all processes of a shared device, and whose they are is seen",
          "[emu][driver][shared]") {
  const shared_device device;
  const process_gate made, go_on;
  child other([&] {
    test_client client(shared_device::open());
    std::uint32_t handle = 0;
    client.bo(AMDXDNA_BO_DEV_HEAP, heap_size);
    for (int i = 0; i < 4; ++i)
      if (client.create_hwctx(4, handle) != 0) return 1;
    made.open();
    go_on.pass();
    return 0;
  });
  made.pass();
  test_client client(shared_device::open());
  client.bo(AMDXDNA_BO_DEV_HEAP, heap_size);
  std::uint32_t handle = 0;
  REQUIRE(client.create_hwctx(4, handle) == 0);
  REQUIRE(client.create_hwctx(4, handle) == 0);
  CHECK(client.create_hwctx(4, handle) == -ENOENT);
  std::multiset<std::int64_t> owners;
  for (const auto& entry : contexts_seen_by(client)) owners.insert(entry.pid);
  CHECK(owners.size() == 6);
  CHECK(owners.count(other.pid()) == 4);
  CHECK(owners.count(::getpid()) == 2);
  // Its file ends with the process, not with a call.
  go_on.open();
  CHECK(other.wait() == 0);
  CHECK(becomes([&] { return contexts_seen_by(client).size() == 2; }));
  CHECK(client.create_hwctx(4, handle) == 0);
}

TEST_CASE("commands of a shared device read and write the memory that the process has mapped",
          "[emu][driver][shared]") {
  const shared_device device([] {
    on_execute([](const emu::npu_command& command, emu::device_memory& memory) -> emu::command_result {
      auto* words = reinterpret_cast<std::uint32_t*>(memory.translate(command.arguments.at(0), 4096));
      if (words == nullptr) return {.outcome = emu::command_outcome::error, .report = "no buffer"};
      for (int i = 0; i < 1024; ++i) words[i] += 7;
      return {};
    });
  });
  test_client client(shared_device::open());
  running_context context(client);
  const auto bo = client.bo(AMDXDNA_BO_SHARE, 4096);
  auto* words = reinterpret_cast<std::uint32_t*>(client.map(bo, 4096));
  for (std::uint32_t i = 0; i < 1024; ++i) words[i] = i;
  const auto packet = context.kernel_packet(reinterpret_cast<std::uint64_t>(words));
  std::uint64_t seq = 0;
  REQUIRE(client.exec(context.hwctx, packet.handle, seq, {bo}) == 0);
  REQUIRE(client.wait(context.hwctx, seq) == 0);
  CHECK(packet.state() == completed);
  for (std::uint32_t i = 0; i < 1024; ++i) REQUIRE(words[i] == i + 7);
}

TEST_CASE("a process that is killed in the middle of a command frees what it held", "[emu][driver][shared]") {
  const shared_device device([] { on_execute(hang); });
  const process_gate running;
  child other([&] {
    test_client client(shared_device::open());
    running_context context(client);
    std::uint64_t seq = 0;
    const auto packet = context.kernel_packet();
    if (client.exec(context.hwctx, packet.handle, seq) != 0) return 1;
    running.open();
    return client.wait(context.hwctx, seq, 0);
  });
  running.pass();
  test_client client(shared_device::open());
  const auto seen = contexts_seen_by(client);
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].pid == other.pid());
  CHECK(seen[0].command_submissions == 1);
  CHECK(seen[0].command_completions == 0);
  other.kill();
  CHECK(becomes([&] { return contexts_seen_by(client).empty(); }));
}

TEST_CASE("a call that waits in a shared device holds up no other, and ends with the file", "[emu][driver][shared]") {
  const shared_device device([] { on_execute(hang); });
  test_client client(shared_device::open());
  running_context context(client);
  std::uint64_t seq = 0;
  REQUIRE(client.exec(context.hwctx, context.kernel_packet().handle, seq) == 0);
  int waited = 1;
  std::thread waits([&] { waited = client.wait(context.hwctx, seq, 0); });
  for (int i = 0; i < 20; ++i) CHECK(client.info(context.code).xdna_addr == context.code_address);
  CHECK(client.wait(context.hwctx, seq, 1) == -ETIME);
  std::this_thread::sleep_for(100ms);
  CHECK(client.destroy_hwctx(context.hwctx) == 0);
  waits.join();
  CHECK((waited == 0 || waited == -EINVAL));  // the latter if it had not begun yet

  auto session = shared::session::open("test", nullptr).value();
  shared::remote_file file(session);
  drm_syncobj_create own{};
  REQUIRE(file.ioctl(DRM_IOCTL_SYNCOBJ_CREATE, &own) == 0);
  const std::uint64_t point = 5;
  auto wait = wait_for_ever(own.handle, point);
  std::thread blocked([&] { CHECK(file.ioctl(DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT, &wait) == -ENODEV); });
  std::this_thread::sleep_for(50ms);
  session->close();
  blocked.join();
}

TEST_CASE("a buffer and a fence of one process are another's by their descriptors", "[emu][driver][shared]") {
  const shared_device device;
  test_client client(shared_device::open());
  const auto bo = client.bo(AMDXDNA_BO_SHARE, 8192);
  auto* here = client.map(bo, 8192);
  drm_prime_handle exported{.handle = bo, .flags = DRM_CLOEXEC, .fd = -1};
  REQUIRE(client.ioctl(DRM_IOCTL_PRIME_HANDLE_TO_FD, exported) == 0);
  CHECK((::fcntl(exported.fd, F_GETFD) & FD_CLOEXEC) != 0);
  drm_syncobj_create object{};
  REQUIRE(client.ioctl(DRM_IOCTL_SYNCOBJ_CREATE, object) == 0);
  drm_syncobj_handle fence{};
  fence.handle = object.handle;
  REQUIRE(client.ioctl(DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, fence) == 0);
  std::uint64_t point = 3;
  child other([&] {
    test_client theirs(shared_device::open());
    drm_prime_handle imported{.handle = 0, .flags = 0, .fd = exported.fd};
    drm_syncobj_handle same{};
    same.fd = fence.fd;
    if (theirs.ioctl(DRM_IOCTL_PRIME_FD_TO_HANDLE, imported) != 0) return 1;
    if (theirs.ioctl(DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, same) != 0) return 2;
    theirs.map(imported.handle, 8192)[8191] = std::byte{42};
    drm_syncobj_timeline_array signal{};
    signal.handles = reinterpret_cast<std::uint64_t>(&same.handle);
    signal.points = reinterpret_cast<std::uint64_t>(&point);
    signal.count_handles = 1;
    return theirs.ioctl(DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL, signal) == 0 ? 0 : 3;
  });
  auto wait = wait_for_ever(object.handle, point);
  CHECK(client.ioctl(DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT, wait) == 0);
  CHECK(here[8191] == std::byte{42});
  CHECK(other.wait() == 0);
  ::close(exported.fd);
  ::close(fence.fd);
}

TEST_CASE("what a shared device refuses is refused with the driver's errno", "[emu][driver][shared]") {
  const shared_device device;
  test_client client(shared_device::open());
  std::uint32_t handle = 0;
  CHECK(client.create_bo(77, 4096, handle) == -EINVAL);
  CHECK(client.create_hwctx(4, handle) == -ENOENT);  // no heap
  CHECK(client.file().map(4096, 4096).error() == EINVAL);
  CHECK(client.file().ioctl(DRM_IOCTL_AMDXDNA_CREATE_BO, nullptr) == -EFAULT);
  amdxdna_drm_get_info null_buffer{};
  null_buffer.param = DRM_AMDXDNA_QUERY_AIE_METADATA;
  null_buffer.buffer_size = 64;
  CHECK(client.ioctl(DRM_IOCTL_AMDXDNA_GET_INFO, null_buffer) == -EFAULT);
  drm_prime_handle closed{.handle = 0, .flags = 0, .fd = -1};
  CHECK(client.ioctl(DRM_IOCTL_PRIME_FD_TO_HANDLE, closed) == -EBADF);
}

TEST_CASE("only the same user gets to a shared device", "[emu][driver][shared]") {
  if (::geteuid() != 0) return;  // another user is needed
  const shared_device device;
  {
    const test_client here(shared_device::open());
  }
  const auto as_somebody_else = [](const std::function<int()>& main) {
    return child([&] { return ::setresuid(65534, 65534, 65534) == 0 ? main() : 99; }).wait();
  };
  const auto open = [] { return shared::session::open("test", nullptr).error_or(0); };
  CHECK(as_somebody_else(open) == EACCES);
  // Even with every file open to all, the server looks at who calls.
  const auto folder = device.runtime.path / "npurt-emu";
  for (const auto& path : {device.runtime.path, folder}) fs::permissions(path, fs::perms::all);
  fs::permissions(folder / "test", fs::perms::all);
  const auto connect = [&] {
    const shared::descriptor socket(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::ranges::copy((folder / "test").string(), address.sun_path);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) return 1;
    if (!shared::send(socket.get(), {.kind = shared::request::open, .values = {shared::protocol}})) return 0;
    return shared::receive(socket.get()) ? 2 : 0;
  };
  CHECK(as_somebody_else(connect) == 0);
  CHECK(open() == EACCES);  // a directory that is not private is not trusted either
  fs::permissions(folder, fs::perms::owner_all);
  const test_client again(shared_device::open());
}

TEST_CASE("a server ends some time after the last program, or at SIGTERM, and leaves no file",
          "[emu][driver][shared]") {
  shared_device device({}, 500ms);
  const auto folder = device.runtime.path / "npurt-emu";
  {
    const test_client client(shared_device::open());
    std::this_thread::sleep_for(700ms);
    CHECK(fs::exists(folder / "test"));
  }
  CHECK(device.server.wait() == 0);
  CHECK(fs::is_empty(folder));

  child next([] { return shared::serve("test", {}, 10s); });
  const test_client client(shared_device::open());
  child second([] { return shared::serve("test", {}, 10s); });
  CHECK(second.wait() == 0);  // there is one
  ::kill(next.pid(), SIGTERM);
  CHECK(next.wait() == 0);
  CHECK(fs::is_empty(folder));
  amdxdna_drm_get_info gone{};
  CHECK(const_cast<test_client&>(client).ioctl(DRM_IOCTL_AMDXDNA_GET_INFO, gone) == -ENODEV);
}

TEST_CASE("a killed server's place is taken by the next", "[emu][driver][shared]") {
  shared_device device;
  {
    const test_client client(shared_device::open());
  }
  device.server.kill();
  const child next([] { return shared::serve("test", {}, 10s); });
  const test_client client(shared_device::open());
}

TEST_CASE("names of shared devices are names", "[emu][driver][shared]") {
  for (const char* name : {"", "a/b", "..", "a.b", "a b"}) CHECK_FALSE(shared::find_place(name).has_value());
  CHECK_FALSE(shared::find_place(std::string(49, 'a')).has_value());
}

TEST_CASE("a server survives whatever is sent to it", "[emu][driver][shared]") {
  const shared_device device;
  test_client client(shared_device::open());
  const auto where = shared::find_place("test").value();
  std::mt19937 random(1);
  const auto some = [&](std::uint32_t limit) { return static_cast<std::uint32_t>(random() % limit); };
  for (int i = 0; i < 60; ++i) {
    const auto socket = shared::connect_to(where).value();
    std::vector<std::uint32_t> noise(some(64));
    std::ranges::generate(noise, random);
    if (i % 2 == 0 && !noise.empty()) noise[0] = 0x75706e65;  // the messages' magic
    const auto bytes = std::as_bytes(std::span(noise));
    ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  // Well-formed messages with any ioctl and payload.
  const auto session = shared::session::open("test", nullptr).value();
  for (int i = 0; i < 400; ++i) {
    static constexpr std::array numbers{0x09u, 0x2du, 0x2eu, 0xbfu, 0xc0u, 0xc1u, 0xc2u, 0xcau, 0xcdu};
    const unsigned number = i % 2 == 0 ? numbers[some(numbers.size())] : 0x40 + some(11);
    const unsigned size = 4 * (1 + some(16));
    std::vector<std::byte> payload(i % 5 == 0 ? some(300) : size);
    for (auto& byte : payload) byte = some(3) == 0 ? std::byte{static_cast<unsigned char>(some(256))} : std::byte{0};
    const auto kind = static_cast<shared::request>(i % 7 == 0 ? some(8) : 4);
    if (kind == shared::request::mapped) continue;
    session->call({.kind = kind,
                   .values = {_IOC(_IOC_READ | _IOC_WRITE, 'd', number, size), some(1 << 20), some(1 << 20)},
                   .payload = std::move(payload)});
  }
  CHECK(client.info(client.bo(AMDXDNA_BO_SHARE, 4096)).map_offset != 0);
}
