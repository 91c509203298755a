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

/// Commands of one opening run in the order in which they were started: a page that is queued before an operation is
/// there when it runs. It is lost when the array is configured anew: another context ran on its columns, or the driver
/// put the device to sleep (amdxdna: after 5 s without a command, and with the system). Thread-safe.
class page_loader {
 public:
  page_loader(binfmt::code_pages pages) : pages_(std::move(pages)) {}  // implicit: a session is an aggregate

  const binfmt::code_pages& pages() const { return pages_; }

  /// Calls `submit`, which starts commands in `place`: behind one that loads the page `uses.first` there if another one
  /// was loaded before. Nothing waits for commands here but the driver, which takes only so many; then those that start
  /// others in the same opening wait, too.
  /// @throws command_error, buffer_error
  template <typename Submit>
  void start(const kernel& target, const open_place& place, const page_use& uses, Submit&& submit) {
    if (!uses.first && !uses.brought) return submit();
    const std::shared_ptr<opening> in = at(place);
    const std::lock_guard lock(in->mutex);
    forget_lost(*in, target, *place);
    run_state* const load =
        uses.brought || uses.first == in->loaded ? nullptr : &start_load(*in, target, place, *uses.first);
    in->loaded.reset();
    try {
      submit();
    } catch (...) {
      if (load != nullptr) drop(*in, *load);
      throw;
    }
    if (load != nullptr) load->place.reset();  // what was submitted behind it keeps the context open
    if (!uses.brought) in->loaded = uses.last;
    touch();
  }

  /// A command ended just now: the device was awake until then.
  void touch() noexcept { used_ = now().count(); }

 private:
  struct page_load {
    page_load(std::size_t of, std::shared_ptr<run_state> made) : page(of), command(std::move(made)) {}
    ~page_load() { retire_run(std::move(command)); }
    page_load(const page_load&) = delete;
    page_load& operator=(const page_load&) = delete;

    const std::size_t page;
    std::shared_ptr<run_state> command;
  };

  /// An opening of the context.
  struct opening {
    std::mutex mutex{};                     ///< for what follows
    std::list<page_load> loads{};           ///< as many of a page as were in flight at once, each ahead of a command
    std::optional<std::size_t> loaded = 0;  ///< that one comes with the array; nothing: unknown
    std::uint64_t openings = 0;             ///< of contexts of this process, at the last start
  };
  struct known_opening {
    std::weak_ptr<const open_context> place;
    std::uint64_t number;
    std::shared_ptr<opening> state;
  };

  /// Of the clock that runs while the system sleeps.
  static std::chrono::nanoseconds now() noexcept;

  std::shared_ptr<opening> at(const open_place& place);
  void forget_lost(opening& in, const kernel& target, const open_context& place);
  run_state& idle_load(opening& in, const kernel& target, const open_place& place, std::size_t page) const;
  run_state& start_load(opening& in, const kernel& target, const open_place& place, std::size_t page) const;
  /// It is kept until it has ended, and its context with it.
  static void drop(opening& in, const run_state& load);

  const binfmt::code_pages pages_;
  std::mutex mutex_;                     // for known_
  std::vector<known_opening> known_;     // those that are open, but for the last
  std::atomic<std::uint64_t> last_ = 0;  // number of the opening that commands were started in last
  std::atomic<std::chrono::nanoseconds::rep> used_ = 0;
};

}  // namespace npurt::detail::overlay
