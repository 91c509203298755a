// SPDX-License-Identifier: Apache-2.0
// Programs of cores for the array's tests, from assembly text.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "asm/assembler.hpp"
#include "emu/array/design.hpp"

namespace npurt::emu::testing {

inline constexpr std::uint32_t core_status = 0x32004;

inline std::string nops(int count) {
  std::string text;
  while (count-- > 0) text += "nop\n";
  return text;
}

/// Assembles, writes and starts a program.
inline void load(design& d, tile_id t, const std::string& source) {
  const auto program = assembler::assemble(source, "test");
  if (!program) FAIL(to_string(program.error().front()) << "\n" << source);
  std::vector<std::uint8_t> code = program->sections.at(0).bytes;
  code.resize((code.size() + 3) / 4 * 4);
  std::vector<std::uint32_t> code_words(code.size() / 4);
  std::memcpy(code_words.data(), code.data(), code.size());
  d.tiles.write(aie::pack_address({t, 0x20000}), code_words);
  d.write(t, 0x32000, 2);
  d.write(t, 0x32000, 0);
  d.write(t, 0x32000, 1);
}

/// Takes `full`, adds 1 to the word at `address`, gives `free`.
inline std::string add_one(int full, int free, const std::string& address) {
  return "mova r2, #-1\nmova r3, #1\nmovxm p0, #" + address + "\nacq #" + std::to_string(full) + ", r2\n" + nops(4) +
         "lda r4, [p0, #0]\n" + nops(8) + "add r4, r4, #1\nst r4, [p0, #0]\n" + nops(8) + "rel #" +
         std::to_string(free) + ", r3\n" + nops(4) + "done\n" + nops(6);
}

}  // namespace npurt::emu::testing
