// SPDX-License-Identifier: Apache-2.0
// Writer of control code: the transaction stream, version 0.1, that an npu1's firmware runs per command.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <vector>

#include "npurt/ops/matmul.hpp"

namespace npurt::detail {

/// A shim DMA buffer descriptor: what a channel visits, in 32-bit words from an address in a buffer. Dimension 0 is the
/// innermost. A wrap is the count after which the next dimension advances; 0 never wraps. Other bits are those that
/// mlir-aie writes: 256-byte bursts, AxCache 2, valid, no lock.
struct shim_bd {
  std::uint32_t length = 0;
  std::uint32_t d0_step = 1;
  std::uint32_t d0_wrap = 0;
  std::uint32_t d1_step = 1;
  std::uint32_t d1_wrap = 0;
  std::uint32_t d2_step = 1;
  std::uint32_t iteration_step = 1;     ///< added once per run of the BD
  std::uint32_t iteration_wrap = 1;     ///< runs after which the iteration starts over
  std::optional<std::uint32_t> next{};  ///< BD that follows in the same run of the task
};

/// The BD's registers; the address is 0, the firmware patches it.
/// @throws error naming the field if a value does not fit it
std::array<std::uint32_t, 8> encode_shim_bd(const shim_bd& bd);

enum class dma_side : std::uint8_t { s2mm, mm2s };

/// Channels of a shim tile, in the order of their registers.
enum class shim_channel : std::uint8_t { s2mm_0, s2mm_1, mm2s_0, mm2s_1 };

/// A memtile DMA buffer descriptor on the tile's own memory; words and dimensions as in shim_bd, with a fourth one.
struct memtile_bd {
  struct dimension {
    std::uint32_t step = 1;
    std::uint32_t wrap = 0;  ///< dimension 3 has none
  };
  std::uint32_t address = 0;  ///< bytes from the start of the tile's memory
  std::uint32_t length = 0;
  std::array<dimension, 4> dimensions{};
  std::uint32_t iteration_step = 1;
  std::uint32_t iteration_wrap = 1;
  std::optional<std::uint32_t> packet_id{};
  /// Waits for a lock to be at least `count` and takes that away before it runs; gives `count` to one afterwards.
  struct lock_use {
    std::uint32_t lock;
    std::uint32_t count;
  };
  std::optional<lock_use> acquire{};
  std::optional<lock_use> release{};
  std::optional<std::uint32_t> next{};  ///< BD that follows in the same run of the task
};

/// @throws error naming the field if a value does not fit it
std::array<std::uint32_t, 8> encode_memtile_bd(const memtile_bd& bd);

/// The stream for one partition. A column counts from the partition's first.
class control_code {
 public:
  /// @param columns of the partition
  explicit control_code(unsigned columns);

  void write(std::uint32_t address, std::uint32_t value);
  void mask_write(std::uint32_t address, std::uint32_t value, std::uint32_t mask);
  /// Writes the descriptor to the column's shim tile and lets the firmware add the address of a buffer.
  /// @param argument    index of the buffer, from 0
  /// @param byte_offset of the descriptor's first word in that buffer
  void write_bd(unsigned column, unsigned bd, const shim_bd& descriptor, unsigned argument, std::uint32_t byte_offset);
  /// Lets the channel's tokens leave the tile with the id that the array routes to the firmware.
  void set_controller(unsigned column, shim_channel channel);
  /// Queues a task; the caller keeps to the queue's depth of four.
  /// @param runs  of the descriptor, 1..256
  /// @param token whether the task's end is signalled; each token must be waited for
  void push(unsigned column, shim_channel channel, unsigned bd, unsigned runs, bool token);
  /// Consecutive registers or words of data memory, from an address in the array.
  void write_block(std::uint32_t address, std::span<const std::uint32_t> words);
  void write_memtile_bd(unsigned column, unsigned bd, const memtile_bd& descriptor);
  /// Sets the BD's iteration to its start.
  void rewind_memtile_bd(unsigned column, unsigned bd, std::uint32_t iteration_step, std::uint32_t iteration_wrap);
  void set_memtile_lock(unsigned column, unsigned lock, std::uint32_t value);
  /// Queues a task of a memtile's channel; no token tells its end.
  void push_memtile(unsigned column, dma_side side, unsigned channel, unsigned bd, unsigned runs);
  /// Waits for one token.
  void wait_token(unsigned column, shim_channel channel);

  /// @return the whole stream
  std::vector<std::uint32_t> finish() &&;

 private:
  void append(std::initializer_list<std::uint32_t> words);

  std::vector<std::uint32_t> words_;
  std::uint32_t operations_ = 0;
};

/// Largest M, N and K of one call of the i8_matmul kernel.
inline constexpr std::size_t i8_matmul_max_extent = 4096;

/// The extents that the i8_matmul kernel works on: M and N rounded up to multiples of 256, K to one of 64.
/// @throws shape_error naming the dimension if it is not from 1 to i8_matmul_max_extent
matmul_shape padded(const matmul_shape& shape);

/// Control code of one call of the i8_matmul kernel (kernels/i8-matmul/README.md), for buffers of the padded shape:
/// argument 0 is A, 1 is B, 2 is C.
/// @throws shape_error as padded()
std::vector<std::uint32_t> matmul_control_code(const matmul_shape& shape);

}  // namespace npurt::detail
