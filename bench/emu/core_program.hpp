// SPDX-License-Identifier: Apache-2.0
// A program on the emulated core alone: its own data memory, its memory banks, and locks that are always granted.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "asm/assembler.hpp"
#include "emu/core/core.hpp"

namespace npurt::bench {

/// Signed int8 4x8x8 (configuration word 776): four accumulators in turn, one multiply-accumulate and two loads a
/// bundle, for ever.
std::string mac_int8_loop();

class lone_ports : public emu::core_ports {
 public:
  std::byte* data(std::uint32_t address, std::uint32_t size) override {
    const std::uint32_t offset = address - assembler::data_memory_base;
    return size <= memory_.size() && offset <= memory_.size() - size ? memory_.data() + offset : nullptr;
  }
  /// Eight banks of 8 KiB, 16 bytes wide, two interleaved in each 16 KiB; one access each in a cycle (AM020 chapter 4).
  bool claim_banks(std::uint32_t address, std::uint32_t size) override {
    if (cycles != nullptr && *cycles != claimed_.cycle) {
      claimed_.cycle = *cycles;
      claimed_.taken = 0;
    }
    unsigned wanted = 0;
    for (std::uint32_t at = address & ~15u; at < address + size; at += 16) {
      wanted |= 1u << (2 * (at / 0x4000 % 4) + at / 16 % 2);
    }
    if ((wanted & claimed_.taken) != 0) return false;
    claimed_.taken = static_cast<std::uint8_t>(claimed_.taken | wanted);
    return true;
  }
  emu::bank_claims* claims(std::uint32_t address) override {
    return address == assembler::data_memory_base ? &claimed_ : nullptr;
  }
  const std::uint64_t* clock() override { return cycles; }
  std::span<std::byte> memory() { return memory_; }
  bool acquire_lock(unsigned, int) override { return true; }
  void release_lock(unsigned, int) override {}
  std::optional<std::uint32_t> read_stream(unsigned, bool&) override { return std::nullopt; }
  bool write_stream(unsigned, std::uint32_t, bool) override { return false; }
  bool read_cascade(std::span<std::byte, 64>) override { return false; }
  bool write_cascade(std::span<const std::byte, 64>) override { return false; }
  void event(unsigned) override {}

  const std::uint64_t* cycles = nullptr;  ///< the core's

 private:
  std::vector<std::byte> memory_ = std::vector<std::byte>(assembler::data_memory_size);
  emu::bank_claims claimed_;
};

/// A core with a program, enabled at address 0.
struct core_program {
  /// @throws std::runtime_error with the assembler's first message
  core_program(std::string_view source, const std::string& name, emu::engine which = emu::default_engine())
      : core(ports, which) {
    const auto program = assembler::assemble(source, name);
    if (!program) throw std::runtime_error(to_string(program.error().front()));
    for (const auto& section : program->sections) {
      if (section.executable) core.write_program(section.address, std::as_bytes(std::span(section.bytes)));
    }
    ports.cycles = &core.counters().cycles;
    core.enable(true);
  }

  /// @throws std::runtime_error if the program does what it must not
  void run(std::uint64_t cycles) {
    core.run(cycles);
    if (const auto& fault = core.fault()) throw std::runtime_error(fault->cause + " in " + fault->bundle);
  }

  lone_ports ports;
  emu::core core;
};

}  // namespace npurt::bench
