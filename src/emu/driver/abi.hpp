// SPDX-License-Identifier: Apache-2.0
// The C interface of libnpurt_emulator.so to a program that runs on it; include/npurt/emulator.hpp finds it by name.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {

/// Modelled figures of the command that completed last in this process. Outcome: 0 completed, 1 error, 2 timeout, 3
/// aborted.
struct npurt_emulator_command {
  std::uint64_t cycles;    ///< of the array clock, from the command's arrival to its completion
  std::uint64_t macs;      ///< multiply-accumulates
  std::uint64_t clock_hz;  ///< the array clock at the device's power mode
  std::uint32_t outcome;
  std::uint32_t reserved;
  const char* report;  ///< why a command failed, empty if it did not; valid until this thread's next call
  /// Parts of cycles, which add up to them: cores run or wait for their memory banks (mean of the enabled ones); of the
  /// rest the firmware works (PDIs, the launch, control code); of the rest cores wait for data.
  std::uint64_t compute_cycles, launch_cycles, transfer_cycles;
  /// Of all enabled cores added up: cycles, bundles, and waits by cause.
  std::uint64_t core_cycles, core_running, bank_stalls, lock_stalls, stream_stalls, cascade_stalls;
  std::uint64_t ddr_read_bytes, ddr_write_bytes;
};

/// Version of this interface.
std::uint32_t npurt_emulator_version();

/// Faults on demand in place of those before; counts start again. The text's grammar is that of NPURT_EMU_FAULT
/// (fault_plan.hpp); an empty text ends all faults.
/// @return 1; 0 if the text cannot be read (stderr says why), nothing changes then
int npurt_emulator_set_faults(const char* text);

/// Serves the shared device `name` until nobody has used it for a while (npurt-emu --serve).
/// @param linger_ms  that while in milliseconds, 0: the usual one
/// @return an exit code
int npurt_emulator_serve(const char* name, unsigned linger_ms);

/// What stands with every printed time of that command: "modelled at 1028 MHz, time model 1a2b3c4d", where the number
/// is a digest of the model's constants. Empty if no command has completed; valid until this thread's next call.
const char* npurt_emulator_time_model();

/// The timeline so far for one of the host (NPURT_TRACE, with which one is kept): objects of Chrome's trace format,
/// separated by commas, each command where the host had it begin.
/// @param origin_ns of the host's CLOCK_MONOTONIC: time 0
/// @param take      is called once with the text, unless it is empty
/// @return 1; 0 if there is no device
int npurt_emulator_timeline(std::uint64_t origin_ns, void (*take)(void* to, const char* text, std::size_t length),
                            void* to);

/// @return 1 and the figures, 0 if no command has completed
int npurt_emulator_last_command(npurt_emulator_command* command);
}
