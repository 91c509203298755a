// SPDX-License-Identifier: Apache-2.0
// What a core sees of the array when it is alone: its own data memory and its own tile's locks.
#pragma once

#include <array>
#include <vector>

#include "asm/program.hpp"
#include "emu/core/core.hpp"

namespace npurt::tools {

inline constexpr std::uint32_t data_base = assembler::data_memory_base;
inline constexpr std::uint32_t data_size = assembler::data_memory_size;

/// Locks start at 0 and only the core itself changes them; streams and cascade never answer; no neighbours.
class lone_core_ports : public emu::core_ports {
 public:
  static constexpr unsigned first_own_lock = 48, own_locks = 16;
  static constexpr int largest_lock = 63;  ///< six bits (AM020 chapter 2)

  /// The core whose cycle counter tells when a new cycle begins; must outlive the calls.
  void serve(const emu::core& core) { core_ = &core; }

  std::byte* data(std::uint32_t address, std::uint32_t size) override;
  bool claim_banks(std::uint32_t address, std::uint32_t size) override;
  bool acquire_lock(unsigned id, int value) override;
  void release_lock(unsigned id, int value) override;
  std::optional<std::uint32_t> read_stream(unsigned, bool&) override { return std::nullopt; }
  bool write_stream(unsigned, std::uint32_t, bool) override { return false; }
  bool read_cascade(std::span<std::byte, 64>) override { return false; }
  bool write_cascade(std::span<const std::byte, 64>) override { return false; }
  void event(unsigned) override {}

  std::span<std::byte> memory() { return memory_; }
  /// @throws std::runtime_error for an id that is not one of the own tile's
  void set_lock(unsigned id, int value);
  int lock(unsigned id) const { return locks_.at(id - first_own_lock); }

 private:
  std::vector<std::byte> memory_ = std::vector<std::byte>(data_size);
  std::array<int, own_locks> locks_{};
  const emu::core* core_ = nullptr;
  std::uint64_t cycle_ = 0;
  unsigned taken_ = 0;
};

/// Why the access that the core waits for never comes to its end.
std::string explain_wait(const emu::core& core, const lone_core_ports& ports);

}  // namespace npurt::tools
