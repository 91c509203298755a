// SPDX-License-Identifier: Apache-2.0
// libc functions that take a descriptor: ioctl and mmap reach the device model, the others keep track of descriptors.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>

#include "emu/shim/interpose.hpp"
#include "emu/shim/libc.hpp"
#include "emu/shim/session.hpp"

namespace {

using namespace npurt::emu::shim;

/// A raw call: sanitizers and allocators call mmap before dlsym can be used.
void* raw_mmap(void* address, std::size_t length, int protection, int flags, int fd, off_t offset) {
  return reinterpret_cast<void*>(::syscall(SYS_mmap, address, length, protection, flags, fd, offset));
}

/// MAP_LOCKED is dropped: emulated memory needs no pinning, and a locked 64 MiB heap exceeds the default memlock limit.
void* map_device(device_file& file, void* address, std::size_t length, int protection, int flags, off_t offset) {
  const auto memory = file.map(static_cast<std::uint64_t>(offset), length);
  if (!memory) {
    errno = memory.error();
    return MAP_FAILED;
  }
  void* mapped =
      raw_mmap(address, length, protection, flags & ~MAP_LOCKED, memory->fd, static_cast<off_t>(memory->offset));
  if (mapped != MAP_FAILED) file.mapped(static_cast<std::uint64_t>(offset), mapped, length);
  return mapped;
}

void* map_any(void* address, std::size_t length, int protection, int flags, int fd, off_t offset) {
  const auto device = fd >= 0 ? find_device(fd) : nullptr;
  return device ? map_device(*device, address, length, protection, flags, offset)
                : raw_mmap(address, length, protection, flags, fd, offset);
}

int duplicated(int fd, int copy) {
  share_device(fd, copy);
  return copy;
}

/// fcntl's third argument is an int, a long or a pointer; a register holds any of them.
int control(libc::fcntl_function* next, int fd, int command, void* argument) {
  const int result = next(fd, command, argument);
  if (command == F_DUPFD || command == F_DUPFD_CLOEXEC) share_device(fd, result);
  return result;
}

}  // namespace

NPURT_INTERPOSED int ioctl(int fd, unsigned long request, ...) noexcept {
  std::va_list arguments;
  va_start(arguments, request);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  const auto device = _IOC_TYPE(request) == 'd' ? find_device(fd) : nullptr;
  if (!device) return NPURT_NEXT(ioctl, libc::ioctl_function)(fd, request, argument);
  const int result = device->ioctl(request, argument);
  if (result >= 0) return result;
  errno = -result;
  return -1;
}

NPURT_INTERPOSED void* mmap(void* address, std::size_t length, int protection, int flags, int fd,
                            off_t offset) noexcept {
  return map_any(address, length, protection, flags, fd, offset);
}

NPURT_INTERPOSED void* mmap64(void* address, std::size_t length, int protection, int flags, int fd,
                              off64_t offset) noexcept {
  return map_any(address, length, protection, flags, fd, offset);
}

NPURT_INTERPOSED int close(int fd) {
  const auto device = forget_device(fd);  // ends after the descriptor, when this was its last
  return NPURT_NEXT(close, libc::close_function)(fd);
}

NPURT_INTERPOSED int dup(int fd) noexcept { return duplicated(fd, NPURT_NEXT(dup, libc::dup_function)(fd)); }

NPURT_INTERPOSED int dup2(int fd, int copy) noexcept {
  const auto replaced = fd != copy ? forget_device(copy) : nullptr;
  return duplicated(fd, NPURT_NEXT(dup2, libc::dup2_function)(fd, copy));
}

NPURT_INTERPOSED int dup3(int fd, int copy, int flags) noexcept {
  const auto replaced = fd != copy ? forget_device(copy) : nullptr;
  return duplicated(fd, NPURT_NEXT(dup3, libc::dup3_function)(fd, copy, flags));
}

NPURT_INTERPOSED int fcntl(int fd, int command, ...) {
  std::va_list arguments;
  va_start(arguments, command);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  return control(NPURT_NEXT(fcntl, libc::fcntl_function), fd, command, argument);
}

NPURT_INTERPOSED int fcntl64(int fd, int command, ...) {
  std::va_list arguments;
  va_start(arguments, command);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  return control(NPURT_NEXT(fcntl64, libc::fcntl_function), fd, command, argument);
}
