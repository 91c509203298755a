// SPDX-License-Identifier: Apache-2.0
// The device heap: memory at fixed device addresses from which DEV buffer objects are carved.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <vector>

#include "emu/driver/memory.hpp"

namespace npurt::emu::driver {

/// Grows by chunks that follow each other in device addresses. Not thread-safe: the client's lock guards it.
class heap {
 public:
  static constexpr std::uint64_t chunk_unit = 64 << 20;  ///< chunks are multiples of it (amdxdna aie2_pci.h)
  static constexpr std::uint64_t max_size = 512 << 20;
  static constexpr std::uint64_t alignment = 32 << 10;  ///< of every DEV buffer object (amdxdna aie2_ctx.c)

  explicit heap(std::uint64_t base) : base_(base) {}

  /// Appends a chunk. @return its device address, or an errno: EINVAL for a bad size, ENOSPC beyond the maximum
  std::expected<std::uint64_t, int> grow(const std::shared_ptr<memory>& chunk);

  /// @return a device address, or an errno: EINVAL without a heap, EAGAIN if the heap has to grow first, ENOSPC
  std::expected<std::uint64_t, int> allocate(std::uint64_t size);
  void release(std::uint64_t address);

  bool empty() const { return size_ == 0; }
  std::uint64_t used() const { return used_; }

  /// The emulator's view of [address, address + size), null if it does not lie in one chunk.
  std::byte* host(std::uint64_t address, std::uint64_t size) const;

 private:
  struct chunk {
    std::uint64_t address;
    std::shared_ptr<memory> contents;
  };

  /// The lowest free place for `size` bytes; allocations do not cross chunks, whose views are separate.
  std::expected<std::uint64_t, int> find_place(std::uint64_t size) const;

  std::uint64_t base_;
  std::uint64_t size_ = 0;
  std::uint64_t used_ = 0;
  std::vector<chunk> chunks_;
  std::map<std::uint64_t, std::uint64_t> allocated_;  // address -> rounded size
};

}  // namespace npurt::emu::driver
