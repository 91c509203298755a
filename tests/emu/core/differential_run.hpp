// SPDX-License-Identifier: Apache-2.0
// Two engines of the core in step on one random program in one random environment, compared to the bit.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "emu/core/core.hpp"
#include "emu/core/differential_ports.hpp"
#include "emu/core/differential_programs.hpp"

namespace npurt::test {

/// Everything that a run depends on; all of it follows from the seed, and a smaller program may take its place.
struct scenario {
  std::uint64_t seed = 0;
  random_program program;
  refusals refuse;
  std::uint32_t cycles = 0;   ///< after which it ends
  bool others_write = false;  ///< memory, as DMA and neighbours do
  bool rewritten = false;     ///< program memory
  bool paused = false;        ///< now and then disabled for a while
};

scenario make_scenario(std::uint64_t seed);

struct difference {
  std::uint64_t cycle = 0;  ///< the last one at which both were equal
  std::string what;         ///< a line for each thing that differs
};

struct run_result {
  std::uint64_t cycles = 0, bundles = 0;
  std::string fault;          ///< cause, without its numbers; empty if there was none
  std::string fault_example;  ///< all of it
  std::optional<difference> differs;
  std::bitset<emu::core::program_bytes> executed;  ///< addresses, as far as the reference was stepped
  std::string trace;                               ///< last bundles of the reference, if asked for
};

/// Which engine is compared with the reference, and whether its ports show their bank claims.
struct setup {
  emu::engine engine;
  bool shares_claims;
};

/// The reference first, and the other engine; a core for each is kept from run to run, as the array does.
class engine_pair {
 public:
  explicit engine_pair(const setup& how);

  /// @param closely steps the reference and compares everything whenever the other one stops
  run_result run(const scenario& what, bool closely = false);

 private:
  struct side {
    side(emu::engine which, bool shares_claims) : ports(shares_claims), core(ports, which) {
      ports.cycles = &core.counters().cycles;
    }
    void step(std::uint8_t taken) {
      ports.begin(core.counters().cycles + 1, taken);
      core.step();
    }
    std::uint64_t run(std::uint64_t count, std::uint8_t taken) {
      ports.begin(core.counters().cycles + 1, taken);
      return core.run(count);
    }
    seeded_ports ports;
    emu::core core;
  };

  void prepare(const scenario& what);
  void advance(random_source& schedule, run_result& result, bool closely);
  void interfere(const scenario& what, random_source& schedule);
  std::string compare(bool everything);
  void note_bundle(run_result& result, std::uint32_t pc);
  std::string differing_registers();
  std::string differing_memory();

  std::array<std::unique_ptr<side>, 2> sides_;
  std::vector<std::uint32_t> recent_;  ///< addresses of the last bundles
  std::string unequal_runs_;
};

/// What ran, for the figures at the end of a campaign.
struct coverage {
  std::set<std::string_view> instructions, formats;
  void add(const scenario& what, const run_result& result);
};

/// A program with as few instructions as still make a difference.
scenario shrink(const scenario& what, const setup& how);

/// All there is to say about a difference: seed, program, last bundles, what differs.
std::string report(const scenario& what, const setup& how);

}  // namespace npurt::test
