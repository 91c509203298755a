// SPDX-License-Identifier: Apache-2.0
// Main is written here; the operations come from the code generator.
#include "overlay/program.hpp"

#include <array>
#include <format>
#include <string_view>

#include "overlay/core_memory.hpp"
#include "programs.hpp"

namespace npurt::kernels::overlay {

namespace {

struct operation {
  unsigned number;
  std::string_view function;
  codegen::compiled_function (*compile)(const codegen::compile_options&);
};

constexpr std::array operations{
#define NPURT_OPERATION(number, function) operation{number, #function, op_##function},
#include "overlay/operations.inc"
#undef NPURT_OPERATION
};

std::string set_word(std::uint32_t offset, const std::string& value) {
  return std::format("    movxm p0, #{:#x}\n    movxm r1, #{}\n    st r1, [p0, #0]\n", data_memory + offset, value);
}

std::string set_up() {
  std::string text =
      std::format("    .text\n    .globl main\nmain:\n    movxm sp, #{:#x}\n", data_memory + stack_offset);
  const std::uint32_t first[]{a_offsets[0], b_offsets[0], out_offsets[0]};
  for (std::uint32_t i = 0; i < std::size(first); ++i) {
    text += set_word(state_offset + 4 * i, std::format("{:#x}", data_memory + first[i]));
  }
  for (const operation& o : operations) {
    text += set_word(operations_offset + 4 * o.number, std::format("op_{}", o.function));
  }
  return text;
}

// A call's parameters are there before its first chunk on A. Lock operations keep four bundles apart: each holds the
// semaphore unit that long. The chunk is given back, because the operation takes it.
std::string next_call() {
  return std::format(R"(.Lnext_call:
    mova r2, #-1
    mova r3, #1
    mova r4, #2
    movxm p0, #{:#x}
    movxm p2, #{:#x}
    acq #{}, r2
    nop
    nop
    nop
    rel #{}, r3
    lda r0, [p0, #0]
    nop
    nop
    nop
    nop
    nop
    nop
    lshl r0, r0, r4
    mov dj0, r0
    lda p1, [p2, dj0]
    nop
    nop
    nop
    nop
    nop
    nop
    jl p1
    nop
    nop
    nop
    nop
    nop
    j #.Lnext_call
    nop
    nop
    nop
    nop
    nop
)",
                     data_memory + parameters_offset, data_memory + operations_offset, 48 + a_free + 1,
                     48 + a_free + 1);
}

}  // namespace

std::string program_text() {
  std::string text = "// The overlay's cores. Generated: kernels/overlay/program.cpp and the operations' kernel.cpp.\n";
  text += set_up() + next_call();
  std::string_view last;
  for (const operation& o : operations) {
    if (o.function != last) text += std::format("\n// ---- from {}\n    .align 16\n", o.number) + o.compile({}).text;
    last = o.function;
  }
  return text;
}

}  // namespace npurt::kernels::overlay
