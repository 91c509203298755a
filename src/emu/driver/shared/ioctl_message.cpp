// SPDX-License-Identifier: Apache-2.0
// Which fields of the ioctls' structures are pointers, and to how much.
#include "emu/driver/shared/ioctl_message.hpp"

#include <drm/amdxdna_accel.h>
#include <drm/drm.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "emu/driver/shared/message.hpp"

namespace npurt::emu::driver::shared {
namespace {

struct pointer {
  std::size_t field = 0;   ///< offset of the pointer in the structure
  std::uint64_t size = 0;  ///< bytes that it points to
};
using pointers = std::vector<pointer>;

/// As the driver reads a structure: what a shorter one lacks is zero.
template <class Args>
Args read_as(std::span<const std::byte> structure) {
  Args args{};
  std::memcpy(&args, structure.data(), std::min(structure.size(), sizeof(args)));
  return args;
}

pointers pointers_of(unsigned long request, std::span<const std::byte> structure) {
  switch (_IOC_NR(request)) {
    case _IOC_NR(DRM_IOCTL_AMDXDNA_CREATE_BO):
      // Of one range of the caller's memory. For other types the driver asks at most whether there is a table.
      if (read_as<amdxdna_drm_create_bo>(structure).type != AMDXDNA_BO_SHARE) return {};
      return {{offsetof(amdxdna_drm_create_bo, vaddr), sizeof(amdxdna_drm_va_tbl) + sizeof(amdxdna_drm_va_entry)}};
    case _IOC_NR(DRM_IOCTL_AMDXDNA_CREATE_HWCTX):
      return {{offsetof(amdxdna_drm_create_hwctx, qos_p), sizeof(amdxdna_qos_info)}};
    case _IOC_NR(DRM_IOCTL_AMDXDNA_CONFIG_HWCTX): {
      const auto args = read_as<amdxdna_drm_config_hwctx>(structure);
      // Other parameters are values: handles of debug buffers.
      if (args.param_type != DRM_AMDXDNA_HWCTX_CONFIG_CU) return {};
      return {{offsetof(amdxdna_drm_config_hwctx, param_val), args.param_val_size}};
    }
    case _IOC_NR(DRM_IOCTL_AMDXDNA_EXEC_CMD): {
      const auto args = read_as<amdxdna_drm_exec_cmd>(structure);
      return {{offsetof(amdxdna_drm_exec_cmd, args), args.arg_count * std::uint64_t{sizeof(std::uint32_t)}}};
    }
    case _IOC_NR(DRM_IOCTL_AMDXDNA_GET_INFO):
    case _IOC_NR(DRM_IOCTL_AMDXDNA_SET_STATE): {
      const auto args = read_as<amdxdna_drm_get_info>(structure);
      static_assert(offsetof(amdxdna_drm_get_info, buffer) == offsetof(amdxdna_drm_set_state, buffer));
      return {{offsetof(amdxdna_drm_get_info, buffer), args.buffer_size}};
    }
    case _IOC_NR(DRM_IOCTL_AMDXDNA_GET_ARRAY): {
      const auto args = read_as<amdxdna_drm_get_array>(structure);
      return {{offsetof(amdxdna_drm_get_array, buffer), std::uint64_t{args.element_size} * args.num_element}};
    }
    case _IOC_NR(DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT): {
      const auto args = read_as<drm_syncobj_timeline_wait>(structure);
      return {{offsetof(drm_syncobj_timeline_wait, handles), args.count_handles * std::uint64_t{sizeof(std::uint32_t)}},
              {offsetof(drm_syncobj_timeline_wait, points), args.count_handles * std::uint64_t{sizeof(std::uint64_t)}}};
    }
    case _IOC_NR(DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL): {
      const auto args = read_as<drm_syncobj_timeline_array>(structure);
      return {
          {offsetof(drm_syncobj_timeline_array, handles), args.count_handles * std::uint64_t{sizeof(std::uint32_t)}},
          {offsetof(drm_syncobj_timeline_array, points), args.count_handles * std::uint64_t{sizeof(std::uint64_t)}}};
    }
    default:
      return {};
  }
}

constexpr std::uint64_t padded(std::uint64_t size) { return (size + 7) & ~std::uint64_t{7}; }

std::uint64_t get_pointer(std::span<const std::byte> structure, std::size_t field) {
  std::uint64_t value = 0;
  if (field + sizeof(value) <= structure.size()) std::memcpy(&value, structure.data() + field, sizeof(value));
  return value;
}

/// Calls `visit(pointer, offset of its bytes in the message)` for all that are not null.
/// @return the size of the message; more than max_size if it has no room
template <class Visit>
std::uint64_t for_each_pointer(unsigned long request, std::span<const std::byte> structure, Visit&& visit) {
  std::uint64_t size = padded(structure.size());
  for (const pointer& p : pointers_of(request, structure)) {
    if (get_pointer(structure, p.field) == 0) continue;
    if (p.size > max_size - size) return max_size + 1;
    visit(p, size);
    size += padded(p.size);
  }
  return size;
}

std::size_t descriptor_field(unsigned long request) {
  switch (_IOC_NR(request)) {
    case _IOC_NR(DRM_IOCTL_PRIME_HANDLE_TO_FD):
    case _IOC_NR(DRM_IOCTL_PRIME_FD_TO_HANDLE):
      return offsetof(drm_prime_handle, fd);
    default:
      return offsetof(drm_syncobj_handle, fd);
  }
}

template <class Args>
Args argument_as(unsigned long request, const void* argument) {
  return read_as<Args>({static_cast<const std::byte*>(argument), _IOC_SIZE(request)});
}

}  // namespace

std::expected<std::vector<std::byte>, int> pack_ioctl(unsigned long request, const void* argument) {
  const std::span structure(static_cast<const std::byte*>(argument), _IOC_SIZE(request));
  const auto size = for_each_pointer(request, structure, [](const pointer&, std::uint64_t) {});
  if (size > max_size) return std::unexpected(EINVAL);
  std::vector<std::byte> packed(size);
  std::ranges::copy(structure, packed.begin());
  for_each_pointer(request, structure, [&](const pointer& p, std::uint64_t offset) {
    std::memcpy(packed.data() + offset, reinterpret_cast<const void*>(get_pointer(structure, p.field)), p.size);
  });
  return packed;
}

std::expected<void*, int> resolve_ioctl(unsigned long request, std::span<std::byte> packed) {
  const std::size_t structure_size = _IOC_SIZE(request);
  if (packed.size() < padded(structure_size)) return std::unexpected(EINVAL);
  // Bytes are looked at only if the message has all that its structure asks for.
  const std::vector<std::byte> structure(packed.begin(), packed.begin() + static_cast<std::ptrdiff_t>(structure_size));
  // Half a pointer would be the client's own: the driver takes what is missing from what follows.
  const auto is_cut = [&](const pointer& p) {
    return p.field < structure_size && structure_size < p.field + sizeof(std::uint64_t);
  };
  if (std::ranges::any_of(pointers_of(request, structure), is_cut)) return std::unexpected(EINVAL);
  const auto size = for_each_pointer(request, structure, [](const pointer&, std::uint64_t) {});
  if (size != packed.size()) return std::unexpected(EINVAL);
  for_each_pointer(request, structure, [&](const pointer& p, std::uint64_t offset) {
    // Of an empty buffer, too, the driver may ask whether it is null only.
    const auto here = reinterpret_cast<std::uint64_t>(packed.data() + offset);
    std::memcpy(packed.data() + p.field, &here, sizeof(here));
  });
  return packed.data();
}

void unpack_ioctl(unsigned long request, std::span<const std::byte> packed, void* argument) {
  const std::span target(static_cast<std::byte*>(argument), _IOC_SIZE(request));
  const std::vector<std::byte> before(target.begin(), target.end());
  const auto size = for_each_pointer(request, before, [](const pointer&, std::uint64_t) {});
  if (size != packed.size()) return;
  std::ranges::copy(packed.first(target.size()), target.begin());
  for_each_pointer(request, before, [&](const pointer& p, std::uint64_t offset) {
    const auto address = get_pointer(before, p.field);
    std::memcpy(target.data() + p.field, &address, sizeof(address));
    if (_IOC_NR(request) == _IOC_NR(DRM_IOCTL_AMDXDNA_GET_INFO) ||
        _IOC_NR(request) == _IOC_NR(DRM_IOCTL_AMDXDNA_GET_ARRAY))
      std::memcpy(reinterpret_cast<void*>(address), packed.data() + offset, p.size);
  });
}

descriptor_use descriptor_of(unsigned long request) {
  switch (_IOC_NR(request)) {
    case _IOC_NR(DRM_IOCTL_PRIME_HANDLE_TO_FD):
    case _IOC_NR(DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD):
      return descriptor_use::returned;
    case _IOC_NR(DRM_IOCTL_PRIME_FD_TO_HANDLE):
    case _IOC_NR(DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE):
      return descriptor_use::given;
    default:
      return descriptor_use::none;
  }
}

bool holds_descriptor(unsigned long request) { return descriptor_field(request) + sizeof(int) <= _IOC_SIZE(request); }

int get_descriptor(unsigned long request, const void* argument) {
  int fd = -1;
  std::memcpy(&fd, static_cast<const std::byte*>(argument) + descriptor_field(request), sizeof(fd));
  return fd;
}

void set_descriptor(unsigned long request, void* argument, int fd) {
  std::memcpy(static_cast<std::byte*>(argument) + descriptor_field(request), &fd, sizeof(fd));
}

std::uint64_t user_memory_table(unsigned long request, const void* argument) {
  if (_IOC_NR(request) != _IOC_NR(DRM_IOCTL_AMDXDNA_CREATE_BO)) return 0;
  const auto args = argument_as<amdxdna_drm_create_bo>(request, argument);
  return args.type == AMDXDNA_BO_SHARE ? args.vaddr : 0;
}

bool wants_inheritance(unsigned long request, const void* argument) {
  return _IOC_NR(request) == _IOC_NR(DRM_IOCTL_PRIME_HANDLE_TO_FD) &&
         (argument_as<drm_prime_handle>(request, argument).flags & DRM_CLOEXEC) == 0;
}

}  // namespace npurt::emu::driver::shared
