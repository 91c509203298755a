// SPDX-License-Identifier: Apache-2.0
// A program of XRT alone that calls the overlay, with control code from npurt-insts.
#include <catch2/catch_test_macros.hpp>

#include <xrt/experimental/xrt_xclbin.h>
#include <xrt/xrt_bo.h>
#include <xrt/xrt_device.h>
#include <xrt/xrt_hw_context.h>
#include <xrt/xrt_kernel.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace {

const std::string overlay_file = NPURT_SOURCE_DIR "/kernels/prebuilt/overlay.xclbin";

std::vector<char> control_code(const std::string& arguments) {
  const std::string file = NPURT_BINARY_DIR "/xrt_overlay_insts.bin";
  const std::string command =
      std::string(NPURT_INSTS) + " " + arguments + " --xclbin " + overlay_file + " -o " + file + " >/dev/null";
  REQUIRE(std::system(command.c_str()) == 0);
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class overlay_program {
 public:
  overlay_program()
      : device_(0),
        context_(device_, device_.register_xclbin(xrt::xclbin(overlay_file))),
        kernel_(context_, "overlay") {}

  xrt::bo buffer(int argument, std::size_t bytes) {
    xrt::bo made(device_, bytes, xrt::bo::flags::host_only, static_cast<xrt::memory_group>(kernel_.group_id(argument)));
    std::memset(made.map(), 0, bytes);
    return made;
  }

  template <typename... Buffers>
  void call(const std::string& arguments, Buffers&... buffers) {
    const std::vector<char> code = control_code(arguments);
    xrt::bo instructions(device_, code.size(), xrt::bo::flags::cacheable,
                         static_cast<xrt::memory_group>(kernel_.group_id(1)));
    std::memcpy(instructions.map(), code.data(), code.size());
    instructions.sync(XCL_BO_SYNC_BO_TO_DEVICE);
    (buffers.sync(XCL_BO_SYNC_BO_TO_DEVICE), ...);
    xrt::run run = kernel_(std::uint64_t{3}, instructions, static_cast<std::uint32_t>(code.size() / 4), buffers...);
    REQUIRE(run.wait(std::chrono::minutes(1)) == ERT_CMD_STATE_COMPLETED);
    (buffers.sync(XCL_BO_SYNC_BO_FROM_DEVICE), ...);
  }

 private:
  xrt::device device_;
  xrt::hw_context context_;
  xrt::kernel kernel_;
};

void check_product(overlay_program& program, std::mt19937& random) {
  constexpr std::size_t m = 256, n = 256, k = 128;  // what the overlay pads to
  xrt::bo a_bo = program.buffer(3, m * k), b_bo = program.buffer(4, k * n), c_bo = program.buffer(5, m * n * 4);
  const std::span a(a_bo.map<std::int8_t*>(), m * k), b(b_bo.map<std::int8_t*>(), k * n);
  for (auto& value : a) value = static_cast<std::int8_t>(random());
  for (auto& value : b) value = static_cast<std::int8_t>(random());
  program.call("matmul-i8-i32 256 256 128", a_bo, b_bo, c_bo);
  const auto* c = c_bo.map<const std::int32_t*>();
  int wrong = 0;
  for (std::size_t i = 0; i < m * n; ++i) {
    std::int32_t sum = 0;
    for (std::size_t j = 0; j < k; ++j) sum += a[i / n * k + j] * b[j * n + i % n];
    wrong += c[i] == sum ? 0 : 1;
  }
  CHECK(wrong == 0);
}

void check_relu(overlay_program& program, std::mt19937& random) {
  constexpr std::size_t bytes = 256 * 1024;
  xrt::bo x = program.buffer(3, bytes), y = program.buffer(4, bytes);
  const std::span in(x.map<std::uint16_t*>(), bytes / 2);
  for (auto& value : in) value = static_cast<std::uint16_t>(random() & 0xBFFF);  // no infinities
  program.call("relu " + std::to_string(bytes / 2), x, y);
  const auto* out = y.map<const std::uint16_t*>();
  int wrong = 0;
  for (std::size_t i = 0; i < in.size(); ++i) wrong += out[i] == (in[i] >> 15 ? 0 : in[i]) ? 0 : 1;
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("a program of XRT alone calls operations of several pages in one context", "[e2e][xrt][pages]") {
  overlay_program program;
  std::mt19937 random(3);
  for (int i = 0; i < 2; ++i) {
    check_product(program, random);
    check_relu(program, random);
  }
}
