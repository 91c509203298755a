// SPDX-License-Identifier: Apache-2.0
// Modelled figures of commands, for a program that happens to run on the emulated NPU (npurt-emu).
#pragma once

#include <dlfcn.h>

#include <cstdint>
#include <optional>
#include <string>

namespace npurt::emulator {

enum class outcome : std::uint32_t { completed = 0, error = 1, timeout = 2 };

/// Figures of the emulator's model, not of any hardware.
struct command_figures {
  std::uint64_t cycles = 0;    ///< of the array clock, from the command's arrival to its completion
  std::uint64_t macs = 0;      ///< multiply-accumulates
  std::uint64_t clock_hz = 0;  ///< the array clock at the device's power mode
  emulator::outcome outcome = emulator::outcome::completed;
  std::string report;  ///< why the command failed; empty if it did not

  /// Modelled time in seconds.
  double seconds() const { return clock_hz == 0 ? 0 : static_cast<double>(cycles) / static_cast<double>(clock_hz); }
};

namespace detail {

/// The C interface of libnpurt_emulator.so, version 1.
struct command {
  std::uint64_t cycles, macs, clock_hz;
  std::uint32_t outcome, reserved;
  const char* report;
};

inline constexpr std::uint32_t abi_version = 1;

/// A function of the emulator, null when the process runs without it.
template <class Function>
Function* find(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_DEFAULT, name));
}

}  // namespace detail

/// True if this process runs on the emulated NPU, with an emulator of this header's version. Links with nothing.
inline bool present() {
  auto* version = detail::find<std::uint32_t()>("npurt_emulator_version");
  return version != nullptr && version() == detail::abi_version;
}

/// Figures of the command that completed last in this process; a list of runs counts as one command.
/// Take them after wait(): another thread's command may come in between.
/// @return nothing without the emulator, or before the first command has completed
inline std::optional<command_figures> last_command() {
  if (!present()) return std::nullopt;
  auto* get = detail::find<int(detail::command*)>("npurt_emulator_last_command");
  detail::command command{};
  if (get == nullptr || get(&command) == 0) return std::nullopt;
  return command_figures{command.cycles, command.macs, command.clock_hz, static_cast<outcome>(command.outcome),
                         command.report};
}

}  // namespace npurt::emulator
