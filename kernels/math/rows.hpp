// SPDX-License-Identifier: Apache-2.0
// What operations on rows of bf16 have in common: how the overlay brings the rows, and sums and products of fp32 lanes.
#pragma once

#include <array>
#include <functional>

#include "codegen/operations.hpp"

namespace npurt::kernels::math {

using lanes = codegen::accum<codegen::accfloat, 16>;
using bf16_pair = codegen::vector<codegen::bfloat16, 32>;

/// Rows in chunks of A and B in turn (the overlay's operations 7 and 8): two units a chunk, of 4,096 bytes with some
/// rows each; or one row of more than 4,096 bytes in both.
class row_chunks {
 public:
  /// Reads the parameters and the addresses of the next buffers.
  /// @param rows_at_once 1 or 2, of cycle()
  /// @param masks whether parameter 7 may be 1: then rows come on A alone, and B's chunks are added to them
  row_chunks(codegen::kernel& k, codegen::pointer& parameters, unsigned rows_at_once = 1, bool masks = false);

  /// One row; a long one in halves.
  struct row {
    codegen::scalar begins;   ///< 0: the second half of a long row
    codegen::scalar in, out;  ///< addresses
    codegen::scalar blocks;   ///< to write, of 64 bytes
  };
  /// All rows in their order; takes and gives the chunks around them, and leaves the addresses to the next operation.
  /// `chunk_begins` comes before the rows of each chunk, with its address.
  void for_each(const std::function<void(const row&)>& body,
                const std::function<void(const codegen::scalar&)>& chunk_begins = {});

  /// A pointer to the row at `in` that next_block() moves through it, and from its end back to its start; two rows at a
  /// time have a stride each.
  codegen::pointer cycle(const codegen::scalar& in, unsigned stride = 0);
  /// The same; the second half of a long row goes on from there.
  codegen::pointer cycle(const row& r);
  const codegen::stride_2d& next_block(unsigned stride = 0) const { return next_block_[stride]; }
  /// Makes the elements behind the row's end `value`, up to the next multiple of 64 bytes.
  void pad(const codegen::scalar& in, const bf16_pair& value);
  /// Makes all elements but the first `count` `value`, up to there; count is 0 to the row's length.
  void cut(const codegen::scalar& in, const codegen::scalar& count, const bf16_pair& value);

  const codegen::scalar& blocks() const { return blocks_; }  ///< of 64 bytes in a row
  const codegen::scalar& rows() const { return rows_; }      ///< of a unit
  const codegen::scalar& pitch() const { return pitch_; }
  const codegen::scalar& is_long() const { return is_long_; }  ///< 1 if a row has the whole chunk
  codegen::scalar& next_b() { return b_; }                     ///< address of the next B chunk, before for_each()
  const codegen::memory_area& in_area() const { return in_area_; }
  const codegen::memory_area& out_area() const { return out_area_; }

 private:
  codegen::scalar has_mask() { return codegen::load_i32(parameters_, codegen::at(28)); }
  void add_mask(const codegen::scalar& in, const codegen::scalar& mask);
  void units(const std::function<void(const row&)>& body, const codegen::scalar& in,
             codegen::variable<codegen::scalar>& out);

  codegen::kernel& k_;
  codegen::pointer parameters_;
  bool masks_;
  codegen::memory_area in_area_, out_area_;
  codegen::scalar chunks_, pitch_, rows_;
  codegen::pointer state_;
  codegen::scalar a_, b_, out_, blocks_, last_block_, behind_, is_long_;
  std::array<codegen::stride_2d, 2> next_block_;
};

/// The sum of all lanes, in all lanes; or of those at some distances, in bytes.
lanes sum_of_lanes(const lanes& x, std::initializer_list<std::int32_t> distances = {32, 16, 8, 4});
/// x as a sum of two bf16: the larger in the low half, the rest in the high half. x = sum within 2^-17.
bf16_pair split(const lanes& x);
/// The same for loops, with less of the accumulators' ports; half: 0.5 in all lanes.
bf16_pair split(const lanes& x, const bf16_pair& half);
/// The low (high) half of x twice; the halves the other way round.
bf16_pair low_twice(const bf16_pair& x);
bf16_pair high_twice(const bf16_pair& x);
bf16_pair swapped(const bf16_pair& x);
/// The product of two sums of two.
lanes product(const bf16_pair& x, const bf16_pair& y);

}  // namespace npurt::kernels::math
