// SPDX-License-Identifier: Apache-2.0
// Data buffers: allocation, memory of the program, dma-bufs, parts, synchronisation.
#include "npurt/buffer.hpp"

#include <fcntl.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "runtime/device_state.hpp"
#include "runtime/kernel_state.hpp"
#include "runtime/trace.hpp"
#include "runtime/translate.hpp"

namespace npurt::detail {

namespace {

/// What the DMAs of the array address.
constexpr std::size_t part_alignment = 4;

/// A kernel's data buffers all live in host memory; set_arg refuses a BO of another group.
xrt::memory_group group_of(const kernel_state& of) { return of.buffer_group; }

/// Where all operations of a device run.
std::shared_ptr<kernel_state> operations_of(const device& target) {
  return target.state()->ops.open(target)->target.state();
}

/// Makes known what operations need not copy.
std::shared_ptr<buffer_state> as_operand(const device& target, std::shared_ptr<buffer_state> made) {
  const std::span elements(static_cast<const std::byte*>(made->data), made->bytes);
  made->operand = target.state()->operands->add(made->bo, elements);
  made->operands = target.state()->operands;
  made->device = target.state();
  return made;
}

std::size_t with_padding(std::size_t bytes) {
  return bytes < operand_threshold ? bytes : (bytes + operand_padding - 1) / operand_padding * operand_padding;
}

void check_alignment(std::span<const std::byte> memory) {
  const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
  if (memory.empty()) throw buffer_error("a buffer of 0 elements");
  if (address % buffer_alignment == 0 && memory.size() % buffer_alignment == 0) return;
  throw alignment_error(buffer_alignment,
                        fmt::format("memory at {:#x} of {} bytes cannot be a buffer without a copy: both numbers must "
                                    "be multiples of {}",
                                    address, memory.size(), buffer_alignment));
}

}  // namespace

buffer_state::~buffer_state() {
  if (!operands) return;
  operands->remove(static_cast<const std::byte*>(data));
  if (const auto owner = device.lock()) owner->ops.release(operand);
}

std::shared_ptr<buffer_state> allocate_buffer(const kernel& target, std::size_t bytes) {
  const kernel_state& state = *target.state();
  return translated<buffer_error>(fmt::format("a buffer of {} bytes for kernel {}", bytes, state.name), [&] {
    auto made = std::make_shared<buffer_state>();
    made->bo = xrt::bo(state.context->device, bytes, xrt::bo::flags::host_only, group_of(state));
    made->data = made->bo.map();
    made->bytes = bytes;
    return made;
  });
}

std::shared_ptr<buffer_state> allocate_operand(const device& target, std::size_t bytes) {
  const auto place = operations_of(target);
  return as_operand(target, translated<buffer_error>(fmt::format("a buffer of {} bytes", bytes), [&] {
                      auto made = std::make_shared<buffer_state>();
                      made->bo =
                          xrt::bo(target.native(), with_padding(bytes), xrt::bo::flags::host_only, group_of(*place));
                      made->data = made->bo.map();
                      made->bytes = bytes;
                      return made;
                    }));
}

// The driver pins whole pages, with XRT's user-pointer BO (xdna-driver src/shim/buffer.cpp: the address must be a
// page's; amdxdna_ubuf.c: so must the size).
std::shared_ptr<buffer_state> wrap_operand(const device& target, std::span<std::byte> memory) {
  check_alignment(memory);
  const auto place = operations_of(target);
  const std::string what = fmt::format(
      "{} bytes of the program's memory as a buffer (the limit of locked memory is `ulimit -l`)", memory.size());
  return as_operand(target, translated<buffer_error>(what, [&] {
                      auto made = std::make_shared<buffer_state>();
                      made->bo = xrt::bo(target.native(), memory.data(), memory.size(), xrt::bo::flags::host_only,
                                         group_of(*place));
                      made->data = memory.data();
                      made->bytes = memory.size();
                      return made;
                    }));
}

std::shared_ptr<buffer_state> import_operand(const device& target, const file_descriptor& from, std::size_t count,
                                             std::size_t element_size) {
  const std::size_t wanted = buffer_bytes(count == 0 ? 1 : count, element_size);
  if (from.get() < 0) throw buffer_error("a buffer from a file descriptor that is none");
  static_cast<void>(operations_of(target));  // its errors are not those of the descriptor
  auto made = translated<buffer_error>(fmt::format("file descriptor {} as a buffer", from.get()), [&] {
    auto imported = std::make_shared<buffer_state>();
    imported->bo = xrt::bo(target.native(), static_cast<xrt::bo::export_handle>(from.get()));
    imported->data = imported->bo.map();
    return imported;
  });
  const std::size_t room = made->bo.size();
  if (room < wanted) {
    throw buffer_error(
        fmt::format("file descriptor {} as a buffer: it has {} bytes, {} elements of {} bytes are wanted", from.get(),
                    room, count == 0 ? 1 : count, element_size));
  }
  made->bytes = count == 0 ? room / element_size * element_size : wanted;
  return as_operand(target, std::move(made));
}

// XRT closes the descriptor that it hands out together with the BO.
file_descriptor export_buffer(const buffer_state& buffer) {
  return translated<buffer_error>("exporting a buffer", [&] {
    xrt::bo same = (buffer.whole ? *buffer.whole : buffer).bo;
    file_descriptor made(::fcntl(static_cast<int>(same.export_buffer()), F_DUPFD_CLOEXEC, 0));
    if (made.get() < 0) throw buffer_error(fmt::format("exporting a buffer: {}", std::strerror(errno)));
    return made;
  });
}

std::shared_ptr<buffer_state> part_of(const std::shared_ptr<buffer_state>& whole, std::size_t first, std::size_t count,
                                      std::size_t element_size) {
  const std::size_t elements = whole->bytes / element_size;
  if (count == 0 || first > elements || count > elements - first) {
    throw buffer_error(fmt::format("{} elements from {} on of a buffer of {}", count, first, elements));
  }
  const std::shared_ptr<buffer_state>& root = whole->whole ? whole->whole : whole;
  std::byte* const data = static_cast<std::byte*>(whole->data) + first * element_size;
  const auto offset = static_cast<std::size_t>(data - static_cast<std::byte*>(root->data));
  if (offset % part_alignment != 0) {
    throw alignment_error(part_alignment, fmt::format("a part of a buffer from byte {} on: it must begin at a multiple "
                                                      "of {} bytes",
                                                      offset, part_alignment));
  }
  return translated<buffer_error>("a part of a buffer", [&] {
    auto made = std::make_shared<buffer_state>();
    made->bytes = count * element_size;
    made->bo = xrt::bo(root->bo, made->bytes, offset);  // a part of a part would synchronise the wrong bytes
    made->data = data;
    made->whole = root;
    return made;
  });
}

void sync_buffer(buffer_state& buffer, bool to_device) {
  const trace::span now(to_device ? "to device" : "from device");
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
