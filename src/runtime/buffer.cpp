// SPDX-License-Identifier: Apache-2.0
// Allocation and synchronisation of data buffers.
#include "npurt/buffer.hpp"

#include <fmt/format.h>

#include "runtime/kernel_state.hpp"
#include "runtime/translate.hpp"

namespace npurt::detail {

std::shared_ptr<buffer_state> allocate_buffer(const kernel& target, std::size_t bytes) {
  const kernel_state& state = *target.state();
  return translated<buffer_error>(fmt::format("a buffer of {} bytes for kernel {}", bytes, state.name), [&] {
    auto made = std::make_shared<buffer_state>();
    // A kernel's data buffers all live in host memory; set_arg refuses a BO of another group.
    const auto group = static_cast<xrt::memory_group>(state.native.group_id(state.arguments.buffers.front()));
    made->bo = xrt::bo(state.context->device, bytes, xrt::bo::flags::host_only, group);
    made->data = made->bo.map();
    return made;
  });
}

void sync_buffer(buffer_state& buffer, bool to_device) {
  translated<buffer_error>("synchronising a buffer",
                           [&] { buffer.bo.sync(to_device ? XCL_BO_SYNC_BO_TO_DEVICE : XCL_BO_SYNC_BO_FROM_DEVICE); });
}

std::size_t buffer_bytes(std::size_t count, std::size_t element_size) {
  if (count == 0) throw buffer_error("a buffer of 0 elements");
  // The shim's addresses have 48 bits.
  constexpr std::size_t address_space = std::size_t{1} << 48;
  if (count > address_space / element_size) {
    throw buffer_error(
        fmt::format("a buffer of {} elements of {} bytes is larger than the device can address", count, element_size));
  }
  return count * element_size;
}

}  // namespace npurt::detail
