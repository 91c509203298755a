// SPDX-License-Identifier: Apache-2.0
// The program that npurt::matmul saves its users: the same call of the same kernel, written by hand on XRT.
#pragma once

#include <xrt/experimental/xrt_xclbin.h>
#include <xrt/xrt_bo.h>
#include <xrt/xrt_device.h>
#include <xrt/xrt_hw_context.h>
#include <xrt/xrt_kernel.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace npurt::bench {

class xrt_matmul {
 public:
  /// @param extent M, N and K, a multiple of 256
  xrt_matmul(const std::string& xclbin_file, const std::string& kernel_name, std::size_t extent,
             const std::vector<std::uint32_t>& control_code)
      : device_(0),
        context_(device_, device_.register_xclbin(xrt::xclbin(xclbin_file))),
        kernel_(context_, kernel_name),
        a_bytes_(extent * extent),
        c_bytes_(extent * extent * sizeof(std::int32_t)),
        code_(device_, control_code.size() * sizeof(std::uint32_t), xrt::bo::flags::cacheable, kernel_.group_id(1)),
        a_(device_, a_bytes_, xrt::bo::flags::host_only, kernel_.group_id(3)),
        b_(device_, a_bytes_, xrt::bo::flags::host_only, kernel_.group_id(4)),
        c_(device_, c_bytes_, xrt::bo::flags::host_only, kernel_.group_id(5)),
        run_(kernel_),
        a_data_(a_.map()),
        b_data_(b_.map()),
        c_data_(c_.map()) {
    std::memcpy(code_.map(), control_code.data(), control_code.size() * sizeof(std::uint32_t));
    code_.sync(XCL_BO_SYNC_BO_TO_DEVICE);
    run_.set_arg(0, std::uint64_t{3});
    run_.set_arg(1, code_);
    run_.set_arg(2, static_cast<std::uint32_t>(control_code.size()));
    run_.set_arg(3, a_);
    run_.set_arg(4, b_);
    run_.set_arg(5, c_);
  }

  void operator()(const std::int8_t* a, const std::int8_t* b, std::int32_t* c) {
    std::memcpy(a_data_, a, a_bytes_);
    std::memcpy(b_data_, b, a_bytes_);
    a_.sync(XCL_BO_SYNC_BO_TO_DEVICE);
    b_.sync(XCL_BO_SYNC_BO_TO_DEVICE);
    start_and_wait();
    c_.sync(XCL_BO_SYNC_BO_FROM_DEVICE);
    std::memcpy(c, c_data_, c_bytes_);
  }

  void start_and_wait() {
    run_.start();
    run_.wait2(std::chrono::seconds(10));
  }

 private:
  xrt::device device_;
  xrt::hw_context context_;
  xrt::kernel kernel_;
  std::size_t a_bytes_, c_bytes_;
  xrt::bo code_, a_, b_, c_;
  xrt::run run_;
  void *a_data_, *b_data_, *c_data_;
};

}  // namespace npurt::bench
