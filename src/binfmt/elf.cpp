// SPDX-License-Identifier: Apache-2.0
// Reads the program headers of AIE ELF files. Layout: System V ABI, ELF32; machine number: llvm-aie EM_AIE.
#include "binfmt/elf.hpp"

#include <algorithm>
#include <array>

#include "binfmt/byte_view.hpp"

namespace npurt::binfmt {

namespace {

constexpr std::array<unsigned char, 7> identification{0x7F, 'E', 'L', 'F', 1 /* 32 bit */, 1 /* little-endian */, 1};
constexpr std::uint16_t machine_aie = 264;
constexpr std::size_t program_header_size = 32;
constexpr std::uint32_t pt_load = 1;
constexpr std::uint32_t pf_x = 1;
constexpr std::uint16_t most_program_headers = 256;

}  // namespace

std::vector<elf_segment> read_elf_segments(std::span<const std::byte> bytes) {
  const byte_view file(bytes, "ELF");
  for (std::size_t i = 0; i < identification.size(); ++i) {
    if (file.u8(i) != identification[i]) {
      file.fail("identification is not that of a 32-bit little-endian file", i);
    }
  }
  if (file.u16(18) != machine_aie) {
    file.fail("is for machine " + std::to_string(file.u16(18)) + ", not AIE (264)", 18);
  }
  const std::uint32_t table = file.u32(28);
  const std::uint16_t entry_size = file.u16(42);
  const std::uint16_t count = file.u16(44);
  if (count > most_program_headers || (count != 0 && entry_size < program_header_size)) {
    file.fail("has " + std::to_string(count) + " program headers of " + std::to_string(entry_size) + " bytes", 42);
  }
  std::vector<elf_segment> segments;
  for (std::uint16_t i = 0; i < count; ++i) {
    const byte_view header =
        file.part(std::uint64_t{table} + std::uint64_t{i} * entry_size, program_header_size, "ELF program header");
    const std::uint32_t memory_size = header.u32(20);
    if (header.u32(0) != pt_load || memory_size == 0) {
      continue;
    }
    const std::uint32_t file_size = header.u32(16);
    if (file_size > memory_size) {
      header.fail("holds more than its memory size", 16);
    }
    segments.push_back({.address = header.u32(12),
                        .memory_size = memory_size,
                        .executable = (header.u32(24) & pf_x) != 0,
                        .data = file.part(header.u32(4), file_size, "ELF segment").bytes()});
  }
  return segments;
}

}  // namespace npurt::binfmt
