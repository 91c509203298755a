// SPDX-License-Identifier: Apache-2.0
// A core with data memory of its own and nothing else around it, for programs that only compute.
#pragma once

#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "asm/assembler.hpp"
#include "emu/core/core.hpp"

namespace npurt::test {

class memory_only : public emu::core_ports {
 public:
  static constexpr std::uint32_t base = 0x70000;

  std::byte* data(std::uint32_t address, std::uint32_t size) override {
    return address >= base && address + size <= base + memory.size() ? memory.data() + (address - base) : nullptr;
  }
  bool claim_banks(std::uint32_t, std::uint32_t) override { return true; }
  bool acquire_lock(unsigned, int) override { return true; }
  void release_lock(unsigned, int) override {}
  std::optional<std::uint32_t> read_stream(unsigned, bool&) override { return std::nullopt; }
  bool write_stream(unsigned, std::uint32_t, bool) override { return true; }
  bool read_cascade(std::span<std::byte, 64>) override { return false; }
  bool write_cascade(std::span<const std::byte, 64>) override { return true; }
  void event(unsigned) override {}

  std::vector<std::byte> memory = std::vector<std::byte>(0x10000);
};

/// @throws std::runtime_error with the assembler's first error
inline assembler::program assemble_or_throw(const std::string& source, const std::string& name) {
  auto program = assembler::assemble(source, name);
  if (!program) {
    throw std::runtime_error(to_string(program.error().front()));
  }
  return std::move(*program);
}

inline void load(emu::core& core, std::uint32_t at, const assembler::program& program) {
  core.write_program(at, std::as_bytes(std::span(program.sections.at(0).bytes)));
}

template <typename T>
void set_register(emu::core& core, std::string_view name, const T& value) {
  std::memcpy(core.reg(name).data(), &value, sizeof value);
}

inline std::vector<std::byte> bytes_of_hex(const std::string& hex) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoul(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

}  // namespace npurt::test
