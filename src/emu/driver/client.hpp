// SPDX-License-Identifier: Apache-2.0
// One open file of the device: its handles, and the ioctls on them.
#pragma once

#include <drm/amdxdna_accel.h>
#include <drm/drm.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "emu/driver/buffer_object.hpp"
#include "emu/driver/device.hpp"
#include "emu/driver/heap.hpp"
#include "emu/driver/hwctx.hpp"
#include "emu/shim/device_model.hpp"

namespace npurt::emu::driver {

// Handlers get a copy of the ioctl's structure, extended by zeros when the caller's is shorter, and return 0 or a
// negative errno. Pointers in it are the caller's, in this very address space: null is EFAULT, a wild one faults here.
// To how much each points, shared/ioctl_message.cpp knows, too: it copies that for a caller of another process.
class client : public shim::device_file {
 public:
  /// @param pid  the process that the file is of
  explicit client(std::shared_ptr<device> device, std::int64_t pid = ::getpid());
  ~client() override;

  int ioctl(unsigned long request, void* argument) override;
  std::expected<shim::mapping, int> map(std::uint64_t offset, std::size_t length) override;
  void mapped(std::uint64_t offset, void* address, std::size_t length) override;

  /// True for an ioctl that has a handler; stderr says so if not.
  static bool emulates(unsigned long request);

  /// Stops all contexts and ends calls that wait, for a caller that is gone.
  void interrupt();

 private:
  friend struct ioctl_table;

  // bo_ioctls.cpp
  int create_bo(amdxdna_drm_create_bo& args);
  int get_bo_info(amdxdna_drm_get_bo_info& args);
  int sync_bo(amdxdna_drm_sync_bo& args);
  int gem_close(drm_gem_close& args);
  int prime_handle_to_fd(drm_prime_handle& args);
  int prime_fd_to_handle(drm_prime_handle& args);

  // hwctx_ioctls.cpp
  int create_hwctx(amdxdna_drm_create_hwctx& args);
  int destroy_hwctx(amdxdna_drm_destroy_hwctx& args);
  int config_hwctx(amdxdna_drm_config_hwctx& args);

  // cmd_ioctls.cpp
  int exec_cmd(amdxdna_drm_exec_cmd& args);
  int wait_cmd(amdxdna_drm_wait_cmd& args);

  // info_ioctls.cpp
  int get_info(amdxdna_drm_get_info& args);
  int set_state(amdxdna_drm_set_state& args);
  int get_array(amdxdna_drm_get_array& args);

  // syncobj_ioctls.cpp
  int syncobj_create(drm_syncobj_create& args);
  int syncobj_destroy(drm_syncobj_destroy& args);
  int syncobj_handle_to_fd(drm_syncobj_handle& args);
  int syncobj_fd_to_handle(drm_syncobj_handle& args);
  int syncobj_timeline_wait(drm_syncobj_timeline_wait& args);
  int syncobj_timeline_signal(drm_syncobj_timeline_array& args);

  std::shared_ptr<buffer_object> find_bo(std::uint32_t handle);
  std::shared_ptr<hwctx> find_hwctx(std::uint32_t handle);

  /// The mappable buffer object that holds [offset, offset + length) of the device file.
  std::shared_ptr<buffer_object> find_mapping(std::uint64_t offset, std::size_t length);

  std::shared_ptr<buffer_object> make_mappable(std::uint32_t type, std::shared_ptr<memory> contents);
  void check_syncs(buffer_object& bo);
  std::uint32_t add_bo(std::shared_ptr<buffer_object> bo);
  std::expected<std::shared_ptr<memory>, int> allocate(std::uint64_t size);
  std::expected<std::shared_ptr<buffer_object>, int> make_shared(const amdxdna_drm_create_bo& args);
  std::expected<std::shared_ptr<buffer_object>, int> make_user(std::uint64_t table);
  std::expected<std::shared_ptr<buffer_object>, int> make_heap(const amdxdna_drm_create_bo& args);
  std::expected<std::shared_ptr<buffer_object>, int> make_dev(const amdxdna_drm_create_bo& args);
  void release(const std::shared_ptr<buffer_object>& bo);
  std::shared_ptr<void> hold(std::span<const std::uint32_t> handles);
  void release_arguments(std::span<const std::shared_ptr<buffer_object>> held);

  std::expected<std::vector<std::vector<std::byte>>, int> read_pdis(const amdxdna_drm_config_hwctx& args);
  std::expected<job, int> read_job(std::uint32_t handle);
  std::expected<std::vector<timelines::point>, int> read_points(std::uint64_t handles, std::uint64_t points,
                                                                std::uint32_t count);
  std::uint32_t add_syncobj(std::shared_ptr<syncobj> object);

  /// A context's share of the heap, and the context.
  struct context_entry {
    std::shared_ptr<hwctx> context;
    std::vector<std::uint64_t> command_slots;
  };

  bool device_is_gone() const { return device_->on_demand().losses() != losses_; }

  const std::shared_ptr<device> device_;
  const std::int64_t pid_;
  const std::uint64_t losses_ = device_->on_demand().losses();
  const std::shared_ptr<address_space> space_;

  std::atomic<bool> interrupted_ = false;

  std::mutex mutex_;  // for what follows; never held while waiting
  heap heap_;
  std::uint64_t heap_user_address_ = 0;
  std::unordered_map<std::uint32_t, std::shared_ptr<buffer_object>> bos_;
  std::map<std::uint64_t, std::shared_ptr<buffer_object>> offsets_;
  std::unordered_map<std::uint32_t, context_entry> contexts_;
  std::unordered_map<std::uint32_t, std::shared_ptr<syncobj>> syncobjs_;
  std::uint64_t next_offset_ = std::uint64_t{1} << 32;
  std::uint32_t next_bo_ = 1;
  std::uint32_t next_context_ = 1;
  std::uint32_t next_syncobj_ = 1;
};

}  // namespace npurt::emu::driver
