// SPDX-License-Identifier: Apache-2.0
// bf16-layernorm, the overlay's operation 7: per row the mean, the variance around it, and the results.
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
constexpr std::int32_t beta_offset = overlay::chunk_bytes;  // behind gamma in C
constexpr unsigned own = 48;  // first lock of this tile, as the core's instructions name it

class layernorm {
 public:
  layernorm(kernel& k, pointer& parameters)
      : k_(k),
        c_(k.memory("gamma, beta", {2})),
        half_(all_bf16(k, 0.5F)),
        inverse_n_(split(all_of(load_i32(parameters, at(12))))),
        minus_n_(minus_n(load_i32(parameters, at(8)))),
        epsilon_(all_of(load_i32(parameters, at(16)))),
        scale_(k.make_variable("1 / sigma", all_bf16(k, 0))),
        shift_(k.make_variable("- mean / sigma", all_float(k, 0))) {}

  /// gamma and beta, the first two B chunks, to C.
  void take_gamma_and_beta(const scalar& next_b, const memory_area& in) {
    auto to = k_.pointer_to("gamma, beta", c, c_);
    auto chunk =
        k_.make_variable("gamma, beta at", bit_or(next_b, next_b));  // a copy: after two chunks it is next again
    k_.loop("gamma, beta", 2, [&] {
      k_.acquire(own + overlay::b_free + 1, -1);
      auto from = k_.pointer_from("B", chunk, in);
      k_.loop("copy", overlay::chunk_bytes / block,
              [&] { store(to, load<bfloat16, 32>(from, post(block)), post(block)); });
      k_.release(own + overlay::b_free, 1);
      chunk = bit_xor(chunk, number(k_, overlay::b_offsets[0] ^ overlay::b_offsets[1]));
    });
  }

  /// The row's factor, 1 / sqrt(variance + eps), and its summand, minus the mean times that.
  void begin_row(row_chunks& rows, const scalar& in) {
    rows.pad(in, all_bf16(k_, 0));
    const auto sum = sum_of_row(rows, in);
    // The variance is taken around a bf16 number near the mean: differences are exact then, and 0 for the padding.
    const auto near_mean = to_bf16_twice(product(split(sum), inverse_n_));
    rows.pad(in, near_mean);
    const auto squares = split(squares_of_row(rows, in, to_float(low(near_mean))));
    const auto rest = split(product(split(mac(sum, minus_n_, near_mean, elementwise)), inverse_n_));
    const auto rest_swapped = swapped(rest);
    const auto correction = msc(msc(epsilon_, rest, rest_swapped, elementwise), rest, rest, elementwise);
    // Sums of eight times 1 / n by matrix products; the four of them are in lanes 16 bytes apart.
    const auto eights = mac(mul(squares, high_twice(inverse_n_), mac_shape::bf16_4x8x4), squares, low_twice(inverse_n_),
                            mac_shape::bf16_4x8x4);
    const auto scale = split(rsqrt(add(sum_of_lanes(eights, {32, 16}), correction)));
    shift_ = msc(msc(msc(all_float(k_, 0), near_mean, scale, elementwise), rest_swapped, scale, elementwise), rest,
                 scale, elementwise);
    scale_ = scale;
  }

  void finish_row(row_chunks& rows, const row_chunks::row& row, const scalar& column) {
    auto x = rows.cycle(row);
    auto gamma = k_.pointer_from("gamma", column, c_);
    auto beta = k_.pointer_from("beta", add(column, number(k_, beta_offset)), c_);
    auto y = k_.pointer_from("y", row.out, rows.out_area());
    k_.loop(
        "scale", row.blocks,
        [&] {
          const auto second = load_twice(x, at(group)), first = load_twice(x, post(rows.next_block()));
          for (const bf16_pair& some : {first, second}) {
            const auto normal = split(mac(shift_, some, scale_, elementwise), half_);
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

  lanes sum_of_row(row_chunks& rows, const scalar& in) {
    // The matrix product with ones sums eight elements at once, the same in four lanes beside each other.
    auto sum = k_.make_variable("sum", all_float(k_, 0));
    const auto ones = all_bf16(k_, 1);
    auto x = rows.cycle(in);
    k_.loop(
        "sum", rows.blocks(),
        [&] { sum = mac(sum, load<bfloat16, 32>(x, post(rows.next_block())), ones, mac_shape::bf16_4x8x4); },
        loop_end::overrun);
    return sum_of_lanes(sum, {32, 16});
  }

  lanes squares_of_row(row_chunks& rows, const scalar& in, const lanes& near_mean) {
    std::array sums{k_.make_variable("squares 0", all_float(k_, 0)), k_.make_variable("squares 1", all_float(k_, 0))};
    auto x = rows.cycle(in);
    k_.loop(
        "squares", rows.blocks(),
        [&] {
          const auto second = load_float(x, at(group)), first = load_float(x, post(rows.next_block()));
          for (std::size_t i = 0; i < sums.size(); ++i) {
            const auto d = split(sub(i == 0 ? first : second, near_mean));
            sums[i] = mac(sums[i], d, d, elementwise);
            sums[i] = mac(sums[i], d, swapped(d), elementwise);
          }
        },
        loop_end::overrun);
    return add(sums[0], sums[1]);
  }

  /// Within 2^-16: from bits to 4 %, then the series in what is missing.
  lanes rsqrt(const lanes& v) {
    const auto half_bits = shift_left(extract(bits_of(v), number(k_, 0)), number(k_, -1));
    const auto guess = to_bf16_twice(all_of(sub(number(k_, 0x5F3759DF), half_bits)));
    const auto one = all_float(k_, 1), zero = all_float(k_, 0);
    const auto error = msc(one, split(mul(split(v), guess, elementwise)), guess, elementwise);
    // 1 / sqrt(1 - e) = 1 + e/2 + e² (0.3767 + e · 5/16) within 2^-19 for |e| < 0.08
    const auto e = to_bf16_pair(error, zero);
    const auto e2 = to_bf16_pair(mul(e, e, elementwise), zero);
    const auto rest = to_bf16_pair(mac(all_float(k_, 0.3767F), e, all_bf16(k_, 0.3125F), elementwise), zero);
    const auto linear = mac(one, split(error), half_, elementwise);
    return mul(split(mac(linear, e2, rest, elementwise)), guess, elementwise);
  }

  kernel& k_;
  memory_area c_;
  bf16_pair half_, inverse_n_, minus_n_;
  lanes epsilon_;
  variable<bf16_pair> scale_;
  variable<lanes> shift_;
};

}  // namespace

compiled_function op_layernorm_bf16(const compile_options& options) {
  constexpr unsigned nearest_even = 12;  // isa::rounding_modes()

  kernel k("op_layernorm_bf16");
  auto parameters = k.argument_pointer("parameters", k.memory("parameters"));
  k.set_rounding(nearest_even);
  layernorm operation(k, parameters);
  row_chunks rows(k, parameters);
  operation.take_gamma_and_beta(rows.next_b(), rows.in_area());
  auto column = k.make_variable("column", number(k, static_cast<std::int32_t>(c)));
  rows.for_each([&](const row_chunks::row& row) {
    k.when("a row begins", row.begins, [&] {
      operation.begin_row(rows, row.in);
      column = number(k, static_cast<std::int32_t>(c));
    });
    operation.finish_row(rows, row, column);
    column = add(column, number(k, static_cast<std::int32_t>(overlay::out_bytes)));
  });
  return k.compile(options);
}

}  // namespace npurt::kernels
