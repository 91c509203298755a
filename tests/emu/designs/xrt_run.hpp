// SPDX-License-Identifier: Apache-2.0
// Designs under the unmodified XRT: XCLBINs made by bootgen and xclbinutil, as in mlir-aie's flow.
#pragma once

#include <xrt/experimental/xrt_ext.h>
#include <xrt/xrt_bo.h>
#include <xrt/xrt_device.h>
#include <xrt/xrt_hw_context.h>
#include <xrt/xrt_kernel.h>

#include "config/package.hpp"
#include "emu/designs/design_run.hpp"

namespace npurt::emu::testing {

inline constexpr unsigned transaction = 3;
inline constexpr std::size_t count = 64, bytes = 4 * count;

inline xrt::xclbin xclbin_of(const std::vector<std::byte>& file) {
  const auto* data = reinterpret_cast<const char*>(file.data());
  return xrt::xclbin(std::vector<char>(data, data + file.size()));
}

/// One context with its kernels.
struct opened {
  opened(const xrt::device& d, const xrt::xclbin& x) : device(d) {
    device.register_xclbin(x);
    context = xrt::hw_context(device, x.get_uuid());
  }
  xrt::device device;
  xrt::hw_context context;
};

inline const std::vector<std::byte>& add_one_file() {
  static const std::vector<std::byte> file = config::make_xclbin(add_by_one_core(1).array);
  return file;
}

inline xrt::bo instructions(const opened& o, const xrt::kernel& kernel, const std::vector<std::byte>& code) {
  xrt::bo bo(o.device, code.size(), xrt::bo::flags::cacheable, kernel.group_id(1));
  bo.write(code.data());
  bo.sync(XCL_BO_SYNC_BO_TO_DEVICE);
  return bo;
}

inline xrt::bo host_buffer(const opened& o, const words& contents) {
  xrt::bo bo = xrt::ext::bo(o.device, 4 * contents.size());
  bo.write(contents.data());
  bo.sync(XCL_BO_SYNC_BO_TO_DEVICE);
  return bo;
}

inline words contents_of(xrt::bo& bo) {
  bo.sync(XCL_BO_SYNC_BO_FROM_DEVICE);
  words v(bo.size() / 4);
  bo.read(v.data());
  return v;
}

inline std::uint32_t code_words(const std::vector<std::byte>& code) {
  return static_cast<std::uint32_t>(code.size() / 4);
}

}  // namespace npurt::emu::testing
