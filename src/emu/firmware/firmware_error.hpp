// SPDX-License-Identifier: Apache-2.0
// A command, PDI or control code that the emulated firmware refuses.
#pragma once

#include <stdexcept>

namespace npurt::emu {

struct firmware_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace npurt::emu
