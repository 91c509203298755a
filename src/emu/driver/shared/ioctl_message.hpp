// SPDX-License-Identifier: Apache-2.0
// An ioctl as bytes that another process can execute: its structure, then all that the structure points to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <vector>

namespace npurt::emu::driver::shared {

/// Copies what the call is made of. @return an errno: EINVAL if that is more than a message holds
std::expected<std::vector<std::byte>, int> pack_ioctl(unsigned long request, const void* argument);

/// Makes a copy callable: its pointers lead into itself. @return EINVAL if it is none of this request
std::expected<void*, int> resolve_ioctl(unsigned long request, std::span<std::byte> packed);

/// Copies what the call has changed to where it came from; the caller's pointers stay.
void unpack_ioctl(unsigned long request, std::span<const std::byte> packed, void* argument);

/// Where a request's structure holds a descriptor.
enum class descriptor_use : std::uint8_t { none, given, returned };
descriptor_use descriptor_of(unsigned long request);

/// False if the request's structure ends before its descriptor; only with true may that be read or set.
bool holds_descriptor(unsigned long request);
int get_descriptor(unsigned long request, const void* argument);
void set_descriptor(unsigned long request, void* argument, int fd);

/// The address of its table if it makes a buffer object of the caller's own memory, else 0.
std::uint64_t user_memory_table(unsigned long request, const void* argument);

/// True if the descriptor that it returns is to be inherited by programs that the caller executes.
bool wants_inheritance(unsigned long request, const void* argument);

}  // namespace npurt::emu::driver::shared
