// SPDX-License-Identifier: Apache-2.0
// Random programs: any bundle format, any instruction, any operands, held together so that they run for long.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "emu/core/differential_bundles.hpp"
#include "emu/core/differential_random.hpp"

namespace npurt::test {

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

}  // namespace npurt::test
