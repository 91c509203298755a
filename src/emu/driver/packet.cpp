// SPDX-License-Identifier: Apache-2.0
// Reading and completing command packets.
#include "emu/driver/packet.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>

namespace npurt::emu::driver {
namespace {

// Word 0: state 3:0, extra CU masks 11:10, count 22:12 (payload words), opcode 27:23.
constexpr std::uint32_t state_mask = 0xf;
constexpr std::uint32_t extra_masks(std::uint32_t header) { return (header >> 10) & 0x3; }
constexpr std::uint32_t count(std::uint32_t header) { return (header >> 12) & 0x7ff; }

// CMD_CHAIN payload: command_count, submit_index, error_index, 3 reserved words, then 64-bit handles.
constexpr std::size_t chain_error_index_word = 3;  // in the packet, after the header
constexpr std::size_t chain_header_words = 6;
constexpr std::uint32_t max_chain = 64;  // amdxdna aie2_message.c

// Register map of a START_CU kernel: u64 opcode, u64 instruction address, u32 instruction words, then u64 buffers.
constexpr std::size_t register_map_header_words = 5;
// Opcode 1: u64 1, ifm, param, ofm, inter, instruction address, u32 instruction words, u64 mc_code (AMD's XCLBINs).
constexpr std::uint64_t dpu_opcode = 1;
constexpr std::size_t dpu_buffers = 4, dpu_map_words = 13, dpu_mc_code_argument = 5;
// Kernels without an opcode (functional 1: Riallto's and mlir-aie's of 2023): u64 instruction address, u64 instruction
// words, then u64 buffers. The address is one of the device heap, far above any opcode.
constexpr std::uint64_t least_heap_address = 0x10000;
constexpr std::size_t plain_map_header_words = 4;
// START_NPU payload: u64 instruction address, u32 instruction bytes, u32 property count, then the arguments.
constexpr std::size_t start_npu_header_words = 4;

std::uint64_t pair(std::span<const std::uint32_t> words, std::size_t index) {
  return words[index] | std::uint64_t{words[index + 1]} << 32;
}

std::uint64_t instruction_bytes(std::uint32_t words) { return std::uint64_t{words} * sizeof(std::uint32_t); }

void add_buffers(std::vector<std::uint64_t>& arguments, std::span<const std::uint32_t> map, std::size_t from,
                 std::size_t to) {
  for (auto word = from; word + 1 < to; word += 2) arguments.push_back(pair(map, word));
}

/// The arguments are numbered as a DPU sequence does: 0 ifm, 1 param, 2 ofm, 3 inter, 5 mc_code.
kernel_command parse_dpu(std::uint32_t cu, std::span<const std::uint32_t> map) {
  kernel_command command{.cu = cu,
                         .mode = dpu_opcode,
                         .is_dpu_sequence = true,
                         .control_code = pair(map, 10),
                         .control_code_size = instruction_bytes(map[12]),
                         .arguments = {}};
  add_buffers(command.arguments, map, 2, 2 + 2 * dpu_buffers);
  command.arguments.resize(dpu_mc_code_argument);
  add_buffers(command.arguments, map, dpu_map_words, std::min(map.size(), dpu_map_words + 2));
  return command;
}

kernel_command parse_without_opcode(std::uint32_t cu, std::span<const std::uint32_t> map) {
  kernel_command command{.cu = cu,
                         .mode = dpu_opcode,
                         .is_dpu_sequence = true,
                         .control_code = pair(map, 0),
                         .control_code_size = instruction_bytes(map[2]),
                         .arguments = {}};
  add_buffers(command.arguments, map, plain_map_header_words, map.size());
  return command;
}

std::expected<kernel_command, int> parse_start_cu(std::uint32_t cu, std::span<const std::uint32_t> map) {
  if (map.size() < register_map_header_words) return std::unexpected(EINVAL);
  if (pair(map, 0) >= least_heap_address) return parse_without_opcode(cu, map);
  if (pair(map, 0) == dpu_opcode && map.size() >= dpu_map_words) return parse_dpu(cu, map);
  kernel_command command{.opcode = packet_opcode::start_cu,
                         .cu = cu,
                         .mode = pair(map, 0),
                         .control_code = pair(map, 2),
                         .control_code_size = instruction_bytes(map[4]),
                         .arguments = {}};
  add_buffers(command.arguments, map, register_map_header_words, map.size());
  return command;
}

std::expected<kernel_command, int> parse_start_npu(std::uint32_t cu, std::span<const std::uint32_t> payload) {
  if (payload.size() < start_npu_header_words) return std::unexpected(EINVAL);
  return kernel_command{.opcode = packet_opcode::start_npu,
                        .cu = cu,
                        .control_code = pair(payload, 0),
                        .control_code_size = payload[2],
                        .arguments = {}};
}

}  // namespace

packet::packet(std::span<std::byte> memory)
    : words_(reinterpret_cast<std::uint32_t*>(memory.data()), memory.size() / sizeof(std::uint32_t)) {}

std::expected<std::vector<std::byte>, int> packet::copy() const {
  if (words_.empty()) return std::unexpected(EINVAL);
  const auto header = std::atomic_ref(words_[0]).load(std::memory_order_relaxed);
  if (count(header) >= words_.size()) return std::unexpected(EINVAL);
  std::vector<std::byte> bytes((1 + count(header)) * sizeof(header));
  std::memcpy(bytes.data(), words_.data(), bytes.size());
  std::memcpy(bytes.data(), &header, sizeof(header));
  return bytes;
}

packet_opcode packet::opcode() const { return static_cast<packet_opcode>((words_[0] >> 23) & 0x1f); }

std::span<const std::uint32_t> packet::payload() const {
  const auto all = words_.subspan(1, count(words_[0]));
  const std::size_t masks = opcode() == packet_opcode::cmd_chain ? 0 : 1 + extra_masks(words_[0]);
  return all.subspan(std::min(masks, all.size()));
}

std::expected<kernel_command, int> packet::parse_kernel() const {
  const auto code = opcode();
  if (code == packet_opcode::start_npu_preempt || code == packet_opcode::start_npu_preempt_elf)
    return std::unexpected(EOPNOTSUPP);
  if (code != packet_opcode::start_cu && code != packet_opcode::start_npu) return std::unexpected(EINVAL);
  // The driver runs the first CU of the first mask word that has one (amdxdna_ctx.c).
  for (std::uint32_t mask = 0; mask <= extra_masks(words_[0]) && mask < count(words_[0]); ++mask) {
    const auto bits = words_[1 + mask];
    if (bits == 0) continue;
    const auto cu = mask * 32 + static_cast<std::uint32_t>(std::countr_zero(bits));
    return code == packet_opcode::start_cu ? parse_start_cu(cu, payload()) : parse_start_npu(cu, payload());
  }
  return std::unexpected(EINVAL);
}

std::expected<std::vector<std::uint32_t>, int> packet::parse_chain() const {
  const auto chain = payload();
  if (chain.size() < chain_header_words) return std::unexpected(EINVAL);
  const auto commands = chain[0];
  if (commands == 0 || commands > max_chain || chain.size() < chain_header_words + 2 * std::size_t{commands})
    return std::unexpected(EINVAL);
  std::vector<std::uint32_t> handles;
  for (std::uint32_t i = 0; i < commands; ++i) {
    const auto handle = pair(chain, chain_header_words + 2 * i);
    if (handle > ~std::uint32_t{0}) return std::unexpected(EINVAL);
    handles.push_back(static_cast<std::uint32_t>(handle));
  }
  return handles;
}

void packet::set_error_index(std::uint32_t index) { words_[chain_error_index_word] = index; }

void packet::set_health(std::uint32_t failed_operation) {
  // version, generation, txn_op_idx, ctx_pc, fatal error type, exception type, exception pc, app module
  const std::array<std::uint32_t, 8> health{1, 0, failed_operation, 0, 0, 0, 0, 0};
  std::ranges::copy_n(health.begin(), static_cast<std::ptrdiff_t>(std::min(health.size(), words_.size() - 1)),
                      words_.begin() + 1);
}

void packet::set_state(packet_state state) {
  const std::atomic_ref header(words_[0]);
  header.store((header.load(std::memory_order_relaxed) & ~state_mask) | static_cast<std::uint32_t>(state),
               std::memory_order_release);
}

}  // namespace npurt::emu::driver
