// SPDX-License-Identifier: Apache-2.0
// Writes CDO files. bootgen turns the 64-bit forms into 32-bit ones where the upper half is 0.
#include "config/cdo_writer.hpp"

#include "binfmt/cdo.hpp"
#include "binfmt/pdi.hpp"

namespace npurt::config {

namespace {

constexpr std::uint32_t long_form = 255;

void append(std::vector<std::uint32_t>& out, binfmt::cdo_op op, std::initializer_list<std::uint32_t> operands,
            std::span<const std::uint32_t> data = {}) {
  const auto length = static_cast<std::uint32_t>(operands.size() + data.size());
  const auto code = static_cast<std::uint32_t>(op);
  if (length < long_form) {
    out.push_back(length << 16 | code);
  } else {
    out.push_back(long_form << 16 | code);
    out.push_back(length);
  }
  out.insert(out.end(), operands);
  out.insert(out.end(), data.begin(), data.end());
}

}  // namespace

std::vector<std::uint32_t> write_cdo(std::span<const register_write> writes) {
  constexpr std::uint32_t upper_half = 0;
  std::vector<std::uint32_t> words{4, 0x004F4443, 0x00000200, 0, 0};
  append(words, binfmt::cdo_op::nop, {});
  for (const register_write& w : writes) {
    switch (w.how) {
      case register_write::form::word:
        append(words, binfmt::cdo_op::write64, {upper_half, w.address, w.value});
        break;
      case register_write::form::mask:
        append(words, binfmt::cdo_op::mask_write64, {upper_half, w.address, w.mask, w.value});
        break;
      case register_write::form::block:
        append(words, binfmt::cdo_op::dma_write, {upper_half, w.address}, w.data);
        break;
    }
  }
  words[3] = static_cast<std::uint32_t>(words.size() - 5);
  words[4] = binfmt::inverted_sum(std::span(words).first(4));
  return words;
}

}  // namespace npurt::config
