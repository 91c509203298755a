// SPDX-License-Identifier: Apache-2.0
// What a recorded sequence becomes.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "npurt/sequence.hpp"
#include "runtime/overlay/operation.hpp"
#include "runtime/sequence/step.hpp"
#include "runtime/sequence/tensors.hpp"

namespace npurt::detail::sequences {

/// An operation, laid out.
struct prepared_step {
  sequence_step info;
  overlay::operation op{};
  std::vector<std::uint32_t> code;
  std::vector<argument> arguments;
};

/// Duplicates of a sequence share it. Never changes.
struct program {
  tensors all;
  std::vector<prepared_step> steps;
  /// Whose memory a tensor has: its own, or that of one which is not needed any more when it is made.
  std::vector<std::size_t> owners;
  std::vector<std::size_t> bytes;  ///< of an owner's memory

  /// Index of an input or output.
  /// @throws sequence_error
  std::size_t index_of(std::string_view name) const;
};

}  // namespace npurt::detail::sequences
