// SPDX-License-Identifier: Apache-2.0
// The device that all clients of a process share: the NPU, its contexts, the outcome of its commands.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
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
  bool syncobj = false;                 ///< contexts have a syncobj, as with the kernel's driver
  std::string stats_path = {};          ///< where statistics are written; nowhere if empty
  std::string trace_path = {};          ///< where the timeline is written; nowhere if empty
  std::size_t trace_limit = 1'000'000;  ///< events
  std::shared_ptr<faults> on_demand = std::make_shared<faults>();
};

/// Figures of the command that completed last: a packet, so a chain counts as one.
struct last_command {
  command_result result;
  std::uint64_t clock_hz = 0;
};

/// Thread-safe.
class device {
 public:
  explicit device(options settings);

  const options& settings() const { return settings_; }
  const chip& model() const { return *settings_.model; }
  npu& array() { return npu_; }
  timelines& fences() { return fences_; }
  faults& on_demand() { return *settings_.on_demand; }

  /// The device disappears: every context ends, what it had to do is aborted.
  void lose();

  /// A number for the device's next context, whose entry stays listed as long as it lives.
  /// @return ENOENT if the device has no room for another context
  std::expected<std::uint32_t, int> reserve_context();
  void release_context();
  void list_context(const std::shared_ptr<hwctx>& context);
  std::vector<std::shared_ptr<hwctx>> contexts() const;

  /// Runs one command with the addresses of its client; a `blind` one's DMAs find no host memory. Buffer objects that
  /// are closed meanwhile keep their memory. An exception becomes a failed command.
  command_result execute(const address_space& space, context_id context, const kernel_command& command, bool blind,
                         const std::atomic<bool>& cancelled);

  /// Keeps memory whose buffer object was closed until no command can be using it.
  void retire(std::shared_ptr<memory> contents);

  void set_last_command(command_result result);
  std::optional<last_command> get_last_command() const;

  std::uint8_t power_mode() const { return power_mode_; }
  void set_power_mode(std::uint8_t mode) { power_mode_ = mode; }
  clock_level clock() const;  ///< of the power mode, or of NPURT_EMU_CLOCK

  /// Exported syncobjs by the inode of their descriptor, since a descriptor is all an importer has.
  void export_syncobj(std::uint64_t inode, std::shared_ptr<syncobj> object);
  std::shared_ptr<syncobj> import_syncobj(std::uint64_t inode) const;

  /// Writes statistics and the timeline if they are wanted.
  void write_statistics() const;

  /// Waits for the command that runs; later ones fail.
  void shut_down();

 private:
  clock_level mode_clock() const;
  command_result run(const address_space& space, context_id context, const kernel_command& command, bool blind,
                     const std::atomic<bool>& cancelled);

  /// Commands are serialised, so one window to memory that looks at the running command's client is enough.
  class window : public device_memory {
   public:
    std::byte* translate(std::uint64_t address, std::uint64_t size) override {
      return space == nullptr ? nullptr : space->translate(address, size);
    }
    const address_space* space = nullptr;
  };

  options settings_;
  window window_;
  npu npu_;
  timelines fences_;
  std::atomic<std::uint8_t> power_mode_ = 0;
  std::atomic<bool> stopped_ = false;
  std::mutex execution_;

  mutable std::mutex mutex_;  // for what follows
  bool executing_ = false;
  std::vector<std::shared_ptr<memory>> retired_;
  std::uint32_t context_count_ = 0;
  std::uint32_t next_context_ = 1;
  std::vector<std::weak_ptr<hwctx>> contexts_;
  std::optional<last_command> last_command_;
  std::vector<std::pair<std::uint64_t, std::shared_ptr<syncobj>>> exports_;
};

}  // namespace npurt::emu::driver
