// SPDX-License-Identifier: Apache-2.0
// An array without firmware whose cores multiply in every cycle for ever, with or without DMAs beside them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "aie/dma.hpp"
#include "aie/registers.hpp"
#include "aie/stream_switch.hpp"
#include "asm/assembler.hpp"
#include "emu/array/array.hpp"

namespace npurt::bench {

class no_memory final : public emu::ddr_port {
 public:
  std::byte* translate(std::uint64_t, std::uint64_t, emu::memory_access) override { return nullptr; }
};

class busy_cores {
 public:
  /// @param cores  1 to 16
  /// @param program  its first section, which goes to address 0 of every core
  /// @param dma  in every tile MM2S 0 sends 4 KiB to S2MM 0 for ever, both in the upper half of the memory
  busy_cores(unsigned cores, unsigned threads, const std::string& program, bool dma) {
    const auto assembled = assembler::assemble(program, "busy");
    if (!assembled) throw std::runtime_error(to_string(assembled.error().front()));
    code_.resize((assembled->sections.at(0).bytes.size() + 3) / 4);
    std::memcpy(code_.data(), assembled->sections.at(0).bytes.data(), assembled->sections.at(0).bytes.size());
    for (unsigned i = 0; i < cores; ++i)
      start({static_cast<std::uint8_t>(i / 4), static_cast<std::uint8_t>(2 + i % 4)}, dma);
    tiles_.use_threads(threads);
    run(warm_up_cycles);
  }

  void run(std::uint64_t cycles) { tiles_.run(tiles_.now() + cycles, false, false); }

 private:
  static constexpr std::uint64_t warm_up_cycles = 2000;

  void write(aie::tile_id t, std::uint32_t offset, std::uint32_t value) {
    tiles_.write(aie::pack_address({t, offset}), value);
  }

  void start(aie::tile_id t, bool dma) {
    tiles_.write(aie::pack_address({t, aie::reg::core_program_memory}), code_);
    if (dma) start_dma(t);
    write(t, aie::reg::core_control, 2);
    write(t, aie::reg::core_control, 0);
    write(t, aie::reg::core_control, 1);
  }

  void start_dma(aie::tile_id t) {
    constexpr auto kind = aie::tile_kind::core;
    const auto slave = *aie::slave_number(kind, {aie::bundle::dma, 0});
    const auto master = *aie::master_number(kind, {aie::bundle::dma, 0});
    write(t, aie::slave_offset(kind, slave), aie::pack_slave({.enable = true}));
    write(t, aie::master_offset(kind, master), aie::pack_master({.enable = true, .slave = slave}));
    for (std::uint8_t bd = 0; bd < 2; ++bd) {
      const auto words = aie::pack_bd(
          kind, {.address = 0x8000u + 0x4000u * bd, .length = 1024, .valid = true, .use_next = true, .next_bd = bd});
      for (unsigned i = 0; i < aie::resources(kind).bd_words; ++i) write(t, aie::bd_offset(kind, bd) + 4 * i, words[i]);
    }
    write(t, aie::dma_queue_offset(kind, aie::dma_direction::s2mm, 0), aie::pack_task({0, 1, false}));
    write(t, aie::dma_queue_offset(kind, aie::dma_direction::mm2s, 0), aie::pack_task({1, 1, false}));
  }

  std::vector<std::uint32_t> code_;
  no_memory memory_;
  emu::array tiles_{aie::npu1, memory_};
};

}  // namespace npurt::bench
