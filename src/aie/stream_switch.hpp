// SPDX-License-Identifier: Apache-2.0
// Stream switches: ports, their numbers, the wires between tiles, and the configuration words.
// Source: AM025 register database (mlir-aie aie_registers_aie2.json), mlir-aie AIETargetModel; checked on real PDIs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "aie/dma.hpp"
#include "aie/geometry.hpp"

namespace npurt::aie {

/// A port's side or partner (mlir-aie's WireBundle).
enum class bundle : std::uint8_t { core, dma, tile_control, fifo, south, west, north, east, trace };

/// A port of one switch. A master sends out of the switch, a slave receives into it.
struct port {
  bundle side;
  std::uint8_t index = 0;
  auto operator<=>(const port&) const = default;
};
std::string to_string(port p);

/// A switch port somewhere in the array.
struct tile_port {
  tile_id tile;
  port p;
  auto operator<=>(const tile_port&) const = default;
};

/// Position of a port among the masters / slaves of its switch; nothing if this kind of tile lacks it.
std::optional<std::uint8_t> master_number(tile_kind kind, port p);
std::optional<std::uint8_t> slave_number(tile_kind kind, port p);
std::optional<port> master_port(tile_kind kind, unsigned number);
std::optional<port> slave_port(tile_kind kind, unsigned number);
unsigned master_count(tile_kind kind);
unsigned slave_count(tile_kind kind);

/// Whether the switch of this kind of tile can connect the slave to the master (AIETargetModel::isLegalTileConnection).
bool can_connect(tile_kind kind, port slave, port master);

/// The slave port that a master port on a tile's edge is wired to; nothing at the array's border or inside the tile.
std::optional<tile_port> wire(const geometry& array, tile_port master);

/// Register offsets within a tile.
std::uint32_t master_offset(tile_kind kind, unsigned number);
std::uint32_t slave_offset(tile_kind kind, unsigned number);
std::uint32_t slot_offset(tile_kind kind, unsigned slave_number, unsigned slot);
/// Deterministic merge of arbiter 0 or 1: slaves 0 and 1 at +0, 2 and 3 at +4, ctrl at +8.
std::uint32_t merge_offset(tile_kind kind, unsigned arbiter);

struct master_config {
  bool enable = false;
  bool packet = false;
  bool drop_header = false;
  std::uint8_t slave = 0;    ///< circuit: slave number
  std::uint8_t arbiter = 0;  ///< packet
  std::uint8_t msel_mask = 0;
};
struct slave_config {
  bool enable = false;
  bool packet = false;
};
struct slot_config {
  bool enable = false;
  std::uint8_t id = 0;
  std::uint8_t mask = 0;
  std::uint8_t msel = 0;
  std::uint8_t arbiter = 0;
};
std::uint32_t pack_master(const master_config& c);
master_config unpack_master(std::uint32_t word);
std::uint32_t pack_slave(const slave_config& c);
slave_config unpack_slave(std::uint32_t word);
std::uint32_t pack_slot(const slot_config& c);
slot_config unpack_slot(std::uint32_t word);

/// Shim mux (into the switch) and demux (out of the switch) registers; the DMA sits behind South ports:
/// MM2S 0 -> South slave 3, MM2S 1 -> South slave 7; South master 2 -> S2MM 0, South master 3 -> S2MM 1.
inline constexpr std::uint32_t shim_mux_offset = 0x1F000;
inline constexpr std::uint32_t shim_demux_offset = 0x1F004;
enum class shim_mux_select : std::uint8_t { pl = 0, dma = 1, noc = 2 };
port shim_dma_port(dma_direction direction, unsigned channel);
/// Bits of the mux (MM2S) or demux (S2MM) register that belong to a DMA channel: lsb of a 2-bit field.
unsigned shim_mux_lsb(dma_direction direction, unsigned channel);

}  // namespace npurt::aie
