// SPDX-License-Identifier: Apache-2.0
// Any sequence of ioctls, mmaps and packets on two open files of the device gives results or errnos. Pointers in
// arguments are the caller's business, so they always point to memory that is there.
#include <drm/amdxdna_accel.h>
#include <drm/drm.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "emu/driver/client.hpp"
#include "emu/driver/fake_npu.hpp"
#include "fuzz/input.hpp"

using namespace npurt;

namespace {

constexpr std::size_t page = 4096;
constexpr std::size_t most_steps = 64;
constexpr std::size_t most_mapped = 4 * page;

/// A command that reads and writes what its arguments name.
emu::command_result touch_arguments(const emu::npu_command& command, emu::device_memory& memory) {
  for (const auto address : command.arguments) {
    const std::uint64_t size = address >> 4 & 0xFFF;
    memory.translate(address, size, emu::memory_access::read);
    if (auto* const bytes = memory.translate(address, size, emu::memory_access::write)) std::memset(bytes, 1, size);
  }
  return {};
}

/// Memory that arguments point to. What lies behind is nobody's, as far as a fuzzed offset goes: a user pointer to
/// anything else that is mapped would be as good a buffer for a device.
class scratch_pages {
 public:
  scratch_pages() {
    constexpr std::size_t reserved = (std::size_t{1} << 32) + 2 * page;
    static void* const all = ::mmap(nullptr, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED || ::mprotect(all, size, PROT_READ | PROT_WRITE) != 0) std::abort();
    pages_ = static_cast<std::byte*>(all);
    std::memset(pages_, 0, size);
  }
  std::byte* fill(fuzz::input& in, std::size_t words) {
    const auto values = in.words(words);
    std::memset(pages_, 0, page);
    if (!values.empty()) std::memcpy(pages_, values.data(), values.size() * 4);
    return pages_;
  }
  std::uint64_t address() const { return reinterpret_cast<std::uint64_t>(pages_); }

 private:
  static constexpr std::size_t size = 2 * page;
  std::byte* pages_ = nullptr;
};

/// Two files of one device, and what must be undone when they are closed.
class session {
 public:
  explicit session(fuzz::input& in) : in_(in) {
    tests::fake_npu::instance().reset();
    const auto flags = in.u8();
    const auto device = std::make_shared<emu::driver::device>(emu::driver::options{
        .null_commands = (flags & 1) != 0, .strict = (flags & 4) != 0, .syncobj = (flags & 2) != 0});
    tests::on_execute(touch_arguments);
    for (auto& file : files_) file = std::make_unique<emu::driver::client>(device);
  }
  session(const session&) = delete;
  session& operator=(const session&) = delete;
  ~session() {
    for (auto& file : files_) file.reset();
    for (const auto& [address, size] : mapped_) ::munmap(address, size);
    for (const int fd : descriptors_) ::close(fd);
  }

  void step();

 private:
  emu::driver::client& file() { return *files_[in_.u8() % files_.size()]; }
  std::uint32_t handle() { return in_.u8() % 16u; }
  std::uint32_t small() { return in_.u8() % 24u; }
  /// Memory of a caller, sometimes null.
  std::uint64_t pointer(std::size_t words) {
    if (in_.u8() % 16 == 0) return 0;
    return reinterpret_cast<std::uint64_t>(scratch_.fill(in_, words));
  }

  template <class Args>
  int call(unsigned long request, Args& args) {
    const int result = file().ioctl(request, &args);
    fuzz::require(result <= 0, "an ioctl gives 0 or a negative errno");
    return result;
  }
  void create_bo();
  void create_user_bo();
  void sync_bo();
  void map();
  void write_packet();
  void prime();
  void configure();
  void execute();
  void wait();
  void query();
  void syncobj();
  void raw();

  fuzz::input& in_;
  std::array<std::unique_ptr<emu::driver::client>, 2> files_;
  std::vector<std::pair<void*, std::size_t>> mapped_;
  std::vector<int> descriptors_;
  scratch_pages scratch_;
};

void session::create_bo() {
  constexpr std::array<std::uint64_t, 10> sizes{0,     1,     64,      4096,     8192,
                                                32768, 32769, 1 << 20, 64 << 20, ~std::uint64_t{0}};
  amdxdna_drm_create_bo args{};
  args.flags = in_.u8() % 32 == 0 ? in_.u64() : 0;
  args.size = in_.u8() % 16 == 0 ? in_.u64() : in_.pick(sizes);
  args.type = in_.u8() % 6u;
  call(DRM_IOCTL_AMDXDNA_CREATE_BO, args);
}

void session::create_user_bo() {
  amdxdna_drm_va_tbl table{};
  table.dmabuf_fd = in_.u8() % 8 == 0 ? 0 : -1;
  table.num_entries = in_.u8() % 8 == 0 ? small() : 1;
  amdxdna_drm_va_entry entry{};
  entry.vaddr = scratch_.address() + (in_.u8() % 8 == 0 ? in_.u32() : 0);
  entry.len = in_.u8() % 4 == 0 ? in_.u64() : page * (1 + in_.u8() % 2u);
  std::array<std::byte, sizeof table + sizeof entry> user{};  // the table ends in an array of entries
  std::memcpy(user.data(), &table, sizeof table);
  std::memcpy(user.data() + sizeof table, &entry, sizeof entry);
  amdxdna_drm_create_bo args{};
  args.vaddr = reinterpret_cast<std::uint64_t>(user.data());
  args.type = AMDXDNA_BO_SHARE;
  call(DRM_IOCTL_AMDXDNA_CREATE_BO, args);
}

void session::sync_bo() {
  amdxdna_drm_sync_bo args{};
  args.handle = handle();
  args.direction = in_.u8() % 16 == 0 ? in_.u32() : in_.u8() % 2u;
  args.offset = in_.u8() % 8 == 0 ? in_.u64() : in_.u16() % most_mapped;
  args.size = in_.u8() % 8 == 0 ? in_.u64() : in_.u16() % most_mapped;
  call(DRM_IOCTL_AMDXDNA_SYNC_BO, args);
}

void session::map() {
  auto& where = file();
  amdxdna_drm_get_bo_info info{};
  info.handle = handle();
  if (where.ioctl(DRM_IOCTL_AMDXDNA_GET_BO_INFO, &info) != 0) return;
  const auto offset = info.map_offset + (in_.u8() % 8 == 0 ? in_.u32() : 0);
  const std::size_t length = in_.u8() % 16 == 0 ? in_.u64() : 1 + in_.u16() % most_mapped;
  const auto memory = where.map(offset, length);
  if (!memory || length > most_mapped) return;
  void* address =
      ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, memory->fd, static_cast<off_t>(memory->offset));
  fuzz::require(address != MAP_FAILED, "what the device offers to map can be mapped");
  where.mapped(offset, address, length);
  mapped_.emplace_back(address, length);
}

/// A packet in a mapped buffer: a header that is often right, then any words.
void session::write_packet() {
  if (mapped_.empty()) return;
  const auto& [address, size] = mapped_[in_.u8() % mapped_.size()];
  constexpr std::array<std::uint32_t, 6> headers{
      0x30010001, 0x00010001, 19u << 23 | 8u << 12 | 1, 20u << 23 | 8u << 12 | 1, 0x3001FC01, 0xFFFFFFFF};
  std::vector<std::uint32_t> words{in_.u8() % 4 == 0 ? in_.u32() : in_.pick(headers)};
  const auto count = in_.u8() % 24u;
  for (std::uint32_t i = 0; i < count; ++i)
    words.push_back(in_.u8() % 2 == 0 ? handle() : in_.u8() % 2 == 0 ? 0x04000000 + in_.u16() * 64u : in_.u32());
  std::memcpy(address, words.data(), std::min(words.size() * 4, size));
}

void session::prime() {
  drm_prime_handle args{};
  if (in_.u8() % 2 == 0) {
    args.handle = handle();
    args.flags = in_.u8() % 4 == 0 ? in_.u32() : static_cast<std::uint32_t>(DRM_CLOEXEC);
    if (call(DRM_IOCTL_PRIME_HANDLE_TO_FD, args) == 0) descriptors_.push_back(args.fd);
    return;
  }
  args.fd = descriptors_.empty() ? -1 : in_.pick(descriptors_);
  call(DRM_IOCTL_PRIME_FD_TO_HANDLE, args);
}

void session::configure() {
  switch (in_.u8() % 3) {
    case 0: {
      amdxdna_drm_create_hwctx args{};
      args.qos_p = pointer(8);
      args.num_tiles = in_.u8() % 8 == 0 ? in_.u32() : 4 * (in_.u8() % 6u);
      call(DRM_IOCTL_AMDXDNA_CREATE_HWCTX, args);
      break;
    }
    case 1: {
      amdxdna_drm_destroy_hwctx args{};
      args.handle = handle();
      call(DRM_IOCTL_AMDXDNA_DESTROY_HWCTX, args);
      break;
    }
    default: {
      amdxdna_drm_config_hwctx args{};
      args.handle = handle();
      args.param_type = in_.u8() % 8 == 0 ? in_.u32() : 0;
      args.param_val = pointer(16);
      args.param_val_size = in_.u8() % 8 == 0 ? in_.u32() % page : 8 * (1 + in_.u8() % 8u);
      call(DRM_IOCTL_AMDXDNA_CONFIG_HWCTX, args);
      break;
    }
  }
}

void session::execute() {
  amdxdna_drm_exec_cmd args{};
  args.hwctx = handle();
  args.type = in_.u8() % 16 == 0 ? in_.u32() : 0;
  args.cmd_handles = in_.u8() % 16 == 0 ? in_.u64() : handle();
  args.cmd_count = in_.u8() % 16 == 0 ? small() : 1;
  args.args = pointer(8);
  args.arg_count = args.args == 0 ? small() : in_.u16() % (page / 4);
  call(DRM_IOCTL_AMDXDNA_EXEC_CMD, args);
}

void session::wait() {
  amdxdna_drm_wait_cmd args{};
  args.hwctx = handle();
  args.timeout = 1;  // 0 waits for ever
  args.seq = in_.u8() % 8 == 0 ? in_.u64() : small();
  call(DRM_IOCTL_AMDXDNA_WAIT_CMD, args);
}

void session::query() {
  amdxdna_drm_get_info info{};
  info.param = in_.u8() % 12u;
  info.buffer = pointer(4);
  info.buffer_size = in_.u16() % page;
  call(DRM_IOCTL_AMDXDNA_GET_INFO, info);
  amdxdna_drm_get_array array{};
  array.param = in_.u8() % 6u;
  array.element_size = in_.u8();
  array.num_element = in_.u8() % 16u;
  array.buffer = pointer(4);
  call(DRM_IOCTL_AMDXDNA_GET_ARRAY, array);
  amdxdna_drm_set_state state{};
  state.param = in_.u8() % 4u;
  state.buffer = pointer(4);
  state.buffer_size = in_.u8();
  call(DRM_IOCTL_AMDXDNA_SET_STATE, state);
}

void session::syncobj() {
  switch (in_.u8() % 6) {
    case 0: {
      drm_syncobj_create args{};
      args.flags = in_.u8() % 4u;
      call(DRM_IOCTL_SYNCOBJ_CREATE, args);
      break;
    }
    case 1: {
      drm_syncobj_destroy args{};
      args.handle = handle();
      call(DRM_IOCTL_SYNCOBJ_DESTROY, args);
      break;
    }
    case 2: {
      drm_syncobj_handle args{};
      args.handle = handle();
      if (call(DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, args) == 0) descriptors_.push_back(args.fd);
      break;
    }
    case 3: {
      drm_syncobj_handle args{};
      args.fd = descriptors_.empty() ? -1 : in_.pick(descriptors_);
      call(DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, args);
      break;
    }
    case 4: {
      drm_syncobj_timeline_wait args{};
      args.handles = pointer(16);
      args.points = in_.u8() % 8 == 0 ? 0 : scratch_.address() + 32;
      args.timeout_nsec = in_.u8() % 4;  // the past
      args.count_handles = in_.u8() % 8 == 0 ? 255 : small();
      args.flags = in_.u8() % 16u;
      call(DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT, args);
      break;
    }
    default: {
      drm_syncobj_timeline_array args{};
      args.handles = pointer(16);
      args.points = in_.u8() % 8 == 0 ? 0 : scratch_.address() + 32;
      args.count_handles = small();
      args.flags = in_.u8() % 8 == 0 ? in_.u32() : 0;
      call(DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL, args);
      break;
    }
  }
}

/// Any ioctl number and structure size, without pointers: those of a caller of another version.
void session::raw() {
  std::array<std::uint64_t, 32> argument{};
  argument[0] = handle();
  const auto size = in_.u8() % sizeof argument;
  const auto request = _IOC(_IOC_READ | _IOC_WRITE, in_.u8() % 16 == 0 ? in_.u8() : DRM_IOCTL_BASE, in_.u8(), size);
  fuzz::require(file().ioctl(request, in_.u8() % 16 == 0 ? nullptr : argument.data()) <= 0,
                "an ioctl gives 0 or a negative errno");
}

void session::step() {
  switch (in_.u8() % 12) {
    case 0:
      create_bo();
      break;
    case 1:
      create_user_bo();
      break;
    case 2:
      map();
      break;
    case 3:
      if (in_.u8() % 2 == 0) {
        map();
      } else {
        sync_bo();
      }
      break;
    case 4:
      write_packet();
      break;
    case 5:
      prime();
      break;
    case 6:
      configure();
      break;
    case 7:
      execute();
      break;
    case 8:
      wait();
      break;
    case 9:
      query();
      break;
    case 10:
      syncobj();
      break;
    default: {
      drm_gem_close args{};
      args.handle = handle();
      if (in_.u8() % 2 == 0) {
        call(DRM_IOCTL_GEM_CLOSE, args);
      } else {
        raw();
      }
      break;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in(data, size);
  session files(in);
  for (std::size_t step = 0; step < most_steps && !in.empty(); ++step) files.step();
  return 0;
}
