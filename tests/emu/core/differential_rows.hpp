// SPDX-License-Identifier: Apache-2.0
// What the reference executes, asked of it once: instructions by slot, and multiplier configurations.
#pragma once

#include <cstdint>
#include <vector>

#include "aie/isa/isa.hpp"
#include "emu/core/differential_roles.hpp"

namespace npurt::test {

struct row_lists {
  std::vector<const aie::isa::instruction*> all, going_on;
  std::vector<std::vector<const aie::isa::instruction*>> by_mnemonic;  ///< of going_on
};

/// The instructions of a slot.
const row_lists& rows_of(aie::isa::slot where);
/// Configuration words for a register of that role: mac_int, mac_float, sparse_int or sparse_float.
const std::vector<std::uint32_t>& words_of(role what);

}  // namespace npurt::test
