// SPDX-License-Identifier: Apache-2.0
// The shipped kernels, and how one becomes an XCLBIN.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/description.hpp"

namespace npurt::kernels {

// The array of a kernel around the program of its core, an ELF file. The name is filled in by the builder.
#define NPURT_KERNEL(prefix, folder, tile, types, generator) \
  config::array_description prefix##_array(const std::vector<std::byte>& elf);
#include "kernels.inc"
#undef NPURT_KERNEL

/// A line of kernels.inc.
struct kernel_entry {
  std::string_view folder;
  std::string_view kernel_name;  ///< in the XCLBIN
  std::string_view tile;
  std::string_view types;
  config::array_description (*array)(const std::vector<std::byte>& elf);
  std::vector<std::string> (*generator)();  ///< of the assembly texts; nullptr: a file has the only one
};
std::span<const kernel_entry> entries();

/// @throws config::config_error if no line names it
const kernel_entry& find(std::string_view folder);

/// The assembly texts of a kernel, one a page of its code, from below the kernels folder or from its generator.
/// @throws config::config_error if one cannot be read
std::vector<std::string> read_source(const std::filesystem::path& kernels_folder, std::string_view folder);

/// The XCLBIN of a kernel whose cores run these assembly texts: the first one from the start, the others' pages when
/// control code loads them. The same texts give the same bytes.
/// @throws config::config_error with the assembler's diagnostics or a vendor tool's output
std::vector<std::byte> build_kernel(std::string_view folder, std::span<const std::string> assembly_texts);

}  // namespace npurt::kernels
