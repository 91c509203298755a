// SPDX-License-Identifier: Apache-2.0
// Memory of buffer objects.
#include "emu/driver/memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "emu/driver/user_memory.hpp"

namespace npurt::emu::driver {
namespace {

// No seal against writing; the size is fixed, so that no mapping can fault.
constexpr int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

/// A device has no limit on buffer objects, a process has one on descriptors: the soft limit is raised to the hard one,
/// once, and buffers use the numbers above 1023, which leaves the program the usual ones (select() needs those).
int move_out_of_the_way(int fd) {
  constexpr int first = 1024;
  static const bool raised = [] {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
    limit.rlim_cur = limit.rlim_max;
    return ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
  }();
  const int moved = raised ? ::fcntl(fd, F_DUPFD_CLOEXEC, first) : -1;
  if (moved < 0) return fd;
  ::close(fd);
  return moved;
}

bool is_whole_pages(std::uint64_t address, std::uint64_t size) {
  return address % page_size == 0 && size != 0 && size % page_size == 0 && address + size > address;
}

}  // namespace

std::expected<std::shared_ptr<memory>, int> memory::allocate(std::uint64_t size) {
  const auto rounded = round_to_pages(size);
  if (rounded == 0) return std::unexpected(EINVAL);
  const int fd = ::memfd_create("npurt-emu:bo", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return std::unexpected(errno);
  if (::ftruncate(fd, static_cast<off_t>(rounded)) != 0 || ::fcntl(fd, F_ADD_SEALS, seals) != 0) {
    ::close(fd);
    return std::unexpected(ENOMEM);
  }
  return std::make_shared<memory>(move_out_of_the_way(fd), nullptr, rounded);
}

std::expected<std::shared_ptr<memory>, int> memory::import(int fd) {
  struct stat status{};
  const bool ours = ::fcntl(fd, F_GET_SEALS) == seals && ::fstat(fd, &status) == 0;
  if (!ours || status.st_size == 0 || static_cast<std::uint64_t>(status.st_size) % page_size != 0)
    return std::unexpected(EINVAL);
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return std::unexpected(errno);
  return std::make_shared<memory>(move_out_of_the_way(copy), nullptr, static_cast<std::uint64_t>(status.st_size));
}

std::expected<std::shared_ptr<memory>, int> memory::user(std::uint64_t address, std::uint64_t size) {
  if (!is_whole_pages(address, size)) return std::unexpected(EINVAL);
  // As the driver, which pins the pages to be written: a hole or a page that cannot be written is an error.
  if (::madvise(reinterpret_cast<void*>(address), size, MADV_POPULATE_WRITE) != 0) return std::unexpected(EFAULT);
  return std::make_shared<memory>(-1, reinterpret_cast<std::byte*>(address), size);
}

std::expected<std::shared_ptr<memory>, int> memory::copy(const process_memory& process, std::uint64_t address,
                                                         std::uint64_t size) {
  if (!is_whole_pages(address, size)) return std::unexpected(EINVAL);
  // That all is mapped the process itself has found (shared/remote_file.cpp); a hole ends a command only.
  std::byte byte{};
  for (const auto at : {address, address + size - 1})
    if (!process.read(at, std::span(&byte, 1))) return std::unexpected(EFAULT);
  auto made = allocate(size);
  if (made && (*made)->host() == nullptr) return std::unexpected(ENOMEM);
  return made;
}

memory::~memory() {
  if (view_ != nullptr) ::munmap(view_, size_);
  if (fd_ >= 0) ::close(fd_);
}

std::expected<int, int> memory::export_fd(bool close_on_exec) const {
  if (fd_ < 0) return std::unexpected(EOPNOTSUPP);
  const int copy = ::fcntl(fd_, close_on_exec ? F_DUPFD_CLOEXEC : F_DUPFD, 0);
  if (copy < 0) return std::unexpected(errno);
  return copy;
}

std::byte* memory::host() {
  if (user_ != nullptr) return user_;
  std::call_once(mapped_, [this] {
    void* view = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
    view_ = view == MAP_FAILED ? nullptr : static_cast<std::byte*>(view);
  });
  return view_;
}

}  // namespace npurt::emu::driver
