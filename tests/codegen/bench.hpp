// SPDX-License-Identifier: Apache-2.0
// Runs generated text on the reference core, and watches the units that its bundles claim.
#pragma once

#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <format>
#include <map>
#include <string>
#include <vector>

#include "aie/isa/isa.hpp"
#include "asm/assembler.hpp"
#include "asm/hazards.hpp"
#include "codegen/kernel.hpp"
#include "codegen/operations.hpp"
#include "emu/core/core.hpp"

namespace npurt::test {

/// Own data memory with its eight banks, one access a cycle each; no locks to wait for.
class lone_tile : public emu::core_ports {
 public:
  std::byte* data(std::uint32_t address, std::uint32_t size) override {
    return address >= 0x70000 && address + size <= 0x80000 ? memory.data() + (address - 0x70000) : nullptr;
  }
  bool claim_banks(std::uint32_t address, std::uint32_t size) override {
    if (core->counters().cycles != cycle_) {
      cycle_ = core->counters().cycles;
      taken_ = 0;
    }
    unsigned wanted = 0;
    for (std::uint32_t at = address & ~15u; at < address + size; at += 16) {
      wanted |= 1u << (2 * (at / 0x4000 % 4) + at / 16 % 2);
    }
    const bool granted = (wanted & taken_) == 0;
    taken_ |= granted ? wanted : 0;
    return granted;
  }
  bool acquire_lock(unsigned, int) override { return true; }
  void release_lock(unsigned, int) override {}
  std::optional<std::uint32_t> read_stream(unsigned, bool&) override { return std::nullopt; }
  bool write_stream(unsigned, std::uint32_t, bool) override { return false; }
  bool read_cascade(std::span<std::byte, 64>) override { return false; }
  bool write_cascade(std::span<const std::byte, 64>) override { return false; }
  void event(unsigned) override {}

  std::vector<std::byte> memory = std::vector<std::byte>(0x10000);
  const emu::core* core = nullptr;
  bool stuck = false;  ///< the core waits for what nobody will bring

 private:
  std::uint64_t cycle_ = 0;
  unsigned taken_ = 0;
};

/// Units that bundles claim, cycle by cycle of the pipeline; stalls stop all of it together.
class unit_watch {
 public:
  void issue(const aie::isa::decoded_bundle& bundle, std::uint64_t cycle) {
    for (std::size_t s = 0; s < bundle.count; ++s) {
      for (const auto& claim : bundle.slots[s].schedule->claims) {
        for (unsigned c = 0; c < claim.cycles; ++c) {
          auto& [takers, avoiders] = claims_[{cycle + claim.stage - 1 + c, claim.unit}];
          (claim.take ? takers : avoiders) += 1;
          if (takers > 1 || (takers == 1 && avoiders > 0)) {
            FAIL(std::format("unit {} claimed twice in cycle {}, by {}", claim.unit, cycle, bundle.slots[s].row->name));
          }
        }
      }
    }
    std::erase_if(claims_, [&](const auto& entry) { return entry.first.first + 32 < cycle; });
  }

 private:
  std::map<std::pair<std::uint64_t, std::string_view>, std::pair<int, int>> claims_;
};

/// A core that holds a function at address 0 and returns from it to `done`.
template <typename Tile>
struct basic_kernel_bench {
  explicit basic_kernel_bench(const std::string& text, bool may_have_hazards = false) : core(tile) {
    tile.core = &core;
    INFO(text);
    const auto program = assembler::assemble(text, "kernel");
    if (!program) {
      FAIL(to_string(program.error().front()));
    }
    // The assembler knows nothing of the schedule: it looks for values read too early and units claimed twice by
    // itself.
    if (!may_have_hazards) {
      for (const auto& warning : assembler::find_hazards(*program, "kernel")) {
        FAIL_CHECK(to_string(warning));
      }
    }
    const auto& code = program->sections.at(0).bytes;
    REQUIRE(code.size() <= end_at);
    core.write_program(0, std::as_bytes(std::span(code)));
    const auto end = assembler::assemble("done\nnop\nnop\nnop\nnop\nnop\n", "end");
    core.write_program(end_at, std::as_bytes(std::span(end->sections.at(0).bytes)));
    set("lr", end_at);
    core.enable(true);
  }

  void set(std::string_view name, std::uint32_t value) { std::memcpy(core.reg(name).data(), &value, sizeof value); }

  template <typename T>
  void put(std::uint32_t address, const std::vector<T>& values) {
    std::memcpy(tile.memory.data() + (address - 0x70000), values.data(), values.size() * sizeof(T));
  }
  template <typename T>
  std::vector<T> get(std::uint32_t address, std::size_t count) const {
    std::vector<T> values(count);
    std::memcpy(values.data(), tile.memory.data() + (address - 0x70000), count * sizeof(T));
    return values;
  }

  /// Cycles from entry to `done`, units watched.
  std::uint64_t run(std::uint64_t most = 1'000'000) {
    const std::uint64_t cycles = run_until_it_ends(most);
    INFO((core.fault() ? core.fault()->cause + " in " + core.fault()->bundle : std::string()));
    REQUIRE_FALSE(core.fault());
    REQUIRE(core.done());
    return cycles;
  }

  /// The same, however it ends.
  std::uint64_t run_until_it_ends(std::uint64_t most) {
    unit_watch units;
    while (!core.done() && !core.fault() && !tile.stuck && core.counters().cycles < most) {
      const std::uint32_t pc = core.pc();
      const std::uint64_t issued = core.counters().bundles;
      core.step();
      if (core.counters().bundles != issued) {
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(core.program().data());
        const auto bundle = aie::isa::decode(std::span(bytes, core.program().size()).subspan(pc));
        REQUIRE(bundle);
        units.issue(*bundle, issued);
      }
    }
    const std::uint64_t cycles = core.counters().cycles;
    core.run(64);
    return cycles;
  }

  static constexpr std::uint32_t end_at = emu::core::program_bytes - 64;
  Tile tile;
  emu::core core;
};
using kernel_bench = basic_kernel_bench<lone_tile>;

}  // namespace npurt::test
