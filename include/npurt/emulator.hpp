// SPDX-License-Identifier: Apache-2.0
// Modelled figures of commands, and faults on demand, for a program that happens to run on the emulated NPU
// (npurt-emu).
#pragma once

#include <dlfcn.h>

#include <cstdint>
#include <optional>
#include <string>

namespace npurt::emulator {

enum class outcome : std::uint32_t { completed = 0, error = 1, timeout = 2, aborted = 3 };

/// Figures of the emulator's model, not of any hardware. The functions below are thread-safe.
struct command_figures {
  std::uint64_t cycles = 0;    ///< of the array clock, from the command's arrival to its completion
  std::uint64_t macs = 0;      ///< multiply-accumulates
  std::uint64_t clock_hz = 0;  ///< the array clock at the device's power mode
  emulator::outcome outcome = emulator::outcome::completed;
  std::string report;  ///< why the command failed; empty if it did not

  /// Where the cycles went; the three add up to them.
  std::uint64_t compute_cycles = 0;   ///< cores ran or waited for their memory banks; mean of the enabled ones
  std::uint64_t launch_cycles = 0;    ///< of the rest: the firmware worked (PDIs, the launch, control code)
  std::uint64_t transfer_cycles = 0;  ///< of the rest: cores waited for data, or for the result to leave

  /// Cycles of all enabled cores added up, and what they did in them.
  std::uint64_t core_cycles = 0;
  std::uint64_t core_running = 0;    ///< bundles, one a cycle
  std::uint64_t bank_stalls = 0;     ///< waited for a memory bank
  std::uint64_t lock_stalls = 0;     ///< waited for a lock: for data, for room, or for work
  std::uint64_t stream_stalls = 0;   ///< waited for a stream port
  std::uint64_t cascade_stalls = 0;  ///< waited for the neighbour's accumulator

  std::uint64_t ddr_read_bytes = 0, ddr_write_bytes = 0;

  /// Modelled time in seconds.
  double seconds() const { return clock_hz == 0 ? 0 : static_cast<double>(cycles) / static_cast<double>(clock_hz); }
};

namespace detail {

/// The C interface of libnpurt_emulator.so, version 2.
struct command {
  std::uint64_t cycles, macs, clock_hz;
  std::uint32_t outcome, reserved;
  const char* report;
  std::uint64_t compute_cycles, launch_cycles, transfer_cycles;
  std::uint64_t core_cycles, core_running, bank_stalls, lock_stalls, stream_stalls, cascade_stalls;
  std::uint64_t ddr_read_bytes, ddr_write_bytes;
};

inline constexpr std::uint32_t abi_version = 2;

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
  return command_figures{.cycles = command.cycles,
                         .macs = command.macs,
                         .clock_hz = command.clock_hz,
                         .outcome = static_cast<outcome>(command.outcome),
                         .report = command.report,
                         .compute_cycles = command.compute_cycles,
                         .launch_cycles = command.launch_cycles,
                         .transfer_cycles = command.transfer_cycles,
                         .core_cycles = command.core_cycles,
                         .core_running = command.core_running,
                         .bank_stalls = command.bank_stalls,
                         .lock_stalls = command.lock_stalls,
                         .stream_stalls = command.stream_stalls,
                         .cascade_stalls = command.cascade_stalls,
                         .ddr_read_bytes = command.ddr_read_bytes,
                         .ddr_write_bytes = command.ddr_write_bytes};
}

/// Faults on demand from now on, in place of those before; for tests of what a program does when its device fails.
/// @param text  as in NPURT_EMU_FAULT, for example "ioctl:create_bo@3=ENOMEM;command@2=timeout"; empty: no faults
/// @return false without the emulator, or if the text cannot be read (stderr says why)
inline bool set_faults(const std::string& text) {
  auto* set = present() ? detail::find<int(const char*)>("npurt_emulator_set_faults") : nullptr;
  return set != nullptr && set(text.c_str()) != 0;
}

/// What stands with every printed time of the last command: "modelled at 1028 MHz, time model 1a2b3c4d". The number is
/// a digest of the time model's constants: figures with different ones cannot be compared. Empty without the emulator.
inline std::string time_model() {
  auto* text = present() ? detail::find<const char*()>("npurt_emulator_time_model") : nullptr;
  return text == nullptr ? std::string() : std::string(text());
}

}  // namespace npurt::emulator
