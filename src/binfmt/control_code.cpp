// SPDX-License-Identifier: Apache-2.0
// Reads control code. Layouts: mlir-aie AIETargetNPU.cpp and aiebu; the bytes of a header word beyond the opcode are
// ignored, because AMD's own streams leave garbage in them.
#include "binfmt/control_code.hpp"

#include <stdexcept>

#include "binfmt/byte_view.hpp"

namespace npurt::binfmt {

namespace {

constexpr std::size_t header_size = 16;

/// Sizes and places of the fields of one version, in bytes from the operation's start.
struct layout {
  std::size_t size_at_write;  ///< 0: the size is fixed
  std::size_t write_size;
  std::size_t size_at_mask;
  std::size_t mask_write_size;  ///< least: mlir-aie leaves out the C struct's padding
  std::size_t mask_poll_size;
  std::size_t register_at;
  bool register_is_64;
  std::size_t value_at;
  std::size_t mask_at;
  std::size_t block_register_at;
  std::size_t block_size_at;
  std::size_t block_data_at;
  std::size_t patch_size;
};
constexpr layout version_0_1{.size_at_write = 20,
                             .write_size = 24,
                             .size_at_mask = 24,
                             .mask_write_size = 28,
                             .mask_poll_size = 28,
                             .register_at = 8,
                             .register_is_64 = true,
                             .value_at = 16,
                             .mask_at = 20,
                             .block_register_at = 8,
                             .block_size_at = 12,
                             .block_data_at = 16,
                             .patch_size = 48};
constexpr layout version_1_0{.size_at_write = 0,
                             .write_size = 12,
                             .size_at_mask = 0,
                             .mask_write_size = 16,
                             .mask_poll_size = 16,
                             .register_at = 4,
                             .register_is_64 = false,
                             .value_at = 8,
                             .mask_at = 12,
                             .block_register_at = 4,
                             .block_size_at = 8,
                             .block_data_at = 12,
                             .patch_size = 24};

/// The operation's size: fixed, or at least `least` and stated at `size_at`.
std::size_t operation_size(const byte_view& stream, std::size_t at, std::size_t size_at, std::size_t least) {
  if (size_at == 0) {
    return least;
  }
  const std::uint32_t size = stream.u32(at + size_at);
  if (size < least || size % 4 != 0) {
    stream.fail("operation of " + std::to_string(size) + " bytes, at least " + std::to_string(least) + " expected", at);
  }
  return size;
}

void read_register_operation(const byte_view& stream, const layout& l, control_operation& op) {
  const std::size_t at = op.offset;
  const bool masked = op.op != control_op::write;
  const std::size_t least = !masked                           ? l.write_size
                            : op.op == control_op::mask_write ? l.mask_write_size
                                                              : l.mask_poll_size;
  op.size = operation_size(stream, at, masked ? l.size_at_mask : l.size_at_write, least);
  op.address = l.register_is_64 ? stream.u64(at + l.register_at) : stream.u32(at + l.register_at);
  op.value = stream.u32(at + l.value_at);
  op.mask = masked ? stream.u32(at + l.mask_at) : 0;
}

void read_block_write(const byte_view& stream, const layout& l, control_operation& op) {
  op.size = operation_size(stream, op.offset, l.block_size_at, l.block_data_at);
  op.address = stream.u32(op.offset + l.block_register_at);
  op.data = words_of(stream.slice(op.offset + l.block_data_at, op.size - l.block_data_at));
}

void read_load_pdi(const byte_view& stream, control_operation& op) {
  op.size = 16;
  op.id = stream.u32(op.offset) >> 16;
  op.pdi_size = stream.u32(op.offset + 4);
  op.pdi_address = stream.u64(op.offset + 8);
}

/// Operations of fixed size that aie-rt's xaie_txn.h has for preemption and for parameters that the host sets.
void read_load_pm_start(const byte_view& stream, control_operation& op) {
  op.size = 8;
  op.value = stream.u32(op.offset) >> 8;
  op.id = stream.u32(op.offset + 4);
}

void read_create_scratchpad(const byte_view& stream, control_operation& op) {
  op.size = 16;
  op.id = stream.u8(op.offset + 1);
  op.value = stream.u32(op.offset + 4);
  op.address = stream.u64(op.offset + 8);
}

void read_state_update(const byte_view& stream, control_operation& op) {
  const bool writes_register = op.op == control_op::update_reg;
  op.size = writes_register ? 12 : 8;
  op.id = stream.u8(op.offset + 1);
  const unsigned function = stream.u8(op.offset + 2);
  if (function > static_cast<unsigned>(state_function::decrease)) {
    stream.fail(to_string(op.op) + " with function " + std::to_string(function), op.offset + 2);
  }
  op.function = static_cast<state_function>(function);
  op.value = stream.u32(op.offset + 4);
  op.address = writes_register ? stream.u32(op.offset + 8) : 0;
}

void read_merge_sync(const byte_view& stream, control_operation& op) {
  op.size = operation_size(stream, op.offset, 4, 12);
  op.tokens = stream.u8(op.offset + 8);
  op.columns = stream.u8(op.offset + 9);
}

void read_sync(const byte_view& stream, control_operation& op) {
  op.size = operation_size(stream, op.offset, 4, 16);
  op.sync = {.direction = stream.u8(op.offset + 8),
             .col = stream.u8(op.offset + 10),
             .row = stream.u8(op.offset + 9),
             .columns = stream.u8(op.offset + 14),
             .rows = stream.u8(op.offset + 13),
             .channel = stream.u8(op.offset + 15)};
  if (op.sync.direction > 1) {
    stream.fail("tct_sync direction " + std::to_string(op.sync.direction), op.offset + 8);
  }
}

void read_patch(const byte_view& stream, const layout& l, control_operation& op) {
  op.size = operation_size(stream, op.offset, 4, l.patch_size);
  if (l.register_is_64) {
    // op_base of 8 bytes, the action, 4 bytes of padding that AMD's own streams do not set (op_types.h).
    constexpr std::size_t action_at = 16;
    if (const std::uint32_t action = stream.u32(op.offset + action_at); action != 0) {
      stream.fail("ddr_patch with action " + std::to_string(action), op.offset + action_at);
    }
    op.address = stream.u64(op.offset + 24);
    const std::uint64_t argument = stream.u64(op.offset + 32);
    if (argument > 0xFF) {
      stream.fail("ddr_patch of argument " + std::to_string(argument), op.offset + 32);
    }
    op.argument = static_cast<std::uint32_t>(argument);
    op.argument_offset = stream.u64(op.offset + 40);
  } else {
    op.address = stream.u32(op.offset + 8);
    op.argument = stream.u8(op.offset + 12);
    op.argument_offset = stream.u64(op.offset + 16);
  }
}

void read_payload(const byte_view& stream, control_operation& op) {
  op.size = operation_size(stream, op.offset, 4, 8);
  op.data = words_of(stream.slice(op.offset + 8, op.size - 8));
}

/// Numbers that aie-rt's xaie_txn.h gives away without ever writing such an operation, so that its layout is unknown.
std::string what_is_known(std::uint8_t code) {
  switch (code) {
    case 2:
      return " (block set, which aie-rt writes as a block write)";
    case 14:
      return " (CONFIG_SHIMDMA_BD, of aie-rt's Linux backend only)";
    case 15:
      return " (CONFIG_SHIMDMA_DMABUF_BD, of aie-rt's Linux backend only)";
    default:
      return "";
  }
}

control_operation read_operation(const byte_view& stream, const layout& l, std::size_t at) {
  const std::uint8_t code = stream.u8(at);
  control_operation op{.op = static_cast<control_op>(code), .offset = at, .size = 4, .sync = {}, .data = {}};
  switch (op.op) {
    case control_op::write:
    case control_op::mask_write:
    case control_op::mask_poll:
    case control_op::mask_poll_busy:
      read_register_operation(stream, l, op);
      break;
    case control_op::block_write:
      read_block_write(stream, l, op);
      break;
    case control_op::noop:
    case control_op::update_scratch:
      break;
    case control_op::preempt:
      op.id = stream.u8(at + 1);
      break;
    case control_op::load_pdi:
      read_load_pdi(stream, op);
      break;
    case control_op::load_pm_start:
      read_load_pm_start(stream, op);
      break;
    case control_op::create_scratchpad:
      read_create_scratchpad(stream, op);
      break;
    case control_op::update_state_table:
    case control_op::update_reg:
      read_state_update(stream, op);
      break;
    case control_op::tct_sync:
      read_sync(stream, op);
      break;
    case control_op::ddr_patch:
      read_patch(stream, l, op);
      break;
    case control_op::read_regs:
    case control_op::record_timer:
      read_payload(stream, op);
      break;
    case control_op::merge_sync:
      read_merge_sync(stream, op);
      break;
    default:
      stream.fail("operation " + std::to_string(code) + what_is_known(code) + " is unknown", at);
  }
  stream.slice(at, op.size);
  return op;
}

}  // namespace

std::string to_string(control_op op) {
  switch (op) {
    case control_op::write:
      return "write";
    case control_op::block_write:
      return "block_write";
    case control_op::mask_write:
      return "mask_write";
    case control_op::mask_poll:
      return "mask_poll";
    case control_op::noop:
      return "noop";
    case control_op::preempt:
      return "preempt";
    case control_op::mask_poll_busy:
      return "mask_poll_busy";
    case control_op::load_pdi:
      return "load_pdi";
    case control_op::load_pm_start:
      return "load_pm_start";
    case control_op::create_scratchpad:
      return "create_scratchpad";
    case control_op::update_state_table:
      return "update_state_table";
    case control_op::update_reg:
      return "update_reg";
    case control_op::update_scratch:
      return "update_scratch";
    case control_op::tct_sync:
      return "tct_sync";
    case control_op::ddr_patch:
      return "ddr_patch";
    case control_op::read_regs:
      return "read_regs";
    case control_op::record_timer:
      return "record_timer";
    case control_op::merge_sync:
      return "merge_sync";
  }
  return "operation " + std::to_string(static_cast<unsigned>(op));
}

control_code read_control_code(std::span<const std::byte> bytes) {
  const byte_view all(bytes, "control code");
  control_code code{.major = all.u8(0),
                    .minor = all.u8(1),
                    .generation = all.u8(2),
                    .rows = all.u8(3),
                    .columns = all.u8(4),
                    .memtile_rows = all.u8(5),
                    .bytes = all.u32(12),
                    .operations = {}};
  const bool is_0_1 = code.major == 0 && code.minor == 1;
  const bool is_1_0 = code.major == 1 && code.minor == 0;
  if (!is_0_1 && !is_1_0) {
    all.fail("version " + std::to_string(code.major) + "." + std::to_string(code.minor) + " is not 0.1 or 1.0", 0);
  }
  const byte_view stream = all.part(0, code.bytes, "control code");
  const std::uint32_t count = all.u32(8);
  std::size_t at = header_size;
  for (std::uint32_t i = 0; i < count; ++i) {
    code.operations.push_back(read_operation(stream, is_0_1 ? version_0_1 : version_1_0, at));
    at += code.operations.back().size;
  }
  if (at != code.bytes) {
    stream.fail("ends at " + std::to_string(at) + " after its last operation, its header states " +
                    std::to_string(code.bytes) + " bytes",
                at);
  }
  return code;
}

}  // namespace npurt::binfmt
