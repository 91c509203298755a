// SPDX-License-Identifier: Apache-2.0
// The tables of instructions with own host code, a family each.
#pragma once

#include <span>
#include <string_view>

#include "emu/core/translate/emitter.hpp"

namespace npurt::emu::translate {

struct own_code {
  std::string_view key;  ///< of the row of semantics that it stands for
  emit_function emit;
  bool words = false;         ///< for results of one word only
  bool reads_memory = false;  ///< takes loaded bytes from where they are
};

std::span<const own_code> scalar_recipes();
std::span<const own_code> move_recipes();
std::span<const own_code> branch_recipes();
std::span<const own_code> memory_recipes();

}  // namespace npurt::emu::translate
