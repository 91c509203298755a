// SPDX-License-Identifier: Apache-2.0
// Any bytes are an XCLBIN whose parts lie in it, or a format_error.
#include "binfmt/xclbin.hpp"

#include "fuzz/images.hpp"

using namespace npurt;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  try {
    const auto file = binfmt::read_xclbin(bytes);
    for (const auto& section : file.sections)
      fuzz::require(section.offset <= size && section.size <= size - section.offset, "sections lie in the file");
    for (const auto& kernel : file.kernels) file.find_pdi(kernel.dpu_kernel_id);
    for (const auto& pdi : file.partition.pdis) {
      fuzz::require(pdi.image.empty() || (pdi.image.data() >= bytes.data() &&
                                          pdi.image.data() + pdi.image.size() <= bytes.data() + size),
                    "PDIs lie in the file");
      fuzz::read_whole_pdi(pdi.image);
    }
  } catch (const binfmt::format_error&) {
  }
  return 0;
}
