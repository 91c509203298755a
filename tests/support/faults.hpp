// SPDX-License-Identifier: Apache-2.0
// Faults of the emulated device that this process has linked in.
#pragma once

#include <string>

#include <catch2/catch_test_macros.hpp>

#include "npurt/emulator.hpp"

namespace npurt::test {

/// For as long as it lives.
struct faults {
  explicit faults(const std::string& text) { REQUIRE(emulator::set_faults(text)); }
  ~faults() { emulator::set_faults(""); }
  faults(const faults&) = delete;
  faults& operator=(const faults&) = delete;
};

}  // namespace npurt::test
