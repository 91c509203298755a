// SPDX-License-Identifier: Apache-2.0
// Bytes worked out from LLVM's own layouts: a bundle of every format with all of its slots, and instructions of every
// slot alone.
#include <algorithm>
#include <set>

#include "asm/encoding_rows.hpp"

using namespace npurt;
using namespace npurt::test;

namespace {

// llvm/lib/Target/AIE/aie2/AIE2CompositeFormats.td (bundles), AIE2GenInstrFormats.td (mova, vldb.4x, vmov MCD, add,
// add.nc, vadd.f and its kin, movxm) and MCTargetDesc/AIE2MCCodeEmitterRegOperandDef.h (registers) of Xilinx/llvm-aie,
// put together apart from the tables of aie/isa.
const row format_rows[] = {
    {"7c 1c 59 92 e8 02 b9 fd 81 28 7c c8 61 20 d7 65",
     "vldb.4x32.hi wh10, wl6 ; mova r7, #259 ; vmov MCD, x10 ; movxm r8, #133621201 ; vnegadd.f bmh3, bml6, bml7, r9"},
    {"e4 06 03 bc cf 27 db 31 af 14 7c 88 c3 40 cb ba",
     "vldb.4x64.lo wl9, wh11 ; mova r14, #518 ; vmov MCD, x5 ; add r19, r23, #14 ; add.nc r25, r31, #14 ; vnegsub.f "
     "bml7, bmh0, bmh1, r16"},
    {"3d 57 b4 17 80 0f", "vmov MCD, x0 ; add r26, r30, #21"},
    {"55 88 8e 9e db 1f", "movxm r29, #534484804"},
    {"85 08 7c 38 35 0a", "vldb.4x64.hi wh4, wl4 ; vmov MCD, x2"},
    {"65 97 4d dd c4 04", "vldb.4x16.lo wl3, wh9 ; add.nc r21, r27, #10"},
    {"05 c7 ac 7e ac 11", "vldb.4x32.hi wh1, wl3 ; add r22, r26, #49"},
    {"b5 2c 7c 08 06 09", "mova r24, #72 ; vmov MCD, x11"},
    {"ed 3f 88 ca 67 29", "mova r31, #331 ; add.nc r10, r16, #31"},
    {"7d 58 ce 8b c1 49", "vldb.4x32.lo wl9, wh7 ; mova r6, #590"},
    {"1d 37 a4 4d 23 6a", "mova r13, #849 ; add r18, r22, #13"},
    {"97 58 40 b4 c2 5c 54 96 fc 92 81 0f", "vmov MCD, x3 ; movxm r21, #1603454412 ; vadd.f bml6, bmh8, bmh0, r22"},
    {"97 03 a2 e9 7f 63 18 6f 00 11 85 0f",
     "vmov MCD, x10 ; add r0, r4, #27 ; add.nc r6, r12, #27 ; vnegadd.f bmh0, bml3, bml4, r29"},
    {"a7 d0 63 23 66 87 49 db d4 92 82 0f",
     "vldb.4x64.lo wl3, wh5 ; vmov MCD, x5 ; add.nc r13, r19, #2 ; vnegsub.f bml4, bmh6, bmh7, r4"},
    {"a7 1f 81 58 39 e5 24 78 a4 15 80 0f",
     "vldb.4x16.hi wh1, wl11 ; vmov MCD, x0 ; add r14, r18, #41 ; vsub.f bmh7, bml1, bml2, r11"},
    {"37 10 88 26 96 db 1f 18 4c 92 83 0f", "vldb.4x32.lo wl0, wh4 ; vmov MCD, x7 ; movxm r17, #2137939216"},
    {"37 f8 17 42 f8 c6 01 b8 36 15 81 0f",
     "vldb.4x64.hi wh10, wl10 ; vmov MCD, x2 ; add r28, r0, #55 ; add.nc r2, r8, #23"},
    {"a7 c0 61 01 2a b2 c8 17 ae 07 cb 38",
     "vldb.4x16.lo wl9, wh3 ; movxm r31, #257697970 ; vnegsub.f bml0, bmh2, bmh3, r0"},
    {"a7 8f 03 3b fa 0e 0b 74 41 39 bf 95",
     "vldb.4x32.hi wh7, wl9 ; add r10, r14, #5 ; add.nc r16, r22, #5 ; vsub.f bmh3, bml6, bml7, r7"},
    {"a7 dc 40 70 98 11 ab 2c 7c 08 83 16",
     "mova r12, #180 ; vmov MCD, x11 ; add r17, r21, #12 ; vadd.f bml7, bmh0, bmh1, r14"},
    {"77 90 12 85 36 d0 89 18 7c c8 e4 36", "mova r19, #439 ; vmov MCD, x6 ; movxm r20, #658561573"},
    {"77 b8 db a2 58 f3 87 04 7c 88 46 57", "mova r26, #698 ; vmov MCD, x1 ; add r31, r3, #26 ; add.nc r5, r11, #26"},
    {"a7 a3 01 19 8e 20 7c 78 b4 4b a0 77",
     "vldb.4x64.hi wh1, wl7 ; mova r1, #957 ; vmov MCD, x8 ; vsub.f bmh8, bml2, bml3, r3"},
    {"f7 30 4b 66 82 0c 7c 18 44 08 02 1b",
     "vldb.4x16.lo wl0, wh0 ; mova r8, #216 ; vmov MCD, x3 ; add.nc r19, r25, #8"},
    {"37 41 14 3e f8 45 31 b8 2e cb 63 3b",
     "vldb.4x32.hi wh10, wl6 ; mova r15, #475 ; vmov MCD, x10 ; add r20, r24, #47"},
    {"a7 44 e2 c1 62 af 43 58 d6 8d c5 5b",
     "vldb.4x64.lo wl9, wh11 ; mova r22, #734 ; add.nc r1, r7, #22 ; vnegsub.f bml1, bmh3, bmh4, r24"},
    {"a7 13 84 fb bb 27 0c f8 a5 4a 27 7c",
     "vldb.4x16.hi wh7, wl5 ; mova r29, #993 ; add r2, r6, #61 ; vsub.f bmh4, bml7, bml8, r31"},
    {"b7 10 6e a1 48 c0 17 98 4d 0d 81 1f", "vldb.4x32.lo wl6, wh10 ; mova r4, #252 ; movxm r5, #1593909980"},
    {"b7 f8 0b c7 7a 01 29 38 35 ca e2 3f",
     "vldb.4x64.hi wh4, wl4 ; mova r11, #511 ; add r16, r20, #11 ; add.nc r22, r28, #11"},
    {"87 58 60 a4 e2 e7 4c 77 77 8b 44 60",
     "mova r18, #770 ; movxm r19, #1861152382 ; vnegsub.f bml6, bmh8, bmh0, r20"},
    {"87 03 82 d9 6f 53 10 67 bc 48 a6 03",
     "mova r25, #29 ; add r30, r2, #25 ; add.nc r4, r10, #25 ; vsub.f bmh0, bml3, bml4, r27"},
    {"8b d0 43 13 64 86 c8 92 85 0f", "vmov MCD, x11 ; add.nc r11, r17, #0 ; vadd.f bml4, bmh6, bmh7, r2"},
    {"ab 1f a1 48 f9 c4 20 10 83 0f", "vmov MCD, x6 ; add r12, r16, #39 ; vnegadd.f bmh7, bml1, bml2, r9"},
    {"3b 11 e1 e2 a1 b2 03 90 80 0f", "vmov MCD, x1 ; movxm r15, #248153538"},
    {"3b 79 97 01 b8 a6 3d 10 84 0f", "vmov MCD, x8 ; add r26, r30, #53 ; add.nc r0, r6, #21"},
    {"8b c0 41 f1 01 98 45 93 81 0f", "vldb.4x16.lo wl6, wh6 ; vmov MCD, x3 ; vadd.f bml0, bmh2, bmh3, r30"},
    {"bb f6 03 c5 01 38 2d 10 85 0f", "vldb.4x32.hi wh4, wl0 ; vmov MCD, x10 ; add.nc r14, r20, #3"},
    {"8b dc 60 60 66 97 4d dd d4 02", "vldb.4x64.lo wl3, wh5 ; add.nc r21, r27, #10 ; vnegsub.f bml7, bmh0, bmh1, r12"},
    {"ab 87 02 9a 3a 62 35 78 a4 05", "vldb.4x16.hi wh1, wl11 ; add r22, r26, #17 ; vsub.f bmh1, bml4, bml5, r19"},
    {"3b 10 54 24 fb a4 0f 18 4c 02", "vldb.4x32.lo wl0, wh4 ; movxm r25, #1049880744"},
    {"3b f8 1f 44 f9 43 10 b8 36 05", "vldb.4x64.hi wh10, wl10 ; add r4, r8, #31 ; add.nc r10, r16, #31"},
    {"8b 4c e3 42 89 24 7c 88 c1 6d", "mova r6, #878 ; vmov MCD, x9 ; vnegsub.f bml3, bmh5, bmh6, r8"},
    {"bb 72 8f 07 83 10 7c 48 23 11", "mova r13, #137 ; vmov MCD, x4 ; add.nc r24, r30, #13"},
    {"7b d3 72 07 80 2c 7c 08 85 31", "mova r20, #396 ; vmov MCD, x11 ; add r25, r29, #52"},
    {"8b 13 a4 eb e2 37 86 c9 e6 51", "mova r27, #655 ; add.nc r6, r12, #27 ; vnegadd.f bmh4, bml7, bml8, r29"},
    {"8b 60 e1 20 1d d8 cc 88 40 72", "vldb.4x32.lo wl3, wh1 ; mova r2, #914 ; vnegsub.f bml8, bmh1, bmh2, r4"},
    {"bb 7e 8b 86 02 78 b4 4b a2 15", "vldb.4x64.hi wh1, wl7 ; mova r9, #173 ; add.nc r20, r26, #9"},
    {"ab 58 40 94 18 52 33 08 04 36", "mova r16, #432 ; add r21, r25, #16 ; vadd.f bml6, bmh8, bmh0, r18"},
    {"bb 90 80 06 7f 90 01 c8 65 56", "mova r23, #691 ; movxm r24, #104987905"},
    {"bb b8 df 23 d9 33 0e 88 c7 76", "mova r30, #950 ; add r3, r7, #30 ; add.nc r9, r15, #30"},
    {"9b 1f 81 38 32 8a 18 7e b1 00", "movxm r6, #372230307 ; vsub.f bmh7, bml1, bml2, r7"},
    {"9b c8 42 72 e7 e9 5c b3 62 05", "add r17, r21, #44 ; add.nc r23, r29, #12 ; vadd.f bml2, bmh4, bmh5, r14"},
    {"a3 17 20 ac 02 10 81 0f", "vmov MCD, x2 ; vnegadd.f bmh5, bml8, bml0, r21"},
    {"03 b0 db a2 00 90 84 0f", "vmov MCD, x9 ; add.nc r5, r11, #26"},
    {"a3 8f 03 1b e6 06 09 03", "add.nc r12, r18, #1 ; vsub.f bmh3, bml6, bml7, r3"},
    {"a3 dc 40 50 00 18 54 04", "vldb.4x64.lo wl0, wh8 ; vadd.f bml7, bmh0, bmh1, r10"},
    {"53 3f 28 be 26 11 83 0f", "vldb.4x16.hi wh10, wl2 ; vmov MCD, x6 ; add r20, r24, #15"},
    {"a3 54 e4 c3 04 88 c5 02", "mova r22, #22 ; vnegsub.f bml5, bmh7, bmh8, r24"},
    {"b3 20 7c f8 b5 48 27 23", "vldb.4x64.hi wh7, wl1 ; mova r29, #281 ; vmov MCD, x8"},
    {"13 93 52 9b 45 0b 81 43", "vldb.4x16.lo wl6, wh6 ; mova r4, #540 ; add r9, r13, #36"},
    {"a3 9b 20 68 79 05 29 00", "add r16, r20, #43 ; vnegadd.f bmh6, bml0, bml1, r13"},
    {"43 b8 d3 a0 5b 76 37 00", "add r23, r27, #50 ; add.nc r29, r3, #18"},
    {"89 13 84 db", "vsub.f bmh4, bml7, bml8, r27"},
    {"99 1c 7c 08", "vmov MCD, x7"},
    {"f9 0f 8c 1c", "add.nc r18, r24, #7"},
    {"19 58 c6 39", "vldb.4x16.lo wl9, wh3"},
    {"59 2a 61 01", "mova r21, #353"},
    {"19 73 42 11", "add r1, r5, #28"},
    {"9f 1f a1 28 52 15 90 5f 2c 39 25 14 83 0f",
     "vldb.4x16.hi wh4, wl8 ; vmov MCD, x6 ; movxm r4, #629928277 ; vnegadd.f bmh7, bml1, bml2, r5"},
    {"9f c8 62 62 77 d9 54 ab de dc cc 90 80 0f",
     "vldb.4x32.lo wl3, wh1 ; vmov MCD, x1 ; add r15, r19, #42 ; add.nc r21, r27, #10 ; vnegsub.f bml2, bmh4, bmh5, "
     "r12"},
    {"af 17 00 9c 37 09 78 00 80 20 7c 48 a4 30",
     "mova r17, #389 ; vmov MCD, x8 ; add.nc r28, r2, #17 ; vsub.f bmh5, bml8, bml0, r19"},
    {"af c0 41 d1 32 f0 01 e3 7a 18 44 08 06 51",
     "vldb.4x16.lo wl0, wh0 ; mova r24, #648 ; vmov MCD, x3 ; add r29, r1, #56 ; vadd.f bml0, bmh2, bmh3, r26"},
    {"7f 10 85 0f 92 89 00 3c 2b ba 2e cb 67 71",
     "vldb.4x32.hi wh10, wl6 ; mova r31, #907 ; vmov MCD, x10 ; movxm r0, #1164413081"},
    {"7f 90 82 0f f7 b8 44 1b d6 5b d6 8d c1 14",
     "vldb.4x64.lo wl9, wh11 ; mova r6, #166 ; vmov MCD, x5 ; add r11, r15, #6 ; add.nc r17, r23, #6"},
    {"8f 87 02 7a b2 43 b8 aa aa fa a5 4a 23 35",
     "vldb.4x16.hi wh7, wl5 ; mova r13, #425 ; movxm r14, #1431655483 ; vsub.f bmh1, bml4, bml5, r15"},
    {"8f 54 c4 b3 e7 2a 7c 53 72 9f 4d 0d 85 55",
     "vldb.4x32.lo wl6, wh10 ; mova r20, #684 ; add r25, r29, #20 ; add.nc r31, r5, #20 ; vadd.f bml5, bmh7, bmh8, "
     "r22"},
};

// The same files: edges of immediates and registers, branches, moves, pointers.
const row slot_rows[] = {
    {"59 3e ff 07", "mova r31, #-1"},
    {"59 00 00 04", "mova r0, #-1024"},
    {"59 22 ff 03", "mova r17, #1023"},
    {"19 18 f4 3d", "vldb.4x64.hi wl0, wh11"},
    {"99 2c 7c 08", "vmov MCD, x11"},
    {"19 03 3f 10", "add r31, r0, #-64"},
    {"19 ff c0 17", "add r0, r31, #63"},
    {"19 9a 0e 12", "divs r7, r31, r8, r9"},
    {"19 10 00 16", "event #3"},
    {"19 08 00 10", "done"},
    {"19 18 00 10", "ret lr"},
    {"19 84 01 10", "j p6"},
    {"19 94 00 10", "jl p2"},
    {"19 4c 69 15", "jnzd r20, r21, p5"},
    {"19 fd fc 17", "movx r30, #-1"},
    {"19 fd c6 13", "movx r3, #1023"},
    {"79 c6 c0 1f", "add.nc r31, r1, #-32"},
    {"f9 bf 4f 18", "add.nc r1, r31, #31"},
    {"59 8e 81 18", "mov.d1 r2, r3"},
    {"59 9e 02 19", "mov.d2 r4, r5"},
    {"59 8e 93 19", "mov.d3 r6, r7"},
    {"59 9e 14 1a", "mov.d4 r8, r9"},
    {"59 8e a5 1a", "mov.d5 r10, r11"},
    {"59 9e 26 1b", "mov.d6 r12, r13"},
    {"99 06 88 1b", "mov r14, #-512"},
    {"99 ff c7 1b", "mov r15, #511"},
    {"d9 06 8c 1d", "vmov x11, x0"},
    {"d9 4e 0c 19", "vmov x2, x9"},
    {"d9 86 88 19", "vmov x3, bmh8"},
    {"d9 06 05 1a", "vmov x4, bml5"},
    {"89 22 04 f8", "vadd.f bmh8, bml0, bml8, r31"},
    {"89 c3 80 20", "vsub.f bmh0, bml1, bmh1, r4"},
    {"89 ca a1 41", "vnegsub.f bmh2, bml3, bmh3, r8"},
    {"89 d3 a2 62", "vnegadd.f bmh4, bml5, bmh5, r12"},
    {"55 fe 9f ff ff ff", "movxm r31, #-1"},
    {"55 8a 06 20 01 00", "movxm r0, #74565"},
    {"55 c0 7f fa 07 00", "movxm p5, #524256"},
    {"95 00 00 ff 1f 00", "j #16382"},
    {"15 01 80 ff ff 07", "jl #1048575"},
    {"95 01 00 1a 09 f8", "jz r31, #4660"},
    {"95 01 40 01 00 08", "jnz r1, #2"},
};

}  // namespace

TEST_CASE("a bundle of every format stands as LLVM's composite formats lay it out", "[asm]") { check(format_rows); }
TEST_CASE("instructions of every slot stand as LLVM's formats lay them out", "[asm]") { check(slot_rows); }

TEST_CASE("the rows of formats reach all of them", "[asm]") {
  std::set<std::string_view> reached = {"I16_NOP", "I64_NOP_LNG"};  // have no slot but nop, a second way to write lng
  for (const auto& r : format_rows) {
    const auto bundle = aie::isa::decode(bytes_of(r.bytes));
    REQUIRE(bundle);
    reached.insert(bundle->format->name);
  }
  CHECK(reached.size() == aie::isa::formats().size());
}
