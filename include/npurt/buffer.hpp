// SPDX-License-Identifier: Apache-2.0
// Host memory that the device reads and writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>

#include <xrt/xrt_bo.h>

#include "npurt/detail/owner.hpp"
#include "npurt/device.hpp"
#include "npurt/file_descriptor.hpp"
#include "npurt/kernel.hpp"

namespace npurt {

/// Every buffer but a part of one begins at a multiple of it, in bytes; memory that a program brings along must begin
/// and end at such. A page: the driver pins whole ones.
inline constexpr std::size_t buffer_alignment = 4096;

/// From this size on, in bytes, a buffer for the operations of a device has memory up to the next multiple of
/// operand_padding: room for what their results are padded with.
inline constexpr std::size_t operand_threshold = std::size_t{64} << 10;
inline constexpr std::size_t operand_padding = std::size_t{256} << 10;

namespace detail {

struct device_state;
class operand_memory;

struct buffer_state {
  xrt::bo bo;
  void* data = nullptr;
  std::size_t bytes = 0;                       ///< of the elements; the BO may have more
  std::shared_ptr<buffer_state> whole{};       ///< of a part
  std::shared_ptr<operand_memory> operands{};  ///< that it is one of, with its number
  std::uint64_t operand = 0;
  std::weak_ptr<device_state> device{};

  buffer_state() = default;
  buffer_state(const buffer_state&) = delete;
  buffer_state& operator=(const buffer_state&) = delete;
  ~buffer_state();
};

/// A mapped host_only BO in the memory that the kernel's data buffers live in.
/// @throws buffer_error
std::shared_ptr<buffer_state> allocate_buffer(const kernel& target, std::size_t bytes);

/// The same for the operations of a device, which use it where it is.
/// @throws buffer_error, or as an operation that opens the overlay
std::shared_ptr<buffer_state> allocate_operand(const device& target, std::size_t bytes);
std::shared_ptr<buffer_state> wrap_operand(const device& target, std::span<std::byte> memory);
/// @param count elements, 0 for as many as there is room for
std::shared_ptr<buffer_state> import_operand(const device& target, const file_descriptor& from, std::size_t count,
                                             std::size_t element_size);

/// @throws buffer_error
file_descriptor export_buffer(const buffer_state& buffer);
std::shared_ptr<buffer_state> part_of(const std::shared_ptr<buffer_state>& whole, std::size_t first, std::size_t count,
                                      std::size_t element_size);
void sync_buffer(buffer_state& buffer, bool to_device);
std::size_t buffer_bytes(std::size_t count, std::size_t element_size);

}  // namespace detail

/// `size()` elements of host memory, mapped and visible to the device. A kernel's control code addresses it from
/// element 0. Move-only; a run keeps the memory of its buffers until it has ended. Access to the elements is the
/// caller's to synchronise: between run::start() and the end of the wait they belong to the device. Thread-safe but for
/// them.
///
/// Operations take the elements of a buffer like any others, as a view of them: matrix_view(buffer, R, C). In a buffer
/// that was made for their device they use them where they are, without a copy, if they lie as the operation needs
/// them:
/// - at a multiple of 4 bytes, rows without gaps, extents that the operation does not pad with zeros (its documentation
///   says what it pads to);
/// - a result must not share bytes with an operand, and what it is padded with must be behind the buffer's last
///   element, where there is room from operand_threshold on.
/// Otherwise they are copied, as those of other memory are. An operation synchronises what it uses. Where it fails, a
/// result in a buffer may be written in part; a plan's start() leaves operands in buffers to the device until the wait
/// has ended.
template <typename T>
class buffer {
  static_assert(std::is_trivially_copyable_v<T> && !std::is_const_v<T>,
                "npurt::buffer: the device sees bytes, so T must be trivially copyable and not const");

 public:
  /// @param target the kernel that will use it; kernels of other contexts on the same device may use it too
  /// @param count  elements, at least 1; the contents are unspecified
  /// @throws buffer_error if there is no memory for it or count is 0
  buffer(const kernel& target, std::size_t count)
      : buffer(detail::allocate_buffer(target, detail::buffer_bytes(count, sizeof(T))), count) {}

  /// For the operations of a device, and for all kernels on it.
  /// @param count elements, at least 1; the contents are unspecified
  /// @throws buffer_error as above; otherwise as npurt::gelu before its command
  buffer(const device& target, std::size_t count)
      : buffer(detail::allocate_operand(target, detail::buffer_bytes(count, sizeof(T))), count) {}

  /// Memory of the program as a buffer for the operations of a device: pinned, not copied. It must stay allocated as
  /// long as this buffer, its parts and runs that it is bound to are there.
  /// @param memory begins at a multiple of buffer_alignment and has a multiple of it, in bytes
  /// @throws alignment_error if it does not; buffer_error if some of it is a buffer already, or the driver cannot pin
  ///         it: it is not mapped, or beyond the limit of locked memory; otherwise as npurt::gelu before its command
  static buffer from_memory(const device& target, std::span<T> memory) {
    return {detail::wrap_operand(target, std::as_writable_bytes(memory)), memory.size()};
  }

  /// A buffer that export_fd() gave out, here or in another process, for the operations of a device: both are the same
  /// memory.
  /// @param from  a dma-buf; it stays the caller's, who may close it at once
  /// @param count elements, those of the exporter; 0 for as many as there is room for, which may be more
  /// @throws buffer_error if it is no dma-buf, or smaller; otherwise as npurt::gelu before its command
  static buffer from_fd(const device& target, const file_descriptor& from, std::size_t count = 0) {
    auto state = detail::import_operand(target, from, count, sizeof(T));
    const std::size_t size = state->bytes / sizeof(T);
    return {std::move(state), size};
  }

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

  /// Some of its elements as a buffer: the same memory, which it keeps.
  /// @param first an element at a multiple of 4 bytes, which is what the device's DMAs address
  /// @param count at least 1
  /// @throws buffer_error if they are not all there; alignment_error
  buffer part(std::size_t first, std::size_t count) const {
    return {detail::part_of(state_.share(), first, count, sizeof(T)), count};
  }

  /// The memory as a dma-buf for another process or driver, close-on-exec. It lives as long as this buffer, the
  /// descriptor or what was made from it; the whole memory of a part.
  /// @throws buffer_error if the driver refuses, or no descriptor is left
  file_descriptor export_fd() const { return detail::export_buffer(*state_); }

  /// Makes what the host wrote visible to the device. Synchronous. Call it before run::start().
  /// @throws buffer_error
  void to_device() { detail::sync_buffer(*state_, true); }

  /// Makes what the device wrote visible to the host. Synchronous. Call it after run::wait().
  /// @throws buffer_error
  void from_device() { detail::sync_buffer(*state_, false); }

  /// The XRT object, for what npurt does not cover.
  const xrt::bo& native() const { return state_->bo; }

 private:
  buffer(std::shared_ptr<detail::buffer_state> state, std::size_t count)
      : state_(std::move(state), "buffer"), size_(count) {}

  detail::owner<detail::buffer_state> state_;
  std::size_t size_;
};

}  // namespace npurt
