// SPDX-License-Identifier: Apache-2.0
// The kernel i8_matmul on a device, and what tests run on it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <utility>
#include <vector>

#include "npurt/detail/control_code.hpp"
#include "npurt/npurt.hpp"

namespace npurt::test {

inline std::filesystem::path prebuilt_file() {
  return std::filesystem::path(NPURT_SOURCE_DIR) / "kernels/prebuilt/i8-matmul.xclbin";
}

struct opened {
  npurt::device device;
  npurt::xclbin image{prebuilt_file()};
  hw_context context{device, image};
  npurt::kernel kernel{context, "i8_matmul"};
};

/// C = A * B with constant inputs; the kernel pads smaller shapes than this one to it.
struct constant_product {
  explicit constant_product(const kernel& on, int of_a = -2, int of_b = 3,
                            const matmul_shape& shape = {.m = 256, .n = 256, .k = 64})
      : value(of_a * of_b * static_cast<int>(shape.k)),
        a(on, shape.m * shape.k),
        b(on, shape.k * shape.n),
        c(on, shape.m * shape.n),
        run(on, detail::matmul_control_code(shape), a, b, c) {
    std::ranges::fill(a, static_cast<std::int8_t>(of_a));
    std::ranges::fill(b, static_cast<std::int8_t>(of_b));
    a.to_device();
    b.to_device();
  }

  bool right() {
    c.from_device();
    return std::ranges::all_of(c, [&](std::int32_t each) { return each == value; });
  }

  int value;
  buffer<std::int8_t> a, b;
  buffer<std::int32_t> c;
  npurt::run run;
};

/// A call that ends at once: one write to a register that the kernel's calls set as well.
inline std::vector<std::uint32_t> harmless() {
  detail::control_code code(1);
  code.set_controller(0, detail::shim_channel::s2mm_0);
  return std::move(code).finish();
}

/// A call that the firmware cannot read.
inline std::vector<std::uint32_t> unreadable() { return {0x06030100, 0x101, 1, 20, 0x7F}; }

}  // namespace npurt::test
