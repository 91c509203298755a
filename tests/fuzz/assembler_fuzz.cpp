// SPDX-License-Identifier: Apache-2.0
// Any text gives diagnostics, or a program whose disassembly assembles to the same code.
#include "asm/assembler.hpp"

#include <string_view>

#include "asm/disassembler.hpp"
#include "fuzz/input.hpp"

using namespace npurt;

namespace {

/// The program's code if it is one section at 0: what a disassembly says in full, since it has no directives.
const assembler::section* only_code(const assembler::program& program) {
  const assembler::section* only = nullptr;
  for (const auto& section : program.sections) {
    if (!section.executable) continue;
    if (only != nullptr) return nullptr;
    only = &section;
  }
  return only != nullptr && only->address == 0 && !only->no_bits ? only : nullptr;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto program = assembler::assemble({reinterpret_cast<const char*>(data), size}, "input");
  if (!program) {
    fuzz::require(!program.error().empty(), "a refusal has a reason");
    return 0;
  }
  const auto text = assembler::disassemble(*program);
  const auto* code = only_code(*program);
  if (code == nullptr || code->bytes.empty()) return 0;
  const auto again = assembler::assemble(text, "disassembly");
  if (!again) std::fprintf(stderr, "%s\n%s\n", text.c_str(), to_string(again.error().front()).c_str());
  fuzz::require(again.has_value(), "a disassembly assembles");
  const auto* code_again = only_code(*again);
  if (code_again == nullptr || code_again->bytes != code->bytes) std::fprintf(stderr, "%s\n", text.c_str());
  fuzz::require(code_again != nullptr && code_again->bytes == code->bytes, "a disassembly assembles to the same code");
  return 0;
}
