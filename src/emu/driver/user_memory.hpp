// SPDX-License-Identifier: Apache-2.0
// Memory of another process as a buffer object: the program's own, for the server of a shared device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <utility>

#include "emu/driver/shared/descriptor.hpp"
#include "emu/driver/sync_check.hpp"
#include "emu/firmware/npu.hpp"

namespace npurt::emu::driver {

/// A process's memory by the descriptor of /proc/self/mem that it has opened and passed on. So nobody is traced, and
/// what the kernel allows tracers does not matter (ptrace_scope).
class process_memory {
 public:
  /// Of this process. @return none, and errno, if the kernel gives no such descriptor, as to a program that is not
  /// dumpable
  static shared::descriptor open();

  /// @return null for any other descriptor
  static std::shared_ptr<process_memory> from(shared::descriptor given);

  explicit process_memory(shared::descriptor memory) : memory_(std::move(memory)) {}

  /// @return false if the process does not have it all (any more)
  bool read(std::uint64_t address, std::span<std::byte> to) const;
  bool write(std::uint64_t address, std::span<const std::byte> from) const;

 private:
  const shared::descriptor memory_;
};

/// Says whose addresses the calls of this thread are, while it exists; those of this process without one.
class calling_process {
 public:
  explicit calling_process(std::shared_ptr<process_memory> memory);
  ~calling_process();
  calling_process(const calling_process&) = delete;
  calling_process& operator=(const calling_process&) = delete;

  /// Null: this one.
  static std::shared_ptr<process_memory> memory();
};

/// The copy that commands use. What they read is fetched when they begin to, what they write goes back at their ends.
/// Thread-safe.
class user_memory {
 public:
  user_memory(std::shared_ptr<process_memory> process, std::uint64_t address, std::span<std::byte> copy)
      : process_(std::move(process)), address_(address), copy_(copy) {}

  /// Before bytes are read. @return false if the process does not have them any more
  bool fetch(std::uint64_t offset, std::uint64_t size);

  /// Before bytes are read or written by a command, which has a number. @return as fetch
  bool use(std::uint64_t command, std::uint64_t offset, std::uint64_t size, memory_access access);

  /// Writes to the process what a command has written that is over.
  void give_back(std::uint64_t command);

  /// The program may do with its memory what it likes from now on: nothing is written to it any more.
  void close();

 private:
  bool fetch_locked(std::uint64_t offset, std::uint64_t size);

  const std::shared_ptr<process_memory> process_;
  const std::uint64_t address_;
  const std::span<std::byte> copy_;
  std::mutex mutex_;                              // for what follows
  std::map<std::uint64_t, byte_ranges> written_;  ///< newer than the process's, by command
  bool closed_ = false;
};

}  // namespace npurt::emu::driver
