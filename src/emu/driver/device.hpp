// SPDX-License-Identifier: Apache-2.0
// The device that all clients share: the NPU, its contexts, the outcome of its commands.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "emu/driver/buffer_object.hpp"
#include "emu/driver/chip.hpp"
#include "emu/driver/faults.hpp"
#include "emu/driver/packet.hpp"
#include "emu/driver/syncobj.hpp"
#include "emu/firmware/npu.hpp"

namespace npurt::emu::driver {

class hwctx;

/// How the device behaves; see emulator.cpp for the environment variables.
struct options {
  const chip* model = find_chip("phoenix");
  bool null_commands = false;           ///< commands complete at submission without being executed
  bool strict = false;                  ///< tells of syncs that the program forgot (sync_check.hpp)
  bool syncobj = false;                 ///< contexts have a syncobj, as with the kernel's driver
  std::string stats_path = {};          ///< where statistics are written; nowhere if empty
  std::string trace_path = {};          ///< where the timeline is written; nowhere if empty
  bool keep_timeline = false;           ///< also if it is not written
  std::size_t trace_limit = 1'000'000;  ///< events
  std::shared_ptr<faults> on_demand = std::make_shared<faults>();
};

/// Figures of the command that completed last: a packet, so a chain counts as one.
struct last_command {
  command_result result;
  std::uint64_t clock_hz = 0;
};

/// Takes a plan from text (fault_plan.hpp) for a device that runs. @return false if it cannot be read; the log says why
bool set_faults(faults& target, std::string_view text);

/// Thread-safe.
class device {
 public:
  explicit device(options settings);

  const options& settings() const { return settings_; }
  const chip& model() const { return *settings_.model; }
  npu& array() { return npu_; }
  timelines& fences() { return fences_; }
  faults& on_demand() { return *settings_.on_demand; }

  /// What happens to the whole device (fault_plan.hpp).
  void meet(device_event event);

  /// A number for the device's next context, whose entry stays listed as long as it lives.
  /// @return ENOENT if the device has no room for another context
  std::expected<std::uint32_t, int> reserve_context();
  void release_context();
  void list_context(const std::shared_ptr<hwctx>& context);
  std::vector<std::shared_ptr<hwctx>> contexts() const;

  /// Runs one command with the addresses of its client, at the same time as others on other columns; a `blind` one's
  /// DMAs find no host memory. Buffer objects that are closed meanwhile keep their memory. An exception becomes a
  /// failed command.
  command_result execute(const address_space& space, context_id context, const kernel_command& command, bool blind,
                         const std::atomic<bool>& cancelled);

  /// Keeps memory whose buffer object was closed until no command of its client can be using it.
  void retire(const address_space& space, std::shared_ptr<memory> contents);

  // By process.
  void set_last_command(std::int64_t pid, command_result result);
  std::optional<last_command> get_last_command(std::int64_t pid) const;
  void forget_last_command(std::int64_t pid);

  std::uint8_t power_mode() const { return power_mode_; }
  void set_power_mode(std::uint8_t mode) { power_mode_ = mode; }
  clock_level clock() const;  ///< of the power mode, or of NPURT_EMU_CLOCK

  /// Exported syncobjs by the inode of their descriptor, since a descriptor is all an importer has.
  void export_syncobj(std::uint64_t inode, std::shared_ptr<syncobj> object);
  std::shared_ptr<syncobj> import_syncobj(std::uint64_t inode) const;

  /// Writes statistics and the timeline if they are wanted.
  void write_statistics() const;

  /// Waits for the commands that run; later ones fail.
  void shut_down();

 private:
  clock_level mode_clock() const;
  command_result run(std::uint64_t number, const address_space& space, context_id context,
                     const kernel_command& command, bool blind, const std::atomic<bool>& cancelled);

  /// Host memory as one command may see it.
  class window : public device_memory {
   public:
    explicit window(const address_space* space, std::uint64_t command = 0) : space_(space), command_(command) {}
    std::byte* translate(std::uint64_t address, std::uint64_t size, memory_access access) override {
      return space_ == nullptr ? nullptr : space_->translate(address, size, access, command_);
    }

   private:
    const address_space* space_;
    const std::uint64_t command_;
  };

  /// Memory that commands of its client with smaller numbers may be using.
  struct retired {
    std::uint64_t before = 0;
    const address_space* space = nullptr;
    std::shared_ptr<memory> contents;
  };

  std::vector<retired> take_unused(const address_space& space);

  options settings_;
  window no_memory_{nullptr};
  npu npu_;
  timelines fences_;
  std::atomic<std::uint8_t> power_mode_ = 0;

  mutable std::mutex files_;  ///< of statistics and timelines: one writes at a time

  mutable std::mutex mutex_;  // for what follows
  bool stopped_ = false;
  std::condition_variable ended_;  ///< of a command
  std::uint64_t next_command_ = 1;
  std::map<std::uint64_t, const address_space*> executing_;
  std::vector<retired> retired_;
  std::uint32_t context_count_ = 0;
  std::uint32_t next_context_ = 1;
  std::vector<std::weak_ptr<hwctx>> contexts_;
  std::map<std::int64_t, last_command> last_commands_;
  std::vector<std::pair<std::uint64_t, std::shared_ptr<syncobj>>> exports_;
};

}  // namespace npurt::emu::driver
