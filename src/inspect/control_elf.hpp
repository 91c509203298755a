// SPDX-License-Identifier: Apache-2.0
// Control code in an ELF file, as aiebu-asm writes it and xrt::elf reads it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "binfmt/format_error.hpp"

namespace npurt::inspect {

struct elf_section {
  std::string name;
  std::uint32_t type = 0;
  std::span<const std::byte> data;  ///< points into the file; empty for one without contents
};

/// A place that XRT writes an address to.
struct elf_relocation {
  std::uint32_t offset = 0;  ///< bytes, in the section
  std::uint32_t scheme = 0;  ///< 3 scalar_32, 4 control_packet_48, 5 shim_dma_48
  std::string symbol;        ///< kernel argument as a decimal number ("3"), or "control-packet", ...
  std::uint32_t addend = 0;  ///< bytes
};

struct control_elf {
  std::vector<elf_section> sections;
  std::vector<elf_relocation> relocations;

  /// nullptr if there is none of that name.
  const elf_section* find(std::string_view name) const;
};

/// @throws binfmt::format_error for tables outside the file and for more than 1024 sections or 65536 relocations
control_elf read_control_elf(std::span<const std::byte> bytes);

}  // namespace npurt::inspect
