// SPDX-License-Identifier: Apache-2.0
// The emulated NPU behind the driver: contexts, PDIs, commands. The driver's only way into firmware and array.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "emu/array/ddr_port.hpp"

namespace npurt::emu {

/// Host memory as the device sees it. The driver implements it over its buffer objects.
class device_memory {
 public:
  virtual ~device_memory() = default;
  /// The host bytes of device addresses [address, address + size), about to be read or written; nullptr if they do not
  /// lie in one buffer object.
  virtual std::byte* translate(std::uint64_t address, std::uint64_t size,
                               memory_access access = memory_access::read) = 0;
};

/// A command as the driver hands it on, addresses already device addresses.
struct npu_command {
  std::uint32_t cu = 0;
  std::span<const std::byte> control_code;       ///< transaction stream or DPU sequence
  std::vector<std::uint64_t> arguments;          ///< buffer addresses, bo0 first, for DDR_PATCH
  bool apply_patches = true;                     ///< false in the ELF flow: XRT has patched the stream already
  bool is_dpu_sequence = false;                  ///< the control code is of the form before transactions
  const std::atomic<bool>* cancelled = nullptr;  ///< ends the command as aborted, soon after it becomes true
  device_memory* memory = nullptr;               ///< as the command's client has it; the NPU's if null
};

enum class command_outcome : std::uint8_t { completed, error, timeout, aborted };

/// Where the time of a command, or of several, went. Compute, launch and transfer add up to its cycles.
struct command_costs {
  std::uint64_t compute = 0;   ///< cores run or wait for their memory banks; mean of the enabled ones
  std::uint64_t launch = 0;    ///< of the rest: the firmware works (PDIs, the launch, control code)
  std::uint64_t transfer = 0;  ///< of the rest: cores wait for data, or for the result to leave
  // Cycles of all enabled cores added up, and what they did in them.
  std::uint64_t core_cycles = 0, core_running = 0, bank_stalls = 0, lock_stalls = 0, stream_stalls = 0,
                cascade_stalls = 0;
  std::uint64_t ddr_read_bytes = 0, ddr_write_bytes = 0;

  command_costs& operator+=(const command_costs& more) {
    using numbers = std::array<std::uint64_t, sizeof(command_costs) / sizeof(std::uint64_t)>;
    auto sum = std::bit_cast<numbers>(*this);
    const auto added = std::bit_cast<numbers>(more);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += added[i];
    return *this = std::bit_cast<command_costs>(sum);
  }
};

/// Modelled figures of one command. Times in cycles of the array clock (H clock).
struct command_result {
  command_outcome outcome = command_outcome::completed;
  std::string report;        ///< for error and timeout: what, where (tile, pc, register), why
  std::uint64_t cycles = 0;  ///< from the command's arrival to its completion
  std::uint64_t macs = 0;
  std::uint32_t failed_op = 0;  ///< index of the control-code operation that failed
  /// What the command did that is not established on Phoenix and was accepted; each is told once per device.
  std::vector<std::string> notes = {};
  command_costs costs = {};
};

using context_id = std::uint32_t;

/// One device. Thread-safe: commands of contexts on different columns run at the same time, those for the same columns
/// take turns in the order in which they came.
class npu {
 public:
  explicit npu(device_memory& memory);
  ~npu();
  npu(const npu&) = delete;
  npu& operator=(const npu&) = delete;

  /// The array clock: NPURT_EMU_CLOCK if it is set, else what the power mode gives.
  static unsigned clock_mhz(unsigned mode_mhz);
  /// What stands with every printed time: that it is modelled, the clock, the digest of the time model's constants.
  static std::string time_model(std::uint64_t clock_hz);
  /// What cannot be read of NPURT_EMU_CLOCK, NPURT_EMU_THREADS and NPURT_EMU_CORE; empty if all can. A device is not
  /// made with such settings.
  static std::string settings_problem();

  /// A partition of `columns` columns (1..4) whose tiles are in their reset state.
  /// @return nothing if no such partition is free
  std::optional<context_id> create_context(unsigned columns);
  void destroy_context(context_id context);

  /// The columns that a context is given, counted from the first usable one. They are those of one of equal partitions
  /// as wide as the widest context, so they can change with every context that comes or goes (xdna-driver
  /// aie2_ctx_runqueue.c).
  struct column_range {
    unsigned start = 0, count = 0;
  };
  column_range columns_of(context_id context) const;

  /// Registers compute unit `cu` of a context with its PDI; it is loaded when the first command for it runs, and again
  /// when another PDI was loaded in between.
  /// @return an error text, empty on success (the PDI could be parsed)
  std::string configure_cu(context_id context, std::uint32_t cu, std::vector<std::byte> pdi);

  /// The columns hold nothing any more: the device was off. PDIs are loaded with the next commands.
  void forget_configurations();

  /// Runs a command to its end. It begins, in the device's time, when its columns have done what came before, so that
  /// the times of commands on different columns overlap.
  command_result execute(context_id context, const npu_command& command);

  /// Array cycles after which a command that still moves counts as timed out; 2 s of the array clock unless set.
  void limit_cycles(std::uint64_t cycles);

  /// Everything counted so far as JSON text (what `npurt-emu --stats` writes): each command and the totals, by tile and
  /// DMA channel. Columns of a command are its context's, those of the totals the device's usable ones.
  std::string statistics() const;

  /// From now on, a timeline is kept, of at most `limit` events (32 bytes each) and as many firmware operations; what
  /// comes after is counted.
  void record_timeline(std::size_t limit);
  /// The timeline so far, as Perfetto opens it.
  void write_timeline(std::ostream& out) const;
  /// Its events for the timeline of a host (timeline.hpp: write_events_beside_host); nothing if none is kept.
  void write_timeline_beside_host(std::ostream& out, std::uint64_t origin_ns) const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace npurt::emu
