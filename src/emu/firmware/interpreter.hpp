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

namespace npurt::emu {

class interpreter {
 public:
  /// Loads the PDI of so many bytes at a device address into the command's columns.
  using pdi_loader = std::function<void(std::uint64_t address, std::uint32_t bytes)>;

  /// @param cycle_budget  array cycles after which a command that waits counts as endless
  interpreter(array& target, const npu_command& command, std::uint64_t cycle_budget, firmware_log& log,
              pdi_loader load_pdi);

  /// Runs all operations. Errors of the array come out as outcome `error` with the operation's index.
  /// cycles and macs of the result are the caller's to fill in.
  command_result run(const binfmt::control_code& code);

  /// Cycles that the firmware itself was busy.
  std::uint64_t firmware_cycles() const { return firmware_cycles_; }

 private:
  /// Executes one operation; false: it can never complete, and `result_` says why.
  bool execute(const binfmt::control_operation& op);
  bool sync(const binfmt::control_operation& op);
  bool wait_token(aie::tile_id tile, aie::dma_direction direction, unsigned channel);
  bool poll(const binfmt::control_operation& op);
  void load_pdi(const binfmt::control_operation& op);
  void accept(const binfmt::control_operation& op, const char* as);
  void patch(const binfmt::control_operation& op);
  void spend(std::uint64_t cycles);
  bool cancelled() const {
    return command_.cancelled != nullptr && command_.cancelled->load(std::memory_order_relaxed);
  }
  bool abort();
  bool give_up(const std::string& what, const std::optional<awaited_token>& awaited);

  array& array_;
  const npu_command& command_;
  std::uint64_t deadline_;
  std::uint64_t firmware_cycles_ = 0;
  firmware_log& log_;
  pdi_loader load_pdi_;
  command_result result_;
};

}  // namespace npurt::emu
