// SPDX-License-Identifier: Apache-2.0
// Command packets, the contents of CMD buffer objects. Layout and names: XRT core/include/xrt/detail/ert.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <vector>

namespace npurt::emu::driver {

enum class packet_state : std::uint32_t { submitted = 1, completed = 4, error = 5, abort = 6, timeout = 8 };

enum class packet_opcode : std::uint32_t {
  start_cu = 0,
  cmd_chain = 19,
  start_npu = 20,
  start_npu_preempt = 21,
  start_npu_preempt_elf = 22
};

/// One kernel execution as the packet asks for it.
struct kernel_command {
  packet_opcode opcode = packet_opcode::start_cu;
  std::uint32_t cu = 0;
  std::uint64_t mode = 3;                ///< the kernel's "opcode" argument
  bool is_dpu_sequence = false;          ///< the control code is of the form before transactions
  std::uint64_t control_code = 0;        ///< device address
  std::uint64_t control_code_size = 0;   ///< bytes
  std::vector<std::uint64_t> arguments;  ///< device addresses, bo0 first
};

/// A packet in the memory of its buffer object, where the program may write at any time, or a copy of it.
class packet {
 public:
  explicit packet(std::span<std::byte> memory);

  /// What the packet says now, as long as its header says; what follows is called for a packet of these bytes.
  /// @return EINVAL if the packet's own size exceeds its buffer
  std::expected<std::vector<std::byte>, int> copy() const;

  packet_opcode opcode() const;

  /// @return an errno: EINVAL for a malformed packet, EOPNOTSUPP for an opcode that Phoenix does not have
  std::expected<kernel_command, int> parse_kernel() const;

  /// The handles of a CMD_CHAIN. @return EINVAL if the packet is malformed
  std::expected<std::vector<std::uint32_t>, int> parse_chain() const;

  // For the packet in its buffer.

  void set_error_index(std::uint32_t index);

  /// What overwrites a packet that timed out.
  void set_health(std::uint32_t failed_operation);

  /// Everything written before is visible to who reads the new state.
  void set_state(packet_state state);

 private:
  std::span<const std::uint32_t> payload() const;  ///< after the CU masks, where the opcode has those

  std::span<std::uint32_t> words_;
};

}  // namespace npurt::emu::driver
