// SPDX-License-Identifier: Apache-2.0
// ELF output read with plain structs, and read back.
#include <elf.h>

#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <string>

#include "asm/assembler.hpp"
#include "asm/disassembler.hpp"
#include "asm/elf_reader.hpp"
#include "asm/elf_writer.hpp"

using namespace npurt::assembler;

namespace {

constexpr std::string_view source =
    ".globl main\nhere: nop\nmain: movxm p0, #table\nret lr\nnop\nnop\nnop\nnop\nnop\n"
    ".data\n.globl table\ntable: .word 1, 2, 3\n.section .scratch, \"aw\", @nobits, 0x78000\n.space 256\n";

std::vector<std::uint8_t> elf_of(std::string_view text) {
  const auto p = assemble(text, "f.s");
  REQUIRE(p);
  const auto elf = to_elf(*p);
  REQUIRE(elf);
  return *elf;
}

template <typename T>
T at(const std::vector<std::uint8_t>& file, std::size_t offset) {
  REQUIRE(offset + sizeof(T) <= file.size());
  T value;
  std::memcpy(&value, file.data() + offset, sizeof value);
  return value;
}

}  // namespace

TEST_CASE("the ELF header is the one AIE2 tools write", "[asm]") {
  const auto file = elf_of(source);
  const auto h = at<Elf32_Ehdr>(file, 0);
  CHECK(std::memcmp(h.e_ident,
                    "\x7f"
                    "ELF",
                    4) == 0);
  CHECK(h.e_ident[EI_CLASS] == ELFCLASS32);
  CHECK(h.e_ident[EI_DATA] == ELFDATA2LSB);
  CHECK(h.e_type == ET_EXEC);
  CHECK(h.e_machine == 264);
  CHECK(h.e_flags == 2);
  CHECK(h.e_entry == 2);  // main, behind the 2-byte nop
  CHECK(h.e_phnum == 3);
}

TEST_CASE("program headers load text at 0 and data at its core address", "[asm]") {
  const auto file = elf_of(source);
  const auto h = at<Elf32_Ehdr>(file, 0);
  const auto segment = [&](std::size_t i) { return at<Elf32_Phdr>(file, h.e_phoff + i * sizeof(Elf32_Phdr)); };
  const auto text = segment(0), data = segment(1), scratch = segment(2);
  CHECK((text.p_type == PT_LOAD && data.p_type == PT_LOAD && scratch.p_type == PT_LOAD));
  CHECK(text.p_paddr == 0);
  CHECK(text.p_vaddr == 0);
  CHECK(text.p_flags == (PF_R | PF_X));
  CHECK(text.p_filesz == 2 + 6 + 4 + 5 * 2);
  CHECK(text.p_memsz == text.p_filesz);
  CHECK(at<std::uint16_t>(file, text.p_offset) == 0x0001);   // nop
  CHECK(at<std::uint8_t>(file, text.p_offset + 2) == 0x55);  // movxm p0, #...
  CHECK(data.p_paddr == 0x70000);
  CHECK(data.p_flags == (PF_R | PF_W));
  CHECK(data.p_filesz == 12);
  CHECK(at<std::uint32_t>(file, data.p_offset + 8) == 3);
  CHECK(scratch.p_paddr == 0x78000);
  CHECK(scratch.p_filesz == 0);
  CHECK(scratch.p_memsz == 256);
}

TEST_CASE("symbols are in the table, locals first", "[asm]") {
  const auto file = elf_of(source);
  const auto h = at<Elf32_Ehdr>(file, 0);
  std::vector<std::string> names;
  for (unsigned i = 0; i < h.e_shnum; ++i) {
    const auto s = at<Elf32_Shdr>(file, h.e_shoff + i * sizeof(Elf32_Shdr));
    if (s.sh_type != SHT_SYMTAB) continue;
    const auto strings = at<Elf32_Shdr>(file, h.e_shoff + s.sh_link * sizeof(Elf32_Shdr));
    CHECK(s.sh_info == 2);  // the null symbol and "here"
    for (unsigned k = 0; k < s.sh_size / sizeof(Elf32_Sym); ++k) {
      const auto sym = at<Elf32_Sym>(file, s.sh_offset + k * sizeof(Elf32_Sym));
      names.emplace_back(reinterpret_cast<const char*>(file.data()) + strings.sh_offset + sym.st_name);
      CHECK((sym.st_info >> 4) == (k < s.sh_info ? STB_LOCAL : STB_GLOBAL));
    }
  }
  CHECK(names == std::vector<std::string>{"", "here", "main", "table"});
}

TEST_CASE("the same source gives the same file", "[asm]") { CHECK(elf_of(source) == elf_of(source)); }

TEST_CASE("a file read back holds the sections and symbols written", "[asm]") {
  const auto p = assemble(source, "f.s");
  REQUIRE(p);
  const auto read = read_elf(*to_elf(*p));
  REQUIRE(read);
  REQUIRE(read->sections.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(read->sections[i].name == p->sections[i].name);
    CHECK(read->sections[i].address == p->sections[i].address);
    CHECK(read->sections[i].bytes == p->sections[i].bytes);
    CHECK(read->sections[i].size == p->sections[i].size);
    CHECK(read->sections[i].executable == p->sections[i].executable);
  }
  CHECK(read->find("main")->value == 2);
  CHECK(read->find("table")->value == 0x70000);
}

TEST_CASE("the disassembly of a program assembles to the same code", "[asm]") {
  const auto p = assemble("f: jnz r0, #g\nnop\nnop\nnop\nnop\nnop\n.word 0xffffffff\n.align 16\ng: j #f\n", "f.s");
  REQUIRE(p);
  const auto again = assemble(disassemble(*p), "again.s");
  if (!again) FAIL(to_string(again.error().front()));
  CHECK(again->sections[0].bytes == p->sections[0].bytes);
}

TEST_CASE("a disassembly prints every label that its lines name", "[asm]") {
  // One label at the end of the code, one inside what reads as a bundle.
  for (const char* text : {"j #end\nnop\nend:\n", "j #inside\n.byte 0x01\ninside: .byte 0x00\nnop\n"}) {
    INFO(text);
    const auto p = assemble(text, "f.s");
    REQUIRE(p);
    const auto again = assemble(disassemble(*p), "again.s");
    if (!again) FAIL(to_string(again.error().front()));
    CHECK(again->sections[0].bytes == p->sections[0].bytes);
  }
}

TEST_CASE("damaged files are refused, not followed", "[asm]") {
  auto file = elf_of(source);
  CHECK_FALSE(read_elf({}));
  CHECK_FALSE(read_elf(std::span(file).first(20)));
  for (std::size_t cut = 0; cut < file.size(); ++cut) (void)read_elf(std::span(file).first(cut));
  for (std::size_t i = 0; i < file.size(); ++i) {
    auto damaged = file;
    damaged[i] ^= 0xFF;
    (void)read_elf(damaged);
  }
  file[18] = 40;  // e_machine: ARM
  const auto arm = read_elf(file);
  REQUIRE_FALSE(arm);
  CHECK(arm.error().find("264") != std::string::npos);
}
