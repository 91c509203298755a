// SPDX-License-Identifier: Apache-2.0
// Control code: the operations that the NPU's firmware runs for one command, transaction forms 0.1 and 1.0 and the
// DPU sequences before them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "binfmt/format_error.hpp"

namespace npurt::binfmt {

enum class control_op : std::uint8_t {
  write = 0,
  block_write = 1,
  mask_write = 3,
  mask_poll = 4,
  noop = 5,
  preempt = 6,
  mask_poll_busy = 7,
  load_pdi = 8,
  load_pm_start = 9,
  create_scratchpad = 10,
  update_state_table = 11,
  update_reg = 12,
  update_scratch = 13,
  tct_sync = 0x80,
  ddr_patch = 0x81,
  read_regs = 0x82,
  record_timer = 0x83,
  merge_sync = 0x84,
};
std::string to_string(control_op op);

/// Waits for one token of every tile of a rectangle, of the same direction and channel.
struct tct_sync_operands {
  std::uint8_t direction = 0;  ///< 0 S2MM, 1 MM2S
  std::uint8_t col = 0;
  std::uint8_t row = 0;
  std::uint8_t columns = 0;
  std::uint8_t rows = 0;
  std::uint8_t channel = 0;
};

/// What update_state_table and update_reg do with an entry of the state table and their operand.
enum class state_function : std::uint8_t { multiply = 0, increase = 1, decrease = 2 };

/// One operation; fields that an op lacks are 0.
struct control_operation {
  control_op op = control_op::noop;
  std::size_t offset = 0;  ///< bytes from the start of the stream
  std::size_t size = 0;    ///< bytes
  /// write, block_write, mask_write, mask_poll: register; ddr_patch, update_reg: the BD's address word;
  /// create_scratchpad: of the host's memory.
  std::uint64_t address = 0;
  /// write, mask_write, mask_poll; update_state_table, update_reg: operand; create_scratchpad: bytes; load_pm_start:
  /// operations that load program memory.
  std::uint32_t value = 0;
  std::uint32_t mask = 0;             ///< mask_write, mask_poll
  tct_sync_operands sync;             ///< tct_sync
  std::uint32_t argument = 0;         ///< ddr_patch: host buffer, bo0 = 0
  std::uint64_t argument_offset = 0;  ///< ddr_patch: bytes
  /// preempt: level; load_pdi: PDI; load_pm_start: program; create_scratchpad: use; update_state_table, update_reg:
  /// entry.
  std::uint32_t id = 0;
  state_function function{};        ///< update_state_table, update_reg
  std::uint64_t pdi_address = 0;    ///< load_pdi
  std::uint32_t pdi_size = 0;       ///< load_pdi
  std::vector<std::uint32_t> data;  ///< block_write: words; read_regs, record_timer: payload
  std::uint8_t tokens = 0;          ///< merge_sync: of any channels
  std::uint8_t columns = 0;         ///< merge_sync: of so many, from the first
};

struct control_code {
  std::uint8_t major = 0;  ///< 0.1 or 1.0; 0.0 for a DPU sequence
  std::uint8_t minor = 0;
  std::uint8_t generation = 0;  ///< 3 npu1, 4 npu2
  std::uint8_t rows = 0;
  std::uint8_t columns = 0;
  std::uint8_t memtile_rows = 0;
  std::uint32_t bytes = 0;  ///< of the stream with its header
  std::vector<control_operation> operations;
};

/// Decodes a whole stream; bytes after the length that its header states are not looked at.
/// @throws format_error for a wrong header, a truncated, malformed or unknown operation
control_code read_control_code(std::span<const std::byte> bytes);

/// Decodes a DPU sequence, the form before transactions (Riallto, mlir-aie until early 2024): operations without a
/// header, to the end of `bytes`, of version 0.0. They come out as those of transactions; the BD of a shim as its block
/// write and the patch of its address.
/// @throws format_error for a truncated operation, or one whose layout is unknown
control_code read_dpu_sequence(std::span<const std::byte> bytes);

}  // namespace npurt::binfmt
