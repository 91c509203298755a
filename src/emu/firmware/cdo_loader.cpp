// SPDX-License-Identifier: Apache-2.0
// Applies the CDO of a PDI to the array.
#include "emu/firmware/cdo_loader.hpp"

#include <format>
#include <vector>

#include "binfmt/cdo.hpp"
#include "emu/array/timing.hpp"
#include "emu/firmware/command_end.hpp"
#include "emu/firmware/firmware_error.hpp"

namespace npurt::emu {
namespace {

using binfmt::cdo_op;

/// Words of one SET command; the array's largest memory has fewer.
constexpr std::uint32_t longest_set = 512 * 1024 / 4;

/// Array cycles for which a mask poll goes on, and between its looks.
constexpr std::uint64_t longest_poll = 100'000, poll_interval = 100;

std::uint32_t bus_address(const binfmt::cdo_command& c) {
  if (c.address > 0xFFFFFFFF)
    throw firmware_error(
        std::format("CDO command at byte {}: address {:#x} is outside the array", c.offset, c.address));
  return static_cast<std::uint32_t>(c.address);
}

[[noreturn]] void refuse(const binfmt::cdo_command& c) {
  throw firmware_error(std::format("CDO command {:#x} at byte {} is not built", static_cast<unsigned>(c.op), c.offset));
}

void poll(array& target, const binfmt::cdo_command& c) {
  const std::uint64_t end = target.now() + longest_poll;
  while ((target.read(bus_address(c)) & c.mask) != (c.value & c.mask)) {
    if (target.quiet() || target.now() >= end)
      throw firmware_error(std::format("CDO mask poll of address {:#x} at byte {} is not met", c.address, c.offset));
    target.run(target.now() + poll_interval, false, false);
  }
}

void set(array& target, const binfmt::cdo_command& c) {
  if (c.count > longest_set)
    throw firmware_error(std::format("CDO set at byte {}: {} words are more than any memory has", c.offset, c.count));
  target.write(bus_address(c), std::vector<std::uint32_t>(c.count, c.value));
}

std::uint64_t apply(array& target, const binfmt::cdo_command& c) {
  switch (c.op) {
    case cdo_op::write:
    case cdo_op::write64:
      target.write(bus_address(c), c.value);
      return 1;
    case cdo_op::mask_write:
    case cdo_op::mask_write64:
      target.mask_write(bus_address(c), c.value, c.mask);
      return 2;
    case cdo_op::dma_write:
      target.write(bus_address(c), c.data);
      return c.data.size();
    case cdo_op::set:
      set(target, c);
      return c.count;
    case cdo_op::mask_poll:
    case cdo_op::mask_poll64:
      poll(target, c);
      return 1;
    case cdo_op::nop:
      return 0;
    case cdo_op::delay:  // load_cdo
    case cdo_op::dma_xfer:
    case cdo_op::write_keyhole:
      break;
  }
  refuse(c);
}

}  // namespace

std::uint64_t load_cycles(std::uint64_t words) { return words * timing::fw_pdi_tenths_per_word / 10; }

std::uint64_t load_cdo(array& target, std::span<const std::uint32_t> cdo, std::uint64_t most_cycles,
                       const std::atomic<bool>* cancelled) {
  binfmt::cdo_reader reader(cdo);
  std::uint64_t words = 0, delays = 0;
  while (const auto command = reader.next()) {
    const bool waits = command->op == cdo_op::delay;
    if (waits) delays += command->count;
    if (delays + load_cycles(words) > most_cycles)
      throw command_end(command_outcome::timeout,
                        std::format("CDO command at byte {}: loading takes more than the command's {} cycles",
                                    command->offset, most_cycles));
    check(cancelled);
    if (waits) {
      let_pass(target, command->count, cancelled);
      continue;
    }
    const std::uint64_t before = target.now();
    words += apply(target, *command);
    delays += target.now() - before;  // of a mask poll
  }
  return words;
}

void check_cdo(std::span<const std::uint32_t> cdo) {
  binfmt::cdo_reader reader(cdo);
  while (const auto command = reader.next())
    if (command->op == cdo_op::dma_xfer || command->op == cdo_op::write_keyhole) refuse(*command);
}

}  // namespace npurt::emu
