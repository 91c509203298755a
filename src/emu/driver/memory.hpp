// SPDX-License-Identifier: Apache-2.0
// The memory behind a buffer object: a memfd of its own, or memory of the program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <utility>

namespace npurt::emu::driver {

class process_memory;

inline constexpr std::uint64_t page_size = 4096;

/// `size` rounded up to pages; 0 if that is no 63-bit number (an offset of a file).
constexpr std::uint64_t round_to_pages(std::uint64_t size) {
  constexpr auto limit = (std::uint64_t{1} << 63) - page_size;
  return size > limit ? 0 : (size + page_size - 1) & ~(page_size - 1);
}

/// Shared by the handles of one process that refer to the same buffer (PRIME import).
class memory {
 public:
  /// Zeroed memory. @return an errno (ENOMEM, EINVAL, EMFILE) if there is none
  static std::expected<std::shared_ptr<memory>, int> allocate(std::uint64_t size);

  /// The memory that export_fd() of some process gave. @return EINVAL for any other descriptor
  static std::expected<std::shared_ptr<memory>, int> import(int fd);

  /// Memory of the program, which must outlive this. @return EFAULT if it is not mapped to be written
  static std::expected<std::shared_ptr<memory>, int> user(std::uint64_t address, std::uint64_t size);

  /// A copy of another process's memory, as yet without contents. @return EFAULT if it is not mapped there
  static std::expected<std::shared_ptr<memory>, int> copy(const process_memory& process, std::uint64_t address,
                                                          std::uint64_t size);

  memory(int fd, std::byte* host, std::uint64_t size) : fd_(fd), size_(size), user_(host) {}
  ~memory();
  memory(const memory&) = delete;
  memory& operator=(const memory&) = delete;

  /// The file to map; -1 for memory of the program.
  int fd() const { return fd_; }
  std::uint64_t size() const { return size_; }

  /// A new descriptor of the file. @return an errno
  std::expected<int, int> export_fd(bool close_on_exec) const;

  /// Ends together with the memory.
  void keep(std::shared_ptr<void> object) { kept_ = std::move(object); }

  /// The emulator's own view. It does not depend on the program's mapping, which the program may drop at any time.
  /// @return null if it cannot be mapped
  std::byte* host();

 private:
  int fd_;
  std::uint64_t size_;
  std::byte* user_;
  std::once_flag mapped_;
  std::byte* view_ = nullptr;
  std::shared_ptr<void> kept_;
};

}  // namespace npurt::emu::driver
