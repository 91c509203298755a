// SPDX-License-Identifier: Apache-2.0
// The product of two chunks as the overlay's int8 matmul does it, without the array around it.
#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string_view>

#include "bench/emu/core_program.hpp"
#include "bench/emu/reference.hpp"
#include "bench/subjects.hpp"
#include "programs.hpp"

namespace npurt::bench {
namespace {

constexpr std::size_t extent = 64, depth = 128;
constexpr std::uint32_t a_address = 0x70000, b_address = 0x7C000, c_address = 0x74000;

/// Where the function returns to, behind all program text.
constexpr std::uint32_t end_address = 0x3F00;

void set_register(core_program& program, std::string_view name, std::uint32_t value) {
  std::memcpy(program.core.reg(name).data(), &value, sizeof value);
}

/// A call of the function with A of ones, B of minus twos and C of zeros.
void set_up(core_program& program) {
  const auto end = assembler::assemble("done\nnop\nnop\nnop\nnop\nnop\n", "end").value();
  program.core.write_program(end_address, std::as_bytes(std::span(end.sections.at(0).bytes)));
  set_register(program, "lr", end_address);
  set_register(program, "p0", a_address);
  set_register(program, "p1", b_address);
  set_register(program, "p2", c_address);
  std::memset(program.ports.data(a_address, extent * depth), 1, extent * depth);
  std::memset(program.ports.data(b_address, extent * depth), -2, extent * depth);
}

bool is_complete(core_program& program) {
  std::vector<std::int32_t> c(extent * extent);
  std::memcpy(c.data(), program.ports.data(c_address, extent * extent * 4), extent * extent * 4);
  return program.core.done() && std::ranges::all_of(c, [](std::int32_t x) { return x == -2 * int{depth}; });
}

/// From the call to its end. The work is that of the product: the function's loop runs over its end, and what it
/// multiplies there does not count.
std::vector<row> measure_inner(const effort&) {
  core_program program(kernels::i8_matmul_tile().text, "i8_matmul_tile");
  set_up(program);
  program.run(1'000'000);
  const auto cycles = static_cast<double>(program.core.counters().cycles);
  program.run(64);  // what is in flight
  if (!is_complete(program)) throw std::runtime_error("i8_matmul_tile does not do what kernels/programs.hpp says");
  const double value = extent * extent * depth / cycles;
  return {{.name = "kernel-i8-matmul-inner",
           .value = value,
           .unit = "MAC/cycle, one core",
           .against = peak_macs_per_cycle,
           .reference = "peak of one core; goal 0.9",
           .ratio = value / peak_macs_per_cycle,
           .model = "modelled, an emulated core alone",
           .goal = goal{.is = goal::side::at_least, .ratio = 0.9}}};
}

}  // namespace

std::vector<subject> kernel_subjects() { return {{.names = {"kernel-i8-matmul-inner"}, .measure = measure_inner}}; }

}  // namespace npurt::bench
