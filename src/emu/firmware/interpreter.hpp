// SPDX-License-Identifier: Apache-2.0
// Runs the control code of one command on the array.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "binfmt/control_code.hpp"
#include "emu/array/array.hpp"
#include "emu/firmware/firmware_log.hpp"
#include "emu/firmware/npu.hpp"
#include "emu/firmware/state_table.hpp"

namespace npurt::emu {

class interpreter {
 public:
  /// Loads the operation's PDI into the command's columns; false: they hold it already.
  using pdi_loader = std::function<bool(const binfmt::control_operation& op)>;

  /// @param cycle_budget  array cycles after which a command that waits counts as endless
  interpreter(array& target, const npu_command& command, std::uint64_t cycle_budget, firmware_log& log,
              device_memory& memory, pdi_loader load_pdi);

  /// Runs all operations. Errors of the array come out as outcome `error` with the operation's index.
  /// cycles and macs of the result are the caller's to fill in.
  command_result run(const binfmt::control_code& code);

  /// Cycles that the firmware itself was busy.
  std::uint64_t firmware_cycles() const { return firmware_cycles_; }
  /// What cores ran (array::core_running()) while it waited for tokens.
  std::uint64_t running_meanwhile() const { return running_meanwhile_; }

 private:
  /// Executes one operation; false: it can never complete, and `result_` says why.
  bool execute(const binfmt::control_operation& op);
  bool sync(const binfmt::control_operation& op);
  bool wait_token(aie::tile_id tile, aie::dma_direction direction, unsigned channel);
  bool merge_sync(const binfmt::control_operation& op);
  /// Lets time pass until a token arrives; nothing: one may have come, else why none will.
  std::optional<array::run_end> await_token();
  bool poll(const binfmt::control_operation& op);
  void load_pdi(const binfmt::control_operation& op);
  void create_scratchpad(const binfmt::control_operation& op);
  void update_register(const binfmt::control_operation& op);
  void add_to_address(std::uint32_t at, std::uint64_t delta);
  void accept(const binfmt::control_operation& op, const char* as);
  void patch(const binfmt::control_operation& op);
  void spend(std::uint64_t cycles);
  bool give_up(const std::string& what, const std::optional<awaited_token>& awaited);

  array& array_;
  const npu_command& command_;
  std::uint64_t deadline_;
  std::uint64_t firmware_cycles_ = 0, running_meanwhile_ = 0;
  firmware_log& log_;
  device_memory& memory_;
  state_table state_;
  pdi_loader load_pdi_;
  command_result result_;
};

}  // namespace npurt::emu
