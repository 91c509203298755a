// SPDX-License-Identifier: Apache-2.0
// The transaction stream's operations and the shim BD's words.
#include "npurt/detail/control_code.hpp"

#include <fmt/format.h>

#include "npurt/error.hpp"
#include "runtime/bd_fields.hpp"

namespace npurt::detail {

namespace {

// Operations of the transaction stream, version 0.1 (mlir-aie AIETargetNPU.cpp, aiebu; read back from real streams).
constexpr std::uint32_t op_write = 0;
constexpr std::uint32_t op_block_write = 1;
constexpr std::uint32_t op_mask_write = 3;
constexpr std::uint32_t op_token_wait = 0x80;
constexpr std::uint32_t op_ddr_patch = 0x81;

// Shim tile registers (AM025): BDs, then per channel a control and a queue register.
constexpr std::uint32_t shim_bd_base = 0x1D000;
constexpr std::uint32_t bd_bytes = 0x20;
constexpr std::uint32_t channel_base = 0x1D200;
constexpr std::uint32_t channel_size = 8;
constexpr unsigned shim_bd_count = 16;

// Memtile registers (AM025).
constexpr std::uint32_t memtile_bd_base = 0xA0000;
constexpr std::uint32_t memtile_s2mm_base = 0xA0600;
constexpr std::uint32_t memtile_mm2s_base = 0xA0630;
constexpr std::uint32_t memtile_lock_base = 0xC0000;
constexpr std::uint32_t memtile_lock_size = 0x10;

// Tokens carry the low bits of Controller_ID[15:8] as their packet id; 15 is what mlir-aie gives the shim row and what
// the array routes to South 0.
constexpr std::uint32_t controller_id = 15;
constexpr std::uint32_t controller_mask = 0x1F00;

void check_bd(unsigned bd) {
  if (bd >= shim_bd_count) throw error(fmt::format("shim BD {} does not exist, a shim tile has {}", bd, shim_bd_count));
}

constexpr std::uint32_t column_bits = 25;

std::uint32_t memtile(unsigned column) { return column << column_bits | 1u << 20; }

std::uint32_t control_register(unsigned column, shim_channel channel) {
  return (column << column_bits) + channel_base + channel_size * static_cast<std::uint32_t>(channel);
}

}  // namespace

std::array<std::uint32_t, 8> encode_shim_bd(const shim_bd& bd) {
  constexpr std::uint32_t burst_256 = 2u << 30;
  constexpr std::uint32_t ax_cache = 2u << 24;
  constexpr std::uint32_t valid = 1u << 25;
  constexpr std::uint32_t use_next = 1u << 26;
  return {bd.length,
          0,
          0,
          bd_field("shim BD", "D0 wrap", bd.d0_wrap, 20, 10) | bd_minus_one("shim BD", "D0 step", bd.d0_step, 0, 20),
          burst_256 | bd_field("shim BD", "D1 wrap", bd.d1_wrap, 20, 10) |
              bd_minus_one("shim BD", "D1 step", bd.d1_step, 0, 20),
          ax_cache | bd_minus_one("shim BD", "D2 step", bd.d2_step, 0, 20),
          bd_minus_one("shim BD", "iteration wrap", bd.iteration_wrap, 20, 6) |
              bd_minus_one("shim BD", "iteration step", bd.iteration_step, 0, 20),
          valid | (bd.next ? use_next | bd_field("shim BD", "next", *bd.next, 27, 4) : 0u)};
}

control_code::control_code(unsigned columns) {
  constexpr std::uint32_t version_0_1 = 0x0100;
  constexpr std::uint32_t npu1 = 3u << 16;
  constexpr std::uint32_t rows = 6u << 24;
  constexpr std::uint32_t memtile_rows = 1u << 8;
  words_ = {version_0_1 | npu1 | rows, memtile_rows | columns, 0, 0};
}

void control_code::append(std::initializer_list<std::uint32_t> words) {
  words_.insert(words_.end(), words);
  ++operations_;
}

void control_code::write(std::uint32_t address, std::uint32_t value) { append({op_write, 0, address, 0, value, 24}); }

void control_code::mask_write(std::uint32_t address, std::uint32_t value, std::uint32_t mask) {
  append({op_mask_write, 0, address, 0, value, mask, 28});
}

void control_code::write_bd(unsigned column, unsigned bd, const shim_bd& descriptor, unsigned argument,
                            std::uint32_t byte_offset) {
  check_bd(bd);
  const std::uint32_t address = (column << column_bits) + shim_bd_base + bd_bytes * bd;
  const auto words = encode_shim_bd(descriptor);
  append({op_block_write, 0, address, 16 + bd_bytes, words[0], words[1], words[2], words[3], words[4], words[5],
          words[6], words[7]});
  append({op_ddr_patch, 48, 0, 0, 0, 0, address + 4, 0, argument, 0, byte_offset, 0});
}

void control_code::write_block(std::uint32_t address, std::span<const std::uint32_t> words) {
  const auto bytes = static_cast<std::uint32_t>(words.size_bytes());
  append({op_block_write, 0, address, 16 + bytes});
  words_.insert(words_.end(), words.begin(), words.end());
}

void control_code::write_memtile_bd(unsigned column, unsigned bd, const memtile_bd& descriptor) {
  constexpr unsigned memtile_bds = 48;
  if (bd >= memtile_bds) throw error(fmt::format("memtile BD {} does not exist, a memtile has {}", bd, memtile_bds));
  write_block(memtile(column) + memtile_bd_base + bd_bytes * bd, encode_memtile_bd(descriptor));
}

void control_code::rewind_memtile_bd(unsigned column, unsigned bd, std::uint32_t iteration_step,
                                     std::uint32_t iteration_wrap) {
  constexpr unsigned iteration_word = 6;
  const memtile_bd iterating{.iteration_step = iteration_step, .iteration_wrap = iteration_wrap};
  write(memtile(column) + memtile_bd_base + bd_bytes * bd + 4 * iteration_word,
        encode_memtile_bd(iterating)[iteration_word]);
}

void control_code::set_memtile_lock(unsigned column, unsigned lock, std::uint32_t value) {
  write(memtile(column) + memtile_lock_base + memtile_lock_size * lock, value);
}

void control_code::push_memtile(unsigned column, dma_side side, unsigned channel, unsigned bd, unsigned runs) {
  if (runs == 0 || runs > 256) throw error(fmt::format("memtile task: {} runs, a task has 1 to 256", runs));
  const std::uint32_t first = side == dma_side::s2mm ? memtile_s2mm_base : memtile_mm2s_base;
  write(memtile(column) + first + channel_size * channel + 4, (runs - 1) << 16 | bd);
}

void control_code::set_controller(unsigned column, shim_channel channel) {
  mask_write(control_register(column, channel), controller_id << 8, controller_mask);
}

void control_code::push(unsigned column, shim_channel channel, unsigned bd, unsigned runs, bool token) {
  check_bd(bd);
  if (runs == 0 || runs > 256) throw error(fmt::format("shim task: {} runs, a task has 1 to 256", runs));
  write(control_register(column, channel) + 4, (token ? 1u << 31 : 0u) | (runs - 1) << 16 | bd);
}

void control_code::wait_token(unsigned column, shim_channel channel) {
  const auto index = static_cast<std::uint32_t>(channel);
  const std::uint32_t mm2s = index >> 1;
  constexpr std::uint32_t one_tile = 1u << 16 | 1u << 8;
  append({op_token_wait, 16, column << 16 | mm2s, (index & 1) << 24 | one_tile});
}

std::vector<std::uint32_t> control_code::finish() && {
  words_[2] = operations_;
  words_[3] = static_cast<std::uint32_t>(words_.size() * sizeof(std::uint32_t));
  return std::move(words_);
}

}  // namespace npurt::detail
