// SPDX-License-Identifier: Apache-2.0
// What an npurt::hw_context shares: its XCLBIN, and XRT's context while it is open.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

#include <xrt/xrt_device.h>
#include <xrt/xrt_hw_context.h>

#include "npurt/xclbin.hpp"
#include "runtime/context_room.hpp"

namespace npurt::detail {

/// XRT's context. Whoever has a pointer to it keeps it open: that is what a command in flight does.
struct open_context {
  xrt::hw_context native;
  std::uint64_t number = 0;  ///< of openings in this process, from 1: what was made in another one is of no use here
};

/// Has objects of XRT's that were made in the open context: they would keep it open.
class context_user {
 public:
  /// Called while nobody has the open context, and nobody can get it.
  virtual void let_go() noexcept = 0;

 protected:
  ~context_user() = default;
};

/// Opened when it is used, closed when others need its place on the device, opened anew after a failure. Thread-safe.
class hw_context_state : public std::enable_shared_from_this<hw_context_state> {
 public:
  hw_context_state(std::shared_ptr<context_room> room, xrt::device on, const xclbin& image);
  ~hw_context_state();
  hw_context_state(const hw_context_state&) = delete;
  hw_context_state& operator=(const hw_context_state&) = delete;

  const xrt::device device;
  const xrt::xclbin image;
  const std::vector<std::string> kernels;
  const std::string origin;

  /// The open context; if it is not open, or a command in it failed, opens it, and makes or waits for room first.
  /// @throws context_limit_error, xclbin_error, device_error
  std::shared_ptr<const open_context> use();

  /// The open context, null if it is not open.
  std::shared_ptr<const open_context> hold() const;

  /// A command failed or hangs in the opening of that number: what comes next gets a new one.
  void suspect(std::uint64_t number) noexcept;

  /// Pinned once more, or once less; opens it.
  void pin();
  void unpin() noexcept;
  bool pinned() const noexcept { return pins_ != 0; }

  /// The XRT object for a caller who may keep it: pinned for good.
  const xrt::hw_context& expose();

  /// See context_room; asked while it is open. Commands must bring their pages of code then.
  bool is_shared() const { return room_->is_shared(); }
  std::uint64_t openings() const noexcept { return room_->openings(); }

  void attach(context_user& user);
  void detach(context_user& user) noexcept;

  /// Closes it if it is open, not pinned, and nobody has it.
  bool close_if_idle() noexcept;

  /// "overlay.xclbin (in use)"; empty if it is not open.
  std::string description() const;
  std::uint64_t last_use() const noexcept { return last_use_; }

 private:
  void open();
  void close() noexcept;
  /// Has the users let go of what they have of openings. What is in use of older ones cannot be told from what is idle.
  /// @return false if some of it is in use
  bool let_go() noexcept;

  const std::shared_ptr<context_room> room_;
  mutable std::mutex mutex_;  // for what follows; held while it opens
  std::shared_ptr<open_context> open_;
  std::atomic<std::uint64_t> suspect_ = 0;  // openings up to this number are of no use; set without the mutex
  std::vector<std::weak_ptr<const open_context>> older_;  // that commands in flight, or idle users, still have
  xrt::hw_context exposed_;
  std::mutex users_mutex_;  // for users_: they also end while it opens
  std::unordered_set<context_user*> users_;
  std::atomic<unsigned> pins_ = 0;
  std::atomic<std::uint64_t> last_use_ = 0;
};

}  // namespace npurt::detail
