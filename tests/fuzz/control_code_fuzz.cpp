// SPDX-License-Identifier: Apache-2.0
// Any bytes are control code whose operations lie in it without gaps, or a format_error; and a DPU sequence or a
// format_error.
#include "binfmt/control_code.hpp"

#include "fuzz/input.hpp"

using namespace npurt;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto code = binfmt::read_control_code(std::as_bytes(std::span(data, size)));
    fuzz::require(code.bytes <= size, "a stream is not longer than the bytes");
    std::size_t end = 16;
    for (const auto& operation : code.operations) {
      fuzz::require(operation.offset == end && operation.size != 0, "operations lie without gaps");
      fuzz::require(operation.data.size() * 4 <= operation.size, "data lies in its operation");
      fuzz::require(!to_string(operation.op).empty(), "operations have names");
      end += operation.size;
    }
    fuzz::require(end <= code.bytes, "operations end with the stream");
  } catch (const binfmt::format_error&) {
  }
  try {
    const auto code = binfmt::read_dpu_sequence(std::as_bytes(std::span(data, size)));
    for (const auto& operation : code.operations) {
      fuzz::require(operation.offset + operation.size <= size, "an operation lies in the bytes");
      fuzz::require(operation.data.size() * 4 <= operation.size, "data lies in its operation");
    }
  } catch (const binfmt::format_error&) {
  }
  return 0;
}
