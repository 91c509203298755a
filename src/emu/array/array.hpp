// SPDX-License-Identifier: Apache-2.0
// The emulated array of one partition as the firmware sees it: a configuration bus, a clock, tokens.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "aie/dma.hpp"
#include "aie/geometry.hpp"
#include "emu/array/array_error.hpp"
#include "emu/array/ddr_port.hpp"

namespace npurt::emu {

/// What a core has counted. Stalls by cause, as in `stall` (core.hpp), cycles asleep included.
struct core_statistics {
  aie::tile_id tile;
  std::uint64_t cycles = 0, bundles = 0, macs = 0;
  std::array<std::uint64_t, 7> stalls{};
};

/// What a DMA channel has counted. Busy: from tasks' starts to their ends, waiting included. Waits by cause: none
/// (start-up), lock, stream, memory (DDR bandwidth), token.
struct channel_statistics {
  aie::tile_id tile;
  aie::dma_direction direction{};
  std::uint8_t channel = 0;
  std::uint64_t words = 0, bds = 0, tasks = 0, busy = 0;
  std::array<std::uint64_t, 5> waits{};
};

/// Words that left a switch by a master port.
struct link_statistics {
  aie::tile_id tile;
  std::uint8_t master = 0;
  std::uint64_t words = 0;
};

struct array_statistics {
  std::uint64_t cycles = 0;
  std::uint64_t ddr_read_bytes = 0, ddr_write_bytes = 0;
  std::vector<core_statistics> cores;                                ///< in order of agents; every core
  std::vector<channel_statistics> channels;                          ///< in order of agents; every channel
  std::vector<link_statistics> links;                                ///< every master port of every tile
  std::map<std::string, std::uint64_t, std::less<>> ignored_writes;  ///< known registers without an effect here
};

/// What a firmware's sync waits for.
struct awaited_token {
  aie::tile_id tile;
  aie::dma_direction direction{};
  std::uint8_t channel = 0;
};

struct partition;
class recorder;

class array {
 public:
  /// @param memory  must outlive the array
  array(aie::geometry shape, ddr_port& memory);
  ~array();
  array(array&&) noexcept;
  array& operator=(array&&) noexcept;

  /// The configuration bus; addresses as in aie::pack_address, columns counted from the partition's first.
  /// @throws array_error for an address that no register or memory has, and for what is known but not built
  void write(std::uint32_t address, std::uint32_t value);
  void write(std::uint32_t address, std::span<const std::uint32_t> words);
  void mask_write(std::uint32_t address, std::uint32_t value, std::uint32_t mask);
  std::uint32_t read(std::uint32_t address);

  /// Memories, locks, BDs, routes and cores as after a reset of the columns; time and statistics go on.
  void reset();
  /// Host buffers may have changed: pointers into them are asked for again.
  void forget_translations();

  enum class run_end : std::uint8_t { reached, token, quiet, spinning };
  /// Lets time pass to cycle `until`. Returns earlier when a token arrives (if `stop_at_token`), or when nothing can
  /// move any more (quiet, time stands where the last thing happened; only if `stop_when_quiet`), or when cores have
  /// run for timing::spin_cycles while no lock was touched and no word moved (spinning; likewise).
  /// @throws array_error when a core or DMA channel does what it must not
  run_end run(std::uint64_t until, bool stop_at_token, bool stop_when_quiet);
  /// The array clock, which decides how many bytes DDR moves in a cycle; timing::clock_hz() unless set.
  void set_clock(std::uint64_t hz);
  /// Host threads that execute cores, this one included; 0: every core steps in every cycle. Results, cycles and
  /// statistics are the same for every number, except that after an error the cores without one may have gone further
  /// than in lockstep. NPURT_EMU_THREADS or the host's processors unless set.
  void use_threads(unsigned threads);
  std::uint64_t now() const;
  /// A trace unit runs or has words for its stream.
  bool traces() const;
  /// A shim's S2MM channel has a task that is not done.
  bool awaits_output() const;
  /// Nothing will move any more without a write from outside.
  bool quiet() const;

  /// Takes one arrived task-complete token of that channel, if there is one.
  bool take_token(aie::tile_id tile, aie::dma_direction direction, unsigned channel);

  /// Takes the first to arrive of the tokens of all channels of the first `columns` columns, if there is one.
  bool take_any_token(unsigned columns);

  /// Why nothing moves: sentences that follow who waits for whom to the cause or the cycle ("why: ..."; from the
  /// awaited token if there is one, else from everybody who waits), then what each core and channel that is not idle
  /// waits for, one line each. Meant for an array that is quiet. Empty if nobody waits.
  std::string waiting_report(const std::optional<awaited_token>& awaited = std::nullopt) const;
  /// Counts since the array was built, up to now: what still sleeps or runs a task counts so far.
  array_statistics statistics() const;
  /// Cycles that cores have run or waited for memory banks since the array was built, added up.
  std::uint64_t core_running() const;

  /// Everything that happens from now on is told to the recorder, as the array `owner`, whose now is cycle `at` of the
  /// recorder's timeline; nullptr ends it and closes what is open.
  void watch(recorder* observer, std::uint16_t owner = 0, std::uint64_t at = 0);

 private:
  std::unique_ptr<partition> partition_;
};

}  // namespace npurt::emu
