// SPDX-License-Identifier: Apache-2.0
// Which page of code the overlay's cores have loaded, and how another one gets there.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "binfmt/code_pages.hpp"
#include "npurt/kernel.hpp"
#include "npurt/run.hpp"
#include "npurt/xclbin.hpp"
#include "runtime/overlay/operation.hpp"

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

/// Commands of one context run in the order in which they were started: a page that is queued before an operation is
/// there when it runs. Thread-safe.
class page_loader {
 public:
  page_loader(binfmt::code_pages pages)
      : pages_(std::move(pages)), loads_(pages_.pages.size()) {}  // implicit: a session is an aggregate

  const binfmt::code_pages& pages() const { return pages_; }

  /// Starts the command of an operation, behind one that loads the operation's page if another one was loaded before.
  /// @throws command_error, timeout_error, buffer_error
  void start(const kernel& target, run& command, operation op);

  /// The same for several commands at once: `submit` starts them behind a load of `first`, they leave `last` behind.
  template <typename Submit>
  void start(const kernel& target, std::size_t first, std::size_t last, Submit&& submit) {
    const std::lock_guard lock(mutex_);
    if (first != loaded_) load(target, first);
    submit();
    loaded_ = last;
  }

 private:
  void load(const kernel& target, std::size_t page);

  const binfmt::code_pages pages_;
  std::mutex mutex_;
  std::vector<std::optional<run>> loads_;  // of each page, made when it is needed first
  std::size_t loaded_ = 0;                 // with the array
};

}  // namespace npurt::detail::overlay
