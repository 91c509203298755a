// SPDX-License-Identifier: Apache-2.0
// bf16 matmul on one core: the product of two chunks, and the overlay's operation around it. Layouts in README.md.
#include <array>

#include "codegen/operations.hpp"
#include "overlay/chunks.hpp"
#include "programs.hpp"

namespace npurt::kernels {

using namespace codegen;

namespace {

constexpr unsigned row_blocks = 4, column_blocks = 2, k_steps = 8, column_groups = 8, row_groups = 4;
constexpr std::int32_t block = 64;  // bytes: 4x8 of A, 8x4 of B, 4x4 of C
constexpr std::int32_t a_rows = row_blocks * block, a_step = row_groups * a_rows;
constexpr std::int32_t a_last_step = static_cast<std::int32_t>(k_steps - 1) * a_step;
constexpr std::int32_t b_columns = k_steps * block, b_tile = column_groups * column_blocks * b_columns;
constexpr std::int32_t accumulate = static_cast<std::int32_t>(mac_shape::bf16_4x8x4), drop = accumulate + 1;
constexpr std::int32_t as_it_is = 22, transpose_4x8 = 29;  // isa::shuffle_modes(): T512_1x2_lo, T16_4x8
constexpr unsigned nearest_even = 12;                      // isa::rounding_modes()

/// Strides of a chunk's product.
struct walks {
  explicit walks(kernel& k)
      : next_step(k.make_stride("next step", a_step - a_rows + block)),
        next_a(k.make_stride("next A", block - a_rows - a_last_step, column_groups, block - a_last_step)),
        next_b(k.make_stride("next B", block + b_columns, column_groups, block + b_columns - b_tile)) {}

  stride next_step;
  stride_2d next_a, next_b;
};

/// C (+)= A · B for a chunk each. `first` is the configuration of the first multiply-accumulate of every block of C,
/// `b_mode` how a block of B is rearranged. A sum may be added to every fourth cycle, so eight of them keep the
/// multiplier busy.
void multiply(kernel& k, const walks& w, pointer a, pointer b, pointer c, pointer c_after, const scalar& first,
              const scalar& b_mode) {
  using sums = std::array<std::array<accum<accfloat, 16>, row_blocks>, column_blocks>;
  const auto blocks = [&] {
    sums sum;
    for (auto& column : sum) {
      for (auto& s : column) {
        s = load_accum<accum<accfloat, 16>>(c, post(block));
      }
    }
    for (unsigned step = 0; step < k_steps; ++step) {
      const bool last = step == k_steps - 1;
      std::array<vector<bfloat16, 32>, column_blocks> columns;
      columns[1] = shuffle(load<bfloat16, 32>(b, at(b_columns)), b_mode);
      columns[0] = shuffle(load<bfloat16, 32>(b, last ? post(w.next_b) : post(block)), b_mode);
      for (unsigned r = 0; r < row_blocks; ++r) {
        const auto rows = load<bfloat16, 32>(a, r < row_blocks - 1 ? post(block)
                                                : last             ? post(w.next_a)
                                                                   : post(w.next_step));
        for (unsigned i = 0; i < column_blocks; ++i) {
          sum[i][r] = mac(sum[i][r], rows, columns[i], step == 0 ? first : k.constant(accumulate));
        }
      }
    }
    for (const auto& column : sum) {
      for (const auto& s : column) {
        store(c_after, s, post(block));
      }
    }
  };
  k.loop("block", row_groups * column_groups, blocks, loop_end::overrun);
}

// ---- the epilogue: C + bias + residual to out

constexpr std::int32_t c_at = overlay::data_memory + overlay::c_offset;
constexpr std::int32_t c_bytes = overlay::c_bytes, out_bytes = overlay::out_bytes;
constexpr std::int32_t tile_columns = 64, column_sets = 16;  // sets of four columns, as wide as a block of C
constexpr std::int32_t panel_bytes = tile_columns * 4, panels = 22;
// Tables: 64 fp32 for each panel of columns; the current panel's once more, every four columns repeated for the four
// rows of a block, or zeros; zeros in place of a residual.
constexpr std::int32_t panels_at = overlay::data_memory + overlay::tables_offset;
constexpr std::int32_t bias_at = panels_at + panels * panel_bytes;
constexpr std::int32_t zeros_at = bias_at + column_sets * block;
static_assert(zeros_at + block <= c_at);

class epilogue {
 public:
  epilogue(kernel& k, const scalar& bits)
      : k_(k),
        with_bias_(flag(bits, 2)),
        with_residual_(flag(bits, 8)),
        bias_walk_(k.make_stride("next columns", block, column_sets, block - column_sets * block)),
        panel_(k.make_variable("panel", number(k, panels_at))),
        tiles_left_(k.make_variable("tiles of the panel left", number(k, 0))),
        panels_end_(k.make_variable("panels' end", number(k, 0))),
        tiles_a_panel_(k.make_variable("tiles a panel", number(k, 0))) {}

  /// Takes the bias chunk if there is one, with parameters [4] and [5].
  void begin(overlay::chunk_stream& b, const memory_area& b_area, pointer& parameters) {
    clear(bias_at, column_sets + 1);
    k_.when("bias", with_bias_, [&] {
      tiles_a_panel_ = load_i32(parameters, at(20));
      tiles_left_ = tiles_a_panel_;
      panels_end_ = add(mul(load_i32(parameters, at(16)), number(k_, panel_bytes)), panel_);
      auto from = b.take(b_area);
      auto to = k_.pointer_to("panels", panels_at, tables_);
      k_.loop(
          "bias", panels * panel_bytes / block,
          [&] { store(to, load<std::int32_t, 16>(from, post(block)), post(block)); }, loop_end::overrun);
      b.give();
    });
  }

  /// A tile: from C to out.
  void run(overlay::chunk_stream& a, overlay::chunk_stream& out, const memory_area& c_area, const scalar& as_bf16) {
    const auto as_fp32 = eq(as_bf16, number(k_, 0));
    k_.when("bias", with_bias_, [&] { spread_bias(); });
    k_.when("residual", with_residual_, [&] { a.wait(); });
    k_.when("sum", bit_or(with_residual_, bit_and(with_bias_, as_fp32)), [&] { add_to_c(c_area, a.address()); });
    k_.when("residual", with_residual_, [&] { a.give(); });
    k_.when("bf16", as_bf16, [&] { write(out, c_area, true); });
    k_.when("fp32", as_fp32, [&] { write(out, c_area, false); });
  }

  scalar flag(const scalar& bits, std::int32_t bit) { return lt(number(k_, 0), bit_and(bits, number(k_, bit))); }

 private:
  void clear(std::int32_t address, unsigned blocks) {
    auto to = k_.pointer_to("zeros", static_cast<std::uint32_t>(address), tables_);
    const auto zero = broadcast<std::int32_t, 16>(number(k_, 0));
    k_.loop("clear", blocks, [&] { store(to, zero, post(block)); }, loop_end::overrun);
  }

  void spread_bias() {
    constexpr unsigned even = 8, odd = 9;  // isa::shuffle_modes(): T128_4x2_lo, _hi: of four 16-byte parts
    auto from = k_.pointer_from("panel", panel_, tables_);
    auto to = k_.pointer_to("bias", bias_at, tables_);
    const auto spread = [&] {
      const auto four = load<std::int32_t, 16>(from, post(block));
      const auto evens = shuffle(four, four, even), odds = shuffle(four, four, odd);
      store(to, shuffle(evens, evens, even), post(block));
      store(to, shuffle(odds, odds, even), post(block));
      store(to, shuffle(evens, evens, odd), post(block));
      store(to, shuffle(odds, odds, odd), post(block));
    };
    k_.loop("spread", panel_bytes / block, spread, loop_end::overrun);
    tiles_left_ = add(tiles_left_, number(k_, -1));
    k_.when("next panel", eq(tiles_left_, number(k_, 0)), [&] {
      tiles_left_ = tiles_a_panel_;
      panel_ = add(panel_, number(k_, panel_bytes));
      k_.when("first panel", eq(panel_, panels_end_), [&] { panel_ = number(k_, panels_at); });
    });
  }

  /// C += bias + residual, the residual zeros if there is none. There is no bias left then.
  void add_to_c(const memory_area& c_area, const scalar& chunk) {
    auto from = k_.pointer_to("C", c_at, k_.memory("C before", {2})), to = k_.pointer_to("C'", c_at, c_area);
    auto bias = k_.pointer_to("bias", bias_at, tables_);
    k_.restart(bias_walk_);
    const auto zeros = number(k_, zeros_at);
    auto residual =
        k_.pointer_from("residual", add(zeros, mul(with_residual_, sub(chunk, zeros))), k_.memory("residual"));
    const auto residual_walk = k_.make_stride("next of the residual", 0);
    k_.assign(residual_walk, mul(with_residual_, number(k_, block / 2)));
    const auto columns = [&] {
      const auto added = load_accum<accum<accfloat, 16>>(bias, post(bias_walk_));
      for (unsigned r = 0; r < row_blocks; ++r) {
        const auto c = as_accum<accfloat>(load<std::int32_t, 16>(from, post(block)));
        store(to, add(add(c, added), load_float(residual, post(residual_walk))), post(block));
      }
    };
    k_.loop("add", static_cast<std::uint32_t>(c_bytes / (row_blocks * block)), columns, loop_end::overrun);
    clear(bias_at, column_sets);
  }

  /// C + bias as bf16, or C as it is, a chunk of out after the other.
  void write(overlay::chunk_stream& out, const memory_area& c_area, bool as_bf16) {
    const std::int32_t of_c = as_bf16 ? 2 * out_bytes : out_bytes;
    auto c_next = k_.make_variable("C part", number(k_, c_at));
    k_.loop("part", static_cast<std::uint32_t>(c_bytes / of_c), [&] {
      auto from = k_.pointer_from("C part", c_next, c_area);
      auto to = out.take(out_);
      if (as_bf16) {
        convert(from, to);
      } else {
        k_.loop(
            "copy", static_cast<std::uint32_t>(out_bytes / block),
            [&] { store(to, load<std::int32_t, 16>(from, post(block)), post(block)); }, loop_end::overrun);
      }
      out.give();
      c_next = add(c_next, number(k_, of_c));
    });
  }

  void convert(pointer& from, pointer& to) {
    auto bias = k_.pointer_to("bias", bias_at, tables_);
    k_.restart(bias_walk_);
    const auto columns = [&] {
      const auto added = load_accum<accum<accfloat, 16>>(bias, post(bias_walk_));
      for (unsigned r = 0; r < row_blocks; ++r) {
        const auto c = as_accum<accfloat>(load<std::int32_t, 16>(from, post(block)));
        store_bf16(to, add(c, added), post(block / 2));
      }
    };
    k_.loop("columns", static_cast<std::uint32_t>(2 * out_bytes / (row_blocks * block)), columns, loop_end::overrun);
  }

  kernel& k_;
  scalar with_bias_, with_residual_;
  stride_2d bias_walk_;
  variable<scalar> panel_, tiles_left_, panels_end_, tiles_a_panel_;
  memory_area tables_ = k_.memory("tables", {1}), out_ = k_.memory("out", {0});
};

}  // namespace

compiled_function bf16_matmul_tile(const compile_options& options) {
  kernel k("bf16_matmul_tile");
  auto a = k.argument_pointer("A", k.memory("A", {0}));
  auto b = k.argument_pointer("B", k.memory("B", {3}).yielding());
  auto c = k.argument_pointer("C", k.memory("C before", {1}));
  auto c_after = k.pointer_from("C'", c, k.memory("C after", {1}));  // a block is read before it is written, and once
  multiply(k, walks(k), a, b, c, c_after, k.constant(accumulate), k.constant(as_it_is));
  return k.compile(options);
}

compiled_function op_matmul_bf16(const compile_options& options) {
  kernel k("op_matmul_bf16");
  auto parameters = k.argument_pointer("parameters", k.memory("parameters"));
  const auto tiles = load_i32(parameters, at(4)), k_chunks = load_i32(parameters, at(8));
  const auto bits = load_i32(parameters, at(12));
  k.set_rounding(nearest_even);
  auto a = overlay::chunk_stream::a(k), b = overlay::chunk_stream::b(k), out = overlay::chunk_stream::out(k);
  const auto a_area = k.memory("A", {0, 1}), b_area = k.memory("B", {3}).yielding();
  const auto c_before = k.memory("C before", {2}), c_area = k.memory("C", {2});
  const walks w(k);
  epilogue end(k, bits);
  const auto as_bf16 = bit_and(bits, number(k, 1));
  const auto b_mode = add(number(k, as_it_is), mul(end.flag(bits, 16), number(k, transpose_4x8 - as_it_is)));
  auto first = k.make_variable("first", k.constant(drop));

  end.begin(b, b_area, parameters);
  k.loop("tile", tiles, [&] {
    first = k.constant(drop);
    k.loop("chunk", k_chunks, [&] {
      a.wait();
      b.wait();
      k.restart(w.next_a);
      k.restart(w.next_b);
      multiply(k, w, a.at(a_area), b.at(b_area), k.pointer_to("C", c_at, c_before), k.pointer_to("C'", c_at, c_area),
               first, b_mode);
      a.give();
      b.give();
      first = k.constant(accumulate);
    });
    end.run(a, out, c_area, as_bf16);
  });
  a.finish();
  b.finish();
  out.finish();
  return k.compile(options);
}

}  // namespace npurt::kernels
