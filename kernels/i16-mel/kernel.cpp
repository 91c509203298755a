// SPDX-License-Identifier: Apache-2.0
// mel, the overlay's operation 14: windowed and folded samples, Fourier sums in 64 bits, powers, filters, logarithm.
// Layouts in README.md.
#include <array>
#include <limits>
#include <vector>

#include "codegen/operations.hpp"
#include "i16-mel/tables.hpp"
#include "math/constants.hpp"
#include "overlay/chunks.hpp"
#include "overlay/core_memory.hpp"
#include "programs.hpp"

namespace npurt::kernels {

using namespace codegen;
using namespace math;

namespace {

constexpr unsigned nearest_even = 12, saturate = 1;
constexpr auto elementwise = mac_shape::bf16_elementwise;
constexpr std::int32_t i32_i16_shift_16 = static_cast<std::int32_t>(mac_shape::i32_i16_4x2x4) | 1 << 10;
// isa::shuffle_modes(), of 128 bytes: even and odd elements apart (lo, hi), two registers' elements in turn, the high
// half.
constexpr std::int32_t even_16 = 2, odd_16 = 3, even_64 = 6, odd_64 = 7, high_half = 11, merge_64 = 14,
                       merge_32_low = 16, merge_32_high = 17, merge_16_low = 18, merge_16_high = 19;

constexpr std::int32_t c_at = overlay::data_memory + overlay::c_offset;
constexpr std::int32_t powers_at = overlay::data_memory + overlay::tables_offset;
constexpr std::int32_t row_bytes = 32;   // a sample of eight frames; or two samples of four
constexpr std::int32_t chunk_row = 200;  // the sample with which a batch's second chunk begins

// Folded samples in C, even frequencies' and odd ones': for each step 128 bytes for cosines and as much for sines, the
// pair of even samples of all frames, then that of odd ones. The last step holds sample 100.
constexpr std::int32_t half_step = 128, folded_step = 2 * half_step, folded_bytes = (mel::steps + 1) * folded_step;
// Behind them, a part's sums: for each set and four frames the cosines' of even and of odd samples, and the sines'.
constexpr std::int32_t sums_at = c_at + 2 * folded_bytes, sums_of_a_set = 2 * 4 * 64;
static_assert(2 * folded_bytes + static_cast<std::int32_t>(mel::sets_of_a_part) * sums_of_a_set <=
              static_cast<std::int32_t>(overlay::c_bytes));
static_assert(mel::sets * mel::powers_of_a_set <= static_cast<std::int32_t>(overlay::tables_bytes));

// Of floating-point numbers whose mantissa is a whole number.
constexpr std::int32_t upper_half_of_2_23 = 0x4B00, upper_half_of_2_39 = 0x5300;

using words = vector<std::int32_t, 16>;
using shorts = vector<std::int16_t, 32>;
using sums = accum<acc64, 16>;
using lanes = accum<accfloat, 16>;
using bf16_pair = vector<bfloat16, 32>;

class mel_operation {
 public:
  explicit mel_operation(kernel& k, pointer& parameters)
      : k_(k),
        batches_(load_i32(parameters, at(4))),
        a_(overlay::chunk_stream::a(k)),
        b_(overlay::chunk_stream::b(k)),
        out_(overlay::chunk_stream::out(k)) {}

  void run() {
    auto sets = k_.make_variable("sets", number(k_, 1));
    auto side = k_.make_variable("even or odd", number(k_, c_at));
    auto powers = k_.make_variable("powers", number(k_, powers_at));
    auto sums_to = k_.make_variable("sums", number(k_, sums_at));
    k_.loop("batch", batches_, [&] {
      sets = number(k_, static_cast<std::int32_t>(mel::sets_of_first_part));
      side = number(k_, c_at);
      powers = number(k_, powers_at);
      b_.wait();
      fold();
      begin_tables(mel::window_bytes, mel::halves_of_first_chunk);
      k_.loop("part", mel::parts, [&] {
        sums_to = number(k_, sums_at);
        k_.loop("set", sets, [&] {
          transform(side, sums_to);
          sums_to = add(sums_to, number(k_, sums_of_a_set));
          side = sub(number(k_, 2 * c_at + folded_bytes), side);
        });
        to_powers(sets, powers);
        powers = add(powers, mul(sets, number(k_, mel::powers_of_a_set)));
        sets = number(k_, static_cast<std::int32_t>(mel::sets_of_a_part));
      });
      b_.give();
      filter();
    });
    a_.finish();
    b_.finish();
    out_.finish();
  }

 private:
  /// A mode's register is needed only here.
  template <typename V>
  V mix(const V& a, const V& b, std::int32_t mode) {
    return shuffle(a, b, number(k_, mode));
  }

  // ---- from two chunks of samples to C

  struct fold_modes {
    explicit fold_modes(kernel& k)
        : merge_low(number(k, merge_32_low)),
          merge_high(number(k, merge_32_high)),
          even(number(k, even_64)),
          odd(number(k, odd_64)),
          high(number(k, high_half)),
          half_row(number(k, row_bytes / 2)) {}
    scalar merge_low, merge_high, even, odd, high, half_row;
  };

  void fold() {
    a_.wait();
    a_.wait();
    const auto first = static_cast<const scalar&>(a_.address());
    const auto second = bit_xor(first, number(k_, overlay::a_offsets[0] ^ overlay::a_offsets[1]));
    const auto in = k_.memory("samples", {0, 1});
    // Samples n, 400 - n, 200 - n and 200 + n.
    auto up = k_.pointer_from("n", first, in), mirror_down = down_from("400 - n", second, in),
         down = down_from("200 - n", first, in), mirror_up = k_.pointer_from("200 + n", second, in);
    auto window = k_.pointer_from("window", b_.address(), b_area_);
    auto even = k_.pointer_to("even", c_at, c_area_), odd = k_.pointer_to("odd", c_at + folded_bytes, c_area_);
    const fold_modes modes(k_);
    const auto high_of = [&](const words& v) { return shuffle(v, v, modes.high); };
    const auto step = [&] {
      std::array<std::array<words, 4>, 2> sample;  // of four frames each: a, b, c, d
      for (unsigned i = 0; i < 4; ++i) {
        const auto outer = shuffle(load_row(up, row_bytes), load_row(mirror_down, -row_bytes), modes.merge_low);
        const auto inner = shuffle(load_row(down, -row_bytes), load_row(mirror_up, row_bytes), modes.merge_low);
        const auto outer_weights = load_low<std::int16_t, 32>(window, post(mel::window_row_bytes));
        const auto inner_weights = shift_bytes(outer_weights, outer_weights, modes.half_row);
        for (unsigned frames = 0; frames < 2; ++frames) {
          const auto sum = mul_4x2x4(frames == 0 ? outer : high_of(outer), outer_weights);
          sample[frames][i] =
              to_i32(mac_4x2x4(sum, frames == 0 ? inner : high_of(inner), inner_weights), shift(mel::window_shift));
        }
      }
      for (unsigned frames = 2; frames-- > 0;) {
        for (unsigned parity = 2; parity-- > 0;) {
          store_pair(sample[frames][parity], sample[frames][parity + 2], even, odd, 2 * parity + frames, modes);
        }
      }
    };
    k_.loop("fold", mel::steps + 1, step, loop_end::overrun);
    a_.give();
    a_.give();
  }

  pointer down_from(const std::string& name, const scalar& chunk, const memory_area& area) {
    return k_.pointer_from(name, add(chunk, number(k_, chunk_row * row_bytes)), area);
  }
  words load_row(pointer& p, std::int32_t next) { return load_low<std::int32_t, 16>(p, post(next)); }
  /// The second 16 bytes of a register come first.
  shorts high_quarter(const shorts& v) { return shift_bytes(v, v, number(k_, 16)); }
  shift_amount shift(unsigned amount) { return k_.shift(static_cast<std::int32_t>(amount)); }

  /// Two samples, each [frame][a, b, c, d], as a, b, c and d, each [frame][sample]; the first place is stored last.
  void store_pair(const words& first, const words& second, pointer& even, pointer& odd, unsigned place,
                  const fold_modes& modes) {
    const auto low_frames = shuffle(first, second, modes.merge_low),
               high_frames = shuffle(first, second, modes.merge_high);
    const auto a_c = shuffle(low_frames, high_frames, modes.even), b_d = shuffle(low_frames, high_frames, modes.odd);
    const auto a_b = shuffle(a_c, b_d, modes.even), c_d = shuffle(a_c, b_d, modes.odd);
    const std::int32_t to = static_cast<std::int32_t>(place) * row_bytes;
    const auto how = place == 0 ? post(folded_step) : at(to);
    store(even, high(c_d), at(half_step + to));
    store(odd, low(c_d), at(half_step + to));
    store(even, low(a_b), how);
    store(odd, high(a_b), how);
  }

  // ---- a set of four frequencies k, and 200 - k

  void begin_tables(std::int32_t bytes_before, unsigned halves) {
    const auto count = static_cast<std::int32_t>(halves);
    table_ = add(b_.address(), number(k_, bytes_before + count * mel::half_bytes - mel::init_bytes));
    halves_left_ = number(k_, count);
  }

  void transform(const scalar& side, const scalar& sums_to) {
    auto middle = k_.pointer_from("sample 100", add(side, number(k_, mel::steps * folded_step)), c_area_);
    const auto none = broadcast<std::int16_t, 32>(number(k_, 0));
    // Cosines' sums over even samples, over odd ones, then sines', two times four frames each.
    std::vector<variable<sums>> sum;
    for (unsigned i = 0; i < 8; ++i) {
      sum.push_back(k_.make_variable("sum", mul_4x2x4(as_lanes_of<std::int32_t>(none), none)));
    }
    k_.loop("half", 2, [&] {
      k_.when("next chunk", eq(halves_left_, number(k_, 0)), [&] {
        b_.give();
        b_.wait();
        begin_tables(0, mel::halves_of_a_chunk);
      });
      auto tables = k_.pointer_from("table", table_, b_area_);
      auto data = k_.pointer_from("folded", side, c_area_);
      const auto first = load_low<std::int16_t, 32>(tables, post(-mel::step_bytes / 2));
      const auto first_sine = high_quarter(first);
      const auto shift_first = number(k_, i32_i16_shift_16);
      for (unsigned i = 0; i < 8; ++i) {
        const auto samples = load_low<std::int32_t, 16>(
            middle, at(static_cast<std::int32_t>(i / 4) * half_step + static_cast<std::int32_t>(i % 2) * row_bytes));
        sum[i] = mac_4x2x4(sum[i], samples, i % 4 >= 2 ? none : i < 2 ? first : first_sine, shift_first);
      }
      const auto step = [&] {
        for (unsigned part = 0; part < 2; ++part) {
          const auto weights = load_low<std::int16_t, 32>(tables, post(-mel::step_bytes / 2));
          const auto odd_weights = high_quarter(weights);
          for (unsigned i = 4 * part; i < 4 * part + 4; ++i) {
            const auto samples = load_low<std::int32_t, 16>(data, post(row_bytes));
            sum[i] = mac_4x2x4(sum[i], samples, i % 4 < 2 ? weights : odd_weights);
          }
        }
      };
      k_.loop("step", mel::steps, step, loop_end::overrun);
      table_ = sub(table_, number(k_, mel::half_bytes));
      halves_left_ = sub(halves_left_, number(k_, 1));
    });
    auto to = k_.pointer_from("sums", sums_to, sum_area_);
    for (unsigned frames = 0; frames < 2; ++frames) {
      for (unsigned i = 0; i < 8; i += 2) store(to, to_i32(sum[i + frames], shift(mel::sum_shift)), post(64));
    }
  }

  /// Of all sets of a part.
  void to_powers(const scalar& sets, const scalar& powers) {
    auto from = k_.pointer_to("sums", sums_at, sum_area_);
    auto to = k_.pointer_from("powers", powers, power_area_);
    const auto sign = broadcast<std::int32_t, 16>(number(k_, std::numeric_limits<std::int32_t>::min()));
    const to_float_constants constants(k_);
    const auto merge = number(k_, merge_64);
    const auto frames = [&] {
      const auto even_re = load<std::int32_t, 16>(from, post(64)), odd_re = load<std::int32_t, 16>(from, post(64));
      const auto even_im = load<std::int32_t, 16>(from, post(64)), odd_im = load<std::int32_t, 16>(from, post(64));
      const auto real = add(even_re, sign), imaginary = add(even_im, sign);
      const auto [re, mirror_re] = to_floats(add(real, odd_re), sub(real, odd_re), constants);
      const auto [im, mirror_im] = to_floats(add(imaginary, odd_im), sub(imaginary, odd_im), constants);
      store(to, shuffle(power(re, im), power(mirror_re, mirror_im), merge), post(64));
    };
    k_.loop("power", shift_left(sets, number(k_, 1)), frames, loop_end::overrun);
  }

  struct to_float_constants {
    explicit to_float_constants(kernel& k)
        : even(number(k, even_16)),
          odd(number(k, odd_16)),
          merge_low(number(k, merge_16_low)),
          merge_high(number(k, merge_16_high)),
          low_exponent(broadcast<std::int16_t, 32>(number(k, upper_half_of_2_23))),
          high_exponent(broadcast<std::int16_t, 32>(number(k, upper_half_of_2_39))),
          excess(all_float(k, 0x1p39F + 0x1p31F + 0x1p23F)) {}
    scalar even, odd, merge_low, merge_high;
    shorts low_exponent, high_exponent;
    lanes excess;
  };

  /// Numbers + 2^31, as floating-point numbers without it: the halves of each are the mantissas of 2^23 + low and
  /// 2^39 + 2^16·high.
  std::pair<lanes, lanes> to_floats(const words& x, const words& y, const to_float_constants& of) {
    const auto x_16 = as_lanes_of<std::int16_t>(x), y_16 = as_lanes_of<std::int16_t>(y);
    const auto lows = shuffle(x_16, y_16, of.even), highs = shuffle(x_16, y_16, of.odd);
    const auto join = [&](const scalar& mode) {
      const auto high_part = as_lanes_of<std::int32_t>(shuffle(highs, of.high_exponent, mode)),
                 low_part = as_lanes_of<std::int32_t>(shuffle(lows, of.low_exponent, mode));
      return add(sub(float_of_bits(high_part), of.excess), float_of_bits(low_part));
    };
    return {join(of.merge_low), join(of.merge_high)};
  }

  bf16_pair power(const lanes& re, const lanes& im) {
    const auto both = to_bf16_pair(re, im);
    return to_bf16_low(mul(both, both, elementwise));
  }

  // ---- from powers to logarithms of bands

  void filter() {
    auto to = out_.take(k_.memory("out", {0}));
    auto at_weights = k_.make_variable("weights", number(k_, 0));
    auto at_start = k_.make_variable("start", number(k_, 0));
    k_.loop("filter chunk", mel::filter_chunks, [&] {
      b_.wait();
      at_weights = b_.address();
      at_start = add(b_.address(), number(k_, mel::filter_starts));
      auto scale = k_.pointer_from("scale", add(b_.address(), number(k_, mel::scale_words)), b_area_);
      const auto floor = load_i32(scale, at(0)), offset = load_i32(scale, at(4));
      k_.loop("bands", mel::groups_of_a_chunk, [&] {
        auto start = k_.pointer_from("start", at_start, b_area_);
        const auto sums_of_bands = weighted(load_i32(start, at(0)), at_weights);
        for (const lanes& sum : sums_of_bands) store(to, logarithm(sum, floor, offset), post(64));
        at_start = add(at_start, number(k_, 4));
        at_weights = add(at_weights, number(k_, mel::group_bytes));
      });
      b_.give();
    });
    out_.give();
  }

  /// Four bands of eight frames.
  std::array<lanes, 2> weighted(const scalar& start, const scalar& at_weights) {
    auto weights = k_.pointer_from("weights", at_weights, b_area_);
    auto powers = k_.pointer_from("powers", add(start, number(k_, powers_at)), power_area_);
    std::vector<variable<lanes>> sum;
    for (unsigned i = 0; i < 4; ++i) sum.push_back(k_.make_variable("band", all_float(k_, 0)));
    const auto pair = [&] {
      for (unsigned set = 0; set < 2; ++set) {
        const auto eight_bins = load<bfloat16, 32>(weights, post(mel::filter_bytes));
        for (unsigned frames = 0; frames < 2; ++frames) {
          auto& s = sum[2 * set + frames];
          s = mac(s, load<bfloat16, 32>(powers, post(64)), eight_bins, mac_shape::bf16_4x8x4);
        }
      }
    };
    k_.loop("pair of sets", mel::filter_pairs, pair, loop_end::overrun);
    return {add(sum[0], sum[2]), add(sum[1], sum[3])};
  }

  /// log10 of at least the floor, + offset. With x = 2^(e - 127)·f it is e·log10(2) + log10(f) - 127·log10(2), the
  /// second a cubic of f - 1.5 within 2^-11.9.
  lanes logarithm(const lanes& x, const scalar& floor, const scalar& constant) {
    constexpr float c0 = 0.1762722F, c1 = 0.28943262F, c2 = -0.10224593F, c3 = 0x1.78p-5F;
    constexpr float log10_2 = 0.30103F;
    constexpr float step_high = 0x1.34p-9F, step_low = 0x1.04p-19F;  // log10(2) / 128
    constexpr std::int32_t mantissa = 0x007FFFFF, exponent = 0x7F800000, one = 0x3F800000;
    const auto all = [&](std::int32_t bits) { return broadcast<std::int32_t, 16>(number(k_, bits)); };
    const auto bits = max(bits_of(x), broadcast<std::int32_t, 16>(floor));

    // 128 e, exact in bf16.
    const auto upper = as_lanes_of<std::int16_t>(bit_and(bits, all(exponent)));
    const auto e_bits =
        mix(mix(upper, upper, odd_16), broadcast<std::int16_t, 32>(number(k_, upper_half_of_2_23)), merge_16_low);
    const auto e = to_bf16_twice(sub(float_of_bits(as_lanes_of<std::int32_t>(e_bits)), all_float(k_, 0x1p23F)));
    const auto step = join(low(all_bf16(k_, step_high)), low(all_bf16(k_, step_low)));
    const auto offset = add(float_of_bits(broadcast<std::int32_t, 16>(constant)), all_float(k_, c0 - 127 * log10_2));

    const auto f = float_of_bits(bit_or(bit_and(bits, all(mantissa)), all(one)));
    const auto u = to_bf16_twice(sub(f, all_float(k_, 1.5F)));
    const auto zero = all_float(k_, 0);
    const auto times_u = [&](const lanes& sum, const lanes& factor) {
      return mac(sum, to_bf16_pair(factor, zero), u, elementwise);
    };
    const auto quadratic = times_u(all_float(k_, c2), all_float(k_, c3));
    return times_u(mac(offset, e, step, elementwise), times_u(all_float(k_, c1), quadratic));
  }

  kernel& k_;
  scalar batches_;
  overlay::chunk_stream a_, b_, out_;
  variable<scalar> table_ = k_.make_variable("table", number(k_, 0)),
                   halves_left_ = k_.make_variable("halves left", number(k_, 0));
  memory_area b_area_ = k_.memory("tables", {3}), c_area_ = k_.memory("folded", {2}),
              sum_area_ = k_.memory("sums", {2}), power_area_ = k_.memory("powers", {1});
};

}  // namespace

compiled_function op_mel(const compile_options& options) {
  kernel k("op_mel");
  auto parameters = k.argument_pointer("parameters", k.memory("parameters"));
  k.set_rounding(nearest_even);
  k.set_saturation(saturate);
  mel_operation(k, parameters).run();
  return k.compile(options);
}

}  // namespace npurt::kernels
