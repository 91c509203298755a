// SPDX-License-Identifier: Apache-2.0
// The buffers of a device that its operations use where they are.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <shared_mutex>
#include <span>

#include <xrt/xrt_bo.h>

namespace npurt::detail {

/// By address. Thread-safe; while there are none, asking costs a look at a number.
class operand_memory {
 public:
  struct entry {
    xrt::bo bo;
    std::span<const std::byte> elements;
    std::size_t capacity = 0;  ///< bytes from the first element on that are the buffer's
    std::uint64_t number = 0;
  };

  /// @return the number that it gets
  /// @throws buffer_error if some of the memory is one already
  std::uint64_t add(const xrt::bo& bo, std::span<const std::byte> elements);
  void remove(const std::byte* first) noexcept;

  /// The one that all those bytes lie in.
  std::optional<entry> find(std::span<const std::byte> bytes) const {
    if (count_.load(std::memory_order_relaxed) == 0 || bytes.empty()) return std::nullopt;
    return look_up(bytes);
  }

 private:
  std::optional<entry> look_up(std::span<const std::byte> bytes) const;

  mutable std::shared_mutex mutex_;
  std::map<const std::byte*, entry> entries_;
  std::atomic<std::size_t> count_ = 0;
  std::uint64_t last_ = 0;
};

}  // namespace npurt::detail
