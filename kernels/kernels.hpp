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
  std::string (*generator)();  ///< of the assembly text; nullptr: a file has it
};
std::span<const kernel_entry> entries();

/// @throws config::config_error if no line names it
const kernel_entry& find(std::string_view folder);

/// The assembly text of a kernel, from below the kernels folder or from its generator.
/// @throws config::config_error if it cannot be read
std::string read_source(const std::filesystem::path& kernels_folder, std::string_view folder);

/// The XCLBIN of a kernel whose core runs this assembly text. The same text gives the same bytes.
/// @throws config::config_error with the assembler's diagnostics or a vendor tool's output
std::vector<std::byte> build_kernel(std::string_view folder, std::string_view assembly_text);

}  // namespace npurt::kernels
