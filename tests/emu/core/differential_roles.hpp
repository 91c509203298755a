// SPDX-License-Identifier: Apache-2.0
// Roles of registers in random programs: what keeps a program running depends on their values.
#pragma once

#include <cstdint>

#include "aie/isa/isa.hpp"

namespace npurt::test {

/// What other instructions rely on a register for. Only values that serve it are written to it.
enum class role : std::uint8_t {
  none,
  vector_pointer,  ///< p0-p4: a multiple of 32
  word_pointer,    ///< p5: a multiple of 4
  byte_pointer,    ///< p6
  stack,           ///< sp
  step,            ///< m, dj: small multiples of 32
  target,          ///< p7, lr
  loop,            ///< ls, le, lc
  counter,         ///< r24, r25: of counted loops
  mac_int,         ///< r12, r13: multiplier configurations
  mac_float,       ///< r14, r15
  sparse_int,      ///< r8
  sparse_float,    ///< r9
  shuffle,         ///< r10, r29: a shuffle mode
  lock,            ///< r11: a lock id
  shift,           ///< s3: a shift that vfloor takes
  alignment,       ///< s2: a step of vshift.align
  addresses,       ///< x11: addresses for vldb.4x
  small_floats,    ///< x10, amhh8: bf16 that vfloor takes
  rounding,        ///< crRnd
  enabled,         ///< crMCDEn, crSCDEn
};

role role_of(aie::isa::reg_id reg);

}  // namespace npurt::test
