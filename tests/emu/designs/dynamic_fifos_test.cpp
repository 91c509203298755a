// SPDX-License-Identifier: Apache-2.0
// Designs of the kind of mlir-aie's test/npu-xrt/dynamic_object_fifo: programs that find an object's buffer when they
// need it, by an offset that they keep, not by unrolled loops.
#include "emu/designs/design_run.hpp"

using namespace npurt;
using namespace npurt::emu;
using namespace npurt::emu::testing;

namespace {

constexpr std::uint32_t row_words = 16;  ///< words of an object

/// Rings of rows in (0x400 on, locks 0 and 1) and out (0x1000 on, locks 2 and 3).
void dynamic_tile(device_design& d, tile_id t, unsigned depth_in, unsigned depth_out) {
  d.fifo(t, {0, 1}, depth_in);
  d.fifo(t, {2, 3}, depth_out);
  d.ring(t, s2mm, 0, 0, d.buffers(t, "in", 0x400, depth_in, row_words), row_words, {0, 1});
  d.ring(t, mm2s, 0, 8, d.buffers(t, "out", 0x1000, depth_out, row_words), row_words, {2, 3});
}

device_design one_dynamic_tile(unsigned depth_in, unsigned depth_out, const std::string& program) {
  device_design d;
  dynamic_tile(d, core2, depth_in, depth_out);
  d.flow(shim, {bundle::dma, 0}, core2, {bundle::dma, 0});
  d.flow(core2, {bundle::dma, 0}, shim, {bundle::dma, 0});
  d.program(core2, program);
  return d;
}

/// r2, r3, r14, r15: -1, 1, -2, 2 for locks. r10, r11: the fifos' buffers. r5: offset of the object in that comes next,
/// r7: of the one before, r6: of the object out. r12: their size; r16, r17: those of the fifos. r0: 0.
std::string offsets_of(unsigned depth_in, unsigned depth_out) {
  return "mova r2, #-1\nmova r3, #1\nmova r14, #-2\nmova r15, #2\nmova r0, #0\nmova r5, #0\nmova r6, #0\nmova r7, #0\n"
         "mova r12, #64\nmovxm r10, #0x70400\nmovxm r11, #0x71000\nmovxm r16, #" +
         std::to_string(64 * depth_in) + "\nmovxm r17, #" + std::to_string(64 * depth_out) + "\n" + nops(4);
}

/// Goes on to the next object, after the last to the first.
std::string next(const std::string& offset, const std::string& size) {
  return "add " + offset + ", " + offset + ", r12\n" + nops(1) + "ne r27, " + offset + ", " + size + "\n" + nops(1) +
         "sel.nez " + offset + ", " + offset + ", r0, r27\n" + nops(1);
}
const std::string next_in = "mov r7, r5\n" + nops(1) + next("r5", "r16"), next_out = next("r6", "r17");

/// The object at `offset` of the fifo in, to x0 or x1.
std::string load(const std::string& x, const std::string& offset) {
  return "add r8, r10, " + offset + "\n" + nops(2) + "mov p0, r8\n" + nops(4) + "vlda wl" + x + ", [p0, #0]\nvlda wh" +
         x + ", [p0, #32]\n" + nops(8);
}
const std::string sum = "vadd.32 x0, x0, x1\n" + nops(4);
/// x0 to the object out, which goes off.
const std::string put = take(own_locks + 2) + "add r8, r11, r6\n" + nops(2) + "mov p1, r8\n" + nops(4) +
                        "vst wl0, [p1, #0]\nvst wh0, [p1, #32]\n" + nops(8) + give(own_locks + 3) + nops(2) + next_out;
const std::string take_in = take(own_locks + 1) + nops(4), give_in = give(own_locks) + nops(2);
const std::string take_two = "acq #49, r14\n" + nops(4), give_two = "rel #48, r15\n" + nops(2);

/// The first row twice, then each row and the one before: rows of a window two high, which keeps one object in hand.
const std::string sliding_window =
    take_in + load("0", "r5") + load("1", "r5") + sum + put + next_in +
    times(8, "window", take_in + load("0", "r7") + load("1", "r5") + sum + put + give_in + next_in) + take_in +
    load("0", "r7") + load("1", "r5") + sum + put + give_two;
words window_of(const words& in) {
  words v(in.size());
  for (std::size_t i = 0; i < in.size(); ++i) v[i] = in[i] + in[i < row_words ? i : i - row_words];
  return v;
}

/// What comes out for `rows_in` rows of input.
template <typename Expected>
void check_rows(const device_design& d, unsigned rows_in, Expected&& expected) {
  device_run run(d);
  const words in = run.add_buffer(pattern(row_words * rows_in));
  const words wanted = expected(in);
  const auto count_in = static_cast<std::uint32_t>(in.size()), count_out = static_cast<std::uint32_t>(wanted.size());
  auto& out = run.add_buffer(count_out);
  run.run(in_and_out(count_in, count_out));
  CHECK(out == wanted);
}

}  // namespace

TEST_CASE("dynamic_object_fifo/sliding_window: two rows of a fifo of three, one given back at a time",
          "[emu][designs]") {
  check_rows(one_dynamic_tile(3, 2, offsets_of(3, 2) + sliding_window + end_of_program()), 10, window_of);
}

TEST_CASE("dynamic_object_fifo/sliding_window_conditional: one loop decides what to take and to give back",
          "[emu][designs]") {
  // r4 counts down from ten; the first time round there is no row before, the last time both go back.
  const std::string body = take_in + "mova r9, #10\n" + nops(1) + "eq r9, r9, r4\n" + nops(1) + "jnz r9, #first\n" +
                           nops(5) + load("0", "r7") + "mova r9, #1\n" + nops(1) + "eq r9, r9, r4\n" + nops(1) +
                           "jnz r9, #last\n" + nops(5) + load("1", "r5") + sum + put + give_in + "j #next\n" + nops(5) +
                           "last:\n" + load("1", "r5") + sum + put + give_two + "j #next\n" + nops(5) + "first:\n" +
                           load("0", "r5") + load("1", "r5") + sum + put + "next:\n" + next_in;
  check_rows(one_dynamic_tile(2, 2, offsets_of(2, 2) + times(10, "again", body) + end_of_program()), 10, window_of);
}

TEST_CASE("dynamic_object_fifo/two_core_sliding_window: rows of one core slide over a fifo of another's",
          "[emu][designs]") {
  device_design d;
  dynamic_tile(d, core2, 2, 3);
  dynamic_tile(d, core4, 3, 2);
  d.program(core2, offsets_of(2, 3) + times(10, "again", take_in + load("0", "r5") + put + give_in + next_in) +
                       end_of_program());
  d.program(core4, offsets_of(3, 2) + sliding_window + end_of_program());
  d.flow(shim, {bundle::dma, 0}, core2, {bundle::dma, 0});
  d.flow(core2, {bundle::dma, 0}, core4, {bundle::dma, 0});
  d.flow(core4, {bundle::dma, 0}, shim, {bundle::dma, 0});
  check_rows(d, 10, window_of);
}

TEST_CASE("dynamic_object_fifo/reduction: two rows of a fifo of four at a time, their sum out", "[emu][designs]") {
  const std::string body =
      take_two + load("0", "r5") + next_in + load("1", "r5") + next_in + sum + put + give_two + "j #again\n" + nops(5);
  check_rows(one_dynamic_tile(4, 2, offsets_of(4, 2) + "again:\n" + body), 10, [](const words& in) {
    words sums;
    for (std::size_t i = 0; i < in.size(); i += 2 * row_words)
      for (std::size_t k = 0; k < row_words; ++k) sums.push_back(in[i + k] + in[i + row_words + k]);
    return sums;
  });
}

TEST_CASE("dynamic_object_fifo/nested_loops: each of five rows goes out five times", "[emu][designs]") {
  const std::string inner = "mova r13, #5\n" + nops(2) + "inner:\n" + load("0", "r5") + put + "add r13, r13, #-1\n" +
                            nops(2) + "jnz r13, #inner\n" + nops(5);
  check_rows(one_dynamic_tile(
                 2, 2, offsets_of(2, 2) + times(5, "outer", take_in + inner + give_in + next_in) + end_of_program()),
             5, [](const words& in) {
               words repeated;
               for (std::size_t i = 0; i < in.size(); i += row_words)
                 for (unsigned times_out = 0; times_out < 5; ++times_out)
                   repeated.insert(repeated.end(), in.begin() + static_cast<std::ptrdiff_t>(i),
                                   in.begin() + static_cast<std::ptrdiff_t>(i + row_words));
               return repeated;
             });
}

TEST_CASE("dynamic_object_fifo/ping_pong: buffer and lock are found at run time; a core that ended runs again by reset",
          "[emu][designs]") {
  device_design d = add_by_one_core(0);
  d.array.programs.clear();
  // Four objects; the buffer's address is 0x70400 + 64 * (count & 1), the lock's number comes from a register.
  d.program(core2, "mova r0, #9\nmova r2, #-1\nmova r3, #1\nmova r4, #4\nmova r5, #0\nmova r10, #49\n" + nops(4) +
                       "vbcst.32 x4, r0\n" + nops(4) + "again:\nacq r10, r2\n" + take(own_locks + 2) + nops(4) +
                       "movxm r6, #0x70400\nmovxm r7, #0x71000\n" + nops(2) + "add r6, r6, r5\nadd r7, r7, r5\n" +
                       nops(2) + "mov p0, r6\nmov p1, r7\n" + nops(4) + "vlda wl0, [p0, #0]\nvlda wh0, [p0, #32]\n" +
                       nops(8) + "vadd.32 x0, x0, x4\n" + nops(4) + "vst wl0, [p1, #0]\nvst wh0, [p1, #32]\n" +
                       nops(8) + give(own_locks) + give(own_locks + 3) + "mova r8, #64\n" + nops(4) +
                       "xor r5, r5, r8\nadd r4, r4, #-1\n" + nops(2) + "jnz r4, #again\n" + nops(5) + nops(4) +
                       "done\n" + nops(6));
  device_run run(d);
  auto& in = run.add_buffer(pattern(64));
  auto& out = run.add_buffer(64);
  run.run(in_and_out(64, 64));
  CHECK(out == added(in, 9));
  // The core has ended; Core_Control: reset, run.
  code_builder again;
  again.mask_poll(aie::pack_address({core2, 0x32004}), 1u << 20, 1u << 20);
  again.mask_write(aie::pack_address({core2, 0x32000}), 2, 2).mask_write(aie::pack_address({core2, 0x32000}), 0, 2);
  again.mask_write(aie::pack_address({core2, 0x32000}), 1, 1);
  const shim_transfer back{.direction = s2mm, .argument = 1, .count = 64, .bd = 1, .shape = {}};
  add(again, {.count = 64, .token = false, .shape = {}});
  add(again, back);
  wait(again, back);
  out.assign(64, 0);
  run.run(again);
  CHECK(out == added(in, 9));
}
