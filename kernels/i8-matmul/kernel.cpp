// SPDX-License-Identifier: Apache-2.0
// int8 matmul on one core: the product of two chunks, and the overlay's operation around it. Layouts in README.md.
#include <array>

#include "codegen/operations.hpp"
#include "overlay/chunks.hpp"
#include "programs.hpp"

namespace npurt::kernels {

using namespace codegen;

namespace {

constexpr unsigned row_blocks = 4, k_steps = 16, column_groups = 8, row_groups = 4;
constexpr std::int32_t a_block = 4 * 8, b_block = 8 * 8, c_block = 4 * 8 * 4;  // bytes
constexpr std::int32_t a_rows = row_blocks * a_block, a_step = row_groups * a_rows;
constexpr std::int32_t a_last_step = static_cast<std::int32_t>(k_steps - 1) * a_step;
constexpr std::int32_t b_tile = column_groups * k_steps * b_block;
constexpr std::int32_t accumulate = static_cast<std::int32_t>(mac_shape::i8_4x8x8), drop = accumulate + 1;

/// Strides of a chunk's product.
struct walks {
  explicit walks(kernel& k)
      : next_step(k.make_stride("next step", a_step - a_rows + a_block)),
        // After a block of C, A goes back to the same 16 rows for the next 8 columns, and after all columns on to the
        // next rows; B goes on to the next columns, and after all of them back to the first.
        next_a(k.make_stride("next A", a_block - a_rows - a_last_step, column_groups, a_block - a_last_step)),
        next_b(k.make_stride("next B", b_block, column_groups, b_block - b_tile)) {}

  stride next_step;
  stride_2d next_a, next_b;
};

/// C (+)= A · B for a chunk each; `first` is the configuration of the first multiply-accumulate of every block of C.
void multiply(kernel& k, const walks& w, pointer a, pointer b, pointer c, pointer c_after, const scalar& first) {
  const auto blocks = [&] {
    std::array<accum<acc32, 32>, row_blocks> sum;
    for (auto& s : sum) {
      s = load_accum<accum<acc32, 32>>(c, post(c_block));
    }
    for (unsigned step = 0; step < k_steps; ++step) {
      const bool last = step == k_steps - 1;
      const auto columns = load<std::int8_t, 64>(b, last ? post(w.next_b) : post(b_block));
      for (unsigned r = 0; r < row_blocks; ++r) {
        const auto rows = load_low<std::int8_t, 64>(a, r < row_blocks - 1 ? post(a_block)
                                                       : last             ? post(w.next_a)
                                                                          : post(w.next_step));
        sum[r] = mac_4x8x8(sum[r], rows, columns, step == 0 ? first : k.constant(accumulate));
      }
    }
    for (const auto& s : sum) {
      store(c_after, s, post(c_block));
    }
  };
  k.loop("block", row_groups * column_groups, blocks, loop_end::overrun);
}

constexpr std::int32_t c_at = overlay::data_memory + overlay::c_offset;
constexpr std::int32_t out_bytes = overlay::out_bytes;

/// C as it is.
void write_i32(kernel& k, overlay::chunk_stream& out, const memory_area& c_area, const memory_area& out_area) {
  constexpr std::int32_t vector_bytes = 64;
  auto quarter = k.make_variable("quarter", number(k, c_at));
  k.loop("quarter", static_cast<std::uint32_t>(overlay::c_bytes) / overlay::out_bytes, [&] {
    auto from = k.pointer_from("C quarter", quarter, c_area);
    auto to = out.take(out_area);
    k.loop(
        "copy", static_cast<std::uint32_t>(out_bytes / vector_bytes),
        [&] { store(to, load<std::int32_t, 16>(from, post(vector_bytes)), post(vector_bytes)); }, loop_end::overrun);
    out.give();
    quarter = add(quarter, number(k, out_bytes));
  });
}

/// C as int8: a value goes through two multiplications by a diagonal, each of two columns at a time. The first, by a
/// power of two, brings the columns to one shift; it saturates only what the second would anyway (requantise.hpp).
class requantisation {
 public:
  requantisation(kernel& k, pointer& parameters)
      : k_(k),
        next_bias_(k.make_stride("next bias", bias_bytes, column_groups, bias_bytes - biases)),
        next_factors_(k.make_stride("next factors", factor_bytes, column_groups, factor_bytes - factors)),
        next_c_(k.make_stride("next C", group_bytes, column_groups,
                              c_block - (static_cast<std::int32_t>(column_groups) - 1) * group_bytes, row_blocks,
                              c_block)),
        tiles_a_panel_(k.make_variable("tiles a panel", load_i32(parameters, at(16)))),
        tiles_left_(k.make_variable("tiles left", number(k, 1))),
        zero_point_(k.make_variable("zero point", load_i32(parameters, at(20)))),
        shift_(k.make_variable("shift", number(k, 0))) {
    k.set_rounding(nearest_even);
    k.set_saturation(saturate);
  }

  /// Before a tile: takes a table chunk if a new panel of columns begins.
  void begin_tile(overlay::chunk_stream& b) {
    tiles_left_ = add(tiles_left_, number(k_, -1));
    k_.when("panel", eq(tiles_left_, number(k_, 0)), [&] {
      tiles_left_ = tiles_a_panel_;
      auto from = b.take(k_.memory("table chunk", {3}));
      auto to = k_.pointer_to("tables", tables_at, tables_);
      auto shift_word = k_.pointer_from("shift", add(b.address(), number(k_, table_bytes)), from.area);
      shift_ = load_i32(shift_word, at(0));
      k_.loop(
          "table", static_cast<std::uint32_t>(table_bytes / 64),
          [&] { store(to, load<std::int32_t, 16>(from, post(64)), post(64)); }, loop_end::overrun);
      b.give();
    });
  }

  void write(overlay::chunk_stream& out, const memory_area& c_area, const memory_area& out_area) {
    auto bias = k_.pointer_to("bias", tables_at, tables_);
    auto factor = k_.pointer_to("factors", tables_at + biases, tables_);
    auto from = k_.pointer_to("C", c_at, c_area);
    auto to = out.take(out_area);
    k_.restart(next_bias_);
    k_.restart(next_factors_);
    k_.restart(next_c_);
    const auto ones = broadcast<std::int16_t, 32>(number(k_, 1));
    const auto offset = widen(broadcast<std::int16_t, 32>(zero_point_), k_.shift(0));
    const auto shift = kernel::typed<shift_amount>(k_.define(register_kind::s, "shift", true));
    k_.assign(shift, shift_);
    const auto blocks = [&] {
      const auto [left, right] = scaled(from, bias, factor);
      store_i8(to, mac(offset, to_i16_pair(left, right, shift), ones), k_.shift(0), post(c_block / 4));
    };
    k_.loop("requantise", row_groups * row_blocks * column_groups, blocks, loop_end::overrun);
    out.give();
  }

 private:
  static constexpr std::int32_t bias_bytes = 128, biases = 2 * column_groups * bias_bytes;          // of four columns
  static constexpr std::int32_t factor_bytes = 32, factors = 2 * 4 * column_groups * factor_bytes;  // of two columns
  static constexpr std::int32_t group_bytes = row_blocks * c_block;
  static constexpr std::int32_t tables_at = overlay::data_memory + overlay::tables_offset;
  static constexpr std::int32_t table_bytes = biases + factors;
  static constexpr unsigned nearest_even = 12, saturate = 1;
  static constexpr unsigned low_64 = 6, high_64 = 7, high_half = 11;  // isa::shuffle_modes(): T64_8x2, T256_2x2_hi
  using words = vector<std::int32_t, 16>;
  using sums = accum<acc64, 16>;

  words second(const words& v) { return shuffle(v, v, high_half); }
  vector<std::int16_t, 32> next_diagonal(pointer& factor, bool last = false) {
    return load_low<std::int16_t, 64 / 2>(factor, last ? post(next_factors_) : post(factor_bytes));
  }

  /// (C + bias) · m of the next block of C: its left four columns and its right ones.
  std::pair<sums, sums> scaled(pointer& from, pointer& bias, pointer& factor) {
    const auto high_rows = load<std::int32_t, 16>(from, at(c_block / 2)),
               low_rows = load<std::int32_t, 16>(from, post(next_c_));
    // A row is four pairs of columns. Two turns of (row, pair) by one bit bring the four rows of a pair together.
    const auto even = shuffle(low_rows, high_rows, low_64), odd = shuffle(low_rows, high_rows, high_64);
    std::array<words, 2> side;
    for (const unsigned i : {0u, 1u}) {
      const auto pairs = shuffle(even, odd, i == 0 ? low_64 : high_64);
      auto sum = load_accum<sums>(bias, i == 0 ? post(bias_bytes) : post(next_bias_));
      sum = mac_4x2x4(sum, pairs, next_diagonal(factor));
      side[i] = to_i32(mac_4x2x4(sum, second(pairs), next_diagonal(factor)), k_.shift(0));
    }
    const auto first_pairs = shuffle(side[0], side[1], low_64), second_pairs = shuffle(side[0], side[1], high_64);
    auto left = mul_4x2x4(first_pairs, next_diagonal(factor));
    left = mac_4x2x4(left, second_pairs, next_diagonal(factor));
    auto right = mul_4x2x4(second(first_pairs), next_diagonal(factor));
    right = mac_4x2x4(right, second(second_pairs), next_diagonal(factor, true));
    return {left, right};
  }

  kernel& k_;
  stride_2d next_bias_, next_factors_;
  stride_3d next_c_;
  variable<scalar> tiles_a_panel_, tiles_left_, zero_point_, shift_;
  memory_area tables_ = k_.memory("tables", {1});
};

}  // namespace

compiled_function i8_matmul_tile(const compile_options& options) {
  kernel k("i8_matmul_tile");
  auto a = k.argument_pointer("A", k.memory("A", {0}));
  auto b = k.argument_pointer("B", k.memory("B", {3}).yielding());
  auto c = k.argument_pointer("C", k.memory("C before", {1}));
  auto c_after = k.pointer_from("C'", c, k.memory("C after", {1}));  // a block is read before it is written, and once
  multiply(k, walks(k), a, b, c, c_after, k.constant(accumulate));
  return k.compile(options);
}

compiled_function op_matmul_i8(const compile_options& options) {
  kernel k("op_matmul_i8");
  auto parameters = k.argument_pointer("parameters", k.memory("parameters"));
  const auto tiles = load_i32(parameters, at(4)), k_chunks = load_i32(parameters, at(8));
  const auto as_i8 = load_i32(parameters, at(12));
  auto a = overlay::chunk_stream::a(k), b = overlay::chunk_stream::b(k), out = overlay::chunk_stream::out(k);
  const auto a_area = k.memory("A", {0, 1}), b_area = k.memory("B", {3}).yielding(), out_area = k.memory("out", {0});
  const auto c_before = k.memory("C before", {2}), c_area = k.memory("C", {2});
  const walks w(k);
  requantisation requantise(k, parameters);
  auto first = k.make_variable("first", k.constant(drop));

  k.loop("tile", tiles, [&] {
    first = k.constant(drop);
    k.when("int8", as_i8, [&] { requantise.begin_tile(b); });
    k.loop("chunk", k_chunks, [&] {
      a.wait();
      b.wait();
      k.restart(w.next_a);
      k.restart(w.next_b);
      multiply(k, w, a.at(a_area), b.at(b_area), k.pointer_to("C", c_at, c_before), k.pointer_to("C'", c_at, c_area),
               first);
      a.give();
      b.give();
      first = k.constant(accumulate);
    });
    k.when("int8", as_i8, [&] { requantise.write(out, c_area, out_area); });
    k.when("int32", eq(as_i8, number(k, 0)), [&] { write_i32(k, out, c_area, out_area); });
  });
  a.finish();
  b.finish();
  out.finish();
  return k.compile(options);
}

}  // namespace npurt::kernels
