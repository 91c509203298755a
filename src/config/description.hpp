// SPDX-License-Identifier: Apache-2.0
// A design for the array as its author writes it: memories, locks, transfers, routes and programs by tile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "aie/dma.hpp"
#include "aie/geometry.hpp"
#include "aie/stream_switch.hpp"

namespace npurt::config {

/// A description that no array can carry out, or a tool that refused it.
class config_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A named part of a tile's data memory.
struct buffer {
  aie::tile_id tile;
  std::string name;
  std::uint32_t offset = 0;             ///< bytes from the start of the tile's memory
  std::uint32_t size = 0;               ///< bytes
  std::vector<std::byte> initial = {};  ///< contents at load, at most `size` bytes; memory is zero otherwise
};

struct lock {
  aie::tile_id tile;
  std::uint8_t id = 0;
  std::uint8_t initial = 0;  ///< 0..63
};

/// A buffer descriptor of a core tile or memtile on a buffer of the same tile.
struct transfer {
  aie::tile_id tile;
  std::uint8_t bd = 0;
  std::string buffer;
  /// `address` counts bytes from the buffer's start, lock ids are the tile's own (0 to 15 or 63), `valid` is implied.
  aie::dma_bd descriptor;
};

/// A task that runs from the start.
struct start {
  aie::tile_id tile;
  aie::dma_direction direction;
  std::uint8_t channel = 0;
  aie::dma_task task;
};

/// A circuit from a slave port (source) to a master port (destination). On shims {dma, n} is the port behind the mux.
struct flow {
  aie::tile_port from;
  aie::tile_port to;
};

/// A route for packets of one id. Several from one source with one id are a broadcast.
struct packet_flow {
  aie::tile_port from;
  aie::tile_port to;
  std::uint8_t id = 0;
  bool drop_header = false;  ///< at the destination, where all packets lose it or none
};

struct core_program {
  aie::tile_id tile;
  std::vector<std::byte> elf;
};

struct array_description {
  std::string name;          ///< of the kernel
  std::uint8_t columns = 1;  ///< of the partition
  std::uint8_t buffers = 0;  ///< host buffers bo0.. that a call passes
  std::vector<buffer> memory;
  std::vector<lock> locks;
  std::vector<transfer> transfers;
  std::vector<start> starts;
  std::vector<flow> flows;
  std::vector<packet_flow> packet_flows;
  std::vector<core_program> programs;
  std::vector<std::byte> user_metadata;  ///< section USER_METADATA of the XCLBIN, for its host program; none if empty
};

/// The packet id of task-complete tokens of shims, which leave by South 0 (mlir-aie; all 34 real npu1 PDIs).
inline constexpr std::uint8_t token_packet_id = 15;

/// Routes the task-complete tokens of the shims of all columns to the firmware.
std::vector<packet_flow> token_flows(std::uint8_t columns);

/// Checks everything that can be said without routing.
/// @throws config_error naming tile and part
void validate(const array_description& design);

}  // namespace npurt::config
