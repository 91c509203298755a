// SPDX-License-Identifier: Apache-2.0
// Parameters that the host gives to control code in memory of its own (mlir-aie AIEX.td, aie-rt xaie_txn.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "binfmt/control_code.hpp"

namespace npurt::emu {

/// The firmware's copy of the host's scratchpad: words by number.
class state_table {
 public:
  /// @throws firmware_error for a size that is none: words, at most 32 of them
  static void check_size(std::uint32_t bytes);

  /// A table with what the host's memory holds, where store() puts it again.
  void load(std::span<std::byte> host);

  /// What `function` makes of an entry and the operand, in 64 bits: a difference below zero is negative.
  /// @throws firmware_error if there is no such entry
  std::uint64_t apply(std::uint32_t entry, binfmt::state_function function, std::uint32_t operand) const;
  void set(std::uint32_t entry, std::uint64_t value) { words_.at(entry) = static_cast<std::uint32_t>(value); }

  void store() const;

 private:
  std::vector<std::uint32_t> words_;
  std::span<std::byte> host_;
};

}  // namespace npurt::emu
