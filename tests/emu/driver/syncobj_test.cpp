// SPDX-License-Identifier: Apache-2.0
// Syncobjs: of contexts, of programs, and across descriptors.
#include <catch2/catch_test_macros.hpp>

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <limits>
#include <thread>

#include "driver_fixture.hpp"

using namespace npurt::tests;

namespace {

constexpr std::int64_t forever = std::numeric_limits<std::int64_t>::max();

int wait(test_client& client, std::uint32_t handle, std::uint64_t point, std::int64_t deadline, std::uint32_t flags) {
  auto args = timeline_wait(handle, point, deadline, flags);
  return client.ioctl(DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT, args);
}

int signal(test_client& client, std::uint32_t handle, std::uint64_t point) {
  drm_syncobj_timeline_array args{.handles = reinterpret_cast<std::uint64_t>(&handle),
                                  .points = reinterpret_cast<std::uint64_t>(&point),
                                  .count_handles = 1,
                                  .flags = 0};
  return client.ioctl(DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL, args);
}

std::uint32_t create(test_client& client) {
  drm_syncobj_create args{};
  return client.ioctl(DRM_IOCTL_SYNCOBJ_CREATE, args) == 0 ? args.handle : 0;
}

}  // namespace

TEST_CASE("a context with a syncobj signals the command's number on it", "[emu][driver][syncobj]") {
  test_client client(make_device({.syncobj = true}));
  running_context context(client);
  REQUIRE(client.syncobj != AMDXDNA_INVALID_FENCE_HANDLE);
  const auto packet = context.kernel_packet();
  for (std::uint64_t i = 0; i < 3; ++i) {
    std::uint64_t seq = 99;
    REQUIRE(client.exec(context.hwctx, packet.handle, seq) == 0);
    REQUIRE(seq == i);
    CHECK(wait(client, client.syncobj, seq, forever, DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT) == 0);
    CHECK(packet.state() == 4);
  }
  CHECK(wait(client, client.syncobj, 3, 0, DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT) == -ETIME);
  CHECK(wait(client, client.syncobj, 3, forever, 0) == -EINVAL);
}

TEST_CASE("a waiter wakes up when the point is signalled", "[emu][driver][syncobj]") {
  test_client client(make_device());
  const auto handle = create(client);
  int result = 1;
  std::thread waiter([&] { result = wait(client, handle, 5, forever, DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT); });
  CHECK(signal(client, handle, 4) == 0);
  CHECK(signal(client, handle, 5) == 0);
  waiter.join();
  CHECK(result == 0);
}

TEST_CASE("an imported syncobj is another handle of the same object", "[emu][driver][syncobj]") {
  const auto device = make_device();
  test_client exporter(device), importer(device);
  const auto handle = create(exporter);
  drm_syncobj_handle args{};
  args.handle = handle;
  REQUIRE(exporter.ioctl(DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, args) == 0);
  REQUIRE(importer.ioctl(DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, args) == 0);
  ::close(args.fd);
  CHECK(signal(exporter, handle, 1) == 0);
  CHECK(wait(importer, args.handle, 1, 0, 0) == 0);
}

TEST_CASE("unknown syncobjs and descriptors are refused", "[emu][driver][syncobj]") {
  test_client client(make_device());
  CHECK(signal(client, 7, 1) == -ENOENT);
  CHECK(wait(client, 7, 1, 0, 0) == -ENOENT);
  drm_syncobj_destroy destroy{.handle = 7, .pad = 0};
  CHECK(client.ioctl(DRM_IOCTL_SYNCOBJ_DESTROY, destroy) == -EINVAL);
  drm_syncobj_handle args{};
  args.fd = STDIN_FILENO;
  CHECK(client.ioctl(DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, args) == -EINVAL);
  args.handle = 7;
  CHECK(client.ioctl(DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, args) == -EINVAL);
}
