// SPDX-License-Identifier: Apache-2.0
// The state of the emulated NPU: contexts in npu.cpp, commands in npu_commands.cpp.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "binfmt/control_code.hpp"
#include "emu/array/array.hpp"
#include "emu/array/timing.hpp"
#include "emu/firmware/column_turns.hpp"
#include "emu/firmware/npu.hpp"
#include "emu/firmware/npu_context.hpp"
#include "emu/firmware/timeline.hpp"

namespace npurt::emu {

/// The driver's watchdog ends a command after 2 s (xdna-driver aie2_tdr.c).
inline std::uint64_t watchdog_cycles() { return 2 * timing::clock_hz(); }

struct npu::impl {
  explicit impl(device_memory& host) : memory(host) {}

  void place(context& c, unsigned width);
  void place_all();
  void load(context& c, std::uint32_t cu);
  void configure(context& c, std::span<const std::uint32_t> cdo);
  bool load_pdi(context& c, const binfmt::control_operation& op);
  void keep_new(std::vector<std::string>& notes);
  void go_on(context& c, std::vector<std::string>& notes);
  void spend(context& c, std::string_view what, std::uint64_t cycles);
  void begin_log(context_id id, context& c, std::uint64_t start);
  bool wait_for_turn(std::unique_lock<std::mutex>& lock, column_turns::ticket turn, const std::atomic<bool>* cancelled);
  void wait_until_idle(std::unique_lock<std::mutex>& lock, const context& c);
  command_result execute(context& c, const npu_command& command, array_statistics& cost);
  command_result run(context& c, const npu_command& command);
  void record(context_id id, const context& c, const column_turns::turn& when, const npu_command& command,
              const command_result& result, const array_statistics& cost);
  void unload(context& c);

  /// However a command ends, the next one's turn comes.
  struct held_turn {
    held_turn(impl& owner, std::unique_lock<std::mutex>& guard, const context& who)
        : all(owner), lock(guard), turn(owner.turns.queue(who)) {}
    ~held_turn() {
      if (!lock.owns_lock()) lock.lock();
      all.turns.end(turn, cycles);
      all.turn_over.notify_all();
    }
    held_turn(const held_turn&) = delete;
    held_turn& operator=(const held_turn&) = delete;

    impl& all;
    std::unique_lock<std::mutex>& lock;
    column_turns::ticket turn;
    std::uint64_t cycles = 0;
  };

  mutable std::mutex mutex;  ///< not held while a command runs
  device_memory& memory;     ///< of commands without one of their own
  column_turns turns;
  std::condition_variable turn_over;
  std::map<context_id, context> contexts;
  context_id next_id = 1;
  std::atomic<std::uint64_t> cycle_budget = watchdog_cycles();
  std::unique_ptr<timeline> line;
  array_statistics total;            ///< over the device's usable columns
  std::vector<std::string> records;  ///< JSON text, a fifth of the size of its tree
  std::uint64_t commands = 0, total_cycles = 0, total_firmware = 0, total_pdi_loads = 0, macs = 0, ddr_read = 0,
                ddr_written = 0;
  std::map<std::string, std::uint64_t, std::less<>> ignored;
  std::set<std::string> told;  ///< notes
};

}  // namespace npurt::emu
