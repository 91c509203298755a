// SPDX-License-Identifier: Apache-2.0
// What the tests of the array and of the firmware share: host buffers, data, a relay of two buffers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "aie/dma.hpp"
#include "emu/array/ddr_port.hpp"

namespace npurt::emu::testing {

/// Host buffers at chosen device addresses, behind the interface by which the room under test reaches them.
template <typename Port>
class host_buffers final : public Port {
 public:
  std::vector<std::uint32_t>& add(std::uint64_t address, std::size_t words) {
    return buffers_[address] = std::vector<std::uint32_t>(words);
  }
  void remove(std::uint64_t address) { buffers_.erase(address); }
  std::byte* translate(std::uint64_t address, std::uint64_t size, memory_access) override {
    auto found = buffers_.upper_bound(address);
    if (found == buffers_.begin()) return nullptr;
    --found;
    const std::uint64_t offset = address - found->first, bytes = found->second.size() * 4;
    if (offset > bytes || size > bytes - offset) return nullptr;
    return reinterpret_cast<std::byte*>(found->second.data()) + offset;
  }

 private:
  std::map<std::uint64_t, std::vector<std::uint32_t>> buffers_;
};

inline std::vector<std::uint32_t> pattern(std::size_t words, std::uint32_t seed = 1) {
  std::vector<std::uint32_t> v(words);
  for (std::uint32_t& w : v) w = seed = seed * 1664525u + 1013904223u;
  return v;
}

/// Memtile BDs by their numbers: producers 0 and 1, consumers 2 and 3, which hand two buffers of `block` words over for
/// ever. Lock 0 counts free buffers, lock 1 full ones.
inline std::array<std::pair<unsigned, aie::dma_bd>, 4> relay_bds(std::uint32_t block) {
  constexpr std::uint8_t free = 64, full = 65;
  std::array<std::pair<unsigned, aie::dma_bd>, 4> bds;
  for (std::uint8_t i = 0; i < 4; ++i) {
    const bool produces = i < 2;
    bds[i] = {i,
              {.address = 0x80000u + 0x1000u * (i % 2),
               .length = block,
               .valid = true,
               .use_next = true,
               .next_bd = static_cast<std::uint8_t>(i ^ 1),
               .acquire_enable = true,
               .acquire_lock = produces ? free : full,
               .acquire_value = -1,
               .release_lock = produces ? full : free,
               .release_value = 1}};
  }
  return bds;
}

}  // namespace npurt::emu::testing
