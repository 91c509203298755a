// SPDX-License-Identifier: Apache-2.0
// Bank claims and memory windows through the ports.
#include "emu/core/translate/helpers.hpp"

#include "emu/core/pipeline.hpp"

namespace npurt::emu::translate {

bool claim_banks(context* c, std::uint32_t address, std::uint32_t size) noexcept {
  c->core->counters.cycles = c->cycles;  // ports may tell cycles apart by it
  return c->core->ports().claim_banks(address, size);
}

std::byte* find_memory(context* c, std::uint32_t address, std::uint32_t size) noexcept {
  constexpr std::uint32_t window = 0x10000;
  std::byte*& base = c->windows[address / window];
  base = c->core->ports().data(address / window * window, window);
  return base != nullptr ? base + address % window : c->core->ports().data(address, size);
}

}  // namespace npurt::emu::translate
