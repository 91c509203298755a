// SPDX-License-Identifier: Apache-2.0
// A client of the emulated device whose ioctls are called directly, and packets as XRT builds them.
#pragma once

#include <drm/amdxdna_accel.h>
#include <drm/drm.h>
#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "emu/driver/client.hpp"
#include "fake_npu.hpp"

namespace npurt::tests {

using emu::driver::client;
using emu::driver::device;
using emu::driver::options;

inline std::shared_ptr<device> make_device(options settings = {}) {
  fake_npu::instance().reset();
  return std::make_shared<device>(settings);
}

inline constexpr std::uint64_t heap_size = 64 << 20;

// States of a packet (XRT ert.h).
inline constexpr std::uint32_t submitted = 1, completed = 4, error = 5, aborted = 6, timed_out = 8;

/// Calls with expectations on their errno are made by `ioctl`; the named ones return what a test goes on with.
class test_client {
 public:
  explicit test_client(std::shared_ptr<device> device) : file_(std::make_unique<client>(std::move(device))) {}
  explicit test_client(std::unique_ptr<emu::shim::device_file> file) : file_(std::move(file)) {}

  template <class Args>
  int ioctl(unsigned long request, Args& args) {
    return file_->ioctl(request, &args);
  }

  emu::shim::device_file& file() { return *file_; }

  int create_bo(std::uint32_t type, std::uint64_t size, std::uint32_t& handle) {
    amdxdna_drm_create_bo args{.flags = 0, .vaddr = 0, .size = size, .type = type, .handle = 0};
    const int result = ioctl(DRM_IOCTL_AMDXDNA_CREATE_BO, args);
    handle = args.handle;
    return result;
  }

  std::uint32_t bo(std::uint32_t type, std::uint64_t size) {
    std::uint32_t handle = 0;
    const int result = create_bo(type, size, handle);
    return result == 0 ? handle : throw std::runtime_error("CREATE_BO " + std::to_string(result));
  }

  amdxdna_drm_get_bo_info info(std::uint32_t handle) {
    amdxdna_drm_get_bo_info args{};
    args.handle = handle;
    if (const int result = ioctl(DRM_IOCTL_AMDXDNA_GET_BO_INFO, args); result != 0)
      throw std::runtime_error("GET_BO_INFO " + std::to_string(result));
    return args;
  }

  /// Maps as the interposer does, in place of what is at `at` if that is given; mappings last until the process ends.
  std::byte* map(std::uint32_t handle, std::size_t size, std::byte* at = nullptr) {
    const auto offset = info(handle).map_offset;
    const auto memory = file_->map(offset, size);
    if (!memory) throw std::runtime_error("map " + std::to_string(memory.error()));
    const int flags = MAP_SHARED | (at != nullptr ? MAP_FIXED : 0);
    void* address = ::mmap(at, size, PROT_READ | PROT_WRITE, flags, memory->fd, static_cast<off_t>(memory->offset));
    if (address == MAP_FAILED) throw std::runtime_error("mmap " + std::to_string(errno));
    file_->mapped(offset, address, size);
    return static_cast<std::byte*>(address);
  }

  int close(std::uint32_t handle) {
    drm_gem_close args{.handle = handle, .pad = 0};
    return ioctl(DRM_IOCTL_GEM_CLOSE, args);
  }

  int create_hwctx(std::uint32_t tiles, std::uint32_t& handle) {
    amdxdna_qos_info qos{};
    amdxdna_drm_create_hwctx args{};
    args.qos_p = reinterpret_cast<std::uint64_t>(&qos);
    args.max_opc = 2048;
    args.num_tiles = tiles;
    const int result = ioctl(DRM_IOCTL_AMDXDNA_CREATE_HWCTX, args);
    handle = args.handle;
    syncobj = args.syncobj_handle;
    return result;
  }

  int destroy_hwctx(std::uint32_t handle) {
    amdxdna_drm_destroy_hwctx args{.handle = handle, .pad = 0};
    return ioctl(DRM_IOCTL_AMDXDNA_DESTROY_HWCTX, args);
  }

  int config_cu(std::uint32_t hwctx, const std::vector<std::uint32_t>& pdis) {
    std::vector<std::uint64_t> value(1 + pdis.size());
    value[0] = pdis.size();
    for (std::size_t i = 0; i < pdis.size(); ++i) value[1 + i] = pdis[i];
    amdxdna_drm_config_hwctx args{.handle = hwctx,
                                  .param_type = DRM_AMDXDNA_HWCTX_CONFIG_CU,
                                  .param_val = reinterpret_cast<std::uint64_t>(value.data()),
                                  .param_val_size = static_cast<std::uint32_t>(value.size() * 8),
                                  .pad = 0};
    return ioctl(DRM_IOCTL_AMDXDNA_CONFIG_HWCTX, args);
  }

  int exec(std::uint32_t hwctx, std::uint32_t command, std::uint64_t& seq, std::vector<std::uint32_t> arguments = {}) {
    amdxdna_drm_exec_cmd args{};
    args.hwctx = hwctx;
    args.cmd_handles = command;
    args.cmd_count = 1;
    args.args = reinterpret_cast<std::uint64_t>(arguments.data());
    args.arg_count = static_cast<std::uint32_t>(arguments.size());
    const int result = ioctl(DRM_IOCTL_AMDXDNA_EXEC_CMD, args);
    seq = args.seq;
    return result;
  }

  int wait(std::uint32_t hwctx, std::uint64_t seq, std::uint32_t timeout_ms = 10000) {
    amdxdna_drm_wait_cmd args{.hwctx = hwctx, .timeout = timeout_ms, .seq = seq};
    return ioctl(DRM_IOCTL_AMDXDNA_WAIT_CMD, args);
  }

  std::uint32_t syncobj = 0;  ///< of the context created last

 private:
  std::unique_ptr<emu::shim::device_file> file_;
};

/// A context with one compute unit, an instruction buffer, and command packets for it.
struct running_context {
  explicit running_context(test_client& owner) : client(owner) {
    client.bo(AMDXDNA_BO_DEV_HEAP, heap_size);
    if (client.create_hwctx(16, hwctx) != 0 || client.config_cu(hwctx, {client.bo(AMDXDNA_BO_DEV, 64)}) != 0)
      throw std::runtime_error("no context");
    code = client.bo(AMDXDNA_BO_DEV, 4096);
    code_address = client.info(code).xdna_addr;
  }

  struct packet {
    std::uint32_t handle = 0;
    volatile std::uint32_t* words = nullptr;
    std::uint32_t state() const { return words[0] & 0xf; }
  };

  packet make_packet(std::span<const std::uint32_t> words) {
    packet made;
    made.handle = client.bo(AMDXDNA_BO_CMD, 4096);
    auto* memory = client.map(made.handle, 4096);
    std::memcpy(memory, words.data(), words.size_bytes());
    made.words = reinterpret_cast<volatile std::uint32_t*>(memory);
    return made;
  }

  /// The register map that XRT writes for a kernel of opcode 3 with five buffers (header 0x30010001).
  packet kernel_packet(std::uint64_t bo0 = 0) {
    const std::vector<std::uint32_t> words{0x30010001,
                                           1,
                                           3,
                                           0,
                                           static_cast<std::uint32_t>(code_address),
                                           0,
                                           16,
                                           static_cast<std::uint32_t>(bo0),
                                           static_cast<std::uint32_t>(bo0 >> 32),
                                           0,
                                           0,
                                           0,
                                           0,
                                           0,
                                           0,
                                           0,
                                           0};
    return make_packet(words);
  }

  /// A runlist (opcode 19, no CU mask): command_count, submit_index, error_index, 3 reserved words, handles.
  packet chain_packet(const std::vector<packet>& parts) {
    const auto count = static_cast<std::uint32_t>(6 + 2 * parts.size());
    const auto commands = static_cast<std::uint32_t>(parts.size());
    std::vector<std::uint32_t> words{19u << 23 | count << 12 | 1, commands, 0, 0, 0, 0, 0};
    for (const auto& part : parts) {
      words.push_back(part.handle);
      words.push_back(0);
    }
    return make_packet(words);
  }

  test_client& client;
  std::uint32_t hwctx = 0;
  std::uint32_t code = 0;
  std::uint64_t code_address = 0;
};

/// The state that a command ends in.
inline std::uint32_t state_after(test_client& client, running_context& context, const running_context::packet& packet) {
  std::uint64_t seq = 0;
  REQUIRE(client.exec(context.hwctx, packet.handle, seq) == 0);
  REQUIRE(client.wait(context.hwctx, seq) == 0);
  return packet.state();
}

/// Of a point of a timeline; both must outlive the call.
inline drm_syncobj_timeline_wait timeline_wait(const std::uint32_t& handle, const std::uint64_t& point,
                                               std::int64_t deadline, std::uint32_t flags) {
  drm_syncobj_timeline_wait args{};
  args.handles = reinterpret_cast<std::uint64_t>(&handle);
  args.points = reinterpret_cast<std::uint64_t>(&point);
  args.count_handles = 1;
  args.timeout_nsec = deadline;
  args.flags = flags;
  return args;
}

}  // namespace npurt::tests
