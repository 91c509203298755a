// SPDX-License-Identifier: Apache-2.0
// A core with scripted surroundings, and programs from assembly text, for the tests of the core.
#pragma once

#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "asm/assembler.hpp"
#include "emu/core/core.hpp"

namespace npurt::test {

inline std::string nops(unsigned n) {
  std::string text;
  while (n-- > 0) text += "nop\n";
  return text;
}

/// The end of a program, after as many bundles as what is on its way takes to arrive.
inline std::string ending(unsigned bundles) { return nops(bundles) + "done\n" + nops(5); }

/// Own data memory, locks as counters, streams and cascade as queues, bank claims refused on demand.
class scripted_ports : public emu::core_ports {
 public:
  std::byte* data(std::uint32_t address, std::uint32_t size) override {
    return address >= 0x70000 && address + size <= 0x80000 ? memory.data() + (address - 0x70000) : nullptr;
  }
  bool claim_banks(std::uint32_t address, std::uint32_t) override {
    const auto refusal = bank_refusals.find(address);
    if (refusal == bank_refusals.end() || refusal->second == 0) {
      return true;
    }
    --refusal->second;
    return false;
  }
  bool acquire_lock(unsigned id, int value) override {
    ++lock_requests;
    const bool granted = value < 0 ? locks[id] >= -value : locks[id] == value;
    if (granted) {
      locks[id] += value < 0 ? value : -value;
    }
    return granted;
  }
  void release_lock(unsigned id, int value) override { locks[id] += value; }
  std::optional<std::uint32_t> read_stream(unsigned, bool& last) override {
    if (stream_in.empty()) {
      return std::nullopt;
    }
    const auto [word, is_last] = stream_in.front();
    stream_in.pop_front();
    last = is_last;
    return word;
  }
  bool write_stream(unsigned, std::uint32_t word, bool last) override {
    if (stream_room == 0) {
      return false;
    }
    --stream_room;
    stream_out.push_back({word, last});
    return true;
  }
  bool read_cascade(std::span<std::byte, 64> value) override {
    if (cascade_in.empty()) {
      return false;
    }
    std::ranges::copy(cascade_in.front(), value.begin());
    cascade_in.pop_front();
    return true;
  }
  bool write_cascade(std::span<const std::byte, 64> value) override {
    if (cascade_room == 0) {
      return false;
    }
    --cascade_room;
    std::ranges::copy(value, cascade_out.emplace_back().begin());
    return true;
  }
  void event(unsigned number) override { events.push_back(number); }

  template <typename T>
  T at(std::uint32_t address) const {
    T value;
    std::memcpy(&value, memory.data() + (address - 0x70000), sizeof value);
    return value;
  }
  template <typename T>
  void put(std::uint32_t address, const T& value) {
    std::memcpy(memory.data() + (address - 0x70000), &value, sizeof value);
  }

  std::vector<std::byte> memory = std::vector<std::byte>(0x10000);
  std::map<unsigned, int> locks;
  unsigned lock_requests = 0;
  std::map<std::uint32_t, unsigned> bank_refusals;  ///< address -> how often it is still refused
  std::deque<std::pair<std::uint32_t, bool>> stream_in;
  std::vector<std::pair<std::uint32_t, bool>> stream_out;
  unsigned stream_room = 100;
  std::deque<std::array<std::byte, 64>> cascade_in, cascade_out;
  unsigned cascade_room = 100;
  std::vector<unsigned> events;
};

inline std::vector<std::uint8_t> machine_code(const std::string& source) {
  const auto program = assembler::assemble(source, "test");
  if (!program) {
    FAIL(to_string(program.error().front()));
  }
  return program->sections.at(0).bytes;
}

/// An endless loop of seven bundles that adds `step` to r1.
inline std::string counting_loop(int step) {
  return ".Lagain:\nadd r1, r1, #" + std::to_string(step) + "\nj #.Lagain\nnop\nnop\nnop\nnop\nnop\n";
}

/// A core that holds `source` at address 0 and is enabled.
struct core_bench {
  explicit core_bench(const std::string& source, emu::engine which = emu::default_engine()) : core(ports, which) {
    write(source);
    core.enable(true);
  }

  void write(const std::string& source) {
    const auto code = machine_code(source);
    core.write_program(0, std::as_bytes(std::span(code)));
  }

  std::uint32_t reg(std::string_view name) {
    std::uint32_t value;
    std::memcpy(&value, core.reg(name).data(), sizeof value);
    return value;
  }
  void set(std::string_view name, std::uint32_t value) { std::memcpy(core.reg(name).data(), &value, sizeof value); }

  /// Runs to the done instruction and the end of what is in flight.
  void run() {
    core.run(100'000);
    INFO((core.fault() ? core.fault()->cause + " in " + core.fault()->bundle : std::string()));
    REQUIRE_FALSE(core.fault());
    REQUIRE(core.done());
  }

  scripted_ports ports;
  emu::core core;
};

}  // namespace npurt::test
