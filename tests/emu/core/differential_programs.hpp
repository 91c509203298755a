// SPDX-License-Identifier: Apache-2.0
// Random programs: any bundle format, any instruction, any operands, held together so that they run for long.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "emu/core/core.hpp"
#include "emu/core/differential_random.hpp"

namespace npurt::test {

struct bundle_bytes {
  std::array<std::uint8_t, 16> bytes{};
  std::uint8_t length = 0;
};

/// Another bundle for a place of the program, of the same length.
struct rewrite {
  std::size_t index;
  bundle_bytes bundle;
};

struct random_program {
  std::uint32_t start = 0;  ///< address of the first bundle, where execution begins
  std::vector<bundle_bytes> bundles;
  std::vector<rewrite> rewrites;

  std::uint32_t address(std::size_t index) const;
  std::vector<std::uint8_t> image() const;
};

/// How little a program is held together.
struct wildness {
  std::uint32_t one_in = 0;  ///< one instruction in so many has whatever operands it gets; 0: none
};

/// A program made of loops, calls, branches and straight runs of random bundles.
random_program make_program(random_source& random, const wildness& how);

/// Initial values of the registers that programs rely on (addresses, multiplier configurations, modes), and anything in
/// the others.
void set_registers(random_source& random, emu::core& core);

/// Text of one bundle, its bytes if it is none.
std::string text_of(const bundle_bytes& bundle);

/// A bundle of the same length that does nothing.
bundle_bytes nop_like(const bundle_bytes& bundle);

}  // namespace npurt::test
