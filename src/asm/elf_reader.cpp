// SPDX-License-Identifier: Apache-2.0
// ELF input through libelf.
#include "asm/elf_reader.hpp"

#include <elf.h>
#include <fmt/format.h>
#include <libelf.h>

#include <unordered_map>

#include "asm/elf_handle.hpp"
#include "asm/elf_writer.hpp"

namespace npurt::assembler {
namespace {

class elf_input {
 public:
  explicit elf_input(std::span<const std::uint8_t> file) : copy_(file.begin(), file.end()) {
    elf_version(EV_CURRENT);
    elf_.reset(elf_memory(reinterpret_cast<char*>(copy_.data()), copy_.size()));
  }

  std::expected<program, std::string> read() {
    if (auto wrong = check_header()) return std::unexpected(*wrong);
    for (Elf_Scn* scn = nullptr; (scn = elf_nextscn(elf_.get(), scn));)
      if (auto wrong = read_section(scn)) return std::unexpected(*wrong);
    for (Elf_Scn* scn = nullptr; (scn = elf_nextscn(elf_.get(), scn));)
      if (const auto* h = elf32_getshdr(scn); h && h->sh_type == SHT_SYMTAB) read_symbols(scn, h->sh_link);
    return std::move(made_);
  }

 private:
  std::optional<std::string> check_header() {
    if (!elf_ || elf_kind(elf_.get()) != ELF_K_ELF) return "not an ELF file";
    const auto* h = elf32_getehdr(elf_.get());
    if (!h) return "not a 32-bit ELF file";
    if (h->e_ident[EI_DATA] != ELFDATA2LSB) return "not a little-endian ELF file";
    if (h->e_machine != elf_machine_aie)
      return fmt::format("e_machine is {}, expected {} (EM_AIE)", h->e_machine, elf_machine_aie);
    if (elf_getshdrstrndx(elf_.get(), &names_) != 0) return "no section names";
    return std::nullopt;
  }

  std::optional<std::string> read_section(Elf_Scn* scn) {
    const auto* h = elf32_getshdr(scn);
    if (!h) return fmt::format("section {} has no header", elf_ndxscn(scn));
    if (!(h->sh_flags & SHF_ALLOC) || (h->sh_type != SHT_PROGBITS && h->sh_type != SHT_NOBITS)) return std::nullopt;
    const char* name = elf_strptr(elf_.get(), names_, h->sh_name);
    section read;
    read.name = name ? name : "";
    read.address = h->sh_addr;
    read.alignment = h->sh_addralign;
    read.size = h->sh_size;
    read.executable = h->sh_flags & SHF_EXECINSTR;
    read.writable = h->sh_flags & SHF_WRITE;
    read.no_bits = h->sh_type == SHT_NOBITS;
    if (!read.no_bits) {
      const auto* data = elf_rawdata(scn, nullptr);
      if (!data || data->d_size != h->sh_size || (data->d_size && !data->d_buf))
        return fmt::format("section '{}' is cut off", read.name);
      const auto* bytes = static_cast<const std::uint8_t*>(data->d_buf);
      read.bytes.assign(bytes, bytes + data->d_size);
    }
    places_.emplace(elf_ndxscn(scn), static_cast<int>(made_.sections.size()));
    made_.sections.push_back(std::move(read));
    return std::nullopt;
  }

  void read_symbols(Elf_Scn* scn, std::size_t strings) {
    const auto* data = elf_getdata(scn, nullptr);
    if (!data || !data->d_buf) return;
    const std::span symbols(static_cast<const Elf32_Sym*>(data->d_buf), data->d_size / sizeof(Elf32_Sym));
    for (const auto& s : symbols) {
      const char* name = elf_strptr(elf_.get(), strings, s.st_name);
      const int type = s.st_info & 0xF;
      if (!name || !*name || type == STT_SECTION || type == STT_FILE) continue;
      const auto place = places_.find(s.st_shndx);
      if (place == places_.end() && s.st_shndx != SHN_ABS) continue;
      made_.symbols.push_back(
          {name, s.st_value, place == places_.end() ? -1 : place->second, s.st_info >> 4 != STB_LOCAL, s.st_size});
    }
  }

  std::vector<std::uint8_t> copy_;
  elf_handle elf_;
  std::size_t names_ = 0;
  std::unordered_map<std::size_t, int> places_;  ///< ELF section number to index in the program
  program made_;
};

}  // namespace

std::expected<program, std::string> read_elf(std::span<const std::uint8_t> file) { return elf_input(file).read(); }

}  // namespace npurt::assembler
