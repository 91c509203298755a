// SPDX-License-Identifier: Apache-2.0
// The register file as plain bytes, and where each register of the instruction tables lies in it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "aie/isa/isa.hpp"

namespace npurt::emu {

/// memcpy for the sizes that registers and accesses have, without a call for the common ones.
[[gnu::always_inline]] inline void copy_bytes(std::byte* to, const std::byte* from, std::size_t size) {
  switch (size) {
    case 4:
      std::memcpy(to, from, 4);
      break;
    case 32:
      std::memcpy(to, from, 32);
      break;
    case 64:
      std::memcpy(to, from, 64);
      break;
    case 128:
      std::memcpy(to, from, 128);
      break;
    default:
      std::memcpy(to, from, size);
      break;
  }
}

/// Byte offsets of the register groups. Composite registers are contiguous: x<n> = wl, wh; y<n> = x<2n>, x<2n+1>;
/// cm<n> = bml, bmh = amll, amlh, amhl, amhh; l<n> = a pair of r; d<n> = m, dn, dj, dc (a word each).
namespace layout {
inline constexpr std::uint16_t x = 0;
inline constexpr std::uint16_t cm = x + 12 * 64;
inline constexpr std::uint16_t q = cm + 9 * 128;
inline constexpr std::uint16_t r = q + 4 * 16;
inline constexpr std::uint16_t p = r + 32 * 4;
inline constexpr std::uint16_t d = p + 8 * 4;
inline constexpr std::uint16_t s = d + 8 * 16;
inline constexpr std::uint16_t named = s + 4 * 4;  ///< sp, lr, loop and control registers, in table order
inline constexpr std::uint16_t end = named + 40 * 8;
}  // namespace layout

/// Pointers, modifiers and program addresses are 20 bits wide and wrap.
inline constexpr std::uint32_t address_mask = 0xFFFFF;

struct register_file {
  alignas(64) std::array<std::byte, layout::end> bytes{};

  std::uint32_t word(std::uint16_t offset) const {
    std::uint32_t value;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
  }
  void set_word(std::uint16_t offset, std::uint32_t value) { std::memcpy(bytes.data() + offset, &value, sizeof value); }
};

struct register_piece {
  std::uint16_t offset = 0, size = 0;  ///< bytes
};

/// Where a register lies: one piece, or two for qx, qwl, qwh and the 3D modifiers.
struct register_place {
  std::array<register_piece, 2> pieces{};
  std::uint8_t count = 0;
  std::uint32_t mask = 0xFFFFFFFF;  ///< bits kept of a register of at most 32 bits

  std::uint16_t size() const { return static_cast<std::uint16_t>(pieces[0].size + pieces[1].size); }
};

const register_place& place_of(aie::isa::reg_id reg);

/// Offset of a one-word register by its table name; the name must exist.
std::uint16_t word_offset(std::string_view name);

/// Overflow and exception bits stay set until written: what an instruction reports is or-ed in.
bool is_sticky(aie::isa::reg_id reg);

/// Registers at reset: zero, both cascade ports enabled.
register_file reset_registers();

}  // namespace npurt::emu
