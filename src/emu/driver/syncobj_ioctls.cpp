// SPDX-License-Identifier: Apache-2.0
// DRM syncobj ioctls, as in drm_syncobj.c.
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <limits>
#include <utility>

#include "emu/driver/client.hpp"

namespace npurt::emu::driver {
namespace {

constexpr std::uint32_t max_points = 1024;  // per call; XRT waits for one

/// The kernel's deadlines are nanoseconds of CLOCK_MONOTONIC, which is libstdc++'s steady clock.
timelines::deadline deadline_of(std::int64_t nanoseconds) {
  if (nanoseconds == std::numeric_limits<std::int64_t>::max()) return std::nullopt;
  return std::chrono::steady_clock::time_point(std::chrono::nanoseconds(nanoseconds));
}

std::expected<std::uint64_t, int> inode_of(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return std::unexpected(errno);
  return status.st_ino;
}

}  // namespace

std::uint32_t client::add_syncobj(std::shared_ptr<syncobj> object) {
  const std::lock_guard lock(mutex_);
  const auto handle = next_syncobj_++;
  syncobjs_.emplace(handle, std::move(object));
  return handle;
}

int client::syncobj_create(drm_syncobj_create& args) {
  if ((args.flags & ~static_cast<__u32>(DRM_SYNCOBJ_CREATE_SIGNALED)) != 0) return -EINVAL;
  auto object = std::make_shared<syncobj>();
  if (args.flags != 0) object->submitted = object->signalled = 1;
  args.handle = add_syncobj(std::move(object));
  return 0;
}

int client::syncobj_destroy(drm_syncobj_destroy& args) {
  const std::lock_guard lock(mutex_);
  return args.pad == 0 && syncobjs_.erase(args.handle) == 1 ? 0 : -EINVAL;
}

int client::syncobj_handle_to_fd(drm_syncobj_handle& args) {
  if (args.flags != 0 || args.pad != 0) return -EINVAL;
  std::shared_ptr<syncobj> object;
  {
    const std::lock_guard lock(mutex_);
    const auto found = syncobjs_.find(args.handle);
    if (found == syncobjs_.end()) return -EINVAL;
    object = found->second;
  }
  args.fd = ::memfd_create("npurt-emu:syncobj", MFD_CLOEXEC);
  if (args.fd < 0) return -errno;
  const auto inode = inode_of(args.fd);
  if (!inode) return -inode.error();
  device_->export_syncobj(*inode, std::move(object));
  return 0;
}

int client::syncobj_fd_to_handle(drm_syncobj_handle& args) {
  if (args.flags != 0 || args.pad != 0) return -EINVAL;
  const auto inode = inode_of(args.fd);
  auto object = inode ? device_->import_syncobj(*inode) : nullptr;
  if (!object) return -EINVAL;
  args.handle = add_syncobj(std::move(object));
  return 0;
}

std::expected<std::vector<timelines::point>, int> client::read_points(std::uint64_t handles, std::uint64_t points,
                                                                      std::uint32_t count) {
  if (count == 0 || count > max_points) return std::unexpected(EINVAL);
  if (handles == 0 || points == 0) return std::unexpected(EFAULT);
  const std::span all_handles(reinterpret_cast<const std::uint32_t*>(handles), count);
  const std::span all_points(reinterpret_cast<const std::uint64_t*>(points), count);
  std::vector<timelines::point> result;
  const std::lock_guard lock(mutex_);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto found = syncobjs_.find(all_handles[i]);
    if (found == syncobjs_.end()) return std::unexpected(ENOENT);
    result.push_back({found->second, all_points[i]});
  }
  return result;
}

int client::syncobj_timeline_wait(drm_syncobj_timeline_wait& args) {
  constexpr std::uint32_t known =
      DRM_SYNCOBJ_WAIT_FLAGS_WAIT_ALL | DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT | DRM_SYNCOBJ_WAIT_FLAGS_WAIT_AVAILABLE;
  if ((args.flags & ~known) != 0) return -EINVAL;
  const auto points = read_points(args.handles, args.points, args.count_handles);
  if (!points) return -points.error();
  const timelines::wait_mode mode{.all = (args.flags & DRM_SYNCOBJ_WAIT_FLAGS_WAIT_ALL) != 0,
                                  .for_submit = (args.flags & DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT) != 0,
                                  .available = (args.flags & DRM_SYNCOBJ_WAIT_FLAGS_WAIT_AVAILABLE) != 0};
  return -device_->fences().wait(*points, mode, deadline_of(args.timeout_nsec), interrupted_, args.first_signaled);
}

int client::syncobj_timeline_signal(drm_syncobj_timeline_array& args) {
  if (args.flags != 0) return -EINVAL;
  const auto points = read_points(args.handles, args.points, args.count_handles);
  if (!points) return -points.error();
  for (const auto& point : *points) device_->fences().signal(point);
  return 0;
}

}  // namespace npurt::emu::driver
