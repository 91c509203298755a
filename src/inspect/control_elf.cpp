// SPDX-License-Identifier: Apache-2.0
// Layout: System V ABI, ELF32 little-endian; sections and relocations: aiebu elf/aie2/aie2_blob_elfwriter.h.
#include "inspect/control_elf.hpp"

#include <algorithm>
#include <string_view>

#include "binfmt/byte_view.hpp"

namespace npurt::inspect {

namespace {

using binfmt::byte_view;

constexpr std::size_t section_header_size = 40;
constexpr std::size_t symbol_size = 16;
constexpr std::size_t relocation_size = 12;
constexpr std::uint16_t most_sections = 1024;
constexpr std::size_t most_relocations = 65536;
constexpr std::size_t longest_name = 255;
constexpr std::uint32_t sht_nobits = 8;

std::string string_at(const byte_view& table, std::uint32_t offset) {
  if (offset >= table.size()) {
    table.fail("has no string at " + std::to_string(offset), 0);
  }
  return table.text(offset, std::min(table.size() - offset, longest_name));
}

std::vector<elf_section> read_sections(const byte_view& file) {
  const std::uint32_t table = file.u32(32);
  const std::uint16_t entry_size = file.u16(46), count = file.u16(48), names_index = file.u16(50);
  if (count > most_sections || (count != 0 && (entry_size < section_header_size || names_index >= count))) {
    file.fail("has " + std::to_string(count) + " section headers of " + std::to_string(entry_size) + " bytes", 46);
  }
  const auto header = [&](std::uint16_t i) {
    return file.part(std::uint64_t{table} + std::uint64_t{i} * entry_size, section_header_size, "ELF section header");
  };
  std::vector<elf_section> sections;
  if (count == 0) {
    return sections;
  }
  const byte_view names = file.part(header(names_index).u32(16), header(names_index).u32(20), "ELF section names");
  for (std::uint16_t i = 1; i < count; ++i) {
    const byte_view h = header(i);
    elf_section s{.name = string_at(names, h.u32(0)), .type = h.u32(4), .data = {}};
    if (s.type != sht_nobits) {
      s.data = file.part(h.u32(16), h.u32(20), "ELF section " + s.name).bytes();
    }
    sections.push_back(std::move(s));
  }
  return sections;
}

std::vector<elf_relocation> read_relocations(const control_elf& elf) {
  const elf_section* table = elf.find(".rela.dyn");
  if (table == nullptr) {
    return {};
  }
  const auto data_of = [&](std::string_view name) {
    const elf_section* s = elf.find(name);
    return byte_view(s == nullptr ? std::span<const std::byte>() : s->data, "ELF section " + std::string(name));
  };
  const byte_view entries(table->data, "ELF relocations"), symbols = data_of(".dynsym"), names = data_of(".dynstr");
  if (entries.size() / relocation_size > most_relocations) {
    entries.fail("are more than " + std::to_string(most_relocations), 0);
  }
  std::vector<elf_relocation> found;
  for (std::size_t at = 0; at + relocation_size <= entries.size(); at += relocation_size) {
    const std::uint32_t info = entries.u32(at + 4);
    const byte_view symbol = symbols.part(std::uint64_t{info >> 8} * symbol_size, symbol_size, "ELF symbol");
    found.push_back({.offset = entries.u32(at),
                     .scheme = info & 0xFF,
                     .symbol = string_at(names, symbol.u32(0)),
                     .addend = entries.u32(at + 8)});
  }
  return found;
}

}  // namespace

const elf_section* control_elf::find(std::string_view name) const {
  const auto at = std::ranges::find(sections, name, &elf_section::name);
  return at == sections.end() ? nullptr : &*at;
}

control_elf read_control_elf(std::span<const std::byte> bytes) {
  const byte_view file(bytes, "ELF");
  if (file.u8(4) != 1 || file.u8(5) != 1) {
    file.fail("is not a 32-bit little-endian file", 4);
  }
  control_elf elf{.sections = read_sections(file), .relocations = {}};
  elf.relocations = read_relocations(elf);
  return elf;
}

}  // namespace npurt::inspect
