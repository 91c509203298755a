// SPDX-License-Identifier: Apache-2.0
// A program, its buffers and its stack in the memories of one core.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "asm/program.hpp"
#include "lone_core.hpp"

namespace npurt::tools {

/// The program's own mistakes: errors in its source, no such function.
struct bad_program : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A program with the lines of its source; without them if it was an ELF file.
struct loaded_program {
  assembler::program program;
  std::string path;
  std::vector<std::string> source;

  /// "file:line" of a bundle, empty if it has none.
  std::string place(std::uint32_t pc) const;
};

/// From assembly text or an ELF file, told apart by their contents. @throws bad_program with every error of the source
loaded_program load_program(const std::string& path);

/// The function of that name, or without a name the global one at the lowest address. @throws bad_program
const assembler::symbol& find_entry(const assembler::program& program, const std::string& name);

/// What is to be placed, in bytes; offsets in data memory if they are given.
struct wanted_buffers {
  std::size_t input = 0, output = 0, stack = 0;
  std::optional<std::uint32_t> input_at, output_at;
};
struct placement {
  std::uint32_t input, output, stack;  ///< addresses as the core sees them
};

/// Where the program's sections leave room, on 64 bytes (32 where an offset is given).
/// @throws std::runtime_error if something does not fit
placement place_buffers(const assembler::program& program, const wanted_buffers& wanted);

/// Sections into memories; p0, p1, sp and pc set; lr where a bundle ends the run. @throws bad_program
void prepare(emu::core& core, lone_core_ports& ports, const assembler::program& program, const placement& where,
             std::uint32_t entry);

}  // namespace npurt::tools
