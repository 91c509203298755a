// SPDX-License-Identifier: Apache-2.0
// Host memory that the device reads and writes.
#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <type_traits>

#include <xrt/xrt_bo.h>

#include "npurt/detail/owner.hpp"
#include "npurt/kernel.hpp"

namespace npurt {

namespace detail {

struct buffer_state {
  xrt::bo bo;
  void* data;
};

/// A mapped host_only BO in the memory that the kernel's data buffers live in.
/// @throws buffer_error
std::shared_ptr<buffer_state> allocate_buffer(const kernel& target, std::size_t bytes);

/// @throws buffer_error
void sync_buffer(buffer_state& buffer, bool to_device);

/// @throws buffer_error
std::size_t buffer_bytes(std::size_t count, std::size_t element_size);

}  // namespace detail

/// `size()` elements of host memory, mapped and visible to the device. A kernel's control code addresses it from
/// element 0. Move-only; a run keeps the memory of its buffers until it has ended. Access to the elements is the
/// caller's to synchronise: between run::start() and the end of the wait they belong to the device.
template <typename T>
class buffer {
  static_assert(std::is_trivially_copyable_v<T> && !std::is_const_v<T>,
                "npurt::buffer: the device sees bytes, so T must be trivially copyable and not const");

 public:
  /// @param target the kernel that will use it; kernels of other contexts on the same device may use it too
  /// @param count  elements, at least 1; the contents are unspecified
  /// @throws buffer_error if there is no memory for it or count is 0
  buffer(const kernel& target, std::size_t count)
      : state_(detail::allocate_buffer(target, detail::buffer_bytes(count, sizeof(T))), "buffer"), size_(count) {}

  buffer(buffer&&) noexcept = default;
  buffer& operator=(buffer&&) noexcept = default;
  buffer(const buffer&) = delete;  // copying device memory is never what an assignment should do
  buffer& operator=(const buffer&) = delete;

  std::size_t size() const { return (void)*state_, size_; }
  T* data() const { return static_cast<T*>(state_->data); }
  std::span<T> span() const { return {data(), size_}; }
  T* begin() const { return data(); }
  T* end() const { return data() + size_; }
  T& operator[](std::size_t index) const { return data()[index]; }

  /// Makes what the host wrote visible to the device. Synchronous. Call it before run::start().
  /// @throws buffer_error
  void to_device() { detail::sync_buffer(*state_, true); }

  /// Makes what the device wrote visible to the host. Synchronous. Call it after run::wait().
  /// @throws buffer_error
  void from_device() { detail::sync_buffer(*state_, false); }

  /// The XRT object, for what npurt does not cover.
  const xrt::bo& native() const { return state_->bo; }

 private:
  detail::owner<detail::buffer_state> state_;
  std::size_t size_;
};

}  // namespace npurt
