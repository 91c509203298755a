// SPDX-License-Identifier: Apache-2.0
// The i8-matmul kernel's program without the array around it.
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "bench/emu/core_program.hpp"
#include "bench/emu/reference.hpp"
#include "bench/subjects.hpp"

namespace npurt::bench {
namespace {

// kernels/i8-matmul/README.md: the word that holds the number of K tiles, and the lock taken once per C tile.
constexpr std::uint32_t k_tiles_address = 0x70400;
constexpr unsigned c_free_lock = 52;

std::string read_source(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + file.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

/// One C tile over eight K tiles, from the program's start to its next wait for a free C buffer.
std::vector<row> measure_inner(const effort&) {
  const std::filesystem::path file = std::filesystem::path(NPURT_SOURCE_DIR) / "kernels/i8-matmul/i8-matmul.s";
  core_program program(read_source(file), file.filename().string());
  constexpr std::uint32_t k_tiles = 8;
  std::memcpy(program.ports.data(k_tiles_address, sizeof k_tiles), &k_tiles, sizeof k_tiles);
  program.ports.closed_lock = c_free_lock;
  program.ports.grants_left = 1;
  program.run(1'000'000);
  const emu::core_counters& counted = program.core.counters();
  constexpr std::uint64_t expected = k_tiles * 64ull * 64 * 64;
  if (program.core.waiting() != emu::stall::lock || counted.macs != expected) {
    throw std::runtime_error("the kernel does not end where its README says");
  }
  const auto cycles = static_cast<double>(counted.cycles - counted.stalls[static_cast<std::size_t>(emu::stall::lock)]);
  const double value = static_cast<double>(counted.macs) / cycles;
  return {{.name = "kernel-i8-matmul-inner",
           .value = value,
           .unit = "MAC/cycle, one core",
           .against = peak_macs_per_cycle,
           .reference = "peak of one core",
           .ratio = value / peak_macs_per_cycle,
           .model = "modelled, an emulated core alone"}};
}

}  // namespace

std::vector<subject> kernel_subjects() { return {{.names = {"kernel-i8-matmul-inner"}, .measure = measure_inner}}; }

}  // namespace npurt::bench
