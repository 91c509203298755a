// SPDX-License-Identifier: Apache-2.0
// Bundles per second of the emulated core on one host thread: the fast engine, the reference beside it.
#include <cstring>
#include <memory>
#include <string>

#include "bench/emu/core_program.hpp"
#include "bench/emu/reference.hpp"
#include "bench/subjects.hpp"

namespace npurt::bench {
namespace {

constexpr std::uint64_t cycles_per_iteration = 10'000;

std::string repeated(const std::string& bundles, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += bundles;
  return text;
}

/// `body` and `last` `times` times in a zero-overhead loop, for ever, with p0 and p1 set anew before. `setup` comes
/// first.
std::string for_ever(const std::string& setup, const std::string& body, const std::string& last, int times) {
  return setup + "movxm ls, #.Lfirst\nmovxm le, #.Llast\n.Lagain:\nmovxm p0, #0x70000\nmovxm p1, #0x74000\n" +
         "movxm p2, #0x78000\nmovxm lc, #" + std::to_string(times) + "\n" + repeated("nop\n", 10) +
         ".p2align 4\n.Lfirst:\n" + body + ".p2align 4\n.Llast:\n" + last + "j #.Lagain\n" + repeated("nop\n", 5);
}

/// A loop as a compiler makes it of scalar code: load, compute, store, count, branch.
std::string scalar_loop() {
  return "movxm p0, #0x70000\nmovxm r4, #0x7fffffff\n.Lagain:\nlda r1, [p0, #0]\nadd r4, r4, #-1\nadd r2, r2, #3\n"
         "xor r3, r3, r2\njnz r4, #.Lagain\nnop\nnop\nadd r1, r1, r3\nst r1, [p0, #0]\nand r5, r1, r2\n"
         "j #.Lagain\n" +
         repeated("nop\n", 5);
}

/// The inner loop of a matrix product on 2 x 2 blocks: each bundle multiplies and loads half of an A block (p0) and
/// half of a B block (p1); loads take seven bundles, so two sets of blocks take turns. `mac` of accumulator n, A block,
/// B block.
template <typename Mac>
std::string matmul_loop(const std::string& setup, Mac&& mac) {
  struct place {
    const char *a, *b;
  };
  // What bundles 5, 6, 7, 0 load is multiplied in 4..7 of the next turn at the earliest: set 0; what 1..4 load: set 1.
  constexpr place loads[8] = {{"wh1", "wh5"}, {"wl2", "wl6"}, {"wh2", "wh6"}, {"wl3", "wl7"},
                              {"wh3", "wh7"}, {"wl0", "wl4"}, {"wh0", "wh4"}, {"wl1", "wl5"}};
  std::string body, last;
  for (int i = 0; i < 8; ++i) {
    const int a = i / 4 * 2 + i % 4 / 2, b = 4 + i / 4 * 2 + i % 2;
    const std::string bundle =
        std::string("vlda ") + loads[i].a + ", [p0], #32 ; vldb " + loads[i].b + ", [p1], #32 ; ";
    const std::string product = mac(i % 4, "x" + std::to_string(a), "x" + std::to_string(b));
    i < 7 ? body += bundle + product + "\n" : last = bundle + "nops ; nopxm ; " + product + "\n";
  }
  return for_ever(setup, body, last, 60);
}

/// bf16 4x8x4 (configuration word 28).
std::string mac_bf16_loop() {
  return matmul_loop("movxm r0, #28\n", [](int acc, const std::string& a, const std::string& b) {
    const std::string bm = "bml" + std::to_string(acc);
    return "vmac.f " + bm + ", " + bm + ", " + a + ", " + b + ", r0";
  });
}

/// What a softmax over rows of bf16 does per vector: widen and subtract the maximum, 2^x as integer part (floor, shift
/// into the exponent) and a polynomial of the rest, the sum, the running maximum, narrow and store.
std::string softmax_loop() {
  const std::string body =
      "vlda.conv.fp32.bf16 bml0, [p0], #32\n"
      "vldb wl0, [p1], #32\n"
      "vmul.f bml1, x1, x2, r0\n"
      "vmax_lt.bf16 x3, r16, x3, x0\n"
      "vadd.f bml2, bml0, bml7, r1\n"
      "vmac.f bml3, bml1, x1, x4, r0 ; vshift x6, x1, x2, r2\n"
      "vfloor.s32.bf16 x5, wl0, s0\n"
      "vconv.bf16.fp32 wl1, bml2 ; vsel.16 x7, x3, x0, r16\n"
      "vadd.32 x8, x5, x9 ; vmac.f bml4, bml3, x1, x4, r0\n"
      "vshuffle x9, x8, x6, r3\n"
      "vadd.f bml5, bml5, bml4, r1\n"
      "vconv.fp32.bf16 bmh1, wl7\n";
  return for_ever("movxm r0, #60\nmovxm r1, #28\nmovxm r2, #2\nmovxm r3, #20\nmovxm s0, #4\n", body,
                  "nopb ; nopa ; vst.conv.bf16.fp32 bml4, [p2], #32 ; nopxm ; nopv\n", 200);
}

/// 32 bytes loaded and 32 stored a bundle, in banks of their own.
std::string copy_loop() {
  return for_ever("",
                  repeated("vlda wl0, [p0], #32 ; vst wl1, [p1], #32\nvlda wl1, [p0], #32 ; vst wl0, [p1], #32\n", 4),
                  "vlda wl2, [p0], #32 ; nopb ; vst wl2, [p1], #32 ; nopxm ; nopv\n", 50);
}

/// bf16 between -2 and 2, as bytes any int8: sums of floats take as long as they do with ordinary data.
void fill(std::span<std::byte> memory) {
  std::uint32_t state = 1;
  for (std::size_t at = 0; at + 2 <= memory.size(); at += 2) {
    state = state * 1'664'525 + 1'013'904'223;  // Numerical Recipes
    const auto value = static_cast<std::uint16_t>((state >> 16 & 0x81FF) | 0x3E00);
    std::memcpy(memory.data() + at, &value, sizeof value);
  }
}

side side_of(const std::string& name, core_program& program) {
  fill(program.ports.memory());
  program.run(10 * cycles_per_iteration);
  return {.name = name, .body = [&program](benchmark::State& state) {
            const std::uint64_t before = program.core.counters().bundles;
            for (auto _ : state) program.run(cycles_per_iteration);
            const auto bundles = static_cast<double>(program.core.counters().bundles - before);
            state.counters["bundles"] = bundles / static_cast<double>(state.iterations());
          }};
}

std::vector<double> speed_of(const figures& of) {
  return pairwise(of.counters.at("bundles"), of.cpu_ns, [](double n, double ns) { return n / ns * 1e9; });
}

/// "-outside": a core alone against an array, of which it is the greater part of the work.
std::vector<row> measure_program(const std::string& name, const std::string& source, const effort& how) {
  core_program fast(source, name, emu::engine::fast), reference(source, name, emu::engine::reference);
  const auto result = measure({side_of(name, fast), side_of(name + "-reference", reference)}, how);
  const auto speed = speed_of(result[0]);
  return {compare(name, "bundles/s, one thread", speed, speed_of(result[1]), "bundles/s, reference engine"),
          compare(name + "-outside", "bundles/s, one thread", speed, reference_cycles_per_second, reference_name)};
}

subject make_subject(const std::string& name, std::string source) {
  return {.names = {name, name + "-outside"},
          .measure = [=](const effort& how) { return measure_program(name, source, how); }};
}

}  // namespace

std::string mac_int8_loop() {
  return matmul_loop("movxm r0, #776\n", [](int acc, const std::string& a, const std::string& b) {
    const std::string cm = "cm" + std::to_string(acc);
    return "vmac " + cm + ", " + cm + ", " + a + ", " + b + ", r0";
  });
}

std::vector<subject> core_subjects() {
  return {make_subject("core-scalar", scalar_loop()), make_subject("core-mac-bf16", mac_bf16_loop()),
          make_subject("core-mac-i8", mac_int8_loop()), make_subject("core-softmax", softmax_loop()),
          make_subject("core-copy", copy_loop())};
}

}  // namespace npurt::bench
