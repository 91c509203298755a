// SPDX-License-Identifier: Apache-2.0
// Any bytes are a PDI with a CDO, or a CDO alone, or a format_error. The first byte says which, and whether checksums
// are repaired.
#include "fuzz/images.hpp"

using namespace npurt;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in(data, size);
  const auto choice = in.u8();
  std::vector<std::byte> bytes(in.rest_bytes().begin(), in.rest_bytes().end());
  const bool alone = (choice & 1) != 0, repaired = (choice & 2) != 0;
  if (repaired && alone) fuzz::repair_sum(bytes, 0, 4);
  if (repaired && !alone) fuzz::repair_pdi(bytes);
  if (alone) {
    fuzz::read_whole_cdo(binfmt::words_of(bytes));
  } else {
    fuzz::read_whole_pdi(bytes);
  }
  return 0;
}
