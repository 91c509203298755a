// SPDX-License-Identifier: Apache-2.0
// A tile's control port: packets that read and write its registers and memory.
#pragma once

#include <array>
#include <cstdint>

#include "aie/geometry.hpp"

namespace npurt::emu {

struct partition;

/// A packet is a stream header, a control word and up to four data words. Control word: [31] odd parity, [28:24] id of
/// the answer's packet, [23:22] operation, [21:20] words - 1, [19:0] offset in the tile (mlir-aie AIETargetNPU, test
/// npu-xrt/add_one_ctrl_packet). Operations: 0 write, 1 read, 2 write with increment, 3 block write; all writes go to
/// offsets that follow each other. A read is answered by a packet from the same tile's TileControl port.
struct control_port {
  enum class step_state : std::uint8_t { stream_header, control_word, data, answer, discard };
  static constexpr unsigned most_words = 4;

  /// Sticky bits of Tile_Control_Packet_Handler_Status (AM025).
  static constexpr std::uint32_t first_header_parity = 1, second_header_parity = 2, tlast_error = 8;

  step_state state = step_state::stream_header;
  std::uint32_t offset = 0;  ///< of the next word
  std::uint32_t words = 0;   ///< data words left
  std::array<std::uint32_t, 1 + most_words> answer{};
  std::uint32_t answer_words = 0, answered = 0;
  std::uint32_t status = 0;
};

/// One cycle of a tile's control port.
void step_control_port(partition& p, aie::tile_id tile);

/// A stream header of a tile: odd parity [31], column [27:21], row [20:16], type [14:12], out-of-order id [10:5], id
/// [4:0] (AM020 chapter 2; the place of the out-of-order id is a choice, see README.md).
std::uint32_t stream_header(aie::tile_id tile, unsigned type, unsigned id, unsigned out_of_order_id = 0);

}  // namespace npurt::emu
