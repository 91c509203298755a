// SPDX-License-Identifier: Apache-2.0
// Strict mode (NPURT_EMU_STRICT): finds the syncs of a buffer object that a program forgot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace npurt::emu::driver {

/// XRT flushes caches by itself unless this setting of it is changed, before its first sync; xrt.ini can change it,
/// too, but XRT does not read that for root. Does nothing in a process without XRT.
void ask_for_driver_syncs();

/// Bytes [start, end), as disjoint ranges.
class byte_ranges {
 public:
  void add(std::uint64_t start, std::uint64_t end);
  void remove(std::uint64_t start, std::uint64_t end);
  bool overlaps(std::uint64_t start, std::uint64_t end) const;
  const std::map<std::uint64_t, std::uint64_t>& all() const { return ranges_; }

 private:
  std::map<std::uint64_t, std::uint64_t> ranges_;
};

/// The emulated device and the program see each other's writes at once; hardware need not. This keeps what the device
/// has been shown of one buffer object, byte by byte, and tells on stderr, once per sync and kind: a command reads
/// bytes that the program changed after its last sync to the device; a buffer object ends that commands wrote and that
/// was neither synced from the device nor read by a later command. Thread-safe.
class sync_check {
 public:
  /// Whether there is memory for the copy of so many bytes more: half a gigabyte for all of them.
  static bool has_room(std::uint64_t size);

  /// @param what  the buffer object, for messages
  /// @param host  its bytes, which outlive this
  sync_check(std::string what, std::span<const std::byte> host);
  ~sync_check();
  sync_check(const sync_check&) = delete;
  sync_check& operator=(const sync_check&) = delete;

  void synced_to_device(std::uint64_t offset, std::uint64_t size);
  void synced_from_device(std::uint64_t offset, std::uint64_t size);
  void device_reads(std::uint64_t offset, std::uint64_t size);
  void device_writes(std::uint64_t offset, std::uint64_t size);

  /// Its memory has other handles, whose syncs are not heard of here.
  void give_up();

 private:
  void show(std::uint64_t offset, std::uint64_t size);
  void tell_unsynced(std::uint64_t offset, std::uint64_t size);

  const std::string what_;
  const std::span<const std::byte> host_;
  std::mutex mutex_;  // for what follows
  bool given_up_ = false;
  bool told_ = false;
  std::vector<std::byte> shown_;  ///< what the device has been shown
  byte_ranges by_device_;         ///< newer than shown_, by commands
  byte_ranges written_;           ///< by commands, ever
  bool taken_ = false;            ///< synced from the device, or read by a later command
};

}  // namespace npurt::emu::driver
