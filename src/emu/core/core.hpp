// SPDX-License-Identifier: Apache-2.0
// One AIE2 core: fetches bundles from its program memory and executes them cycle by cycle.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace npurt::emu {

/// The banks of a core tile's memory that were claimed in a cycle, one bit each: 2 * (offset / 16384) + offset / 16
/// % 2.
struct bank_claims {
  static constexpr std::size_t span = 512;  ///< a power of two
  std::uint64_t cycle = 0;
  std::uint8_t taken = 0;
  std::array<std::uint8_t, span> known{};  ///< by cycle % span: what others are known to take before the core asks
};

struct core_position {
  unsigned col = 0, row = 0;
};

/// What a core reaches outside itself; the core tile implements it, tests and npurt-core too.
/// All calls are made from core::step() or core::run(), in the cycle they belong to.
class core_ports {
 public:
  virtual ~core_ports() = default;

  /// The bytes behind a core data address (0x40000 south, 0x50000 west, 0x60000 north, 0x70000 own tile), or nullptr if
  /// [address, address + size) is not mapped. Constant while the array stands, so the core may cache it per window.
  virtual std::byte* data(std::uint32_t address, std::uint32_t size) = 0;

  /// Claims the memory banks of an access in this cycle; false: lost arbitration, the core stalls and asks again.
  virtual bool claim_banks(std::uint32_t address, std::uint32_t size) = 0;

  /// Where claim_banks() keeps its claims of the 64 KiB window at `address`, so that a core may claim by itself: those
  /// of an earlier cycle than the current one of clock() are void. nullptr, nullptr: it always asks claim_banks().
  virtual bank_claims* claims(std::uint32_t /*address*/) { return nullptr; }
  /// Number of the current cycle, while core::step() or core::run() begins it; core::run() counts on from it.
  virtual const std::uint64_t* clock() { return nullptr; }

  /// Lock ids as the core numbers them: 0-15 south, 16-31 west, 32-47 north, 48-63 own tile.
  /// @return true if taken; false: the core stalls and asks again next cycle
  virtual bool acquire_lock(unsigned id, int value) = 0;
  virtual void release_lock(unsigned id, int value) = 0;
  /// Asked before every release_lock(); false: the core stalls (stall::lock, so that run() returns) and asks again.
  virtual bool may_release_lock(unsigned id) { return id < 64; }

  /// Stream words; nothing / false: port empty / full. The core stalls in blocking forms.
  virtual std::optional<std::uint32_t> read_stream(unsigned port, bool& last) = 0;
  virtual bool write_stream(unsigned port, std::uint32_t word, bool last) = 0;

  /// Asked before a stream move that does not wait (.nb); false: not now, the core stalls and asks again.
  virtual bool may_poll_streams() { return true; }
  /// Where the core stands, as the packet headers that it makes name their source.
  virtual core_position position() const { return {}; }

  /// Cascade, 512 bits.
  virtual bool read_cascade(std::span<std::byte, 64> value) = 0;
  virtual bool write_cascade(std::span<const std::byte, 64> value) = 0;

  /// Registers of the own tile over the processor bus (lda.tm, st.tm); nothing / false: not now, the core stalls and
  /// asks again. A core without a tile has none: they read 0.
  virtual std::optional<std::uint32_t> read_register(std::uint32_t /*offset*/) { return 0; }
  virtual bool write_register(std::uint32_t /*offset*/, std::uint32_t /*value*/) { return true; }

  /// An instruction event (0 or 1) or user event for trace and counters.
  virtual void event(unsigned number) = 0;
};

/// Why a core does not advance.
enum class stall : std::uint8_t { none, memory, lock, stream_in, stream_out, cascade_in, cascade_out };

/// What went wrong in the program; the core halts and keeps its state for the report.
struct core_fault {
  std::uint32_t pc = 0;
  std::string bundle;  ///< its text, or its bytes when it cannot be decoded
  std::string cause;   ///< category and detail, e.g. "not built: instruction VSHUFFLE"
};

struct core_counters {
  std::uint64_t cycles = 0;               ///< while enabled
  std::uint64_t bundles = 0;              ///< issued
  std::uint64_t macs = 0;                 ///< multiply-accumulates of vector instructions
  std::array<std::uint64_t, 7> stalls{};  ///< cycles, by `stall`
};

/// What executes the bundles; results, cycles, stalls and faults are the same.
enum class engine : std::uint8_t {
  reference,  ///< the plain machine of pipeline.hpp
  fast,       ///< the same, and host code for what is executed often (translate/); reference where there is none
  eager,      ///< fast without waiting for anything to be executed often, for tests
};

/// The value of NPURT_EMU_CORE (reference, fast or eager); fast if it is not set.
/// @throws std::invalid_argument for another value
engine default_engine();

/// The registers of the hardware loop.
struct hardware_loop {
  std::uint32_t start = 0, end = 0, count = 0;
};

/// State as plain data behind the pointer; one core is used by one thread at a time.
class core {
 public:
  static constexpr std::size_t program_bytes = 16 * 1024;

  explicit core(core_ports& ports, engine which = default_engine());
  ~core();
  core(core&&) noexcept;
  core& operator=(core&&) noexcept;

  /// Registers zero, pipeline empty, pc 0, not enabled. Program memory stays.
  void reset();
  void enable(bool on);
  bool enabled() const;

  /// Writes program memory; what was decoded from it is forgotten.
  void write_program(std::uint32_t offset, std::span<const std::byte> bytes);
  std::span<const std::byte> program() const;

  /// One clock cycle.
  void step();

  /// Runs up to `cycles` cycles, stopping early when the core stalls on a lock, stream or cascade, halts or faults.
  /// @return cycles consumed
  std::uint64_t run(std::uint64_t cycles);

  bool done() const;  ///< executed the done instruction; what is in flight lands in the cycles that run() still uses
  const std::optional<core_fault>& fault() const;
  stall waiting() const;          ///< why the last cycle did not advance
  unsigned waiting_lock() const;  ///< id and value of the acquire that stalls
  int waiting_lock_value() const;
  std::uint32_t pc() const;  ///< of the next bundle, or of the stalled one
  void set_pc(std::uint32_t pc);
  hardware_loop loop() const;
  const core_counters& counters() const;

  /// Register by its assembly name, little-endian bytes of its full width. @throws std::out_of_range
  std::span<std::byte> reg(std::string_view name);

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace npurt::emu
