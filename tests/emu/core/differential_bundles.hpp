// SPDX-License-Identifier: Apache-2.0
// Single bundles of random programs as bytes.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "aie/isa/isa.hpp"

namespace npurt::test {

struct bundle_bytes {
  std::array<std::uint8_t, 16> bytes{};
  std::uint8_t length = 0;
};

bundle_bytes encoded(const aie::isa::decoded_bundle& bundle);

/// The instruction in the first format that has its slot, with nops beside it; empty if it does not encode.
bundle_bytes alone(const aie::isa::decoded_instruction& insn);

/// A bundle of the same length that does nothing.
bundle_bytes nop_like(const bundle_bytes& bundle);

/// Text of one bundle, "(illegal)" if it is none.
std::string text_of(const bundle_bytes& bundle);

}  // namespace npurt::test
