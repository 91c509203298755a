// SPDX-License-Identifier: Apache-2.0
// A core and what it reaches: the data memories and locks around it, its stream ports, its cascade.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "emu/array/agent_set.hpp"
#include "emu/array/dma_channel.hpp"
#include "emu/array/locks.hpp"
#include "emu/array/timing.hpp"
#include "emu/core/core.hpp"

namespace npurt::emu {

struct partition;
struct tile;

class core_tile final : public core_ports {
 public:
  core_tile(partition& owner, aie::tile_id id);

  std::byte* data(std::uint32_t address, std::uint32_t size) override;
  bool claim_banks(std::uint32_t address, std::uint32_t size) override;
  bool acquire_lock(unsigned id, int value) override;
  void release_lock(unsigned id, int value) override;
  std::optional<std::uint32_t> read_stream(unsigned port, bool& last) override;
  bool write_stream(unsigned port, std::uint32_t word, bool last) override;
  bool read_cascade(std::span<std::byte, 64> value) override;
  bool write_cascade(std::span<const std::byte, 64> value) override;
  void event(unsigned number) override;

  /// One cycle; puts the core to sleep when it waits for a lock, stream or cascade.
  /// @throws array_error with pc and bundle when the program faults
  void step();
  void write_control(std::uint32_t value);
  std::uint32_t status() const;
  void reset();

  aie::tile_id id() const { return id_; }
  agent_id agent() const { return agent_; }
  core& processor() { return core_; }
  const core& processor() const { return core_; }
  /// Since the array was built; cycles asleep count as stalls, resets do not clear.
  core_counters counters() const;

 private:
  struct window {
    tile* at;
    std::uint32_t offset;
  };
  /// The tile and offset behind a data address; nothing where no core tile is.
  std::optional<window> find(std::uint32_t address, std::uint32_t size) const;
  tile* neighbour(unsigned side) const;  // 0 south, 1 west, 2 north, 3 own
  lock& find_lock(unsigned id) const;
  core_tile* cascade_target() const;
  void fall_asleep();
  void count_sleep();

  struct cascade_fifo {
    std::array<std::array<std::byte, 64>, timing::cascade_entries> entries;
    unsigned head = 0, size = 0;
  };

  partition& partition_;
  aie::tile_id id_;
  agent_id agent_;
  core core_;
  bool in_reset_ = true;
  cascade_fifo cascade_;       // values on their way to this core
  agent_set cascade_writers_;  // asleep until this core takes a value
  std::uint64_t last_step_ = 0;
  core_counters before_reset_;  // what core_'s own counters do not hold
};

}  // namespace npurt::emu
