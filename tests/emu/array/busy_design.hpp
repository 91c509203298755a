// SPDX-License-Identifier: Apache-2.0
// Designs in which everything is at work, drawn from a seed: cores with loops, locks, streams, cascade and neighbours'
// memories between DMAs that fill and empty their buffers.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "emu/array/core_programs.hpp"

namespace npurt::emu::testing {

class busy_program {
 public:
  /// @param below, above  cores of the column that exchange stream words and cascade values with this one
  busy_program(std::mt19937& random, bool below, bool above, bool reaches_north)
      : random_(random), below_(below), above_(above), reaches_north_(reaches_north) {}

  std::string text(unsigned rounds) {
    text_ =
        "movxm p0, #0x72000\nmovxm p1, #0x76000\nmovxm p3, #0x70000\nmovxm p4, #0x74000\nmovxm r0, #776\nmova r2, "
        "#-1\nmova r3, #1\nmova r10, #" +
        std::to_string(rounds) + "\n";
    if (reaches_north_) text_ += "movxm p2, #0x60000\n";  // whoever names it steps with his neighbour
    text_ += ".Lround:\nnop\n";
    exchange();
    line("acq #49, r2");
    line("lda r4, [p3, #4]\nvlda wl0, [p3, #32]");
    work();
    line("lda r5, [p3, #60]\n" + nops(7) + "add r7, r7, r5");
    line("rel #48, r3");
    line("acq #50, r2");
    work();
    line("st r7, [p4, #0]\nvst wl0, [p4, #32]\n" + nops(8));
    if (reaches_north_) line("lda r6, [p2, #0]\n" + nops(7) + "add r6, r6, #1\nst r6, [p2, #4]");
    line("rel #51, r3");
    text_ += "add r10, r10, #-1\nnop\njnz r10, #.Lround\n" + nops(6) + "done\n" + nops(8);
    return text_;
  }

 private:
  unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }
  void line(const std::string& what) { text_ += what + "\nnop\nnop\n"; }

  /// Words go up, cascade values down.
  void exchange() {
    if (above_) line("mov ms, r10");
    if (below_) line("vmov MCD, x0");
    work();
    if (below_) line("mov r5, SS");
    if (above_) line("vmov x0, SCD");
  }

  std::string bundle() {
    static const std::vector<std::string> choices{
        "nop",
        "vmac cm0, cm0, x0, x4, r0",
        "vmac cm1, cm1, x1, x4, r0",
        "vlda wl0, [p0, #0] ; vst wl1, [p1, #0]",
        "vlda wl2, [p1, #32] ; vst wl3, [p1, #64]",
        "vlda wl4, [p0, #32]",
        "lda r4, [p0, #4]",
        "st r10, [p0, #8]",
        "add r7, r7, r4",
        "st r7, [p1, #40]",
        "vmac cm1, cm1, x2, x1, r0 ; vlda wl1, [p0, #64]",
    };
    return choices[below(static_cast<unsigned>(choices.size()))] + "\n";
  }

  /// Straight bundles, a counted loop or a hardware loop.
  void work() {
    const std::string n = std::to_string(label_++);
    const unsigned kind = below(3), size = 1 + below(20);
    std::string body;
    for (unsigned i = 0; i < size; ++i) body += bundle();
    if (kind == 0) {
      text_ += body;
    } else if (kind == 1) {
      text_ += "mova r8, #" + std::to_string(1 + below(60)) + "\nnop\n.Lwork" + n + ":\nadd r8, r8, #-1\n" + body +
               "jnz r8, #.Lwork" + n + "\n" + nops(5);
    } else {
      text_ += "movxm ls, #.Lfirst" + n + "\nmovxm le, #.Llast" + n + "\nmovxm lc, #" + std::to_string(1 + below(100)) +
               "\n" + nops(10) + ".Lfirst" + n + ":\n" + body + nops(4) + ".Llast" + n + ":\nnop\n";
    }
    text_ += nops(8);
  }

  std::mt19937& random_;
  bool below_, above_, reaches_north_;
  std::string text_;
  unsigned label_ = 0;
};

/// Column `col`: memtile MM2S i feeds core row 2 + i, whose results go to memtile S2MM i; cores in pairs exchange words
/// and cascade values; a shim S2MM with a token drains a memtile channel.
inline void add_busy_column(design& d, std::uint8_t col, std::uint32_t seed) {
  std::mt19937 random(seed);
  const tile_id mem{col, 1};
  const auto rounds = static_cast<unsigned>(2 + random() % 4), words = static_cast<unsigned>(16 + 16 * (random() % 60));
  for (std::uint8_t i = 0; i < 4; ++i) {
    const tile_id core{col, static_cast<std::uint8_t>(2 + i)};
    d.circuit(mem, {bundle::dma, i}, {bundle::north, i});
    d.circuit(mem, {bundle::north, i}, {bundle::dma, i});
    for (std::uint8_t row = 2; row < core.row; ++row) {
      d.circuit({col, row}, {bundle::south, i}, {bundle::north, i});
      d.circuit({col, row}, {bundle::north, i}, {bundle::south, i});
    }
    d.circuit(core, {bundle::south, i}, {bundle::dma, 0});
    d.circuit(core, {bundle::dma, 0}, {bundle::south, i});
    if (i % 2 == 0) d.circuit(core, {bundle::core, 0}, {bundle::north, 5});
    if (i % 2 == 1) d.circuit(core, {bundle::south, 5}, {bundle::core, 0});

    d.set_lock(core, 0, 1);
    d.set_lock(core, 2, 1);
    // What the core reads, and words beside it that arrive while it works.
    d.bd(core, 0,
         {.length = words,
          .use_next = true,
          .next_bd = 1,
          .acquire_enable = true,
          .acquire_lock = 0,
          .acquire_value = -1,
          .release_lock = 1,
          .release_value = 1});
    d.bd(core, 1, {.address = 0x1000, .length = words, .use_next = true, .next_bd = 0});
    d.bd(core, 2,
         {.address = 0x4000,
          .length = words,
          .use_next = true,
          .next_bd = 2,
          .acquire_enable = true,
          .acquire_lock = 3,
          .acquire_value = -1,
          .release_lock = 2,
          .release_value = 1});
    d.push(core, dma_direction::s2mm, 0, 0);
    d.push(core, dma_direction::mm2s, 0, 2);
    // Channels of odd numbers use BDs from 24 on.
    const auto first = static_cast<std::uint8_t>(i % 2 == 0 ? i : 24 + i);
    d.bd(mem, first, {.address = own + 0x8000u * i, .length = 2 * words * rounds});
    d.bd(mem, first + 8u, {.address = own + 0x8000u * (8u + i), .length = words * rounds});
    d.push(mem, dma_direction::mm2s, i, first);
    d.push(mem, dma_direction::s2mm, i, static_cast<std::uint8_t>(first + 8));
    d.tiles.write(aie::pack_address({mem, 0x8000u * i}), pattern(2 * words * rounds, seed + i));
    load(d, core, busy_program(random, i % 2 == 1, i % 2 == 0, random() % 8 == 0 && i < 3).text(rounds));
  }
  const auto drained = static_cast<std::uint32_t>(100 + random() % 4000);
  d.open_shim(col);
  d.open_tokens({col, 0});
  d.circuit(mem, {bundle::dma, 4}, {bundle::south, 0});
  d.circuit({col, 0}, {bundle::north, 0}, {bundle::south, 2});
  d.host.add(dst_address + 0x100000ull * col, drained);
  d.bd(mem, 20, {.address = own, .length = drained});
  d.push(mem, dma_direction::mm2s, 4, 20);
  d.bd({col, 0}, 0, {.address = dst_address + 0x100000ull * col, .length = drained});
  d.push({col, 0}, dma_direction::s2mm, 0, 0, 1, true);
}

}  // namespace npurt::emu::testing
