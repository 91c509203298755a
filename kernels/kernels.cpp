// SPDX-License-Identifier: Apache-2.0
// Assembles a kernel's source and packs it with its array.
#include "kernels.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>

#include "asm/assembler.hpp"
#include "asm/elf_writer.hpp"
#include "config/package.hpp"
#include "overlay/program.hpp"

namespace npurt::kernels {

namespace {

constexpr std::array all{
#define NPURT_KERNEL(prefix, folder, tile, types, generator) \
  kernel_entry{folder, #prefix, tile, types, prefix##_array, generator},
#include "kernels.inc"
#undef NPURT_KERNEL
};

std::vector<std::byte> assemble(std::string_view folder, std::string_view text) {
  const std::string name = std::string(folder) + ".s";
  const auto program = assembler::assemble(text, name);
  if (!program) {
    std::string message = "kernel " + std::string(folder) + " cannot be assembled";
    for (const assembler::diagnostic& d : program.error()) {
      message += "\n" + assembler::to_string(d);
    }
    throw config::config_error(message);
  }
  const auto elf = assembler::to_elf(*program);
  if (!elf) {
    throw config::config_error("kernel " + std::string(folder) + " gives no ELF file: " + elf.error());
  }
  const auto bytes = std::as_bytes(std::span(*elf));
  return {bytes.begin(), bytes.end()};
}

}  // namespace

std::span<const kernel_entry> entries() { return all; }

const kernel_entry& find(std::string_view folder) {
  const auto at = std::ranges::find(all, folder, &kernel_entry::folder);
  if (at == all.end()) {
    throw config::config_error("no kernel is named " + std::string(folder));
  }
  return *at;
}

std::vector<std::string> read_source(const std::filesystem::path& kernels_folder, std::string_view folder) {
  if (const auto generator = find(folder).generator) {
    return generator();
  }
  const std::filesystem::path path = kernels_folder / folder / (std::string(folder) + ".s");
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in) {
    throw config::config_error("cannot read " + path.string());
  }
  return {text};
}

std::vector<std::byte> build_kernel(std::string_view folder, std::span<const std::string> assembly_texts) {
  const kernel_entry& entry = find(folder);
  std::vector<std::vector<std::byte>> elfs;
  for (const std::string& text : assembly_texts) elfs.push_back(assemble(folder, text));
  config::array_description design = entry.array(elfs.at(0));
  design.name = entry.kernel_name;
  if (elfs.size() > 1) design.user_metadata = overlay::pages_of(elfs);
  return config::make_xclbin(design);
}

}  // namespace npurt::kernels
