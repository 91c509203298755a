// SPDX-License-Identifier: Apache-2.0
// Runs the control code of one command on the array.
#include "emu/firmware/interpreter.hpp"

#include <algorithm>
#include <format>
#include <utility>

#include "emu/array/timing.hpp"
#include "emu/firmware/command_end.hpp"
#include "emu/firmware/firmware_error.hpp"

namespace npurt::emu {
namespace {

using binfmt::control_op;
using binfmt::control_operation;

/// XRT's buffers lie at this offset in the device's view; firmware adds it when it patches (XRT elf_patcher.cpp does
/// the same for the ELF flow).
constexpr std::uint64_t ddr_offset = 0x80000000;

std::uint32_t bus_address(const control_operation& op) {
  if (op.address > 0xFFFFFFFF)
    throw firmware_error(std::format("register address {:#x} is outside the array", op.address));
  return static_cast<std::uint32_t>(op.address);
}

/// An address word of a shim BD and the one behind it, whose low half is the rest of the address.
constexpr std::uint32_t address_mask = 0xFFFFFFFC, upper_mask = 0xFFFF;

}  // namespace

interpreter::interpreter(array& target, const npu_command& command, std::uint64_t cycle_budget, firmware_log& log,
                         device_memory& memory, pdi_loader load_pdi)
    : array_(target),
      command_(command),
      deadline_(target.now() + cycle_budget),
      log_(log),
      memory_(memory),
      load_pdi_(std::move(load_pdi)) {}

command_result interpreter::run(const binfmt::control_code& code) {
  for (std::size_t i = 0; i < code.operations.size(); ++i) {
    result_.failed_op = static_cast<std::uint32_t>(i);
    const control_operation& op = code.operations[i];
    const std::uint64_t start = array_.now(), busy = firmware_cycles_;
    try {
      check(command_.cancelled);
      const bool goes_on = execute(op);
      log_.add(binfmt::to_string(op.op), start, array_.now(), firmware_cycles_ - busy);
      if (!goes_on) return result_;
    } catch (const command_end& end) {
      result_.outcome = end.outcome;
      result_.report = std::format("control code operation {} ({}): {}", i, binfmt::to_string(op.op), end.what());
      return result_;
    } catch (const std::exception& error) {
      result_.outcome = command_outcome::error;
      result_.report = std::format("control code operation {} ({}): {}", i, binfmt::to_string(op.op), error.what());
      return result_;
    }
  }
  result_.failed_op = 0;
  return result_;
}

void interpreter::spend(std::uint64_t cycles) {
  firmware_cycles_ += cycles;
  let_pass(array_, cycles, command_.cancelled);
}

bool interpreter::execute(const control_operation& op) {
  switch (op.op) {
    case control_op::write:
      spend(timing::fw_write);
      array_.write(bus_address(op), op.value);
      return true;
    case control_op::block_write:
      spend(timing::fw_block_write + timing::fw_block_write_word * op.data.size());
      array_.write(bus_address(op), op.data);
      return true;
    case control_op::mask_write:
      spend(timing::fw_mask_write);
      array_.mask_write(bus_address(op), op.value, op.mask);
      return true;
    case control_op::mask_poll:
      return poll(op);
    case control_op::noop:
      spend(timing::fw_noop);
      return true;
    case control_op::tct_sync:
      return sync(op);
    case control_op::ddr_patch:
      patch(op);
      return true;
    case control_op::mask_poll_busy:
      accept(op, "a mask poll");
      return poll(op);
    case control_op::load_pdi:
      load_pdi(op);
      return true;
    case control_op::preempt:
    case control_op::load_pm_start:
    case control_op::read_regs:
    case control_op::record_timer:
      accept(op, "an operation without effect on the array");
      spend(timing::fw_noop);
      return true;
    case control_op::create_scratchpad:
      create_scratchpad(op);
      return true;
    case control_op::update_state_table:
      accept(op, "a new value of the entry");
      state_.set(op.id, state_.apply(op.id, op.function, op.value));
      spend(timing::fw_noop);
      return true;
    case control_op::update_reg:
      update_register(op);
      return true;
    case control_op::update_scratch:
      accept(op, "the state table's way back to the host");
      state_.store();
      spend(timing::fw_noop);
      return true;
    case control_op::merge_sync:
      return merge_sync(op);
  }
  throw firmware_error(std::format("operation {} is not built", binfmt::to_string(op.op)));
}

bool interpreter::give_up(const std::string& what, const std::optional<awaited_token>& awaited) {
  result_.outcome = command_outcome::timeout;
  result_.report =
      std::format("control code operation {}: {}\n{}", result_.failed_op, what, array_.waiting_report(awaited));
  return false;
}

namespace {

const char* why(array::run_end end) {
  switch (end) {
    case array::run_end::quiet:
      return "nothing can move any more";
    case array::run_end::spinning:
      return "cores run, but no lock is touched and no word moves";
    default:
      return "the cycle budget is spent";
  }
}

}  // namespace

bool interpreter::wait_token(aie::tile_id tile, aie::dma_direction direction, unsigned channel) {
  while (!array_.take_token(tile, direction, channel)) {
    check(command_.cancelled);
    if (const auto end = await_token())
      return give_up(std::format("sync waits for a token of {} {} of tile {}; {}",
                                 direction == aie::dma_direction::mm2s ? "MM2S" : "S2MM", channel, aie::to_string(tile),
                                 why(*end)),
                     awaited_token{tile, direction, static_cast<std::uint8_t>(channel)});
  }
  return true;
}

std::optional<array::run_end> interpreter::await_token() {
  const std::uint64_t before = array_.core_running();
  const auto end = array_.run(std::min(deadline_, array_.now() + cancel_interval), true, true);
  running_meanwhile_ += array_.core_running() - before;
  const bool goes_on = end == array::run_end::token || (end == array::run_end::reached && array_.now() < deadline_);
  return goes_on ? std::nullopt : std::optional(end);
}

/// So many tokens, whichever channels of the first columns they are of: what aiebu's code for preemption waits for at
/// its end (gen-preemption.cpp).
bool interpreter::merge_sync(const control_operation& op) {
  accept(op, "a wait for tokens of any channels");
  for (unsigned taken = 0; taken < op.tokens; ++taken)
    while (!array_.take_any_token(op.columns)) {
      check(command_.cancelled);
      if (const auto end = await_token())
        return give_up(std::format("merge sync waits for token {} of {} from the first {} columns; {}", taken + 1,
                                   op.tokens, op.columns, why(*end)),
                       std::nullopt);
    }
  spend(timing::fw_sync);
  return true;
}

bool interpreter::sync(const control_operation& op) {
  const auto direction = op.sync.direction == 0 ? aie::dma_direction::s2mm : aie::dma_direction::mm2s;
  for (unsigned col = op.sync.col; col < op.sync.col + unsigned{op.sync.columns}; ++col)
    for (unsigned row = op.sync.row; row < op.sync.row + unsigned{op.sync.rows}; ++row) {
      const aie::tile_id tile{static_cast<std::uint8_t>(col), static_cast<std::uint8_t>(row)};
      if (!wait_token(tile, direction, op.sync.channel)) return false;
    }
  spend(timing::fw_sync);
  return true;
}

bool interpreter::poll(const control_operation& op) {
  for (;;) {
    spend(timing::fw_mask_poll);
    if ((array_.read(bus_address(op)) & op.mask) == op.value) return true;
    if (array_.quiet() || array_.now() >= deadline_)
      return give_up(std::format("mask poll of address {:#x} for {:#x} under mask {:#x} is never met", op.address,
                                 op.value, op.mask),
                     std::nullopt);
  }
}

void interpreter::accept(const control_operation& op, const char* as) {
  add_note(result_.notes, std::format("control code operation {} is not established on Phoenix; taken for {}",
                                      binfmt::to_string(op.op), as));
}

/// The array's configuration is another one from here on; what the firmware takes for the compute unit's PDI is not
/// established, so a later command of the same unit finds what was loaded here.
void interpreter::load_pdi(const control_operation& op) {
  if (op.pdi_size == 0)
    throw firmware_error(std::format("load of PDI {} without address and size: only its own linker knows them", op.id));
  accept(op, "a reset of the columns and the PDI at its address");
  if (!load_pdi_(op))
    add_note(result_.notes,
             std::format("PDI {} is loaded already: not loaded again, as mlir-aie says of the firmware", op.id));
}

void interpreter::create_scratchpad(const control_operation& op) {
  accept(op, "a copy of the host's words");
  if (op.id != 0) throw firmware_error(std::format("a scratchpad of use {}; only 0, a state table, is known", op.id));
  state_table::check_size(op.value);
  spend(timing::fw_block_write + timing::fw_block_write_word * (op.value / 4));
  std::byte* host = memory_.translate(op.address, op.value);
  if (host == nullptr) host = memory_.translate(op.address - ddr_offset, op.value);
  if (host == nullptr)
    throw firmware_error(
        std::format("scratchpad at {:#x}: no buffer object holds it; XRT places it for ELFs only", op.address));
  state_.load({host, op.value});
}

void interpreter::update_register(const control_operation& op) {
  accept(op, "an addition to a 48-bit address");
  spend(timing::fw_ddr_patch);
  add_to_address(bus_address(op), state_.apply(op.id, op.function, op.value));
}

void interpreter::add_to_address(std::uint32_t at, std::uint64_t delta) {
  const std::uint64_t upper = array_.read(at + 4) & upper_mask;
  const std::uint64_t sum = (upper << 32 | (array_.read(at) & address_mask)) + delta;
  array_.write(at, static_cast<std::uint32_t>(sum & address_mask));
  array_.mask_write(at + 4, static_cast<std::uint32_t>(sum >> 32), upper_mask);
}

void interpreter::patch(const control_operation& op) {
  spend(timing::fw_ddr_patch);
  if (!command_.apply_patches) return;
  if (op.argument >= command_.arguments.size())
    throw firmware_error(std::format("patch of address {:#x} names buffer argument {}; the command has {}", op.address,
                                     op.argument, command_.arguments.size()));
  const std::uint64_t address = command_.arguments[op.argument] + op.argument_offset + ddr_offset;
  const std::uint32_t at = bus_address(op);
  array_.write(at, static_cast<std::uint32_t>(address & address_mask));
  array_.mask_write(at + 4, static_cast<std::uint32_t>(address >> 32), upper_mask);
}

}  // namespace npurt::emu
