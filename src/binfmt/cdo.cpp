// SPDX-License-Identifier: Apache-2.0
// Reads CDO version 2. Commands: bootgen cdo-binary.c; real files use write, mask_write, dma_write and nop.
#include "binfmt/cdo.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "binfmt/pdi.hpp"

namespace npurt::binfmt {

namespace {

constexpr std::size_t header_words = 5;
constexpr std::uint32_t magic_cdo = 0x004F4443;
constexpr std::uint32_t magic_xnlx = 0x584C4E58;  // accepted by bootgen's decoder beside the usual one
constexpr std::uint32_t version_2 = 0x00000200;
constexpr std::uint32_t end_mark = 0x100;
constexpr std::uint32_t end_of_file = 0xFFFFFFFF;
constexpr std::uint32_t long_form = 255;
constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

struct shape {
  cdo_op op;
  std::size_t least;  ///< words after the header
  std::size_t most;
};
constexpr shape shapes[]{
    {cdo_op::mask_poll, 4, 6},
    {cdo_op::mask_write, 3, 3},
    {cdo_op::write, 2, 2},
    {cdo_op::delay, 1, 1},
    {cdo_op::dma_write, 2, unlimited},
    {cdo_op::mask_poll64, 5, 7},
    {cdo_op::mask_write64, 4, 4},
    {cdo_op::write64, 3, 3},
    {cdo_op::dma_xfer, 6, 6},
    {cdo_op::set, 4, 4},
    {cdo_op::write_keyhole, 3, unlimited},
    {cdo_op::nop, 0, unlimited},
};

std::uint64_t wide(std::span<const std::uint32_t> words) { return std::uint64_t{words[0]} << 32 | words[1]; }

void set_poll(cdo_command& c, std::span<const std::uint32_t> rest) {
  c.mask = rest[0];
  c.value = rest[1];
  c.count = rest[2];
  c.flags = rest.size() > 3 ? rest[3] : 0;
}

void set_mask_write(cdo_command& c, std::span<const std::uint32_t> rest) {
  c.mask = rest[0];
  c.value = rest[1];
}

/// Fills in the operands; their number has been checked.
void set_operands(cdo_command& c, std::span<const std::uint32_t> w) {
  switch (c.op) {
    case cdo_op::mask_poll:
      c.address = w[0];
      set_poll(c, w.subspan(1));
      break;
    case cdo_op::mask_poll64:
      c.address = wide(w);
      set_poll(c, w.subspan(2));
      break;
    case cdo_op::mask_write:
      c.address = w[0];
      set_mask_write(c, w.subspan(1));
      break;
    case cdo_op::mask_write64:
      c.address = wide(w);
      set_mask_write(c, w.subspan(2));
      break;
    case cdo_op::write:
      c.address = w[0];
      c.value = w[1];
      break;
    case cdo_op::write64:
      c.address = wide(w);
      c.value = w[2];
      break;
    case cdo_op::delay:
      c.count = w[0];
      break;
    case cdo_op::dma_write:
      c.address = wide(w);
      c.data = w.subspan(2);
      break;
    case cdo_op::write_keyhole:
      c.address = wide(w);
      c.count = w[2];
      c.data = w.subspan(3);
      break;
    case cdo_op::set:
      c.address = wide(w);
      c.count = w[2];
      c.value = w[3];
      break;
    case cdo_op::dma_xfer:
      c.source = wide(w);
      c.address = wide(w.subspan(2));
      c.count = w[4];
      c.flags = w[5];
      break;
    case cdo_op::nop:
      break;
  }
}

std::string hex(std::uint32_t value) {
  constexpr const char* digits = "0123456789ABCDEF";
  std::string text = "0x";
  for (int shift = 28; shift >= 0; shift -= 4) {
    text += digits[value >> shift & 0xF];
  }
  return text;
}

}  // namespace

cdo_reader::cdo_reader(std::span<const std::uint32_t> words) : words_(words), position_(header_words) {
  if (words.size() < header_words) {
    throw format_error("CDO header is truncated", words.size() * 4);
  }
  if (words[0] != header_words - 1) {
    throw format_error("CDO header length is not 4", 0);
  }
  if (words[1] != magic_cdo && words[1] != magic_xnlx) {
    throw format_error("CDO magic is " + hex(words[1]), 4);
  }
  if (words[2] != version_2) {
    throw format_error("CDO version " + hex(words[2]) + " is not 2.0", 8);
  }
  if (words[4] != inverted_sum(words.first(4))) {
    throw format_error("CDO header checksum does not match", 16);
  }
  if (words[3] > words.size() - header_words) {
    throw format_error("CDO is truncated: " + std::to_string(words[3]) + " words of commands announced",
                       words.size() * 4);
  }
  words_ = words.first(header_words + words[3]);
}

std::optional<cdo_command> cdo_reader::next() {
  if (position_ >= words_.size()) {
    return std::nullopt;
  }
  const std::size_t start = position_;
  const std::uint32_t header = words_[position_++];
  if (header == end_of_file || (header & 0xFFFF) == end_mark) {
    position_ = words_.size();
    return std::nullopt;
  }
  const auto* at = std::ranges::find_if(
      shapes, [&](const shape& s) { return static_cast<std::uint32_t>(s.op) == (header & 0xFFFF); });
  if (at == std::end(shapes) || header >> 24 != 0) {
    throw format_error("CDO command " + hex(header) + " is unknown", start * 4);
  }
  std::size_t length = header >> 16 & 0xFF;
  if (length == long_form) {
    if (position_ >= words_.size()) {
      throw format_error("CDO command is truncated", start * 4);
    }
    length = words_[position_++];
  }
  if (length < at->least || length > at->most) {
    throw format_error("CDO command " + hex(header) + " with " + std::to_string(length) + " words", start * 4);
  }
  if (length > words_.size() - position_) {
    throw format_error("CDO command " + hex(header) + " is truncated", start * 4);
  }
  cdo_command command{.op = at->op, .offset = start * 4, .data = {}};
  set_operands(command, words_.subspan(position_, length));
  position_ += length;
  return command;
}

}  // namespace npurt::binfmt
