// SPDX-License-Identifier: Apache-2.0
// Operations of a sequence as commands of one context, in one list.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <xrt/experimental/xrt_kernel.h>

#include "npurt/sequence.hpp"
#include "runtime/overlay/session.hpp"
#include "runtime/run_state.hpp"
#include "runtime/sequence/program.hpp"

namespace npurt::detail::sequences {

/// The memory of a tensor.
struct memory {
  xrt::bo bo;
  std::byte* data = nullptr;
};
using memories = std::vector<memory>;

/// Own buffers for the tensors that have none yet; all zeros, on the device.
/// @throws buffer_error
void allocate(memories& into, const program& what, const kernel& target);

/// Commands for consecutive operations, ready to be started any number of times. Keeps their memory, and from the start
/// to the end their context. Not thread-safe, but for let_go().
class execution final : context_user {
 public:
  /// Its context is open when it is made; see release().
  /// @param first, count of the program's operations
  /// @throws buffer_error, xclbin_error, context_limit_error, device_error
  execution(std::shared_ptr<overlay::session> place, std::shared_ptr<const program> what, const memories& memory,
            std::size_t first, std::size_t count);
  ~execution();
  execution(const execution&) = delete;
  execution& operator=(const execution&) = delete;

  /// Opens the context, and keeps it open until the end of a run or release().
  /// @return whether the commands are still of use: not if the context was closed meanwhile, or began or ceased to be
  ///         shared with others
  /// @throws as the constructor
  bool acquire();
  void release() noexcept { held_.reset(); }
  /// What comes next gets a new context: these commands are late. Any thread may find so.
  void suspect() noexcept { context().suspect(number_); }
  /// The same, for good. This context stays open until the commands have ended.
  void abandon() noexcept;
  void let_go() noexcept override;

  const std::shared_ptr<overlay::session>& place() const { return place_; }

  /// Another memory for a tensor from the next start on.
  /// @throws buffer_error
  void rebind(std::size_t tensor, const xrt::bo& bo);

  /// @throws command_error if the driver does not take it
  void start();

  /// @return whether the commands have ended by then, at least a millisecond from now
  /// @throws command_error naming the operation that failed
  bool ended_within(std::chrono::milliseconds time);

  /// Whether they have ended, well or not.
  bool ended() const;

 private:
  struct command {
    std::size_t step;  ///< of the program
    bool loads_page;   ///< of that step, ahead of it
    std::shared_ptr<run_state> run;
  };

  void add(std::size_t step, bool loads_page, std::span<const std::uint32_t> code, const std::vector<xrt::bo>& buffers);
  std::vector<xrt::bo> bound(const prepared_step& each, const memories& memory) const;
  ert_cmd_state state_now() const;  ///< of the list, as XRT tells it
  std::string name_of(const xrt::run& failed) const;
  [[noreturn]] void fail(command_state state, const std::string& where, const char* text);
  hw_context_state& context() const { return *place_->target.state()->context; }

  std::shared_ptr<overlay::session> place_;
  std::shared_ptr<const program> program_;
  std::vector<command> commands_;
  std::optional<std::size_t> first_page_, last_page_;  ///< that it needs at the start and leaves at the end
  xrt::runlist list_;
  mutable std::optional<ert_cmd_state> failed_as_;  ///< XRT tells once that a list has failed
  bool together_ = false;                           ///< each command brings its page
  std::atomic<std::uint64_t> number_ = 0;           ///< of the opening of the context that the list was made in
  std::shared_ptr<const open_context> held_;
};

}  // namespace npurt::detail::sequences
