// SPDX-License-Identifier: Apache-2.0
// The memtile BD's words. Places of the fields: AM025, memory tile module, DMA_BD0_0 to DMA_BD0_7.
#include "npurt/detail/control_code.hpp"
#include "runtime/bd_fields.hpp"

namespace npurt::detail {

namespace {

constexpr std::uint32_t own_memory = 0x80000;  // below and above it a memtile's BDs address its neighbours
constexpr std::uint32_t own_locks = 64;
constexpr const char* bd_name = "memtile BD";

std::uint32_t put(const char* name, std::uint32_t value, std::uint32_t low, std::uint32_t bits) {
  return bd_field(bd_name, name, value, low, bits);
}

std::uint32_t put_step(const char* name, std::uint32_t value) { return bd_minus_one(bd_name, name, value, 0, 17); }

// An acquire value below 0 waits for at least that much and subtracts it.
std::uint32_t acquire_bits(const memtile_bd::lock_use& use) {
  constexpr std::uint32_t enable = 1u << 15;
  const std::uint32_t count = put("acquire count", use.count, 0, 6);
  return enable | ((0x80 - count) & 0x7F) << 8 | (put("acquire lock", use.lock, 0, 6) + own_locks);
}

std::uint32_t release_bits(const memtile_bd::lock_use& use) {
  return put("release count", use.count, 24, 6) | (put("release lock", use.lock, 0, 6) + own_locks) << 16;
}

}  // namespace

std::array<std::uint32_t, 8> encode_memtile_bd(const memtile_bd& bd) {
  constexpr std::uint32_t valid = 1u << 31, packet = 1u << 31, use_next = 1u << 19;
  const auto& [d0, d1, d2, d3] = bd.dimensions;
  if (bd.address % 4 != 0) throw error(fmt::format("{}: address {:#x} is no multiple of 4", bd_name, bd.address));
  return {
      put("length", bd.length, 0, 17) | (bd.packet_id ? packet | put("packet id", *bd.packet_id, 23, 5) : 0u),
      put("address", (own_memory + bd.address) / 4, 0, 19) | (bd.next ? use_next | put("next", *bd.next, 20, 6) : 0u),
      put("D0 wrap", d0.wrap, 17, 10) | put_step("D0 step", d0.step),
      put("D1 wrap", d1.wrap, 17, 10) | put_step("D1 step", d1.step),
      put("D2 wrap", d2.wrap, 17, 10) | put_step("D2 step", d2.step),
      put_step("D3 step", d3.step),
      bd_minus_one(bd_name, "iteration wrap", bd.iteration_wrap, 17, 6) | put_step("iteration step", bd.iteration_step),
      valid | (bd.acquire ? acquire_bits(*bd.acquire) : 0u) | (bd.release ? release_bits(*bd.release) : 0u)};
}

}  // namespace npurt::detail
