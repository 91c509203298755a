// SPDX-License-Identifier: Apache-2.0
// The exposed pipeline of one core: instructions in flight, what each cycle reads and writes, stalls and the next pc.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "emu/core/decode_cache.hpp"

namespace npurt::emu {

namespace translate {
class fast_engine;
}

/// The core behind emu::core. A cycle: gates (may stall), reads of older instructions, issue, writes.
class machine {
 public:
  explicit machine(core_ports& ports);

  void reset();
  void cycle();  ///< one clock cycle while enabled
  bool halted() const { return finished_ && flying_ == 0; }

  /// @name For semantics
  /// @{
  /// Continues at `target` after the five delay slots.
  void branch(std::uint32_t target);
  std::uint32_t return_address(const frame& f);  ///< of the bundle after the delay slots of `f`
  void finish() { finished_ = true; }
  core_ports& ports() { return *ports_; }
  /// The bytes behind an access. @throws core_error if unaligned or not mapped
  std::byte* memory(std::uint32_t address, std::uint32_t size);
  /// @}

  register_file registers;
  std::array<std::byte, core::program_bytes> program{};
  decode_cache decoded;
  core_counters counters;
  std::optional<core_fault> fault;
  std::uint32_t pc = 0;
  bool enabled = false;
  stall waiting = stall::none;
  std::uint32_t stalled_pc = 0;
  unsigned waiting_lock = 0;
  int waiting_lock_value = 0;
  bool finished() const { return finished_; }
  void resume() { finished_ = false; }
  std::vector<const operation*> in_flight() const;
  hardware_loop loop() const { return {registers.word(ls_), registers.word(le_), registers.word(lc_)}; }

 private:
  friend class translate::fast_engine;  ///< takes over what is in flight, and gives it back

  static constexpr unsigned depth = 16;  ///< more than the last stage, E11
  static constexpr unsigned width = 96;  ///< more than one entry per stage and slot

  struct event {
    frame* f;
    timed_action what;
  };
  struct commit {
    frame* f;
    std::uint8_t stage;
  };
  template <typename T>
  struct agenda {
    std::array<T, width> entries;
    unsigned count = 0;
    void push(const T& entry) { entries[count++] = entry; }
  };
  struct pool {
    std::array<frame, depth * 8> frames;
    std::array<std::uint16_t, depth * 8> free;
    unsigned free_count = 0;
  };

  bool pass_gates();
  bool pass(frame& f);
  bool pass_gather(frame& f);
  bool pass_lock(frame& f);
  bool pass_bus(frame& f);
  bool pass_stream_in(frame& f);
  bool pass_stream_out(frame& f);
  bool stop_for(stall why, const frame& f);
  void issue();
  void start(const operation& op);
  void form_address(frame& f);
  void perform(const event& e);
  void read_memory(frame& f);
  void sample(frame& f, unsigned use);
  const std::byte* bypassed(const frame& f, const use_operand& use, std::byte* buffer);
  void gather_uses(frame& f, std::uint8_t stage, bool hold);
  void write(const commit& c);
  void write_register(const frame& f, const def_operand& def);
  void write_memory(frame& f);
  std::uint32_t next_pc(std::uint32_t following);
  void record_fault(std::uint32_t at, std::string cause);
  frame* allocate();

  core_ports* ports_;
  std::unique_ptr<pool> pool_;
  std::array<agenda<commit>, depth> gates_{};
  std::array<agenda<event>, depth> actions_{};
  std::array<agenda<commit>, depth> commits_{};
  std::array<std::byte*, 16> windows_{};
  std::uint64_t now_ = 0;
  unsigned gates_passed_ = 0;
  unsigned flying_ = 0;
  unsigned frozen_ = 0;       ///< cycles that a lock request still costs
  unsigned delay_slots_ = 0;  ///< bundles until branch_target_ is taken
  bool branched_ = false;
  std::uint32_t branch_target_ = 0;
  bool finished_ = false;
  const frame* current_ = nullptr;  ///< for the report of a fault
  std::uint16_t ls_, le_, lc_;
};

}  // namespace npurt::emu
