// SPDX-License-Identifier: Apache-2.0
// The parts of the operation that maps chunks element by element: each turns a chunk into 8 KB of results in C.
#pragma once

#include <cstdint>

#include "codegen/operations.hpp"
#include "overlay/core_memory.hpp"

namespace npurt::kernels::elementwise {

enum operation_number : std::int32_t { copy = 0, gelu = 1, silu = 2, relu = 3, scale = 4, gelu_i8 = 6 };

inline constexpr unsigned vectors = overlay::chunk_bytes / 64;  ///< in a chunk
/// 8 KB, most of it in C. Loops that run a few passes before their first result leave rubbish below.
inline constexpr std::uint32_t results_at = overlay::data_memory + overlay::c_offset - 384;

using halves = codegen::vector<codegen::bfloat16, 32>;
using words = codegen::vector<std::int16_t, 32>;

/// Modes of vshuffle.
inline constexpr unsigned even_16 = 2, low_halves = 10, high_halves = 11;

/// As signed integers, negative numbers and minus infinity lie below the negative NaNs: relu keeps what is not below.
inline constexpr std::int32_t first_negative_nan = -127;  // 0xFF81

/// What all loops share: a chunk, and how its vectors are read one after the other without end.
struct input {
  codegen::pointer chunk;
  codegen::stride_2d round;
  codegen::memory_area memory;
};

/// Chunks to send.
class out_stream {
 public:
  out_stream(codegen::kernel& k, codegen::pointer& state)
      : k_(&k), next_(k.make_variable("next out", codegen::load_i32(state, codegen::at(8)))) {}

  /// Both halves of 8 KB; `fill` writes one at the pointer that it is given.
  template <typename Fill>
  void send_halves(const Fill& fill) {
    k_->loop("half", 2, [&] {
      k_->acquire(free_lock, -1);
      fill(next_.owner->pointer_from("out", next_, area_));
      k_->release(free_lock + 1, 1);
      next_ = codegen::bit_xor(next_, codegen::number(*k_, overlay::out_offsets[0] ^ overlay::out_offsets[1]));
    });
  }
  void finish(codegen::pointer& state) {
    codegen::store(state, static_cast<const codegen::scalar&>(next_), codegen::at(8));
  }

 private:
  static constexpr unsigned free_lock = 48 + overlay::out_free;
  codegen::kernel* k_;
  codegen::memory_area area_ = k_->memory("out", {0});
  codegen::variable<codegen::scalar> next_;
};

/// x · S(x), S(x) = 1 - Q(x) or Q(-x): gelu's Q is the normal distribution's tail, silu's the logistic function's.
void add_sigmoid_weighted(codegen::kernel& k, const codegen::scalar& number, input from);
void add_relu(codegen::kernel& k, const input& from);
void add_scale(codegen::kernel& k, const codegen::scalar& factor, input from);

/// A table of 256 bytes, for add_lookup().
void spread_table(codegen::kernel& k, codegen::pointer bytes);
/// Each byte of the chunk by the table, straight to two chunks of out.
void add_lookup(codegen::kernel& k, const input& from, out_stream& out);

}  // namespace npurt::kernels::elementwise
