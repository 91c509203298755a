// SPDX-License-Identifier: Apache-2.0
// Bytes that other tools made of a line of assembly.
#include "asm/encoding_rows.hpp"

using namespace npurt;
using namespace npurt::test;

namespace {

// llvm-objdump on a program linked by AMD's Chess compiler: tools/fixtures/debug_halt_probe_objdump.txt of
// FIM43-Redeye/xdna-emu.
const row chess_rows[] = {
    {"19 20 03 38", "paddb [sp], #0x20"},
    {"99 c2 ff 0f", "st lr, [sp, #-4]"},
    {"15 01 00 d8 00 00", "jl #0x1b0"},
    {"77 10 12 1a c0 01 80 7e ff 0f 06 00", "mova r24, #0x0 ; st p7, [sp, #-8] ; movxm p0, #0x70424"},
    {"01 00", "nop"},
    {"23 78 00 00 04 00 00 00", "nopa ; nopv"},
    {"15 01 00 e8 00 00", "jl #0x1d0"},
    {"55 48 68 0e 07 00", "movxm p7, #0x70424"},
    {"3b c9 ff 27 28 06 00 00 56 00", "st r24, [p0, #0] ; movx r0, #0x31 ; mov r1, #-0x1"},
    {"3b c9 ff 27 a8 06 00 00 56 00", "st r24, [p0, #0] ; movx r0, #0x35 ; mov r1, #-0x1"},
    {"bb 10 00 1a c0 01 00 28 64 17", "mova dj0, #0xbb ; movxm p0, #0x70400"},
    {"43 c8 03 20 08 06 00 00", "movx r0, #0x30 ; mov r1, #0x1"},
    {"59 b0 02 07", "lda r24, [p7, #0]"},
    {"d9 7e ff 07", "lda p7, [sp, #-8]"},
    {"55 fc 9f fc ff 7f", "movxm r25, #0x7ffffffe"},
    {"99 8c 73 16", "ltu r25, r25, r24"},
    {"43 28 3b 1f 04 8c 33 00", "add r24, r25, r24 ; mov p0, p7"},
    {"c0 03 00 88 03 00 00 00 00 00 00 00 00 00 00 00", "nopb ; nopa ; nops ; nopx ; nopm ; nopv"},
    {"d9 c2 ff 07", "lda lr, [sp, #-4]"},
    {"95 00 00 e8 00 00", "j #0x1d0"},
    {"03 40 57 11 00 20 d4 00", "st dj0, [p0, #4] ; mov m0, #0xaa"},
    {"3d 05 02 20 b0 00", "st m0, [p0], #8 ; movx r1, #0x1"},
    {"2f 78 00 00 b4 19 61 00 00 82 06 00 00 00", "nopa ; st r1, [p0, #4] ; mov dj0, #0xcc ; nopv"},
    {"c0 03 00 88 03 00 88 06 00 a1 02 00 00 00 fc ff",
     "paddb [sp], #-0x20 ; nopa ; st dj0, [p0, #0] ; movx r0, #0x34 ; nopm ; nopv"},
};

// llvm-objdump lines quoted in src/interpreter/decode/crossref.rs and decoder.rs of FIM43-Redeye/xdna-emu.
const row quoted_rows[] = {
    {"55 00 e0 0c 07 00", "movxm sp, #0x70000"},
    {"bb 10 00 9a c0 01 00 08 24 00", "mova r16, #0x1 ; movxm p1, #0x70400"},
    {"7f 00 00 00 71 00 00 02 01 06 00 00 00 00", "nopa ; nopb ; rel #0x30, r16 ; nopm ; nops"},
    {"99 8a 03 09", "st q0, [p1], #0x10"},
    {"39 90 04 18", "vmaxdiff_lt.s16 x0, r16, x2, x0"},
    {"59 00 00 08", "vfloor.s32.bf16 x0, wl0, s0"},
    {"99 d4 5c 08", "vsrs.s16.s64 wh0, cm5, s0"},
};

// llvm/test/MC/AIE/codealign.s of Xilinx/llvm-aie, and its test of relocations against external symbols in bundles
// (AIECC-212).
const row llvm_rows[] = {
    {"99 34 82 10", "and r1, r2, r3"},
    {"99 35 82 10", "or r1, r2, r3"},
    {"c0 03 00 00 00 00 00 00 00 00 00 00 00 00 00 00", "nopb ; nopa ; nops ; nopxm ; nopv"},
    {"37 88 03 00 00 00 00 00 00 00 00 00", "nops ; nopb ; nopx ; nopm"},
    {"3b 10 00 18 00 00 00 08 0b 01", "paddb [p1], m0 ; movxm p0, #0x0"},
    {"55 00 60 00 00 00", "movxm p0, #0x0"},
};

// Worked out by hand from the bit layouts of AIE2Slots.td and the composite formats; little-endian.
const row hand_rows[] = {
    {"01 00", "nop"},                // 0000000000000001
    {"19 00 00 00", "nopa"},         // 00000 lda=0 011001
    {"19 00 00 38", "nopb"},         // 00111 ldb=0 00000011001
    {"19 00 00 10", "nopx"},         // 00010 alu=0 0011001
    {"19 07 00 18", "nopm"},         // 00011 mv=0x38 11001
    {"19 00 00 08", "nops"},         // 00001 st=0 011001
    {"09 78 00 00", "nopv"},         // vec=0x1e0 001001
    {"15 00 00 00 00 00", "nopxm"},  // lng=0 010101
};

}  // namespace

TEST_CASE("lines of a Chess program assemble to its bytes", "[asm]") { check(chess_rows); }
TEST_CASE("lines quoted from llvm-objdump assemble to their bytes", "[asm]") { check(quoted_rows); }
TEST_CASE("lines of llvm-aie's tests assemble to their bytes", "[asm]") { check(llvm_rows); }
TEST_CASE("the NOP of every slot stands where its format puts it", "[asm]") { check(hand_rows); }

TEST_CASE("llvm-aie's assembly tests are accepted and printed alike", "[asm]") {
  // Input and expected print of
  // llvm/test/MC/AIE/{bundles,nops,addressing-modes,simple-scalar-instr,stream-identifier}.s.
  const struct {
    std::string source, print;
  } lines[] = {
      {"padda   [p1], #4;   add     r0, r0, r1", "padda [p1], #4 ; add r0, r0, r1"},
      {"padda   [p0], #4;   mov     r0, r1", "padda [p0], #4 ; mov r0, r1"},
      {"padda   [p0], #4;   st      r0, [p1, #0]", "padda [p0], #4 ; st r0, [p1, #0]"},
      {"padda   [p1], #4;   add     r0, r0, r1;     mov     r2, r1", "padda [p1], #4 ; add r0, r0, r1 ; mov r2, r1"},
      {"padda   [p1], #4;   movxm   r2, #64", "padda [p1], #4 ; movxm r2, #64"},
      {"padda [p1], #4; st r0, [p0, #0]; add r0, r0, r1; mov r2, r1",
       "padda [p1], #4 ; st r0, [p0, #0] ; add r0, r0, r1 ; mov r2, r1"},
      {"nopm; nopx", "nopx ; nopm"},
      {"nopa; nopb; nopx; nops; nopm; nopv", "nopb ; nopa ; nops ; nopx ; nopm ; nopv"},
      {"nopa; nopb; nops; nopxm; nopv", "nopb ; nopa ; nops ; nopxm ; nopv"},
      {"nopa; nops; nopx; nopm; nopv", "nopb ; nopa ; nops ; nopx ; nopm ; nopv"},
      {"nopa; nopb; nops; nopm; nopv", "nopb ; nopa ; nops ; nopx ; nopm ; nopv"},
      {"lda lr, [sp, #-28]", "lda lr, [sp, #-28]"},
      {"vlda wl3, [p2, #-1024]", "vlda wl3, [p2, #-1024]"},
      {"vlda amll3, [sp, #-1024]", "vlda amll3, [sp, #-1024]"},
      {"vldb wl3, [p0, #-128]", "vldb wl3, [p0, #-128]"},
      {"vldb.3d wl2, [p1], d1", "vldb.3d wl2, [p1], d1"},
      {"vst wl3, [sp, #-32]", "vst wl3, [sp, #-32]"},
      {"mov p6, sp", "mov p6, sp"},
      {"extend.s8   r0, r0", "extend.s8 r0, r0"},
      {"vmov MCD, x0", "vmov MCD, x0"},
      {"vmov.hi cm0, SCD", "vmov.hi cm0, SCD"},
      {"vmov x0, SCD", "vmov x0, SCD"},
  };
  for (const auto& line : lines) {
    INFO(line.source);
    const auto program = assembler::assemble(line.source, "line");
    REQUIRE(program);
    const auto bundle = aie::isa::decode(program->sections.at(0).bytes);
    REQUIRE(bundle);
    CHECK(assembler::to_text(*bundle) == line.print);
  }
}
