// SPDX-License-Identifier: Apache-2.0
// bf16-layernorm, the overlay's operation 7: per row the mean, the variance around it, and the results.
#include <array>
#include <bit>

#include "math/constants.hpp"
#include "math/rows.hpp"
#include "overlay/core_memory.hpp"
#include "programs.hpp"

namespace npurt::kernels {

using namespace codegen;
using namespace math;

namespace {

constexpr auto elementwise = mac_shape::bf16_elementwise;
constexpr std::int32_t block = 64, group = 32;  // bytes of 32 and of 16 elements
constexpr std::uint32_t c = overlay::data_memory + overlay::c_offset;
constexpr unsigned own = 48;  // first lock of this tile, as the core's instructions name it
// Modes of vshuffle: even elements, then odd ones; and back; odd elements of both operands.
constexpr unsigned apart = 44, in_turn = 45, odd = 3;
// One number for each row of a chunk: its sum, later what is added to it; its mean as bf16, twice, later its factor as
// two bf16; its squares times 1 / n.
constexpr std::int32_t number_bytes = 4, rows_at_once = 16, array_bytes = 512;
constexpr std::int32_t numbers_at = overlay::data_memory + overlay::tables_offset;
constexpr std::int32_t most_rows = 2 * overlay::out_bytes / block;
static_assert(most_rows * number_bytes <= array_bytes && numbers_at % block == 0);

template <typename Of>
auto both(const Of& of) {
  return std::array{of(0u), of(1u)};
}

class layernorm {
 public:
  layernorm(kernel& k, pointer& parameters)
      : k_(k),
        c_(k.memory("gamma, beta", {2})),
        numbers_(k.memory("numbers of rows", {1})),
        next_array_(k.make_stride("next array", array_bytes)),
        half_(all_bf16(k, 0.5F)),
        inverse_n_(split(all_of(load_i32(parameters, at(12))))),
        minus_n_(minus_n(load_i32(parameters, at(8)))),
        epsilon_(all_of(load_i32(parameters, at(16)))) {}

  /// gamma and beta to C: half a chunk of B each, or one each for long rows.
  void take_gamma_and_beta(row_chunks& rows) {
    auto to = k_.pointer_to("gamma, beta", c, c_);
    auto chunk = k_.make_variable("gamma, beta at", rows.next_b());
    k_.loop("gamma, beta", add(rows.is_long(), number(k_, 1)), [&] {
      k_.acquire(own + overlay::b_free + 1, -1);
      auto from = k_.pointer_from("B", chunk, rows.in_area());
      k_.loop("copy", overlay::chunk_bytes / block,
              [&] { store(to, load<bfloat16, 32>(from, post(block)), post(block)); });
      k_.release(own + overlay::b_free, 1);
      chunk = bit_xor(chunk, number(k_, overlay::b_offsets[0] ^ overlay::b_offsets[1]));
    });
    rows.next_b() = chunk;
  }

  /// What finish_row() needs of a chunk's rows: each one's numbers, two rows at a time, those of its units, or a long
  /// one twice; then what is made of them, sixteen rows at a time.
  void begin_chunk(row_chunks& rows, const scalar& chunk) {
    const auto is_short = bit_xor(rows.is_long(), number(k_, 1));
    auto from = k_.make_variable("row", bit_or(chunk, chunk));
    const auto second = shift_left(is_short, number(k_, std::countr_zero(std::uint32_t{overlay::out_bytes})));
    at_ = number(k_, numbers_at);
    k_.loop("two rows", rows.rows(), [&] {
      begin_rows(rows, {from, add(from, second)});
      from = add(from, rows.pitch());
      at_ = add(at_, number(k_, number_bytes));
    });
    finish_numbers(rows);
    at_ = number(k_, numbers_at);
  }

  void finish_row(row_chunks& rows, const row_chunks::row& row) {
    auto numbers = k_.pointer_from("numbers", at_, numbers_);
    const auto shift = all_of(load_i32(numbers, post(next_array_)));
    const auto scale =
        as_lanes_of<bfloat16>(shuffle(broadcast<std::int32_t, 16>(load_i32(numbers, at(0))), number(k_, apart)));
    at_ = add(at_, number(k_, number_bytes));
    const auto half_chunk = number(k_, std::countr_zero(std::uint32_t{overlay::out_bytes}));
    const auto column =
        add(shift_left(bit_xor(row.begins, number(k_, 1)), half_chunk), number(k_, static_cast<std::int32_t>(c)));
    auto x = rows.cycle(row);
    auto gamma = k_.pointer_from("gamma", column, c_);
    auto beta = k_.pointer_from("beta", add(column, shift_left(number(k_, overlay::out_bytes), rows.is_long())), c_);
    auto y = k_.pointer_from("y", row.out, rows.out_area());
    k_.loop(
        "scale", row.blocks,
        [&] {
          const auto second = load_twice(x, at(group)), first = load_twice(x, post(rows.next_block()));
          for (const bf16_pair& some : {first, second}) {
            const auto normal = split(mac(shift, some, scale, elementwise), half_);
            store_bf16(y, mac(load_float(beta, post(group)), normal, load_twice(gamma, post(group)), elementwise),
                       post(group));
          }
        },
        loop_end::overrun);
  }

 private:
  static lanes all_of(const scalar& bits) { return float_of_bits(broadcast<std::int32_t, 16>(bits)); }

  /// Two parts; n with the exponent of 2^23 is 2^23 + n.
  bf16_pair minus_n(const scalar& n) {
    constexpr float two_23 = 0x1p23F;
    return split(sub(all_float(k_, two_23), all_of(add(n, number(k_, std::bit_cast<std::int32_t>(two_23))))));
  }

  /// Sum, mean and squares of two rows to their places.
  void begin_rows(row_chunks& rows, const std::array<scalar, 2>& in) {
    for (const scalar& row : in) rows.pad(row, all_bf16(k_, 0));
    const auto sum = sums_of_rows(rows, in);
    // The variance is taken around a bf16 number near the mean: differences are exact then, and 0 for the padding.
    const auto near_mean = as_lanes_of<std::int32_t>(to_bf16_twice(product(split(sum), inverse_n_)));
    const auto means =
        both([&](unsigned i) { return extract(near_mean, number(k_, 2 * static_cast<std::int32_t>(i))); });
    const auto near_means =
        both([&](unsigned i) { return as_lanes_of<bfloat16>(broadcast<std::int32_t, 16>(means[i])); });
    for (unsigned i = 0; i < 2; ++i) rows.pad(in[i], near_means[i]);
    const auto row_to_row = shift_left(rows.rows(), number(k_, std::countr_zero(std::uint32_t{number_bytes})));
    auto to = both([&](unsigned i) {
      return k_.pointer_from("numbers", i == 0 ? static_cast<const scalar&>(at_) : add(at_, row_to_row), numbers_);
    });
    for (unsigned i = 0; i < 2; ++i) {
      store(to[i], extract(bits_of(sum), number(k_, lane_of(i))), post(next_array_));
      store(to[i], means[i], post(next_array_));
    }
    const auto squares = bits_of(squares_of_rows(rows, in, near_means));
    for (unsigned i = 0; i < 2; ++i) store(to[i], extract(squares, number(k_, lane_of(i))), at(0));
  }

  /// The first lane of a row: two rows have four lanes each, and the same again.
  static constexpr std::int32_t lane_of(unsigned row) { return 4 * static_cast<std::int32_t>(row); }

  /// Of each row its factor, 1 / sqrt(variance + eps), and its summand, minus the mean times that. What comes behind
  /// the last row is not read.
  void finish_numbers(row_chunks& rows) {
    static_assert(rows_at_once == 16);
    auto from = k_.make_variable("rows", number(k_, numbers_at));
    k_.loop(
        "sixteen rows", shift_left(add(rows.rows(), number(k_, rows_at_once / 2 - 1)), number(k_, -3)),
        [&] {
          auto numbers = k_.pointer_from("numbers", from, numbers_), to = k_.pointer_from("numbers", from, numbers_);
          const auto sum = load_accum<lanes>(numbers, post(next_array_));
          const auto near_mean = shuffle(load<bfloat16, 32>(numbers, post(next_array_)), number(k_, apart));
          const auto squares = load_accum<lanes>(numbers, at(0));
          const auto rest = split(product(split(mac(sum, minus_n_, near_mean, elementwise)), inverse_n_));
          const auto rest_swapped = swapped(rest);
          const auto correction = msc(msc(epsilon_, rest, rest_swapped, elementwise), rest, rest, elementwise);
          const auto scale = split(rsqrt(add(squares, correction)));
          const auto shift =
              msc(msc(msc(all_float(k_, 0), near_mean, scale, elementwise), rest_swapped, scale, elementwise), rest,
                  scale, elementwise);
          store(to, shift, post(next_array_));
          store(to, shuffle(as_lanes_of<std::int32_t>(scale), number(k_, in_turn)), at(0));
          from = add(from, number(k_, block));
        },
        loop_end::plain);
  }

  /// Sums of four numbers each, of which a matrix product left each in four lanes.
  static lanes together(const std::array<lanes, 2>& x) {
    constexpr unsigned even_128 = 8, odd_128 = 9;  // modes of vshuffle
    auto a = bits_of(x[0]), b = bits_of(x[1]);
    const auto halves = add(float_of_bits(shuffle(a, b, even_128)), float_of_bits(shuffle(a, b, odd_128)));
    const auto all = bits_of(halves);
    return add(float_of_bits(shuffle(all, all, even_128)), float_of_bits(shuffle(all, all, odd_128)));
  }

  lanes sums_of_rows(row_chunks& rows, const std::array<scalar, 2>& in) {
    // The matrix product with ones sums eight elements at once, the same in four lanes beside each other.
    auto sums = both([&](unsigned) { return k_.make_variable("sum", all_float(k_, 0)); });
    const auto ones = all_bf16(k_, 1);
    auto x = both([&](unsigned i) { return rows.cycle(in[i], i); });
    k_.loop(
        "sum", rows.blocks(),
        [&] {
          for (unsigned i = 0; i < 2; ++i) {
            sums[i] = mac(sums[i], load<bfloat16, 32>(x[i], post(rows.next_block(i))), ones, mac_shape::bf16_4x8x4);
          }
        },
        loop_end::overrun);
    return together({sums[0], sums[1]});
  }

  /// Times 1 / n.
  lanes squares_of_rows(row_chunks& rows, const std::array<scalar, 2>& in, const std::array<bf16_pair, 2>& near_means) {
    auto sums = both([&](unsigned) { return k_.make_variable("squares", all_float(k_, 0)); });
    const auto around = both([&](unsigned i) { return to_float(low(near_means[i])); });
    auto x = both([&](unsigned i) { return rows.cycle(in[i], i); });
    k_.loop(
        "squares", rows.blocks(),
        [&] {
          for (unsigned i = 0; i < 2; ++i) {
            const auto second = load_float(x[i], at(group)), first = load_float(x[i], post(rows.next_block(i)));
            for (const lanes& some : {first, second}) {
              const auto difference = sub(some, around[i]);
              const auto d = to_bf16_low(difference);
              set_high_bf16(d, sub(difference, to_float(low(d))));
              sums[i] = mac(sums[i], d, d, elementwise);
              sums[i] = mac(sums[i], d, swapped(d), elementwise);
            }
          }
        },
        loop_end::overrun);
    return together(both([&](unsigned i) {
      const auto parts = split(sums[i]);  // sums of eight times 1 / n
      return mac(mul(parts, high_twice(inverse_n_), mac_shape::bf16_4x8x4), parts, low_twice(inverse_n_),
                 mac_shape::bf16_4x8x4);
    }));
  }

  /// Within 2^-17.8: from bits to 4 %, by a step of Newton's to 8 bits, then the series in what is missing.
  lanes rsqrt(const lanes& v) {
    const auto bits = as_lanes_of<std::int16_t>(bits_of(v));
    const auto half_bits = to_i16(widen(shuffle(bits, bits, odd), shift_here(k_, 0)), shift_here(k_, 1));
    const auto guess = as_lanes_of<bfloat16>(sub(broadcast<std::int16_t, 32>(number(k_, 0x5F37)), half_bits));
    const auto parts = split(v);
    const auto zero = all_float(k_, 0);
    const auto missing = msc(all_float(k_, 1), to_bf16_pair(mul(parts, guess, elementwise), zero), guess, elementwise);
    const auto half_guess = to_bf16_twice(mul(guess, all_bf16(k_, 0.25F), elementwise));
    const auto better = to_bf16_twice(mac(to_float(low(guess)), to_bf16_pair(missing, zero), half_guess, elementwise));
    // Twice the square is exact in two parts. With d = 2 - v · that, 1 / sqrt(1 - d/2) = 1 + d/4 + 3/32 d² within 2^-19
    // for |d| < 2^-5.
    const auto square = split(mul(better, better, elementwise));
    const auto d = msc(msc(all_float(k_, 2), parts, swapped(square), elementwise), parts, square, elementwise);
    const auto d_bf16 = to_bf16_pair(d, zero);
    const auto curve = to_bf16_pair(mul(d_bf16, all_bf16(k_, 0.09375F), elementwise), zero);
    const auto correction = mac(mul(split(d), all_bf16(k_, 0.25F), elementwise), d_bf16, curve, elementwise);
    return mac(to_float(low(better)), split(correction), better, elementwise);
  }

  kernel& k_;
  memory_area c_, numbers_;
  stride next_array_;
  bf16_pair half_, inverse_n_, minus_n_;
  lanes epsilon_;
  variable<scalar> at_ = k_.make_variable("numbers at", number(k_, numbers_at));
};

}  // namespace

compiled_function op_layernorm_bf16(const compile_options& options) {
  constexpr unsigned nearest_even = 12;  // isa::rounding_modes()

  kernel k("op_layernorm_bf16");
  auto parameters = k.argument_pointer("parameters", k.memory("parameters"));
  k.set_rounding(nearest_even);
  layernorm operation(k, parameters);
  row_chunks rows(k, parameters, 2);
  operation.take_gamma_and_beta(rows);
  rows.for_each([&](const row_chunks::row& row) { operation.finish_row(rows, row); },
                [&](const scalar& chunk) { operation.begin_chunk(rows, chunk); });
  return k.compile(options);
}

}  // namespace npurt::kernels
