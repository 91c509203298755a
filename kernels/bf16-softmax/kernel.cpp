// SPDX-License-Identifier: Apache-2.0
// bf16-softmax, the overlay's operation 8: e^(x - max) and its sum in fp32 to C, then times the sum's reciprocal.
#include "math/constants.hpp"
#include "math/exp.hpp"
#include "math/rows.hpp"
#include "overlay/core_memory.hpp"
#include "programs.hpp"

namespace npurt::kernels {

using namespace codegen;
using namespace math;

namespace {

constexpr auto elementwise = mac_shape::bf16_elementwise;
constexpr std::int32_t group = 32;      // bytes of 16 elements
constexpr float lowest = -0x1.FEp127F;  // of bf16
constexpr std::int32_t minus_infinity = 0xFF80;

class softmax {
 public:
  softmax(kernel& k, const pointer& parameters)
      : k_(k),
        parameters_(parameters),
        c_(k.memory("C", {2})),
        reciprocal_(k.memory("1 / sum", {1})),
        visible_(k.make_variable("visible", codegen::sub(parameter(8), parameter(10)))),
        exp_minus_(k) {}

  void begin_chunk() { visible_ = codegen::add(visible_, parameter(10)); }

  /// e^(x - max) of a whole row to C, and the reciprocal of their sum.
  void begin_row(row_chunks& rows, const scalar& in) {
    rows.cut(in, columns_of_next_row(), broadcast<bfloat16, 32>(number(k_, minus_infinity)));
    const auto largest = to_float(low(max_of_row(rows, in)));
    auto to = reciprocal_pointer();
    store(to, one_over(sum_of_lanes(exponentials(rows, in, largest))), at(0));
  }

  /// What lies at `c` in C, times the reciprocal.
  void scale(const row_chunks& rows, const row_chunks::row& row, const scalar& c) {
    auto reciprocal = reciprocal_pointer();
    const auto factor = split(load_accum<lanes>(reciprocal, at(0)));
    const auto high = low_twice(factor), low = high_twice(factor);
    auto from = k_.pointer_from("e", c, c_);
    auto to = k_.pointer_from("y", row.out, rows.out_area());
    k_.loop(
        "scale", row.blocks,
        [&] {
          for (unsigned i = 0; i < 2; ++i) {
            const auto e = split(load_accum<lanes>(from, post(2 * group)));
            store_bf16(to, mac(mul(e, low, elementwise), e, high, elementwise), post(group));
          }
        },
        loop_end::overrun);
  }

 private:
  pointer reciprocal_pointer() {
    return k_.pointer_to("1 / sum", overlay::data_memory + overlay::tables_offset, reciprocal_);
  }
  scalar parameter(std::int32_t word) { return load_i32(parameters_, at(4 * word)); }

  /// That are not masked.
  scalar columns_of_next_row() {
    const auto none = number(k_, 0), most = parameter(11);
    const auto some = codegen::select(static_cast<const scalar&>(visible_), none, lt(visible_, none));
    const auto bounded = codegen::select(some, most, lt(most, some));
    visible_ = codegen::add(visible_, parameter(9));
    return bounded;
  }

  bf16_pair max_of_row(row_chunks& rows, const scalar& in) {
    auto largest = k_.make_variable("max", all_bf16(k_, lowest));  // finite, so that a row of -inf gives 0
    auto x = rows.cycle(in);
    k_.loop(
        "max", rows.blocks(), [&] { largest = codegen::max(largest, load<bfloat16, 32>(x, post(rows.next_block()))); },
        loop_end::overrun);
    bf16_pair all = largest;
    for (const std::int32_t bytes : {32, 16, 8, 4, 2}) {
      all = codegen::max(all, shift_bytes(all, all, number(k_, bytes)));
    }
    return all;
  }

  lanes exponentials(row_chunks& rows, const scalar& in, const lanes& largest) {
    auto sum = k_.make_variable("sum", all_float(k_, 0x1p-100F));  // has a reciprocal even if all are 0
    auto x = rows.cycle(in);
    auto to = k_.pointer_to("e", overlay::data_memory + overlay::c_offset, c_);
    k_.loop(
        "exp", rows.blocks(),
        [&] {
          const auto second = load_float(x, at(group)), first = load_float(x, post(rows.next_block()));
          for (const lanes& some : {first, second}) {
            const auto e = exp_minus_(sub(largest, some));
            store(to, e, post(2 * group));
            sum = codegen::add(sum, float_of_bits(e));
          }
        },
        loop_end::overrun);
    return sum;
  }

  /// Within 2^-16: from bits, then Newton's method to first and to second order.
  lanes one_over(const lanes& x) {
    constexpr std::int32_t guess = 0x7EF311C7;  // minus x's bits: 1 / x within 1/8
    const auto one = all_float(k_, 1), zero = all_float(k_, 0);
    const auto parts = split(x);
    const auto first =
        to_bf16_twice(float_of_bits(codegen::sub(broadcast<std::int32_t, 16>(number(k_, guess)), bits_of(x))));
    const auto error = [&](const bf16_pair& y) { return msc(one, parts, y, elementwise); };
    const auto second =
        to_bf16_twice(codegen::add(to_float(low(first)), mul(first, to_bf16_pair(error(first), zero), elementwise)));
    const auto rest = error(second);
    const auto small = to_bf16_pair(rest, zero);
    return mul(second, split(mac(codegen::add(one, rest), small, small, elementwise)), elementwise);
  }

  kernel& k_;
  pointer parameters_;
  memory_area c_, reciprocal_;
  variable<scalar> visible_;  ///< columns of the next row, before bounds
  exp_minus exp_minus_;
};

}  // namespace

compiled_function op_softmax_bf16(const compile_options& options) {
  constexpr unsigned nearest_even = 12;  // isa::rounding_modes()
  constexpr std::int32_t c = overlay::data_memory + overlay::c_offset;
  constexpr std::int32_t half_row = overlay::out_bytes * 2;  // as fp32

  kernel k("op_softmax_bf16");
  auto parameters = k.argument_pointer("parameters", k.memory("parameters"));
  k.set_rounding(nearest_even);
  row_chunks rows(k, parameters, 1, true);
  softmax operation(k, parameters);
  auto at_c = k.make_variable("half", number(k, c));
  rows.for_each(
      [&](const row_chunks::row& row) {
        k.when("a row begins", row.begins, [&] {
          operation.begin_row(rows, row.in);
          at_c = number(k, c);
        });
        operation.scale(rows, row, at_c);
        at_c = add(at_c, number(k, half_row));
      },
      [&](const scalar&) { operation.begin_chunk(); });
  return k.compile(options);
}

}  // namespace npurt::kernels
