// SPDX-License-Identifier: Apache-2.0
// Which page of code the overlay's cores have loaded, and how another one gets there.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "binfmt/code_pages.hpp"
#include "npurt/kernel.hpp"
#include "npurt/run.hpp"
#include "npurt/xclbin.hpp"
#include "runtime/overlay/operation.hpp"
#include "runtime/run_state.hpp"

namespace npurt::detail::overlay {

/// The pages that come with the overlay.
/// @throws xclbin_error if they are missing or damaged
binfmt::code_pages read_pages(const xclbin& image);

/// The page that an operation needs; nothing for those that every page has.
/// @throws xclbin_error if none has it
std::optional<std::size_t> page_of(const binfmt::code_pages& pages, operation op);

/// Control code that gives every core a page and its table of operations: block writes, which the firmware makes while
/// the cores wait for their next call.
std::vector<std::uint32_t> page_code(const binfmt::code_pages& pages, std::size_t page);

/// A command's control code behind that of its page, as one.
std::vector<std::uint32_t> with_page(const binfmt::code_pages& pages, std::size_t page,
                                     std::span<const std::uint32_t> code);

/// Commands of one context run in the order in which they were started: a page that is queued before an operation is
/// there when it runs. It is lost when the array is configured anew: the context was closed meanwhile, another context
/// ran on its columns, or the driver put the device to sleep (amdxdna: after 5 s without a command, and with the
/// system). Thread-safe.
class page_loader {
 public:
  page_loader(binfmt::code_pages pages)
      : pages_(std::move(pages)), loads_(pages_.pages.size()) {}  // implicit: a session is an aggregate

  const binfmt::code_pages& pages() const { return pages_; }

  /// Whether another context may run on the device at any time: each command must then bring its page (with_page).
  bool is_shared(const kernel& target);

  /// Calls `submit`, which starts commands: behind one that loads the page `first` if another one was loaded before;
  /// they leave `last` behind. Neither is there where the commands need no page.
  /// @throws command_error, timeout_error, buffer_error
  template <typename Submit>
  void start(const kernel& target, std::optional<std::size_t> first, std::optional<std::size_t> last, Submit&& submit) {
    if (!first) return submit();
    const std::lock_guard lock(mutex_);
    const auto held = open(target);
    if (first != loaded_) load(target, *first);
    loaded_.reset();
    submit();
    if (loading_ != nullptr) loading_->place.reset();  // what was submitted behind it keeps the context open
    loaded_ = last;
    touch();
  }

  /// A command ended just now: the device was awake until then.
  void touch() noexcept { used_ = now().count(); }

 private:
  /// Of the clock that runs while the system sleeps.
  static std::chrono::nanoseconds now() noexcept;

  std::shared_ptr<const open_context> open(const kernel& target);
  void load(const kernel& target, std::size_t page);

  const binfmt::code_pages pages_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<run>> loads_;  // of each page, made when it is needed first
  run_state* loading_ = nullptr;             // the load that was started last
  std::optional<std::size_t> loaded_;        // nothing: unknown
  std::uint64_t number_ = 0;                 // of the opening of the context that it was loaded in
  std::uint64_t openings_ = 0;               // of contexts of this process, up to then
  std::atomic<std::chrono::nanoseconds::rep> used_ = 0;
};

}  // namespace npurt::detail::overlay
