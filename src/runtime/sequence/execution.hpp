// SPDX-License-Identifier: Apache-2.0
// Operations of a sequence as commands of one context, in one list.
#pragma once

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

/// Commands for consecutive operations, ready to be started any number of times. Keeps their memory and their context.
/// Not thread-safe.
class execution {
 public:
  /// @param first, count of the program's operations
  /// @throws buffer_error, xclbin_error
  execution(std::shared_ptr<overlay::session> place, std::shared_ptr<const program> what, const memories& memory,
            std::size_t first, std::size_t count);

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
  ert_cmd_state state_now() const;
  std::string name_of(const xrt::run& failed) const;
  [[noreturn]] void fail(command_state state, const std::string& where, const char* text) const;

  std::shared_ptr<overlay::session> place_;
  std::shared_ptr<const program> program_;
  std::vector<command> commands_;
  std::optional<std::size_t> first_page_, last_page_;  ///< that it needs at the start and leaves at the end
  xrt::runlist list_;
};

}  // namespace npurt::detail::sequences
