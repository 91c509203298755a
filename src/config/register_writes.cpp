// SPDX-License-Identifier: Apache-2.0
// Order of the writes: 28 of 34 single-core npu1 PDIs made by mlir-aie are identical in it (array.md section 6).
#include "config/register_writes.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "aie/registers.hpp"
#include "binfmt/elf.hpp"
#include "binfmt/little_endian.hpp"
#include "config/router.hpp"

namespace npurt::config {

namespace {

using aie::dma_direction;
using aie::tile_id;
using aie::tile_kind;

constexpr std::uint32_t core_enable = 1;
constexpr std::uint32_t core_reset = 2;
constexpr std::uint32_t channel_reset = 2;
constexpr std::uint32_t memtile_own_memory = 0x80000;  // below and above it a memtile's BDs address its neighbours
constexpr std::uint8_t memtile_own_locks = 64;

class writer {
 public:
  writer(tile_id tile, std::vector<register_write>& out) : tile_(tile), out_(out) {}

  void word(std::uint32_t offset, std::uint32_t value) {
    out_.push_back({.how = register_write::form::word, .address = address(offset), .value = value, .data = {}});
  }
  void mask(std::uint32_t offset, std::uint32_t mask, std::uint32_t value) {
    out_.push_back(
        {.how = register_write::form::mask, .address = address(offset), .mask = mask, .value = value, .data = {}});
  }
  void block(std::uint32_t offset, std::vector<std::uint32_t> data) {
    out_.push_back({.how = register_write::form::block, .address = address(offset), .data = std::move(data)});
  }

 private:
  std::uint32_t address(std::uint32_t offset) const { return aie::pack_address({tile_, offset}); }

  tile_id tile_;
  std::vector<register_write>& out_;
};

/// Bytes as words, filled up with zeros to `size` bytes and to a whole word.
std::vector<std::uint32_t> words_filled(std::span<const std::byte> bytes, std::size_t size) {
  std::vector<std::byte> filled(bytes.begin(), bytes.end());
  filled.resize((size + 3) / 4 * 4);
  return binfmt::words_of(filled);
}

class lowering {
 public:
  explicit lowering(const array_description& design) : design_(design), array_(aie::npu1), routes_(route(design)) {
    array_.columns = design.columns;
    for (const core_program& p : design.programs) {
      load_program(p);
    }
    reset_memtile_channels();
    for (const core_program& p : design.programs) {
      initialise_core(p);
    }
    write_locks();
    write_buffers();
    write_transfers();
    write_starts();
    write_switches();
    write_muxes();
    for (const core_program& p : design.programs) {
      writer(p.tile, result_.enable).mask(aie::reg::core_control, core_enable, core_enable);
    }
  }
  register_program take() { return std::move(result_); }

 private:
  void reset_channels(tile_id tile, std::uint32_t value, std::vector<register_write>& out) const {
    const tile_kind kind = array_.kind(tile);
    for (const auto direction : {dma_direction::s2mm, dma_direction::mm2s}) {
      for (unsigned channel = 0; channel < aie::resources(kind).dma_channels; ++channel) {
        writer(tile, out).mask(aie::dma_ctrl_offset(kind, direction, channel), channel_reset, value);
      }
    }
  }

  void load_program(const core_program& program) {
    writer to(program.tile, result_.elfs);
    to.mask(aie::reg::core_control, core_enable, 0);
    reset_channels(program.tile, channel_reset, result_.elfs);
    for (const binfmt::elf_segment& s : binfmt::read_elf_segments(program.elf)) {
      if (s.executable) {
        load_code(program.tile, s);
      } else {
        data_segments_.emplace_back(program.tile, s);
      }
    }
    reset_channels(program.tile, 0, result_.elfs);
  }

  void load_code(tile_id tile, const binfmt::elf_segment& s) {
    const std::uint32_t memory = aie::resources(tile_kind::core).program_memory;
    if (s.address % 4 != 0 || s.address > memory || s.memory_size > memory - s.address) {
      throw config_error("tile " + aie::to_string(tile) + ": program segment of " + std::to_string(s.memory_size) +
                         " bytes at " + std::to_string(s.address) + " lies outside the program memory");
    }
    writer(tile, result_.elfs).block(aie::reg::core_program_memory + s.address, words_filled(s.data, s.memory_size));
  }

  /// A core sees its neighbours' memories and its own in windows of 64 KB (aie-rt xaie_elfloader.c).
  tile_id window_owner(tile_id core, const binfmt::elf_segment& s) const {
    tile_id owner = core;
    switch (s.address >> 16) {
      case 4:
        --owner.row;
        break;
      case 5:
        --owner.col;
        break;
      case 6:
        ++owner.row;
        break;
      case 7:
        break;
      default:
        owner.row = 0;
        break;
    }
    const std::uint32_t memory = aie::resources(tile_kind::core).data_memory;
    const bool inside = (s.address & 0xFFFF) % 4 == 0 && s.memory_size <= memory - (s.address & 0xFFFF);
    if (!array_.contains(owner) || array_.kind(owner) != tile_kind::core || !inside) {
      throw config_error("tile " + aie::to_string(core) + ": data segment of " + std::to_string(s.memory_size) +
                         " bytes at " + std::to_string(s.address) + " lies in no core memory that this core reaches");
    }
    return owner;
  }

  /// A PDI can be loaded over another one; the channels of memtiles must not go on with the other's tasks.
  void reset_memtile_channels() {
    std::set<tile_id> memtiles;
    for (const transfer& t : design_.transfers) {
      if (array_.kind(t.tile) == tile_kind::memtile) {
        memtiles.insert(t.tile);
      }
    }
    for (const tile_id tile : memtiles) {
      reset_channels(tile, channel_reset, result_.init);
      reset_channels(tile, 0, result_.init);
    }
  }

  void initialise_core(const core_program& program) {
    writer to(program.tile, result_.init);
    to.mask(aie::reg::core_control, core_reset, core_reset);
    to.mask(aie::reg::core_control, core_reset, 0);
    for (unsigned lock = 0; lock < aie::resources(tile_kind::core).locks; ++lock) {
      to.word(aie::lock_value_offset(tile_kind::core, lock), 0);
    }
  }

  void write_locks() {
    for (const lock& l : design_.locks) {
      writer(l.tile, result_.init).word(aie::lock_value_offset(array_.kind(l.tile), l.id), l.initial);
    }
  }

  void write_buffers() {
    for (const auto& [core, s] : data_segments_) {
      writer(window_owner(core, s), result_.init).block(s.address & 0xFFFF, words_filled(s.data, s.memory_size));
    }
    for (const buffer& b : design_.memory) {
      if (!b.initial.empty()) {
        writer(b.tile, result_.init).block(b.offset, words_filled(b.initial, b.initial.size()));
      }
    }
  }

  void write_transfers() {
    for (const transfer& t : design_.transfers) {
      const tile_kind kind = array_.kind(t.tile);
      aie::dma_bd bd = t.descriptor;
      const auto at =
          std::ranges::find_if(design_.memory, [&](const buffer& b) { return b.tile == t.tile && b.name == t.buffer; });
      bd.address += at->offset;
      bd.valid = true;
      if (kind == tile_kind::memtile) {
        bd.address += memtile_own_memory;
        bd.acquire_lock = static_cast<std::uint8_t>(bd.acquire_lock + (bd.acquire_enable ? memtile_own_locks : 0));
        bd.release_lock = static_cast<std::uint8_t>(bd.release_lock + (bd.release_value != 0 ? memtile_own_locks : 0));
      }
      writer(t.tile, result_.init).block(aie::bd_offset(kind, t.bd), packed(t, kind, bd));
    }
  }

  static std::vector<std::uint32_t> packed(const transfer& t, tile_kind kind, const aie::dma_bd& bd) {
    try {
      const aie::bd_words words = aie::pack_bd(kind, bd);
      return {words.begin(), words.begin() + aie::resources(kind).bd_words};
    } catch (const std::out_of_range& e) {
      throw config_error("tile " + aie::to_string(t.tile) + ": BD " + std::to_string(t.bd) + ": " + e.what());
    }
  }

  void write_starts() {
    for (const start& s : design_.starts) {
      writer(s.tile, result_.init)
          .word(aie::dma_queue_offset(array_.kind(s.tile), s.direction, s.channel), aie::pack_task(s.task));
    }
  }

  void write_switches() {
    for (const auto& [tile, settings] : routes_.switches) {
      const tile_kind kind = array_.kind(tile);
      writer to(tile, result_.init);
      for (const auto& [master, slave] : settings.circuits) {
        const std::uint8_t number = *aie::slave_number(kind, slave);
        to.word(aie::slave_offset(kind, number), aie::pack_slave({.enable = true, .packet = false}));
        to.word(aie::master_offset(kind, *aie::master_number(kind, master)),
                aie::pack_master({.enable = true, .slave = number}));
      }
      for (const auto& [master, way] : settings.packet_masters) {
        to.word(aie::master_offset(kind, *aie::master_number(kind, master)),
                aie::pack_master({.enable = true,
                                  .packet = true,
                                  .drop_header = way.drop_header,
                                  .arbiter = way.arbiter,
                                  .msel_mask = way.msel_mask}));
      }
      for (const auto& [slave, rules] : settings.packet_slaves) {
        write_rules(to, kind, *aie::slave_number(kind, slave), rules);
      }
    }
  }

  static void write_rules(writer& to, tile_kind kind, std::uint8_t slave, const std::vector<slot_rule>& rules) {
    to.word(aie::slave_offset(kind, slave), aie::pack_slave({.enable = true, .packet = true}));
    for (unsigned slot = 0; slot < rules.size(); ++slot) {
      const slot_rule& r = rules[slot];
      to.word(aie::slot_offset(kind, slave, slot),
              aie::pack_slot({.enable = true, .id = r.id, .mask = r.mask, .msel = r.msel, .arbiter = r.arbiter}));
    }
  }

  void write_muxes() {
    for (const shim_channel& c : routes_.shim_channels) {
      const unsigned lsb = aie::shim_mux_lsb(c.direction, c.channel);
      const std::uint32_t offset = c.direction == dma_direction::mm2s ? aie::shim_mux_offset : aie::shim_demux_offset;
      writer(c.tile, result_.init)
          .mask(offset, 3U << lsb, static_cast<std::uint32_t>(aie::shim_mux_select::dma) << lsb);
    }
  }

  const array_description& design_;
  aie::geometry array_;
  routes routes_;
  register_program result_;
  std::vector<std::pair<tile_id, binfmt::elf_segment>> data_segments_;
};

}  // namespace

register_program to_register_writes(const array_description& design) {
  validate(design);
  return lowering(design).take();
}

}  // namespace npurt::config
