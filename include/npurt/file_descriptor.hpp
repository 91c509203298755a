// SPDX-License-Identifier: Apache-2.0
// A file descriptor that somebody owns.
#pragma once

#include <unistd.h>

#include <utility>

namespace npurt {

/// Owns a file descriptor and closes it at its end. Move-only; what was moved from owns none. Not thread-safe.
class file_descriptor {
 public:
  file_descriptor() noexcept = default;
  /// @param fd becomes this object's; -1 for none
  explicit file_descriptor(int fd) noexcept : fd_(fd) {}

  file_descriptor(file_descriptor&& other) noexcept : fd_(other.release()) {}
  file_descriptor& operator=(file_descriptor&& other) noexcept {
    if (this != &other) {
      close();
      fd_ = other.release();
    }
    return *this;
  }
  file_descriptor(const file_descriptor&) = delete;  // one of them would close the other's
  file_descriptor& operator=(const file_descriptor&) = delete;
  ~file_descriptor() { close(); }

  /// -1 if there is none. It stays this object's.
  int get() const noexcept { return fd_; }

  /// Hands it to the caller, who closes it.
  int release() noexcept { return std::exchange(fd_, -1); }

 private:
  void close() noexcept {
    if (fd_ >= 0) ::close(fd_);
  }

  int fd_ = -1;
};

}  // namespace npurt
