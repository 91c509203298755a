// SPDX-License-Identifier: Apache-2.0
// Reads and writes of another process's memory.
#include "emu/driver/user_memory.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace npurt::emu::driver {
namespace {

thread_local std::shared_ptr<process_memory> memory_of_caller;

/// `move(done)` moves bytes from `done` on. @return whether it came to `size`
template <class Move>
bool move_all(std::size_t size, const Move& move) {
  for (std::size_t done = 0; done < size;) {
    const auto moved = move(done);
    if (moved < 0 && errno == EINTR) continue;
    if (moved <= 0) return false;
    done += static_cast<std::size_t>(moved);
  }
  return true;
}

}  // namespace

shared::descriptor process_memory::open() { return shared::descriptor(::open("/proc/self/mem", O_RDWR | O_CLOEXEC)); }

std::shared_ptr<process_memory> process_memory::from(shared::descriptor given) {
  struct statfs system{};
  if (!given || ::fstatfs(given.get(), &system) != 0 || system.f_type != PROC_SUPER_MAGIC) return nullptr;
  return std::make_shared<process_memory>(std::move(given));
}

bool process_memory::read(std::uint64_t address, std::span<std::byte> to) const {
  return move_all(to.size(), [&](std::size_t done) {
    return ::pread(memory_.get(), to.data() + done, to.size() - done, static_cast<off_t>(address + done));
  });
}

bool process_memory::write(std::uint64_t address, std::span<const std::byte> from) const {
  return move_all(from.size(), [&](std::size_t done) {
    return ::pwrite(memory_.get(), from.data() + done, from.size() - done, static_cast<off_t>(address + done));
  });
}

calling_process::calling_process(std::shared_ptr<process_memory> memory) { memory_of_caller = std::move(memory); }
calling_process::~calling_process() { memory_of_caller.reset(); }
std::shared_ptr<process_memory> calling_process::memory() { return memory_of_caller; }

bool user_memory::fetch(std::uint64_t offset, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  return fetch_locked(offset, size);
}

bool user_memory::fetch_locked(std::uint64_t offset, std::uint64_t size) {
  byte_ranges missing;
  missing.add(offset, offset + size);
  for (const auto& [command, written] : written_)
    for (const auto& [start, end] : written.all()) missing.remove(start, end);
  return std::ranges::all_of(missing.all(), [&](const auto& bytes) {
    const auto [start, end] = bytes;
    return process_->read(address_ + start, copy_.subspan(start, end - start));
  });
}

bool user_memory::use(std::uint64_t command, std::uint64_t offset, std::uint64_t size, memory_access access) {
  const std::lock_guard lock(mutex_);
  // What is to be written is fetched, too: a command may leave out some of it.
  if (closed_ || !fetch_locked(offset, size)) return false;
  if (access == memory_access::write) written_[command].add(offset, offset + size);
  return true;
}

void user_memory::give_back(std::uint64_t command) {
  const std::lock_guard lock(mutex_);
  const auto written = written_.extract(command);
  if (written.empty() || closed_) return;
  // A program that has unmapped the memory meanwhile does not want it.
  for (const auto& [start, end] : written.mapped().all())
    process_->write(address_ + start, copy_.subspan(start, end - start));
}

void user_memory::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

}  // namespace npurt::emu::driver
