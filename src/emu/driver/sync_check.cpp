// SPDX-License-Identifier: Apache-2.0
// Syncs that a program forgot.
#include "emu/driver/sync_check.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <atomic>
#include <format>
#include <iterator>
#include <utility>

#include "emu/driver/log.hpp"

namespace npurt::emu::driver {
namespace {

/// Whether any sync of the process came as an ioctl. XRT syncs every buffer object that it creates, so one comes before
/// the first command if any do.
std::atomic<bool> syncs_are_heard = false;

std::atomic<std::uint64_t> copied_bytes = 0;  // of all that exist

void tell_deaf_once() {
  static std::atomic<bool> told = false;
  if (!told.exchange(true))
    log("strict: no sync is heard of, nothing can be checked: XRT does them without the driver");
}

void set_driver_syncs() {
  using set_ini = void(const std::string&, const std::string&);
  void* const xrt = ::dlopen("libxrt_coreutil.so.2", RTLD_LAZY | RTLD_NOLOAD);
  if (xrt == nullptr) return;
  // xrt::ini::set
  auto* const symbol = ::dlsym(xrt, "_ZN3xrt3ini3setERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEES8_");
  try {
    if (symbol != nullptr) reinterpret_cast<set_ini*>(symbol)("Debug.force_driver_sync", "true");
  } catch (const std::exception& error) {
    log(std::format("strict: XRT does not leave syncs to the driver: {}", error.what()));
  }
  ::dlclose(xrt);
}

}  // namespace

void ask_for_driver_syncs() {
  static std::once_flag asked;
  std::call_once(asked, set_driver_syncs);
}

void byte_ranges::add(std::uint64_t start, std::uint64_t end) {
  if (start >= end) return;
  auto next = ranges_.upper_bound(start);
  if (next != ranges_.begin() && std::prev(next)->second >= start) start = (--next)->first;
  while (next != ranges_.end() && next->first <= end) {
    end = std::max(end, next->second);
    next = ranges_.erase(next);
  }
  ranges_.emplace(start, end);
}

void byte_ranges::remove(std::uint64_t start, std::uint64_t end) {
  if (start >= end) return;
  auto next = ranges_.upper_bound(start);
  if (next != ranges_.begin() && std::prev(next)->second > start) --next;
  while (next != ranges_.end() && next->first < end) {
    const auto [first, last] = *next;
    next = ranges_.erase(next);
    if (first < start) ranges_.emplace(first, start);
    if (last > end) ranges_.emplace(end, last);
  }
}

bool byte_ranges::overlaps(std::uint64_t start, std::uint64_t end) const {
  const auto next = ranges_.lower_bound(end);
  return start < end && next != ranges_.begin() && std::prev(next)->second > start;
}

bool sync_check::has_room(std::uint64_t size) {
  constexpr std::uint64_t most = std::uint64_t{512} << 20;
  const std::uint64_t copied = copied_bytes;
  return copied <= most && size <= most - copied;
}

sync_check::sync_check(std::string what, std::span<const std::byte> host)
    : what_(std::move(what)), host_(host), shown_(host.begin(), host.end()) {
  copied_bytes += shown_.size();
}

sync_check::~sync_check() {
  copied_bytes -= shown_.size();
  if (given_up_ || taken_ || !syncs_are_heard || written_.all().empty()) return;
  log(std::format("strict: {} ends; commands wrote its bytes {} to {}, and it was never synced from the device", what_,
                  written_.all().begin()->first, written_.all().rbegin()->second - 1));
}

void sync_check::give_up() {
  const std::lock_guard lock(mutex_);
  given_up_ = true;
}

void sync_check::show(std::uint64_t offset, std::uint64_t size) {
  std::ranges::copy(host_.subspan(offset, size), shown_.begin() + static_cast<std::ptrdiff_t>(offset));
  by_device_.remove(offset, offset + size);
}

void sync_check::synced_to_device(std::uint64_t offset, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  syncs_are_heard = true;
  show(offset, size);
  told_ = false;
}

void sync_check::synced_from_device(std::uint64_t offset, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  syncs_are_heard = true;
  // What the program wrote before stays unsynced: only what commands wrote is known to both now.
  const auto known = by_device_.all();
  for (const auto& [start, end] : known) {
    const auto from = std::max(start, offset), to = std::min(end, offset + size);
    if (from < to) show(from, to - from);
  }
  taken_ = true;
}

void sync_check::device_reads(std::uint64_t offset, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  taken_ = taken_ || written_.overlaps(offset, offset + size);
  if (given_up_ || told_) return;
  if (!syncs_are_heard) return tell_deaf_once();
  // A command tells of what it writes before it writes it: those bytes stay its own until they are synced.
  for (const auto& [start, end] : by_device_.all())
    std::ranges::copy(host_.subspan(start, end - start), shown_.begin() + static_cast<std::ptrdiff_t>(start));
  tell_unsynced(offset, size);
}

void sync_check::tell_unsynced(std::uint64_t offset, std::uint64_t size) {
  const auto now = host_.subspan(offset, size), shown = std::span<const std::byte>(shown_).subspan(offset, size);
  const auto first = std::ranges::mismatch(now, shown).in1;
  if (first == now.end()) return;
  auto last = now.size();
  while (now[last - 1] == shown[last - 1]) --last;
  const auto start = offset + static_cast<std::uint64_t>(first - now.begin());
  told_ = true;
  log(
      std::format("strict: a command reads bytes {} to {} of {}; the program changed {} to {} and did not sync them to "
                  "the device, which may see the old ones",
                  offset, offset + size - 1, what_, start, offset + last - 1));
}

void sync_check::device_writes(std::uint64_t offset, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  by_device_.add(offset, offset + size);
  written_.add(offset, offset + size);
}

}  // namespace npurt::emu::driver
