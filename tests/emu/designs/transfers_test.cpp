// SPDX-License-Identifier: Apache-2.0
// Designs of the kind of mlir-aie's test/npu-xrt whose transfers reorder, repeat or queue what they move.
#include "emu/designs/design_run.hpp"

using namespace npurt;
using namespace npurt::emu;
using namespace npurt::emu::testing;

namespace {

/// What comes out by shim S2MM 0 into bo1.
shim_transfer result(std::uint32_t count, unsigned bd = 1) {
  return {.direction = s2mm, .argument = 1, .count = count, .bd = bd, .shape = {}};
}

}  // namespace

TEST_CASE("sync_task_complete_token: more tasks than a queue holds, a wait for each", "[emu][designs]") {
  device_run run(add_by_one_core(3));
  auto& in = run.add_buffer(pattern(512));
  auto& out = run.add_buffer(512);
  code_builder code;
  for (unsigned i = 0; i < 8; ++i) {
    const shim_transfer piece{.direction = s2mm, .argument = 1, .count = 64, .offset = 256 * i, .bd = i, .shape = {}};
    if (i >= 4) wait(code, piece);  // of the task four before
    add(code, piece);
    add(code, {.count = 64, .offset = 256 * i, .bd = 8 + i % 4, .token = false, .shape = {}});
  }
  for (unsigned i = 0; i < 4; ++i) wait(code, result(64));
  run.run(code);
  CHECK(out == added(in, 3));
}

TEST_CASE("sync_task_complete_token_bd_chaining: one token for a chain of three shim BDs", "[emu][designs]") {
  device_run run(add_by_one_core(4));
  auto& in = run.add_buffer(pattern(192));
  auto& out = run.add_buffer(192);
  code_builder code;
  for (unsigned i = 0; i < 3; ++i) {
    code.block(0x1D000 + 0x20 * (4 + i),
               bd_words(aie::tile_kind::shim,
                        {.length = 64, .use_next = i != 2, .next_bd = static_cast<std::uint8_t>(5 + i)}));
    code.patch(0x1D004 + 0x20 * (4 + i), 1, 256 * (2 - i));  // the last piece first
  }
  code.mask_write(0x1D200, 15u << 8, 0x1F00).write(0x1D204, 4 | 1u << 31);
  add(code, {.count = 192, .token = false, .shape = {}});
  code.sync(shim, 0, 0);
  run.run(code);
  for (unsigned i = 0; i < 192; ++i) REQUIRE(out[64 * (2 - i / 64) + i % 64] == in[i] + 4);
}

TEST_CASE("dmabd_task_queue: a queue holds a task of one object and one that runs eight times", "[emu][designs]") {
  // The sizes differ: five words first, then eight times three.
  device_design d;
  d.buffer(core2, "first", 0x400, 5);
  d.buffer(core2, "others", 0x800, 3);
  d.fifo(core2, {0, 1}, 1);
  d.fifo(core2, {2, 3}, 1);
  d.buffer(core2, "out", 0x1000, 16);
  d.ring(core2, mm2s, 0, 2, {"out"}, 3, {2, 3});
  const auto once = [](std::uint32_t count) {
    return dma_bd{.length = count, .acquire_enable = true, .acquire_value = -1, .release_lock = 1, .release_value = 1};
  };
  d.array.transfers.push_back({core2, 0, "first", once(5)});
  d.array.transfers.push_back({core2, 1, "others", once(3)});
  d.array.starts.push_back({core2, s2mm, 0, {.bd = 0}});
  d.array.starts.push_back({core2, s2mm, 0, {.bd = 1, .repeat = 8}});
  d.flow(shim, {bundle::dma, 0}, core2, {bundle::dma, 0});
  d.flow(core2, {bundle::dma, 0}, shim, {bundle::dma, 0});
  // x4: the first object; each of the others plus its first three words.
  d.program(core2, addend_and_locks(0) + take(own_locks + 1) + nops(4) + "movxm p0, #0x70400\n" + nops(4) +
                       "vlda wl4, [p0, #0]\nvlda wh4, [p0, #32]\n" + nops(8) + give(own_locks) +
                       times(8, "again",
                             take(own_locks + 1) + take(own_locks + 2) + nops(4) + add_block({0x70800, 0x71000}) +
                                 give(own_locks) + give(own_locks + 3)) +
                       end_of_program());
  device_run run(d);
  auto& in = run.add_buffer(pattern(29));
  auto& out = run.add_buffer(24);
  run.run(in_and_out(29, 24));
  for (unsigned i = 0; i < 24; ++i) REQUIRE(out[i] == in[5 + i] + in[i % 3]);
}

TEST_CASE("nd_memcpy_transforms: two inputs in an order of their own, what comes of them at an offset",
          "[emu][designs]") {
  device_design d;
  d.buffer(core2, "a", 0x400, 16);
  d.buffer(core2, "b", 0x800, 16);
  for (const unsigned lock : {0u, 2u, 4u}) d.fifo(core2, {lock, lock + 1}, lock == 4 ? 2 : 1);
  d.ring(core2, s2mm, 0, 0, {"a"}, 16, {0, 1});
  d.ring(core2, s2mm, 1, 1, {"b"}, 16, {2, 3});
  d.ring(core2, mm2s, 0, 2, d.buffers(core2, "out", 0x1000, 2, 16), 16, {4, 5});
  d.flow(shim, {bundle::dma, 0}, core2, {bundle::dma, 0});
  d.flow(shim, {bundle::dma, 1}, core2, {bundle::dma, 1});
  d.flow(core2, {bundle::dma, 0}, shim, {bundle::dma, 0});
  const auto pass = [](unsigned full, from_to at) {
    return take(own_locks + full) + take(own_locks + 4) + nops(4) + add_block(at) + give(own_locks + full - 1) +
           give(own_locks + 5) + nops(2);
  };
  d.program(core2, for_ever(0, pass(1, {0x70400, 0x71000}) + pass(3, {0x70800, 0x71040})));
  device_run run(d);
  auto& a = run.add_buffer(pattern(16));
  auto& out = run.add_buffer(34);
  auto& b = run.add_buffer(pattern(16, 2));
  code_builder code;
  dma_bd order_a, order_b;
  // a: words 8 apart, two of them, then the next two; b: the even words, then the odd ones.
  order_a.dimensions[0] = {.step = 8, .wrap = 2};
  order_a.dimensions[1] = {.step = 1, .wrap = 8};
  order_b.dimensions[0] = {.step = 2, .wrap = 8};
  order_b.dimensions[1] = {.step = 1, .wrap = 2};
  add(code, {.count = 16, .token = false, .shape = order_a});
  add(code, {.argument = 2, .count = 16, .bd = 2, .channel = 1, .token = false, .shape = order_b});
  shim_transfer into = result(32);
  into.offset = 4;
  add(code, into);
  wait(code, into);
  run.run(code);
  words expected{0};
  for (unsigned i = 0; i < 16; ++i) expected.push_back(a[i % 2 * 8 + i / 2]);
  for (unsigned i = 0; i < 16; ++i) expected.push_back(b[i % 8 * 2 + i / 8]);
  expected.push_back(0);
  CHECK(out == expected);
}

TEST_CASE("matrix_transpose: a shim reads 7 rows of 19 words column by column", "[emu][designs]") {
  device_design d;
  d.flow(shim, {bundle::dma, 0}, shim, {bundle::dma, 0});
  device_run run(d);
  auto& in = run.add_buffer(pattern(133));
  auto& out = run.add_buffer(133);
  code_builder code;
  dma_bd shape;
  shape.dimensions[0] = {.step = 19, .wrap = 7};
  add(code, {.count = 133, .token = false, .shape = shape});
  add(code, result(133));
  wait(code, result(133));
  run.run(code);
  for (unsigned i = 0; i < 133; ++i) REQUIRE(out[i] == in[i % 7 * 19 + i / 7]);
}

TEST_CASE("a shim BD with three dimensions and iteration", "[emu][designs]") {
  device_run run(add_by_one_core(0));
  auto& in = run.add_buffer(pattern(1024));
  auto& out = run.add_buffer(1024);
  code_builder code;
  // Sixteen rows of 64 words, read column by column: words 64 apart, sixteen of them, 4 columns in each of 4 runs for
  // 4 iterations.
  dma_bd shape;
  shape.dimensions[0] = {.step = 64, .wrap = 16};
  shape.dimensions[1] = {.step = 1, .wrap = 4};
  shape.dimensions[2] = {.step = 4};
  shape.iteration_step = 16;
  shape.iteration_wrap = 4;
  add(code, {.count = 256, .token = false, .repeat = 4, .shape = shape});
  add(code, result(1024));
  wait(code, result(1024));
  run.run(code);
  for (unsigned i = 0; i < 1024; ++i) REQUIRE(out[i] == in[i % 16 * 64 + i / 16]);
}

TEST_CASE("dma_complex_dims: a memtile sends blocks by four dimensions, a core tile stores them by three",
          "[emu][designs]") {
  // Rows of 16 words, 16 of them; blocks of 8 columns, those in strips of 2; the core tile has them four rows at a
  // time.
  constexpr std::uint32_t m = 16, K = 16, k = 8, r = 4, s = 2;
  device_design d;
  d.fifo(memtile, {0, 1}, 1);
  d.buffer(memtile, "matrix", 0, m * K);
  dma_bd strips, rows;
  strips.dimensions = {{{.step = 1, .wrap = s}, {.step = K, .wrap = m}, {.step = s, .wrap = k / s}, {.step = k}}};
  rows.dimensions = {{{.step = 1, .wrap = r * s}, {.step = r * k, .wrap = m / r}, {.step = r * s}, {}}};
  d.ring(memtile, s2mm, 0, 0, {"matrix"}, m * K, {0, 1});
  d.ring(memtile, mm2s, 0, 1, {"matrix"}, m * K, {0, 1}, strips);
  d.fifo(core2, {0, 1}, 2);
  const auto blocks = d.buffers(core2, "block", 0x400, 2, m * k);
  d.ring(core2, s2mm, 0, 0, blocks, m * k, {0, 1}, rows);
  d.ring(core2, mm2s, 0, 2, blocks, m * k, {0, 1});
  d.flow(shim, {bundle::dma, 0}, memtile, {bundle::dma, 0});
  d.flow(memtile, {bundle::dma, 0}, core2, {bundle::dma, 0});
  d.flow(core2, {bundle::dma, 0}, shim, {bundle::dma, 0});
  device_run run(d);
  auto& in = run.add_buffer(pattern(m * K));
  auto& out = run.add_buffer(m * K);
  run.run(in_and_out(m * K, m * K));
  words expected(m * K);
  std::size_t sent = 0;
  for (std::uint32_t block = 0; block < K / k; ++block)
    for (std::uint32_t strip = 0; strip < k / s; ++strip)
      for (std::uint32_t row = 0; row < m; ++row)
        for (std::uint32_t col = 0; col < s; ++col, ++sent) {
          const std::uint32_t in_block = sent % (m * k);
          // A strip comes as m / r pieces of r * s words, which lie r * k apart, the next strip r * s further.
          const std::uint32_t piece = in_block / (r * s);
          const std::uint32_t at = piece / (m / r) * (r * s) + piece % (m / r) * (r * k) + in_block % (r * s);
          expected[block * m * k + at] = in[row * K + block * k + strip * s + col];
        }
  CHECK(out == expected);
}

TEST_CASE("nd_memcpy_linear_repeat: iteration step 0 sends the same words again", "[emu][designs]") {
  device_run run(add_by_one_core(6));
  auto& in = run.add_buffer(pattern(64));
  auto& out = run.add_buffer(256);
  code_builder code;
  add(code, {.count = 64, .token = false, .repeat = 4, .shape = {}});
  add(code, result(256));
  wait(code, result(256));
  run.run(code);
  for (unsigned i = 0; i < 256; ++i) REQUIRE(out[i] == in[i % 64] + 6);
}

TEST_CASE("dma_task_large_linear: a linear shim transfer of more words than any wrap holds", "[emu][designs]") {
  device_design d;
  d.flow(shim, {bundle::dma, 0}, shim, {bundle::dma, 0});
  device_run run(d);
  auto& in = run.add_buffer(pattern(65536));
  auto& out = run.add_buffer(65536);
  run.run(in_and_out(65536, 65536));
  CHECK(out == in);
}
