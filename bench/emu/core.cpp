// SPDX-License-Identifier: Apache-2.0
// Bundles per second of the emulated core on one host thread.
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

/// `body` in a zero-overhead loop, for ever. `setup` comes before.
std::string for_ever(const std::string& setup, const std::string& body, const std::string& last) {
  return setup + "movxm ls, #.Lfirst\nmovxm le, #.Llast\n.Lagain:\nmovxm lc, #1000000\n" + repeated("nop\n", 10) +
         ".Lfirst:\n" + body + ".Llast:\n" + last + "j #.Lagain\n" + repeated("nop\n", 5);
}

/// A loop as a compiler makes it of scalar code: load, compute, store, count, branch.
std::string scalar_loop() {
  return "movxm p0, #0x70000\nmovxm r4, #0x7fffffff\n.Lagain:\nlda r1, [p0, #0]\nadd r4, r4, #-1\nadd r2, r2, #3\n"
         "xor r3, r3, r2\njnz r4, #.Lagain\nnop\nnop\nadd r1, r1, r3\nst r1, [p0, #0]\nand r5, r1, r2\n"
         "j #.Lagain\n" +
         repeated("nop\n", 5);
}

/// Signed int8 4x8x8 (configuration word 776): four accumulators in turn, one multiply-accumulate a bundle.
std::string mac_int8_loop() {
  const std::string macs =
      "vmac cm0, cm0, x0, x4, r0\nvmac cm1, cm1, x1, x4, r0\nvmac cm2, cm2, x2, x4, r0\nvmac cm3, cm3, x3, x4, r0\n";
  return for_ever("movxm r0, #776\n", repeated(macs, 8), "vmac cm4, cm4, x0, x5, r0\n");
}

/// bf16 4x8x4 (configuration word 28).
std::string mac_bf16_loop() {
  const std::string macs =
      "vmac.f bml0, bml0, x0, x4, r0\nvmac.f bml1, bml1, x1, x4, r0\n"
      "vmac.f bml2, bml2, x2, x4, r0\nvmac.f bml3, bml3, x3, x4, r0\n";
  return for_ever("movxm r0, #28\n", repeated(macs, 8), "vmac.f bml4, bml4, x0, x5, r0\n");
}

/// 32 bytes loaded and 32 stored a bundle, in banks of their own.
std::string copy_loop() {
  return for_ever("movxm p0, #0x70000\nmovxm p1, #0x74000\n",
                  repeated("vlda wl0, [p0, #0] ; vst wl1, [p1, #0]\nvlda wl1, [p0, #32] ; vst wl0, [p1, #32]\n", 8),
                  "vlda wl2, [p0, #64] ; vst wl2, [p1, #64]\n");
}

std::vector<row> measure_program(const std::string& name, const std::string& source, const effort& how) {
  core_program program(source, name);
  program.run(cycles_per_iteration);
  const auto body = [&](benchmark::State& state) {
    const std::uint64_t before = program.core.counters().bundles;
    for (auto _ : state) program.run(cycles_per_iteration);
    state.counters["bundles"] = static_cast<double>(program.core.counters().bundles - before);
    state.counters["bundles"] = state.counters["bundles"] / static_cast<double>(state.iterations());
  };
  const figures result = measure({{.name = name, .body = body}}, how).front();
  const auto speed =
      pairwise(result.counters.at("bundles"), result.cpu_ns, [](double n, double ns) { return n / ns * 1e9; });
  return {compare(name, "bundles/s, one thread", speed, reference_cycles_per_second, reference_name)};
}

subject make_subject(const std::string& name, std::string source) {
  return {.names = {name}, .measure = [=](const effort& how) { return measure_program(name, source, how); }};
}

}  // namespace

std::vector<subject> core_subjects() {
  return {make_subject("core-scalar", scalar_loop()), make_subject("core-mac-i8", mac_int8_loop()),
          make_subject("core-copy", copy_loop()), make_subject("core-mac-bf16", mac_bf16_loop())};
}

}  // namespace npurt::bench
