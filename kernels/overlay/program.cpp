// SPDX-License-Identifier: Apache-2.0
// Main is written here; the operations come from the code generator.
#include "overlay/program.hpp"

#include <algorithm>
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
  unsigned page;
  codegen::compiled_function (*compile)(const codegen::compile_options&);
};

constexpr std::array all{
#define NPURT_OPERATION(number, function, page) operation{number, #function, page, op_##function},
#include "overlay/operations.inc"
#undef NPURT_OPERATION
};
static_assert(std::ranges::all_of(all, [](const operation& o) { return o.number < operations; }));

constexpr unsigned last_page = std::ranges::max(all, {}, &operation::page).page;

std::string data_section(std::string_view name, std::uint32_t offset) {
  return std::format("    .section .data.{}, \"aw\", @progbits, {:#x}\n", name, data_memory + offset);
}

/// What the operations find at the start: the first buffers of A, B and out, and the code's addresses.
std::string initial_data(unsigned page) {
  std::string text = data_section("state", state_offset);
  for (const std::uint32_t first : {a_offsets[0], b_offsets[0], out_offsets[0]}) {
    text += std::format("    .word {:#x}\n", data_memory + first);
  }
  text += data_section("operations", operations_offset);
  for (unsigned number = 0; number < operations; ++number) {
    const auto here = std::ranges::find_if(
        all, [&](const operation& o) { return o.number == number && (o.page == 0 || o.page == page); });
    text += here == all.end() ? "    .word absent\n" : std::format("    .word op_{}\n", here->function);
  }
  return text;
}

// A call's parameters are there before its first chunk on A. Lock operations keep four bundles apart: each holds the
// semaphore unit that long. The chunk is given back, because the operation takes it.
std::string main_loop() {
  return std::format(R"(    .text
    .globl main
main:
    movxm sp, #{:#x}
.Lnext_call:
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
absent:
    acq #{}, r2
)",
                     data_memory + stack_offset, data_memory + parameters_offset, data_memory + operations_offset,
                     48 + a_free + 1, 48 + a_free + 1, 48 + absent_lock);
}

std::string operations_of(unsigned page) {
  std::string text;
  std::string_view last;
  for (const operation& o : all) {
    if (o.page != page || o.function == last) continue;
    text += std::format("\n// ---- from {}\n    .align 16\n", o.number) + o.compile({}).text;
    last = o.function;
  }
  return text;
}

}  // namespace

std::vector<std::string> programs() {
  const std::string resident = main_loop() + operations_of(0);
  std::vector<std::string> texts;
  for (unsigned page = 1; page <= last_page; ++page) {
    texts.push_back(
        std::format("// The overlay's cores with page {}. Generated: kernels/overlay/program.cpp and the operations' "
                    "kernel.cpp.\n",
                    page) +
        initial_data(page) + resident +
        std::format("\n    .section .text.page, \"ax\", @progbits, {:#x}\n", page_offset) + operations_of(page));
  }
  return texts;
}

}  // namespace npurt::kernels::overlay
