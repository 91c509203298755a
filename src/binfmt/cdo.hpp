// SPDX-License-Identifier: Apache-2.0
// Configuration data objects, version 2: the register commands inside a PDI.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "binfmt/format_error.hpp"

namespace npurt::binfmt {

/// Command words (handler and id) as in bits [15:0] of a command's header.
enum class cdo_op : std::uint16_t {
  mask_poll = 0x101,
  mask_write = 0x102,
  write = 0x103,
  delay = 0x104,
  dma_write = 0x105,
  mask_poll64 = 0x106,
  mask_write64 = 0x107,
  write64 = 0x108,
  dma_xfer = 0x109,
  set = 0x10C,
  write_keyhole = 0x10D,
  nop = 0x111,
};

/// One command. The 64-bit forms differ from the others only in the address; fields that an op lacks are 0.
struct cdo_command {
  cdo_op op = cdo_op::nop;
  std::size_t offset = 0;     ///< of its header, bytes from the start of the CDO
  std::uint64_t address = 0;  ///< of the register or memory; dma_xfer: destination
  std::uint64_t source = 0;   ///< dma_xfer
  std::uint32_t mask = 0;     ///< mask_write, mask_poll
  std::uint32_t value = 0;    ///< write, mask_write, mask_poll, set; new = (old & ~mask) | (value & mask)
  std::uint32_t count = 0;    ///< set, dma_xfer: words; delay: cycles; mask_poll: timeout; write_keyhole: keyhole bytes
  std::uint32_t flags = 0;    ///< dma_xfer, mask_poll
  std::span<const std::uint32_t> data;  ///< dma_write, write_keyhole; points into the reader's words
};

/// Steps through the commands of one CDO.
class cdo_reader {
 public:
  /// @param words  header and commands; must outlive the reader and the data spans of its commands
  /// @throws format_error for a wrong header
  explicit cdo_reader(std::span<const std::uint32_t> words);

  /// The next command; nothing at the end or after an end mark.
  /// @throws format_error for a truncated, malformed or unknown command
  std::optional<cdo_command> next();

 private:
  std::span<const std::uint32_t> words_;
  std::size_t position_ = 0;
};

}  // namespace npurt::binfmt
