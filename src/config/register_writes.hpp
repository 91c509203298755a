// SPDX-License-Identifier: Apache-2.0
// A description as the register writes that load it, in the order that real npu1 PDIs use.
#pragma once

#include <cstdint>
#include <vector>

#include "config/description.hpp"

namespace npurt::config {

struct register_write {
  enum class form : std::uint8_t { word, mask, block };
  form how = form::word;
  std::uint32_t address = 0;        ///< col << 25 | row << 20 | offset
  std::uint32_t mask = 0;           ///< mask
  std::uint32_t value = 0;          ///< word, mask
  std::vector<std::uint32_t> data;  ///< block
};

/// The three files that mlir-aie gives to bootgen.
struct register_program {
  std::vector<register_write> elfs;    ///< cores and channels held in reset, program memory
  std::vector<register_write> init;    ///< locks, data, BDs, tasks, routes
  std::vector<register_write> enable;  ///< cores started
};

/// @throws config_error for a description that cannot be carried out, binfmt::format_error for a broken program
register_program to_register_writes(const array_description& design);

}  // namespace npurt::config
