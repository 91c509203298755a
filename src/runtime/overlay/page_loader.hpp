// SPDX-License-Identifier: Apache-2.0
// Which page of code the overlay's cores have loaded, and how another one gets there.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <list>
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

/// An opening of a context: whoever has it keeps it open.
using open_place = std::shared_ptr<const open_context>;

/// What commands need that are started together, and leave behind.
struct page_use {
  std::optional<std::size_t> first{}, last{};  ///< neither where they need no page
  bool brought = false;                        ///< each brings its own page (with_page)
};

/// Commands of one context run in the order in which they were started: a page that is queued before an operation is
/// there when it runs. It is lost when the array is configured anew: the context was closed meanwhile, another context
/// ran on its columns, or the driver put the device to sleep (amdxdna: after 5 s without a command, and with the
/// system). Nothing waits for the device here. Thread-safe.
class page_loader {
 public:
  page_loader(binfmt::code_pages pages) : pages_(std::move(pages)) {}  // implicit: a session is an aggregate

  const binfmt::code_pages& pages() const { return pages_; }

  /// Whether another context may run on the device at any time: each command must then bring its page (with_page).
  /// @param place open, since the question is about others beside it
  bool is_shared(const kernel& target, const open_place& place);

  /// Calls `submit`, which starts commands in `place`: behind one that loads the page `uses.first` there if another one
  /// was loaded before.
  /// @throws command_error, buffer_error
  template <typename Submit>
  void start(const kernel& target, const open_place& place, const page_use& uses, Submit&& submit) {
    if (!uses.first && !uses.brought) return submit();
    const std::lock_guard lock(mutex_);
    note(target, *place);
    run_state* const load = uses.brought || uses.first == loaded_ ? nullptr : &start_load(target, place, *uses.first);
    loaded_.reset();
    try {
      submit();
    } catch (...) {
      if (load != nullptr) drop(*load);
      throw;
    }
    if (load != nullptr) load->place.reset();  // what was submitted behind it keeps the context open
    if (!uses.brought) loaded_ = uses.last;
    touch();
  }

  /// A command ended just now: the device was awake until then.
  void touch() noexcept { used_ = now().count(); }

 private:
  struct load {
    std::size_t page;
    run command;
  };

  /// Of the clock that runs while the system sleeps.
  static std::chrono::nanoseconds now() noexcept;

  void note(const kernel& target, const open_context& place);
  run& idle_load(const kernel& target, std::size_t page);
  run_state& start_load(const kernel& target, const open_place& place, std::size_t page);
  /// It is kept until it has ended, and its context with it.
  void drop(const run_state& load);

  const binfmt::code_pages pages_;
  std::mutex mutex_;
  std::list<load> loads_;              // as many of a page as were in flight at once, each ahead of another command
  std::optional<std::size_t> loaded_;  // nothing: unknown
  std::uint64_t number_ = 0;           // of the opening of the context that it was loaded in
  std::uint64_t newest_ = 0;           // opening that commands were started in
  std::uint64_t openings_ = 0;         // of contexts of this process, up to then
  std::atomic<std::chrono::nanoseconds::rep> used_ = 0;
};

}  // namespace npurt::detail::overlay
