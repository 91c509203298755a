// SPDX-License-Identifier: Apache-2.0
// What a file is, by its content.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "binfmt/format_error.hpp"

namespace npurt::inspect {

enum class file_kind {
  unknown,
  xclbin,
  pdi,
  core_elf,           ///< a program for one AIE core
  control_elf,        ///< control code with its relocations, as aiebu-asm writes it
  control_code,       ///< transaction words
  control_code_text,  ///< the same as hexadecimal words, one a line (mlir-aie's insts.txt)
};
std::string to_string(file_kind kind);

file_kind recognise(std::span<const std::byte> bytes);

/// The words of control code as bytes, from either form.
/// @throws binfmt::format_error for a word that is none, with its place in the text
std::vector<std::byte> control_code_bytes(std::span<const std::byte> file, file_kind kind);

}  // namespace npurt::inspect
