// SPDX-License-Identifier: Apache-2.0
// Designs of the kind of mlir-aie's test/npu-xrt whose core calls functions that were compiled apart: pointers in p0
// and p1, words in r0, back by lr (llvm-aie's calling convention).
#include <functional>

#include "emu/designs/design_run.hpp"

using namespace npurt;
using namespace npurt::emu;
using namespace npurt::emu::testing;

namespace {

/// Copies r0 words from p0 to p1, each after `change` of r1; counts down and branches.
std::string counting_function(const std::string& name, const std::string& change) {
  return name + ":\nlda r1, [p0], #4\n" + nops(8) + change + nops(2) + "st r1, [p1], #4\nadd r0, r0, #-1\n" + nops(2) +
         "jnz r0, #" + name + "\n" + nops(5) + "ret lr\n" + nops(5);
}

/// The same by a hardware loop.
std::string looping_function(const std::string& name, const std::string& change) {
  return name + ":\nmovxm ls, #" + name + "_first\nmovxm le, #" + name + "_last\nmov lc, r0\n" + nops(8) + name +
         "_first:\nlda r1, [p0], #4\n" + nops(8) + change + nops(2) + "st r1, [p1], #4\n" + name +
         "_last:\nnop\nret lr\n" + nops(5);
}

/// Calls `name` for `count` words. A compiler that fills the delay slots passes the last arguments in them.
std::string call(const std::string& name, from_to at, unsigned count, bool fills_slots) {
  const std::string p0 = "movxm p0, #" + std::to_string(at.from) + "\n",
                    rest = "movxm p1, #" + std::to_string(at.to) + "\nmovxm r0, #" + std::to_string(count) + "\n";
  return fills_slots ? p0 + "jl #" + name + "\n" + rest + nops(3) : p0 + rest + "jl #" + name + "\n" + nops(5);
}

/// Objects of `count` words in two buffers on each side, `of_object` for each pair of them, for ever; then functions.
device_design calling_core(std::uint32_t count, const std::function<std::string(from_to)>& of_object,
                           const std::string& functions) {
  device_design d;
  d.fifo(core2, {0, 1}, 2);
  d.fifo(core2, {2, 3}, 2);
  d.ring(core2, s2mm, 0, 0, d.buffers(core2, "in", 0x400, 2, count), count, {0, 1});
  d.ring(core2, mm2s, 0, 2, d.buffers(core2, "out", 0x4000, 2, count), count, {2, 3});
  d.flow(shim, {bundle::dma, 0}, core2, {bundle::dma, 0});
  d.flow(core2, {bundle::dma, 0}, shim, {bundle::dma, 0});
  std::string body;
  const std::uint32_t distance = (4 * count + 63) / 64 * 64;
  for (std::uint32_t i = 0; i < 2; ++i)
    body += take(own_locks + 1) + take(own_locks + 2) + nops(4) +
            of_object({0x70400 + distance * i, 0x74000 + distance * i}) + give(own_locks) + give(own_locks + 3) +
            nops(2);
  d.program(core2, for_ever(0, body) + functions);
  return d;
}

template <typename Reference>
void check_words(const device_design& d, std::uint32_t count, Reference&& reference) {
  device_run run(d);
  words expected = run.add_buffer(pattern(count));
  auto& out = run.add_buffer(count);
  run.run(in_and_out(count, count));
  for (std::uint32_t& w : expected) w = reference(w);
  CHECK(out == expected);
}

const std::string plus_one = "add r1, r1, #1\n", twice = "add r1, r1, r1\n";

}  // namespace

TEST_CASE("add_one_func_link_with_peano, add_one_func_link_with_chess: a core calls a function for each object",
          "[emu][designs]") {
  // The two differ in the compiler of the function: ours in how it loops, and in what is done in the call's slots.
  const bool chess = GENERATE(false, true);
  INFO((chess ? "add_one_func_link_with_chess" : "add_one_func_link_with_peano"));
  const auto of_object = [&](from_to at) { return call("add_one", at, 8, chess); };
  check_words(calling_core(8, of_object,
                           chess ? looping_function("add_one", plus_one) : counting_function("add_one", plus_one)),
              64, [](std::uint32_t w) { return w + 1; });
}

TEST_CASE("add_one_scale_func_link_with_peano, add_one_scale_func_link_with_chess: functions of two objects in turn",
          "[emu][designs]") {
  const bool chess = GENERATE(false, true);
  INFO((chess ? "add_one_scale_func_link_with_chess" : "add_one_scale_func_link_with_peano"));
  const auto function = chess ? looping_function : counting_function;
  const auto of_object = [&](from_to at) {
    return call("add_one", at, 8, chess) + call("scale_by_two", {at.to, at.to}, 8, chess);
  };
  check_words(calling_core(8, of_object, function("add_one", plus_one) + function("scale_by_two", twice)), 64,
              [](std::uint32_t w) { return 2 * (w + 1); });
}

TEST_CASE("vector_scalar_using_dma: blocks of 1024 words times three, between the events of a trace",
          "[emu][designs]") {
  const auto of_object = [](from_to at) {
    return "mova r5, #3\nevent #0\n" + call("scale", at, 1024, false) + "event #1\n";
  };
  check_words(calling_core(1024, of_object, looping_function("scale", "mul r1, r1, r5\n")), 4096,
              [](std::uint32_t w) { return 3 * w; });
}

TEST_CASE("runtime_cumsum: control code says between objects how many of them make the next sum", "[emu][designs]") {
  constexpr std::uint32_t parameters = 0x800, object = 16;
  device_design d;
  d.buffer(core2, "in", 0x400, object);
  d.buffer(core2, "parameters", parameters, object);
  d.buffer(core2, "out", 0x1000, object);
  d.fifo(core2, {0, 1}, 1);
  d.fifo(core2, {2, 3}, 1);
  d.ring(core2, s2mm, 0, 0, {"in"}, object, {0, 1});
  d.ring(core2, mm2s, 0, 1, {"out"}, object, {2, 3});
  d.flow(shim, {bundle::dma, 0}, core2, {bundle::dma, 0});
  d.flow(core2, {bundle::dma, 0}, shim, {bundle::dma, 0});
  // r6 counts objects; the parameter at p3 is read after each, then p3 goes on to the next sum's.
  d.program(
      core2,
      "movxm p3, #0x70800\nmovxm p0, #0x70400\nmovxm p1, #0x71000\n" +
          for_ever(0, take(own_locks + 2) + "mova r6, #0\n" + nops(2) + "vbcst.32 x0, r6\n" + nops(4) + "sum:\n" +
                          take(own_locks + 1) + nops(4) + "vlda wl1, [p0, #0]\nvlda wh1, [p0, #32]\n" + nops(8) +
                          "vadd.32 x0, x0, x1\n" + give(own_locks) + "lda r7, [p3, #0]\nadd r6, r6, #1\n" + nops(8) +
                          "lt r8, r6, r7\n" + nops(2) + "jnz r8, #sum\n" + nops(5) +
                          "vst wl0, [p1, #0]\nvst wh0, [p1, #32]\npadda [p3], #4\n" + nops(8) + give(own_locks + 3)));
  device_run run(d);
  auto& in = run.add_buffer(pattern(7 * object));
  auto& out = run.add_buffer(7 * object);
  code_builder code;
  for (std::uint32_t sum = 0; sum < 7; ++sum) {
    code.write(aie::pack_address({core2, parameters + 4 * sum}), sum + 1);
    const shim_transfer back{
        .direction = s2mm, .argument = 1, .count = object, .offset = 4 * object * sum, .bd = 1, .shape = {}};
    add(code, {.count = object * (sum + 1), .token = false, .shape = {}});
    add(code, back);
    wait(code, back);
  }
  run.run(code);
  words expected(object);
  for (std::uint32_t i = 0; i < 7 * object; ++i) {
    expected[i % object] += in[i];
    REQUIRE(out[i] == expected[i % object]);
  }
}
