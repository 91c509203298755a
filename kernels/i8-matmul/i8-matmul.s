// SPDX-License-Identifier: Apache-2.0
// i8-matmul: C tile (64x64 int32) += A tile (64x64 int8) * B tile (64x64 int8), for ever. See README.md for layouts and locks.
//
// r0  vmac configuration: signed int8 4x8x8, accumulate      p0  A, next load
// r1  the same, or with bit 0 (clear the accumulator)         p1  B, next load
// r2  -1, r3  1: lock values                                  p2  C, next load
// r4  K tiles left                                            p3  C, next store
// r5, r6, r7  A, B, C buffers in use; r8, r9, r10 the sums    p4  k_tiles
//     of both buffers' addresses: sum - this = the other

    .text
    .globl main
main:
    movxm p4, #0x70400
    movxm r5, #0x71000
    movxm r8, #0x71000 + 0x72000
    movxm r6, #0x7D000
    movxm r9, #0x7D000 + 0x7E000
    movxm r7, #0x74000
    movxm r10, #0x74000 + 0x78240
    movxm r11, #-576
    movxm r0, #776
    mova r2, #-1
    mova r3, #1
    // A: back to the row group's first block after X, and after Y too but for every fourth pair, which goes on to the next 16 rows.
    movxm m0, #32 - 1024
    movxm dj1, #32 - 1024
    mova m1, #32
    mova dn1, #3
    mova dc1, #0
    // B: on to the next two column blocks; after every fourth pair back to the first ones.
    mova dj2, #32
    movxm m2, #32 - 4096
    mova dn2, #3
    mova dc2, #0
    movxm ls, #.Lpair
    movxm le, #.Lpair_end

    // Locks: a lock operation takes the semaphore unit for four cycles, so four bundles lie between two of them.
.Ltile:
    acq #52, r2                     // C free
    nop
    nop
    nop
    acq #49, r2                     // A full
    nop
    nop
    nop
    acq #51, r2                     // B full
    j #.Lk
    nop
    nop
    nop
    lda r4, [p4, #0]                // the control code wrote it before it queued A and B
    add r1, r0, #1

.Lnext_k:
    acq #49, r2
    nop
    nop
    nop
    acq #51, r2
    nop
    nop
    nop

.Lk:
    mov p1, r6 ; mova lc, #16
    mov p2, r7 ; add r12, r7, r11
    mov p0, r5
    mov p3, r12
    // Fill the pipeline: B of the first two k steps, C of block X, A of the first seven multiply-accumulates.
    vlda wl4, [p1], #32
    vlda wh4, [p1], #32
    vlda wl5, [p1], #32
    vlda wh5, [p1], #32
    vlda amll0, [p2], #32
    vlda amlh0, [p2], #32
    vlda amhl0, [p2], #32
    vlda amhh0, [p2], #32
    vlda amll1, [p2], #32
    vlda amlh1, [p2], #32
    vlda amhl1, [p2], #32
    vlda amhh1, [p2], #32
    vlda amll2, [p2], #32
    vlda amlh2, [p2], #32
    vlda amhl2, [p2], #32 ; vldb wl0, [p0], #32
    vlda amhh2, [p2], #32 ; vldb wl1, [p0], #32
    vlda amll3, [p2], #32 ; vldb wl2, [p0], #32
    vlda amlh3, [p2], #32 ; vldb wl3, [p0], #32
    vlda amhl3, [p2], #32 ; vldb wl0, [p0], #32
    vlda amhh3, [p2], #32 ; vldb wl1, [p0], #32
    vlda amll4, [p2], #32 ; vldb wl2, [p0], #32

    // 16 passes; the last bundles already load what the next pass needs.
.Lpair:
    vlda wl4, [p1], #32 ; vldb wl3, [p0], #32 ; vst amhl3, [p3], #32 ; vmac cm0, cm0, x0, x4, r1                    // X k 0
    vlda wh4, [p1], #32 ; vldb wl0, [p0], #32 ; vst amhh3, [p3], #32 ; vmac cm1, cm1, x1, x4, r1
    vlda amlh4, [p2], #32 ; vldb wl1, [p0], #32 ; vmac cm2, cm2, x2, x4, r1
    vlda amhl4, [p2], #32 ; vldb wl2, [p0], #32 ; vmac cm3, cm3, x3, x4, r1
    vlda wl5, [p1], #32 ; vldb wl3, [p0], #32 ; vst amll4, [p3], #32 ; vmac cm0, cm0, x0, x5, r0                    // X k 8
    vlda wh5, [p1], #32 ; vldb wl0, [p0], #32 ; vst amlh4, [p3], #32 ; vmac cm1, cm1, x1, x5, r0
    vlda amhh4, [p2], #32 ; vldb wl1, [p0], #32 ; vmac cm2, cm2, x2, x5, r0
    vlda amll5, [p2], #32 ; vldb wl2, [p0], #32 ; vmac cm3, cm3, x3, x5, r0
    vlda wl4, [p1], #32 ; vldb wl3, [p0], #32 ; vst amhl4, [p3], #32 ; vmac cm0, cm0, x0, x4, r0                    // X k 16
    vlda wh4, [p1], #32 ; vldb wl0, [p0], #32 ; vst amhh4, [p3], #32 ; vmac cm1, cm1, x1, x4, r0
    vlda amlh5, [p2], #32 ; vldb wl1, [p0], #32 ; vmac cm2, cm2, x2, x4, r0
    vlda amhl5, [p2], #32 ; vldb wl2, [p0], #32 ; vmac cm3, cm3, x3, x4, r0
    vlda wl5, [p1], #32 ; vldb wl3, [p0], #32 ; vst amll5, [p3], #32 ; vmac cm0, cm0, x0, x5, r0                    // X k 24
    vlda wh5, [p1], #32 ; vldb wl0, [p0], #32 ; vst amlh5, [p3], #32 ; vmac cm1, cm1, x1, x5, r0
    vlda amhh5, [p2], #32 ; vldb wl1, [p0], #32 ; vmac cm2, cm2, x2, x5, r0
    vlda amll6, [p2], #32 ; vldb wl2, [p0], #32 ; vmac cm3, cm3, x3, x5, r0
    vlda wl4, [p1], #32 ; vldb wl3, [p0], #32 ; vst amhl5, [p3], #32 ; vmac cm0, cm0, x0, x4, r0                    // X k 32
    vlda wh4, [p1], #32 ; vldb wl0, [p0], #32 ; vst amhh5, [p3], #32 ; vmac cm1, cm1, x1, x4, r0
    vlda amlh6, [p2], #32 ; vldb wl1, [p0], #32 ; vmac cm2, cm2, x2, x4, r0
    vlda amhl6, [p2], #32 ; vldb wl2, [p0], #32 ; vmac cm3, cm3, x3, x4, r0
    vlda wl5, [p1], #32 ; vldb wl3, [p0], #32 ; vst amll6, [p3], #32 ; vmac cm0, cm0, x0, x5, r0                    // X k 40
    vlda wh5, [p1], #32 ; vldb wl0, [p0], #32 ; vst amlh6, [p3], #32 ; vmac cm1, cm1, x1, x5, r0
    vlda amhh6, [p2], #32 ; vldb wl1, [p0], #32 ; vmac cm2, cm2, x2, x5, r0
    vlda amll7, [p2], #32 ; vldb wl2, [p0], #32 ; vmac cm3, cm3, x3, x5, r0
    vlda wl4, [p1], #32 ; vldb wl3, [p0], m0 ; vst amhl6, [p3], #32 ; vmac cm0, cm0, x0, x4, r0                     // X k 48
    vlda wh4, [p1], #32 ; vldb wl0, [p0], #32 ; vst amhh6, [p3], #32 ; vmac cm1, cm1, x1, x4, r0
    vlda amlh7, [p2], #32 ; vldb wl1, [p0], #32 ; vmac cm2, cm2, x2, x4, r0
    vlda amhl7, [p2], #32 ; vldb wl2, [p0], #32 ; vmac cm3, cm3, x3, x4, r0
    vlda wl5, [p1], #32 ; vldb wl3, [p0], #32 ; vst amll7, [p3], #32 ; vmac cm0, cm0, x0, x5, r0                    // X k 56
    vlda wh5, [p1], #32 ; vldb wl0, [p0], #32 ; vst amlh7, [p3], #32 ; vmac cm1, cm1, x1, x5, r0
    vlda amhh7, [p2], #32 ; vldb wl1, [p0], #32 ; vmac cm2, cm2, x2, x5, r0
    vlda amll0, [p2], #32 ; vldb wl2, [p0], #32 ; vmac cm3, cm3, x3, x5, r0
    vlda wl4, [p1], #32 ; vldb wl3, [p0], #32 ; vst amhl7, [p3], #32 ; vmac cm4, cm4, x0, x4, r1                    // Y k 0
    vlda wh4, [p1], #32 ; vldb wl0, [p0], #32 ; vst amhh7, [p3], #32 ; vmac cm5, cm5, x1, x4, r1
    vlda amlh0, [p2], #32 ; vldb wl1, [p0], #32 ; vmac cm6, cm6, x2, x4, r1
    vlda amhl0, [p2], #32 ; vldb wl2, [p0], #32 ; vmac cm7, cm7, x3, x4, r1
    vlda wl5, [p1], #32 ; vldb wl3, [p0], #32 ; vst amll0, [p3], #32 ; vmac cm4, cm4, x0, x5, r0                    // Y k 8
    vlda wh5, [p1], #32 ; vldb wl0, [p0], #32 ; vst amlh0, [p3], #32 ; vmac cm5, cm5, x1, x5, r0
    vlda amhh0, [p2], #32 ; vldb wl1, [p0], #32 ; vmac cm6, cm6, x2, x5, r0
    vlda amll1, [p2], #32 ; vldb wl2, [p0], #32 ; vmac cm7, cm7, x3, x5, r0
    vlda wl4, [p1], #32 ; vldb wl3, [p0], #32 ; vst amhl0, [p3], #32 ; vmac cm4, cm4, x0, x4, r0                    // Y k 16
    vlda wh4, [p1], #32 ; vldb wl0, [p0], #32 ; vst amhh0, [p3], #32 ; vmac cm5, cm5, x1, x4, r0
    vlda amlh1, [p2], #32 ; vldb wl1, [p0], #32 ; vmac cm6, cm6, x2, x4, r0
    vlda amhl1, [p2], #32 ; vldb wl2, [p0], #32 ; vmac cm7, cm7, x3, x4, r0
    vlda wl5, [p1], #32 ; vldb wl3, [p0], #32 ; vst amll1, [p3], #32 ; vmac cm4, cm4, x0, x5, r0                    // Y k 24
    vlda wh5, [p1], #32 ; vldb wl0, [p0], #32 ; vst amlh1, [p3], #32 ; vmac cm5, cm5, x1, x5, r0
    vlda amhh1, [p2], #32 ; vldb wl1, [p0], #32 ; vmac cm6, cm6, x2, x5, r0
    vlda amll2, [p2], #32 ; vldb wl2, [p0], #32 ; vmac cm7, cm7, x3, x5, r0
    vlda wl4, [p1], #32 ; vldb wl3, [p0], #32 ; vst amhl1, [p3], #32 ; vmac cm4, cm4, x0, x4, r0                    // Y k 32
    vlda wh4, [p1], #32 ; vldb wl0, [p0], #32 ; vst amhh1, [p3], #32 ; vmac cm5, cm5, x1, x4, r0
    vlda amlh2, [p2], #32 ; vldb wl1, [p0], #32 ; vmac cm6, cm6, x2, x4, r0
    vlda amhl2, [p2], #32 ; vldb wl2, [p0], #32 ; vmac cm7, cm7, x3, x4, r0
    vlda wl5, [p1], #32 ; vldb wl3, [p0], #32 ; vst amll2, [p3], #32 ; vmac cm4, cm4, x0, x5, r0                    // Y k 40
    vlda.2d wh5, [p1], d2 ; vldb wl0, [p0], #32 ; vst amlh2, [p3], #32 ; vmac cm5, cm5, x1, x5, r0
    vlda amhh2, [p2], #32 ; vldb wl1, [p0], #32 ; vmac cm6, cm6, x2, x5, r0
    vlda amll3, [p2], #32 ; vldb wl2, [p0], #32 ; vmac cm7, cm7, x3, x5, r0
    vlda wl4, [p1], #32 ; vldb.2d wl3, [p0], d1 ; vst amhl2, [p3], #32 ; vmac cm4, cm4, x0, x4, r0                  // Y k 48
    vlda wh4, [p1], #32 ; vldb wl0, [p0], #32 ; vst amhh2, [p3], #32 ; vmac cm5, cm5, x1, x4, r0
    vlda amlh3, [p2], #32 ; vldb wl1, [p0], #32 ; vmac cm6, cm6, x2, x4, r0
    vlda amhl3, [p2], #32 ; vldb wl2, [p0], #32 ; vmac cm7, cm7, x3, x4, r0
    vlda wl5, [p1], #32 ; vldb wl3, [p0], #32 ; vst amll3, [p3], #32 ; vmac cm4, cm4, x0, x5, r0                    // Y k 56
    vlda wh5, [p1], #32 ; vldb wl0, [p0], #32 ; vst amlh3, [p3], #32 ; vmac cm5, cm5, x1, x5, r0
    vlda amhh3, [p2], #32 ; vldb wl1, [p0], #32 ; vmac cm6, cm6, x2, x5, r0
.Lpair_end:
    vlda amll4, [p2], #32 ; vldb wl2, [p0], #32 ; vmac cm7, cm7, x3, x5, r0

    // The stores still owed, the locks given back, the other buffers taken.
    vst amhl3, [p3], #32 ; rel #48, r3
    vst amhh3, [p3], #32
    vst amll4, [p3], #32
    vst amlh4, [p3], #32
    vst amhl4, [p3], #32 ; rel #50, r3
    vst amhh4, [p3], #32 ; add r4, r4, #-1
    vst amll5, [p3], #32 ; sub r5, r8, r5
    vst amlh5, [p3], #32 ; sub r6, r9, r6
    vst amhl5, [p3], #32 ; or r1, r0, r0
    vst amhh5, [p3], #32
    vst amll6, [p3], #32
    vst amlh6, [p3], #32
    vst amhl6, [p3], #32 ; jnz r4, #.Lnext_k
    vst amhh6, [p3], #32
    vst amll7, [p3], #32
    vst amlh7, [p3], #32
    vst amhl7, [p3], #32
    vst amhh7, [p3], #32
    nop
    nop
    nop
    nop
    j #.Ltile
    rel #53, r3                     // C full: its last store reached memory four bundles after it was issued
    sub r7, r10, r7
    nop
    nop
    nop
