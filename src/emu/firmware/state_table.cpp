// SPDX-License-Identifier: Apache-2.0
// The state table.
#include "emu/firmware/state_table.hpp"

#include <cstring>
#include <format>

#include "emu/firmware/firmware_error.hpp"

namespace npurt::emu {

using binfmt::state_function;

void state_table::check_size(std::uint32_t bytes) {
  constexpr std::uint32_t most_bytes = 128;  // 32 entries (mlir-aie AIEX.td)
  if (bytes == 0 || bytes % 4 != 0 || bytes > most_bytes)
    throw firmware_error(std::format("a scratchpad of {} bytes; it has 4 to {}", bytes, most_bytes));
}

void state_table::load(std::span<std::byte> host) {
  host_ = host;
  words_.resize(host.size() / 4);
  std::memcpy(words_.data(), host.data(), host.size());
}

std::uint64_t state_table::apply(std::uint32_t entry, state_function function, std::uint32_t operand) const {
  if (entry >= words_.size())
    throw firmware_error(std::format("entry {} of a state table of {} words", entry, words_.size()));
  const std::uint64_t value = words_[entry];
  switch (function) {
    case state_function::multiply:
      return value * operand;
    case state_function::increase:
      return value + operand;
    case state_function::decrease:
      return value - operand;
  }
  return 0;
}

void state_table::store() const {
  if (host_.empty()) throw firmware_error("there is no scratchpad");
  std::memcpy(host_.data(), words_.data(), host_.size());
}

}  // namespace npurt::emu
