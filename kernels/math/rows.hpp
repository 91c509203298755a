// SPDX-License-Identifier: Apache-2.0
// What operations on rows of bf16 have in common: how the overlay brings the rows, and sums and products of fp32 lanes.
#pragma once

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
  row_chunks(codegen::kernel& k, codegen::pointer& parameters);

  /// One row; a long one in halves.
  struct row {
    codegen::scalar begins;   ///< 0: the second half of a long row
    codegen::scalar in, out;  ///< addresses
    codegen::scalar blocks;   ///< to write, of 64 bytes
  };
  /// All rows in their order; takes and gives the chunks around them, and leaves the addresses to the next operation.
  void for_each(const std::function<void(const row&)>& body);

  /// A pointer to the row at `in` that next_block() moves through it, and from its end back to its start.
  codegen::pointer cycle(const codegen::scalar& in);
  /// The same; the second half of a long row goes on from there.
  codegen::pointer cycle(const row& r);
  const codegen::stride_2d& next_block() const { return next_block_; }
  /// Makes the elements behind the row's end `value`, up to the next multiple of 64 bytes.
  void pad(const codegen::scalar& in, const bf16_pair& value);

  const codegen::scalar& blocks() const { return blocks_; }  ///< of 64 bytes in a row
  const codegen::scalar& next_b() const { return b_; }       ///< address of the next B chunk, before for_each()
  const codegen::memory_area& in_area() const { return in_area_; }
  const codegen::memory_area& out_area() const { return out_area_; }

 private:
  void units(const std::function<void(const row&)>& body, const codegen::scalar& in,
             codegen::variable<codegen::scalar>& out);

  codegen::kernel& k_;
  codegen::memory_area in_area_, out_area_;
  codegen::scalar pairs_, pitch_, rows_, blocks_, last_block_, behind_, is_long_, a_, b_, out_;
  codegen::stride_2d next_block_;
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
