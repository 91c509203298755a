// SPDX-License-Identifier: Apache-2.0
// The counting malloc and ioctl.
#include "bench/support/counted.hpp"

#include <dlfcn.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstdarg>
#include <cstddef>
#include <cstdlib>

namespace {

constinit thread_local npurt::bench::calls_counted counted;
constinit thread_local bool in_driver = false;

void count_allocation() {
  if (!in_driver) ++counted.allocations;
}

using ioctl_function = int(int, unsigned long, ...);

ioctl_function* next_ioctl() {
  static auto* const next = reinterpret_cast<ioctl_function*>(::dlsym(RTLD_NEXT, "ioctl"));
  return next;
}

}  // namespace

npurt::bench::calls_counted npurt::bench::calls_so_far() { return counted; }

// glibc's own names for its functions: dlsym would allocate before it could find them.
extern "C" {

void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t size) noexcept {
  count_allocation();
  return __libc_malloc(size);
}

void* calloc(std::size_t count, std::size_t size) noexcept {
  count_allocation();
  return __libc_calloc(count, size);
}

void* realloc(void* block, std::size_t size) noexcept {
  count_allocation();
  return __libc_realloc(block, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  count_allocation();
  return __libc_memalign(alignment, size);
}

void* memalign(std::size_t alignment, std::size_t size) noexcept {
  count_allocation();
  return __libc_memalign(alignment, size);
}

int posix_memalign(void** block, std::size_t alignment, std::size_t size) noexcept {
  count_allocation();
  if (alignment % sizeof(void*) != 0 || (alignment & (alignment - 1)) != 0 || alignment == 0) return EINVAL;
  void* made = __libc_memalign(alignment, size);
  if (made == nullptr) return ENOMEM;
  *block = made;
  return 0;
}

int ioctl(int fd, unsigned long request, ...) noexcept {
  std::va_list arguments;
  va_start(arguments, request);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  ioctl_function* const next = next_ioctl();
  ++counted.ioctls;
  in_driver = true;
  const int result = next(fd, request, argument);
  in_driver = false;
  return result;
}
}
