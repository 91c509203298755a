// SPDX-License-Identifier: Apache-2.0
// ELF output through libelf, into memory.
#include "asm/elf_writer.hpp"

#include <elf.h>
#include <fmt/format.h>
#include <libelf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

#include "asm/elf_handle.hpp"

namespace npurt::assembler {
namespace {

/// A file that lives in memory: libelf writes to descriptors only.
class memory_file {
 public:
  memory_file() : fd_(memfd_create("npurt-elf", MFD_CLOEXEC)) {
    if (fd_ < 0) throw std::runtime_error("memfd_create failed");
  }
  ~memory_file() { close(fd_); }
  memory_file(const memory_file&) = delete;
  memory_file& operator=(const memory_file&) = delete;

  int descriptor() const { return fd_; }

  std::vector<std::uint8_t> contents() const {
    const auto size = lseek(fd_, 0, SEEK_END);
    if (size < 0) throw std::runtime_error("the memory file has no size");
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
    if (pread(fd_, bytes.data(), bytes.size(), 0) != size)
      throw std::runtime_error("the memory file cannot be read back");
    return bytes;
  }

 private:
  int fd_;
};

template <typename T>
T* need(T* pointer, std::string_view step) {
  if (!pointer) throw std::runtime_error(fmt::format("libelf: {}: {}", step, elf_errmsg(-1)));
  return pointer;
}

class string_table {
 public:
  std::uint32_t add(std::string_view text) {
    const auto at = static_cast<std::uint32_t>(text_.size());
    text_.append(text).push_back('\0');
    return at;
  }
  std::string& bytes() { return text_; }

 private:
  std::string text_{'\0'};
};

class elf_image {
 public:
  explicit elf_image(const program& p) : p_(p) {
    elf_version(EV_CURRENT);
    elf_.reset(need(elf_begin(file_.descriptor(), ELF_C_WRITE, nullptr), "begin"));
  }

  std::vector<std::uint8_t> write() {
    for (std::size_t i = 0; i < p_.sections.size(); ++i)
      if (p_.sections[i].size > 0) loaded_.push_back(i);
    header();
    auto* segments = loaded_.empty() ? nullptr : need(elf32_newphdr(elf_.get(), loaded_.size()), "program headers");
    for (const auto i : loaded_) add_loaded(p_.sections[i]);
    add_symbols();
    add_names();
    if (elf_update(elf_.get(), ELF_C_NULL) < 0)
      throw std::runtime_error(fmt::format("libelf: layout: {}", elf_errmsg(-1)));
    for (std::size_t k = 0; k < loaded_.size(); ++k) segments[k] = segment_of(k);
    elf_flagphdr(elf_.get(), ELF_C_SET, ELF_F_DIRTY);
    if (elf_update(elf_.get(), ELF_C_WRITE) < 0)
      throw std::runtime_error(fmt::format("libelf: write: {}", elf_errmsg(-1)));
    return file_.contents();
  }

 private:
  void header() {
    auto* h = need(elf32_newehdr(elf_.get()), "header");
    h->e_ident[EI_DATA] = ELFDATA2LSB;
    h->e_type = ET_EXEC;
    h->e_machine = elf_machine_aie;
    h->e_version = EV_CURRENT;
    h->e_flags = elf_flags_aie2;
    const auto* entry = p_.find("_start") ? p_.find("_start") : p_.find("main");
    h->e_entry = entry ? entry->value : 0;
  }

  Elf_Scn* add_section(std::string_view name, std::uint32_t type, std::uint32_t flags, void* bytes, std::size_t size,
                       std::uint32_t alignment, Elf_Type data_type = ELF_T_BYTE) {
    auto* scn = need(elf_newscn(elf_.get()), "section");
    auto* data = need(elf_newdata(scn), "data");
    data->d_buf = bytes;
    data->d_size = size;
    data->d_align = alignment;
    data->d_type = data_type;
    data->d_version = EV_CURRENT;
    auto* h = need(elf32_getshdr(scn), "section header");
    h->sh_name = names_.add(name);
    h->sh_type = type;
    h->sh_flags = flags;
    return scn;
  }

  void add_loaded(const section& from) {
    const std::uint32_t flags = SHF_ALLOC | (from.executable ? SHF_EXECINSTR : 0u) | (from.writable ? SHF_WRITE : 0u);
    void* bytes = from.no_bits ? nullptr : const_cast<std::uint8_t*>(from.bytes.data());  // libelf only reads it
    auto* scn =
        add_section(from.name, from.no_bits ? SHT_NOBITS : SHT_PROGBITS, flags, bytes, from.size, from.alignment);
    need(elf32_getshdr(scn), "section header")->sh_addr = from.address;
    scns_.push_back(scn);
  }

  /// Locals first, as the format wants; each kind in the order of the program.
  void add_symbols() {
    symbols_.push_back({});
    for (const bool global : {false, true}) {
      if (global) first_global_ = symbols_.size();
      for (const auto& s : p_.symbols)
        if (s.global == global) symbols_.push_back(elf_symbol(s));
    }
    auto* strings =
        add_section(".strtab", SHT_STRTAB, 0, symbol_names_.bytes().data(), symbol_names_.bytes().size(), 1);
    auto* table =
        add_section(".symtab", SHT_SYMTAB, 0, symbols_.data(), symbols_.size() * sizeof(Elf32_Sym), 4, ELF_T_SYM);
    auto* h = need(elf32_getshdr(table), "section header");
    h->sh_link = static_cast<Elf32_Word>(elf_ndxscn(strings));
    h->sh_info = static_cast<Elf32_Word>(first_global_);
    h->sh_entsize = sizeof(Elf32_Sym);
  }

  Elf32_Sym elf_symbol(const symbol& s) {
    Elf32_Sym made{};
    made.st_name = symbol_names_.add(s.name);
    made.st_value = s.value;
    made.st_size = s.size;
    const bool code = s.section >= 0 && p_.sections[static_cast<std::size_t>(s.section)].executable;
    const auto type = s.section < 0 ? STT_NOTYPE : code ? STT_FUNC : STT_OBJECT;
    made.st_info = static_cast<unsigned char>((s.global ? STB_GLOBAL : STB_LOCAL) << 4 | type);
    made.st_shndx = SHN_ABS;
    const auto place = std::ranges::find(loaded_, static_cast<std::size_t>(s.section));
    if (s.section >= 0 && place != loaded_.end())
      made.st_shndx = static_cast<Elf32_Section>(place - loaded_.begin() + 1);
    return made;
  }

  void add_names() {
    auto* scn = need(elf_newscn(elf_.get()), "section");
    auto* h = need(elf32_getshdr(scn), "section header");
    h->sh_name = names_.add(".shstrtab");
    h->sh_type = SHT_STRTAB;
    auto* data = need(elf_newdata(scn), "data");
    data->d_buf = names_.bytes().data();
    data->d_size = names_.bytes().size();
    data->d_align = 1;
    data->d_type = ELF_T_BYTE;
    data->d_version = EV_CURRENT;
    need(elf32_getehdr(elf_.get()), "header")->e_shstrndx = static_cast<Elf32_Half>(elf_ndxscn(scn));
  }

  Elf32_Phdr segment_of(std::size_t k) {
    const auto& from = p_.sections[loaded_[k]];
    Elf32_Phdr made{};
    made.p_type = PT_LOAD;
    made.p_offset = need(elf32_getshdr(scns_[k]), "section header")->sh_offset;
    made.p_vaddr = made.p_paddr = from.address;
    made.p_filesz = from.no_bits ? 0 : from.size;
    made.p_memsz = from.size;
    made.p_flags = PF_R | (from.executable ? static_cast<Elf32_Word>(PF_X) : 0u) |
                   (from.writable ? static_cast<Elf32_Word>(PF_W) : 0u);
    made.p_align = from.no_bits ? 1 : from.alignment;
    return made;
  }

  const program& p_;
  memory_file file_;
  elf_handle elf_;
  std::vector<std::size_t> loaded_;  ///< program sections with bytes in memory; the k-th is ELF section k+1
  std::vector<Elf_Scn*> scns_;
  std::vector<Elf32_Sym> symbols_;
  std::size_t first_global_ = 1;
  string_table names_, symbol_names_;
};

}  // namespace

std::expected<std::vector<std::uint8_t>, std::string> to_elf(const program& p) {
  try {
    return elf_image(p).write();
  } catch (const std::runtime_error& error) {
    return std::unexpected(error.what());
  }
}

}  // namespace npurt::assembler
