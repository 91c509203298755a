// SPDX-License-Identifier: Apache-2.0
// A GEM handle's buffer object, and the device addresses of a client's buffer objects.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "emu/driver/memory.hpp"
#include "emu/driver/sync_check.hpp"
#include "emu/driver/user_memory.hpp"
#include "emu/firmware/npu.hpp"

namespace npurt::emu::driver {

inline constexpr std::uint64_t no_address = ~std::uint64_t{0};  ///< AMDXDNA_INVALID_ADDR

/// Immutable but for the address of a buffer the program has yet to map, and for who uses it.
struct buffer_object {
  std::uint32_t type = 0;  ///< amdxdna_bo_type
  std::uint64_t size = 0;
  std::uint64_t map_offset = no_address;
  std::shared_ptr<memory> contents;             ///< null for DEV, whose memory is the heap's
  std::byte* heap_view = nullptr;               ///< DEV only
  std::atomic<std::uint64_t> user_address = 0;  ///< 0 until mapped
  std::atomic<std::uint64_t> device_address = no_address;
  unsigned in_flight = 0;  ///< commands that name it as an argument; with `closed` under the client's mutex
  bool closed = false;     ///< its handle is gone: it ends with the last of those commands
  std::unique_ptr<user_memory> user = {};  ///< of another process, whose copy `contents` is
  std::unique_ptr<sync_check> syncs = {};  ///< strict mode: what the device has been shown; it reads the host's bytes

  std::byte* host() const { return contents ? contents->host() : heap_view; }
};

/// Which device addresses belong to which buffer object. With shared virtual addressing the device address of a buffer
/// is wherever the program mapped it, and each of several mappings counts. Thread-safe.
class address_space {
 public:
  /// [address, address + size) is `bo` from `offset` on. Takes the place of mappings it overlaps: the program has
  /// unmapped those, which the driver does not hear of.
  void insert(std::uint64_t address, std::uint64_t size, std::shared_ptr<buffer_object> bo, std::uint64_t offset);
  void erase(const buffer_object& bo);

  /// The host bytes of a range within one buffer object, null for any other range. @param command  that asks
  std::byte* translate(std::uint64_t address, std::uint64_t size, memory_access access, std::uint64_t command) const;

  /// What the command has written is in the memory of the process whose it is after this.
  void end_command(std::uint64_t command) const;

  /// The host bytes from `address` to the end of its buffer object, at most `limit`, of which a command reads as many
  /// as the control code's header says; null where there is none.
  std::span<std::byte> control_code(std::uint64_t address, std::uint64_t limit) const;

 private:
  /// A place in a buffer object.
  struct place {
    std::shared_ptr<buffer_object> bo;
    std::uint64_t offset = 0;
    std::span<std::byte> rest;  ///< to the end of the mapping
  };
  place find(std::uint64_t address) const;

  struct range {
    std::uint64_t end;
    std::uint64_t offset;
    std::shared_ptr<buffer_object> bo;
  };

  mutable std::mutex mutex_;  // for what follows
  std::map<std::uint64_t, range> ranges_;
  std::vector<std::shared_ptr<buffer_object>> users_;  ///< those of another process's memory
};

}  // namespace npurt::emu::driver
