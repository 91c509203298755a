// SPDX-License-Identifier: Apache-2.0
// Program memory decoded once per address into operations.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "emu/core/operation.hpp"

namespace npurt::emu {

struct bundle {
  std::vector<operation> operations;  ///< without nops, in slot order
  std::uint32_t next = 0;             ///< address of the bundle after it
  std::string refused;                ///< why it may not be executed, empty if it may
};

class decode_cache {
 public:
  decode_cache() : index_(core::program_bytes, 0) {}

  /// The bundle at `pc`. @throws core_error if pc is outside or no bundle stands there
  const bundle& at(std::span<const std::byte> program, std::uint32_t pc) {
    if (pc < index_.size() && index_[pc] != 0) [[likely]] {
      return bundles_[index_[pc] - 1u];
    }
    return decode(program, pc);
  }
  /// Forgets everything decoded, but keeps the bundles of the operations `in_flight` alive, which frames point to.
  void clear(std::span<const operation* const> in_flight);
  /// Bundles that are held in memory.
  std::size_t size() const { return bundles_.size() + retired_.size(); }

 private:
  const bundle& decode(std::span<const std::byte> program, std::uint32_t pc);

  std::vector<std::uint16_t> index_;  ///< into bundles_, plus one
  std::deque<bundle> bundles_;
  std::vector<bundle> retired_;  ///< forgotten, with operations in flight
};

inline bool is_nop(const aie::isa::instruction& row) { return row.mnemonic.starts_with("nop"); }

/// The bytes of the bundle at `pc`, which must be inside; fewer where program memory ends.
std::span<const std::uint8_t> bundle_bytes(std::span<const std::byte> program, std::uint32_t pc);

/// Assembly text of the bundle at `pc`, or its bytes when it cannot be decoded.
std::string bundle_text(std::span<const std::byte> program, std::uint32_t pc);

}  // namespace npurt::emu
