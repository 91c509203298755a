// SPDX-License-Identifier: Apache-2.0
// The files under /sys and /dev by which XRT finds the device.
#pragma once

#include "emu/driver/chip.hpp"
#include "emu/shim/device_model.hpp"

namespace npurt::emu::driver {

/// The tree for a chip; with none, one in which no device is found.
shim::virtual_tree make_tree(const chip* model);

}  // namespace npurt::emu::driver
