// SPDX-License-Identifier: Apache-2.0
// Memory banks and locks of a single core tile.
#include "lone_core.hpp"

#include <algorithm>
#include <cstdlib>
#include <format>
#include <stdexcept>

namespace npurt::tools {

std::byte* lone_core_ports::data(std::uint32_t address, std::uint32_t size) {
  const bool inside = address >= data_base && size <= data_size && address - data_base <= data_size - size;
  return inside ? memory_.data() + (address - data_base) : nullptr;
}

/// Eight banks of 8 KiB, 16 bytes wide, two interleaved in each 16 KiB; one access a cycle (AM020 chapters 2 and 4).
bool lone_core_ports::claim_banks(std::uint32_t address, std::uint32_t size) {
  if (core_->counters().cycles != cycle_) {
    cycle_ = core_->counters().cycles;
    taken_ = 0;
  }
  unsigned wanted = 0;
  for (std::uint32_t at = address & ~15u; at < address + size; at += 16)
    wanted |= 1u << (2 * (at / 0x4000 % 4) + at / 16 % 2);
  if ((wanted & taken_) != 0) return false;
  taken_ |= wanted;
  return true;
}

/// A negative value waits for at least its magnitude, another for exactly that; both take it.
bool lone_core_ports::acquire_lock(unsigned id, int value) {
  if (id < first_own_lock || id >= first_own_lock + own_locks) return false;
  int& lock = locks_[id - first_own_lock];
  if (value < 0 ? lock < -value : lock != value) return false;
  lock -= std::abs(value);
  return true;
}

void lone_core_ports::release_lock(unsigned id, int value) {
  if (id < first_own_lock || id >= first_own_lock + own_locks) return;
  int& lock = locks_[id - first_own_lock];
  lock = std::clamp(lock + value, 0, largest_lock);
}

void lone_core_ports::set_lock(unsigned id, int value) {
  if (id < first_own_lock || id >= first_own_lock + own_locks)
    throw std::runtime_error(std::format("lock {} is not in the core's own tile; its ids are {} to {}", id,
                                         first_own_lock, first_own_lock + own_locks - 1));
  locks_[id - first_own_lock] = value;
}

namespace {

std::string explain_lock(unsigned id, int value, const lone_core_ports& ports) {
  const auto wanted = value < 0 ? std::format("at least {}", -value) : std::format("exactly {}", value);
  if (id < lone_core_ports::first_own_lock)
    return std::format("waits for ever: acq of lock {}, a neighbour's; npurt-core runs one core alone", id);
  return std::format(
      "waits for ever: acq of lock {} wants {}, it is {}, and nobody else is there to release it (--lock {}={} starts "
      "with a value)",
      id, wanted, ports.lock(id), id, value < 0 ? -value : value);
}

}  // namespace

std::string explain_wait(const emu::core& core, const lone_core_ports& ports) {
  switch (core.waiting()) {
    case emu::stall::lock:
      return explain_lock(core.waiting_lock(), core.waiting_lock_value(), ports);
    case emu::stall::stream_in:
      return "waits for ever: reads a stream, and npurt-core connects none";
    case emu::stall::stream_out:
      return "waits for ever: writes a stream, and npurt-core connects none";
    case emu::stall::cascade_in:
      return "waits for ever: reads the cascade, and npurt-core connects none";
    case emu::stall::cascade_out:
      return "waits for ever: writes the cascade, and npurt-core connects none";
    case emu::stall::none:
    case emu::stall::memory:
      break;
  }
  return {};
}

}  // namespace npurt::tools
