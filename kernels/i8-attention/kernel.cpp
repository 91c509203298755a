// SPDX-License-Identifier: Apache-2.0
// int8 attention on one core: blocks of queries, each over all keys. Layouts and arithmetic in README.md.
#include <array>

#include "bf16-attention/arithmetic.hpp"
#include "i8-attention/parameters.hpp"
#include "overlay/chunks.hpp"
#include "programs.hpp"

namespace npurt::kernels {

using namespace codegen;
using bf16_attention::all;
using bf16_attention::all_lanes;
using bf16_attention::bits;
using bf16_attention::lanes;
using bf16_attention::power_of_two;
using bf16_attention::rearrange;
using bf16_attention::split;

namespace {

using words = vector<std::int16_t, 32>;

constexpr unsigned row_groups = 16, key_groups = 8, k_steps = 8;  // of 4 rows, 8 keys, 8 of d
constexpr std::int32_t rows_of_block = 64;
constexpr unsigned row_blocks = 4, column_pairs = 8;  // row groups at once, pairs of 4 columns
constexpr std::int32_t i8_block = 32, block = 64;     // bytes: 4x8 of int8; 4x8 of int16 and bf16
constexpr std::int32_t q_group = k_steps * i8_block;  // a row group's queries
constexpr std::int32_t key_bytes = 4096;              // the keys of a chunk, before its values
constexpr std::int32_t p_step = row_groups * block;   // 8 keys of all rows
constexpr std::int32_t v_step = 16 * block;           // 8 keys of all columns
constexpr unsigned nearest_even = 12, saturate = 1;   // isa::rounding_modes()
// Powers, in units of 1/256: that of the reference, with 127 for 1; and what is too far above it, as the bits of a
// bf16.
constexpr std::int32_t reference_power = 100 * 256, most_power = (100 + 20) << 7;
constexpr std::int32_t i16_4x2x8 = 792, i8_4x8x8 = 776, accumulate_f = 28;  // multiply-accumulate's configuration
/// The row sums are those of the powers times this coefficient's bits as a bf16, 1.66 · 2^45: there are few registers.
constexpr std::int32_t coefficients_higher = 2, sum_factor = bf16_attention::exp_c1 << coefficients_higher;
/// From this shift of the scores on all are within 16 powers of two of a reference of 0.
constexpr std::int32_t least_free_shift = 8;
constexpr std::int32_t first_references = 2;
constexpr std::int32_t coarse_shift = 5;  // of scores without a reference: 2^20 / 2^5
// isa::shuffle_modes()
constexpr unsigned even_16 = 2, even_32 = 4, odd_32 = 5, transpose_8x4 = 28, transpose_4x8 = 29, transpose_8x8 = 35;

// Scratch.
constexpr std::int32_t tables = overlay::data_memory + overlay::tables_offset;
constexpr std::int32_t references_at = tables + 0x100;               ///< by row group: [4 rows][2 digits], 32 bytes
constexpr std::int32_t sums_at = tables + 0x300, sums_flip = 0x400;  ///< of a row's powers, two tables in turn
constexpr std::int32_t queries_at = tables + 0xB00;                  ///< [16 row groups][8][4 rows][8]
static_assert(queries_at + 0x1000 == overlay::data_memory + overlay::c_offset && (sums_at & sums_flip) == 0);
constexpr std::int32_t powers_at = overlay::data_memory + overlay::out_offsets[0];  ///< and scores before
constexpr std::int32_t result_at = overlay::data_memory + overlay::c_offset;

class attention {
 public:
  explicit attention(const compile_options& options)
      : k_("op_attention_i8"),
        options_(options),
        parameters_(k_.argument_pointer("parameters", k_.memory("parameters"))),
        a_(overlay::chunk_stream::a(k_)),
        b_(overlay::chunk_stream::b(k_)),
        out_(overlay::chunk_stream::out(k_)),
        raise_(unset("raise")),
        again_(unset("again")),
        first_(unset("first values")),
        sums_(k_.make_variable("sums", number(k_, sums_at))),
        keys_(unset("keys left")),
        rows_(unset("first row's keys left")) {}

  compiled_function run() {
    k_.set_rounding(nearest_even);
    k_.set_saturation(saturate);
    rows_ = parameter(attention_i8_word::first_limit);
    k_.loop("block", parameter(attention_i8_word::blocks), [&] {
      begin_block();
      k_.loop("tile", parameter(attention_i8_word::tiles), [&] { key_tile(); });
      finish_block();
      rows_ = add(rows_, parameter(attention_i8_word::limit_step));
    });
    a_.finish();
    b_.finish();
    out_.finish();
    return k_.compile(options_);
  }

 private:
  variable<scalar> unset(const char* name) {
    return variable<scalar>(kernel::typed<scalar>(k_.define(register_kind::r, name, true)));
  }
  scalar parameter(attention_i8_word word) { return load_i32(parameters_, at(4 * static_cast<std::int32_t>(word))); }
  scalar score_shift() { return bit_and(parameter(attention_i8_word::shifts), number(k_, 0xFF)); }
  /// Whether the scores are a block's first ones, in steps of 32 or more, without references.
  scalar is_forced() { return eq(raise_, number(k_, first_references)); }
  /// Of scores without a reference: at least what makes them fit int16.
  scalar first_shift() {
    const auto shift = score_shift(), coarse = number(k_, coarse_shift);
    return select(shift, coarse, lt(shift, coarse));
  }
  shift_amount as_shift(const char* name, const scalar& amount) {
    const auto shift = kernel::typed<shift_amount>(k_.define(register_kind::s, name, true));
    k_.assign(shift, amount);
    return shift;
  }
  shift_amount power_shift() {
    return as_shift("power shift", shift_left(parameter(attention_i8_word::shifts), number(k_, -8)));
  }
  accum<acc32, 32> product_of(const words& a, const words& b, const scalar& configuration) {
    return detail::result<accum<acc32, 32>>(k_, {"VMUL_vmac_cm_core_dense"}, {use(a), use(b), use(configuration)},
                                            "product");
  }
  scalar elementwise() { return number(k_, static_cast<std::int32_t>(mac_shape::i16_elementwise)); }

  // ---- a block's begin

  void begin_block() {
    auto from = a_.take(k_.memory("A", {0, 1}));
    auto to = k_.pointer_to("queries", queries_at, query_area_);
    k_.loop(
        "queries", key_bytes / 64, [&] { store(to, load<std::int32_t, 16>(from, post(64)), post(64)); },
        loop_end::overrun);
    a_.give();
    out_.wait();
    out_.wait();
    auto references = k_.pointer_to("references", references_at, reference_area_);
    auto sum_to = k_.pointer_from("sums", sums_, sum_area_);
    const auto zero = all_lanes(number(k_, 0));
    k_.loop(
        "clear", row_groups,
        [&] {
          store(references, low(zero), post(i8_block));
          store(sum_to, zero, post(block));
        },
        loop_end::plain);
    raise_ = shift_left(lt(score_shift(), number(k_, least_free_shift)), number(k_, 1));  // first_references or 0
    first_ = number(k_, accumulate_f + 1);
    keys_ = parameter(attention_i8_word::key_length);
  }

  // ---- a key tile

  void key_tile() {
    b_.wait();
    // A causal mask may hide the tile from all rows; never a block's first one.
    k_.when("seen", lt(number(k_, 1 - rows_of_block), rows_), [&] { seen_tile(); });
    b_.give();
    const auto width = number(k_, 64);
    keys_ = sub(keys_, width);
    rows_ = sub(rows_, width);
  }

  void seen_tile() {
    k_.repeat("scores", again_, [&] {
      scores();
      const auto width = number(k_, 64);
      k_.when("masked", bit_or(lt(keys_, width), lt(rows_, width)), [&] { mask_scores(); });
      again_ = raise_;
      k_.when("raise", again_, [&] {
        raise_references();
        raise_ = number(k_, 0);
      });
      k_.when("powers", eq(again_, number(k_, 0)), [&] {
        to_powers();
        again_ = raise_;
      });
    });
    widen_values();
    add_values();
    first_ = number(k_, accumulate_f);
    sums_ = bit_xor(sums_, number(k_, sums_flip));
  }

  /// Q · K^T - references in int16, as [8 key groups][16 row groups][4 rows][8 keys].
  void scores() {
    const auto usual = score_shift(), first = first_shift();
    const auto shift = as_shift("score shift", select(usual, first, is_forced()));
    const auto one_digit = sub(number(k_, 0), shift_left(number(k_, 1), score_shift()));
    const auto weights = select(broadcast<std::int16_t, 32>(one_digit),
                                broadcast<std::int16_t, 32>(shift_left(one_digit, number(k_, 7))),
                                kernel::typed<mask>(number(k_, 0xFF)));
    auto keys = k_.pointer_from("keys", b_.address(), k_.memory("K", {3}));
    auto queries = k_.pointer_to("queries", queries_at, query_area_);
    auto references = k_.pointer_to("references", references_at, reference_area_);
    auto to = k_.pointer_to("scores", powers_at, score_area_);
    const auto outer = number(k_, i16_4x2x8), inner = number(k_, i8_4x8x8), transpose = number(k_, transpose_8x8);
    constexpr std::int32_t last = static_cast<std::int32_t>(k_steps - 1);
    const auto next_step = k_.make_stride("next step", i8_block - 3 * q_group);
    const auto next_queries = k_.make_stride("next queries", i8_block, row_groups / row_blocks,
                                             i8_block - static_cast<std::int32_t>(row_groups) * q_group);
    const auto next_keys = k_.make_stride("next keys", -last * block, row_groups / row_blocks, block);
    const auto next_references =
        k_.make_stride("next references", i8_block, row_groups, -static_cast<std::int32_t>(row_groups - 1) * i8_block);
    k_.loop(
        "scores", key_groups * row_groups / row_blocks,
        [&] {
          std::array<accum<acc32, 32>, row_blocks> sum;
          for (auto& s : sum) {
            s = product_of(load_low<std::int16_t, 32>(references, post(next_references)), weights, outer);
          }
          for (unsigned step = 0; step < k_steps; ++step) {
            const bool at_last = step == k_steps - 1;
            const auto columns =
                shuffle(load<std::int8_t, 64>(keys, at_last ? post(next_keys) : post(block)), transpose);
            for (unsigned r = 0; r < row_blocks; ++r) {
              const auto rows = load_low<std::int8_t, 64>(queries, r < row_blocks - 1 ? post(q_group)
                                                                   : at_last          ? post(next_queries)
                                                                                      : post(next_step));
              sum[r] = mac_4x8x8(sum[r], rows, columns, inner);
            }
          }
          for (const auto& s : sum) {
            store(to, to_i16(s, shift), post(block));
          }
        },
        loop_end::overrun);
  }

  /// Scores of keys that a row must not see become the least ones.
  void mask_scores() {
    const auto limited = [&](const scalar& n) {  // all that matters is whether it is below 0, up to 64 or beyond
      const auto most = number(k_, 128), least = number(k_, -128);
      const auto below = select(n, most, lt(most, n));
      return select(below, least, lt(below, least));
    };
    const auto bit = [&](std::int32_t lanes_set, std::int32_t value) {
      return select(all<std::int16_t, 32>(k_, 0), all<std::int16_t, 32>(k_, value),
                    kernel::typed<mask>(number(k_, lanes_set)));
    };
    const auto row_in_group =
        add(bit(static_cast<std::int32_t>(0xFF00FF00), 1), bit(static_cast<std::int32_t>(0xFFFF0000), 2));
    const auto key_in_group =
        add(add(bit(static_cast<std::int32_t>(0xAAAAAAAA), 1), bit(static_cast<std::int32_t>(0xCCCCCCCC), 2)),
            bit(static_cast<std::int32_t>(0xF0F0F0F0), 4));
    const auto unseen = all<std::int16_t, 32>(k_, -32768), four = all<std::int16_t, 32>(k_, 4);
    const auto length = sub(broadcast<std::int16_t, 32>(limited(keys_)), key_in_group);
    auto first_limits = k_.make_variable(
        "limits of the first rows", add(broadcast<std::int16_t, 32>(limited(rows_)), sub(row_in_group, key_in_group)));
    auto key_limits = k_.make_variable("limits of keys", length);
    const auto eight = all<std::int16_t, 32>(k_, 8), zero = all<std::int16_t, 32>(k_, 0);
    auto from = k_.pointer_to("scores", powers_at, score_area_);
    auto to = k_.pointer_to("scores'", powers_at, masked_area_);
    k_.loop("mask keys", key_groups, [&] {
      auto limits = k_.make_variable("limits", bit_and(zero, zero));
      limits = first_limits;
      k_.loop(
          "mask", row_groups,
          [&] {
            const auto t = load<std::int16_t, 32>(from, post(block));
            store(to, select(unseen, t, lt(zero, min(limits, key_limits))), post(block));
            limits = add(limits, four);
          },
          loop_end::plain);
      first_limits = sub(first_limits, eight);
      key_limits = sub(key_limits, eight);
    });
  }

  /// P = 2^(score - reference) as bf16 in the scores' places, and the rows' sums. Whether references must be raised.
  void to_powers() {
    constexpr unsigned at_once = 2, passes = key_groups / at_once;
    constexpr std::int32_t back = static_cast<std::int32_t>(at_once - 1) * p_step;
    const auto old_sums = bit_or(sums_, number(k_, 0)), new_sums = bit_xor(sums_, number(k_, sums_flip));
    const auto next_score = k_.make_stride("next score", p_step, at_once, block - back, row_groups, block);
    const auto next_power = k_.make_stride("next power", p_step, at_once, block - back, row_groups, block);
    // Written, so that they need not live from call to call.
    for (const stride_3d* s : {&next_score, &next_power}) set_part(*s, stride_unused, number(k_, 0));
    // After the first keys of all rows on from the old sums to the new ones, then around in these.
    constexpr std::int32_t all_groups = static_cast<std::int32_t>(row_groups - 1) * block;
    const auto next_sum = k_.make_stride("next sum", block, row_groups, -all_groups, passes, 0);
    set_part(next_sum, stride_unused, number(k_, 0));
    set_part(next_sum, stride_next, sub(sub(new_sums, old_sums), number(k_, all_groups)));
    set_part(next_sum, stride_high_count, number(k_, passes - 1));
    const auto next_new_sum = k_.make_stride("next new sum", block, row_groups, -all_groups);
    auto from = k_.pointer_to("scores", powers_at, score_area_);
    auto to = k_.pointer_to("P", powers_at, power_area_);
    auto sum_from = k_.pointer_from("sums", old_sums, sum_area_);
    auto sum_to = k_.pointer_from("sums'", new_sums, new_sum_area_);
    const auto step = broadcast<std::int16_t, 32>(parameter(attention_i8_word::multiplier));
    const auto shift = power_shift();
    const auto zero = all<std::int16_t, 32>(k_, 0);
    const auto at_reference = widen(all<std::int16_t, 32>(k_, reference_power), shift);
    const power_of_two powers(k_, coefficients_higher);
    const auto sum_factors = as_lanes_of<bfloat16>(powers.coefficient());
    auto largest = k_.make_variable("largest", all<std::int16_t, 32>(k_, 0));
    k_.loop(
        "power", passes * row_groups,
        [&] {
          auto sum = load_accum<lanes>(sum_from, post(next_sum));
          for (unsigned i = 0; i < at_once; ++i) {
            const auto score = load<std::int16_t, 32>(from, post(next_score));
            const auto p = powers(max(to_i16(mac(at_reference, score, step), shift), zero));
            largest = max(largest, as_lanes_of<std::int16_t>(p));
            store(to, p, post(next_power));
            sum = mac(sum, p, sum_factors, mac_shape::bf16_4x8x4);
          }
          store(sum_to, sum, post(next_new_sum));
        },
        loop_end::exact);
    const auto too_high = lt(all<std::int16_t, 32>(k_, most_power), static_cast<const words&>(largest));
    raise_ = lt(eq(kernel::typed<scalar>(too_high), number(k_, 0)), number(k_, 1));
  }

  /// References become the rows' largest scores of this tile if they are below them (the first ones: just below); sums
  /// and result follow.
  void raise_references() {
    auto references = k_.pointer_to("references", references_at, reference_area_);
    auto new_references = k_.pointer_to("references'", references_at, new_reference_area_);
    const auto first = first_shift(), higher = sub(first, score_shift());
    const auto unit = shift_left(number(k_, 1), select(number(k_, 0), higher, is_forced()));
    const auto least = broadcast<std::int16_t, 32>(select(number(k_, 0), number(k_, -32768), is_forced()));
    auto row = k_.make_variable("row group", number(k_, 0));
    k_.loop("raise", row_groups, [&] {  // each number right before its use: there are few registers
      auto from = k_.pointer_from("scores", add(number(k_, powers_at), shift_left(row, number(k_, 6))), score_area_);
      auto largest = least;
      for (unsigned i = 0; i < key_groups; ++i) largest = max(largest, load<std::int16_t, 32>(from, post(p_step)));
      words by_key = rearrange<std::int16_t, 32>(largest, largest, number(k_, transpose_4x8));
      for (const std::int32_t bytes : {32, 16, 8}) by_key = max(by_key, shift_bytes(by_key, by_key, number(k_, bytes)));
      const auto by_row = rearrange(by_key, by_key, number(k_, transpose_8x4));
      const auto four_each = rearrange(by_row, by_row, number(k_, even_16));
      const auto two_each = rearrange(four_each, four_each, number(k_, even_16));
      const auto steps = steps_of(two_each, unit);
      const auto high_digit = to_i16(steps, shift_here(k_, 7));
      const auto rest = sub_product(steps, high_digit, all<std::int16_t, 32>(k_, 128));
      const auto low_digit = to_i16(rest, shift_here(k_, 0));
      const auto low_digits = kernel::typed<mask>(number(k_, static_cast<std::int32_t>(0xAAAAAAAA)));
      const auto before = load_low<std::int16_t, 32>(references, post(i8_block));
      store(new_references, low(add(before, select(high_digit, low_digit, low_digits))), post(i8_block));
      k_.when("result follows", lt(raise_, number(k_, first_references)), [&] { follow(row, four_each); });
      row = add(row, number(k_, 1));
    });
  }

  /// Scores in int16 in steps of the references; the first ones rounded down, so that no score is far below.
  accum<acc32, 32> steps_of(const words& scores, const scalar& unit) {
    const auto half = broadcast<std::int16_t, 32>(shift_left(unit, number(k_, -1)));
    return sub_product(product_of(scores, broadcast<std::int16_t, 32>(unit), elementwise()), half,
                       all<std::int16_t, 32>(k_, 1));
  }

  /// Sums and result of a row group, for references that are so much higher.
  void follow(const scalar& row, const words& raised) {
    const auto sum_at = add(sums_, shift_left(row, number(k_, 6)));
    auto sum_from = k_.pointer_from("sums", sum_at, sum_area_),
         sum_to = k_.pointer_from("sums'", sum_at, new_sum_area_);
    const auto shift = power_shift();
    const auto zero = all<std::int16_t, 32>(k_, 0);
    const auto all_of_it = widen(all<std::int16_t, 32>(k_, 127 * 256), shift);
    const auto power =
        sub_product(all_of_it, raised, broadcast<std::int16_t, 32>(parameter(attention_i8_word::multiplier)));
    const auto factor = power_of_two(k_, coefficients_higher)(max(to_i16(power, shift), zero));
    store(sum_to, mul(split(load_accum<lanes>(sum_from, at(0))), factor, mac_shape::bf16_elementwise), at(0));
    const auto c_at = row_of_result(row);
    auto c = k_.pointer_from("C", c_at, result_area_), c_after = k_.pointer_from("C'", c_at, new_result_area_);
    k_.loop(
        "rescale", 16,
        [&] {
          store(c_after, mul(split(load_accum<lanes>(c, post(256))), factor, mac_shape::bf16_elementwise), post(256));
        },
        loop_end::plain);
  }

  enum stride_part : std::uint8_t { stride_next = 0, stride_unused = 4, stride_high_count = 7 };
  void set_part(const stride_3d& s, stride_part part, const scalar& value) {
    detail::emit(k_, {"MOV_mv_scl"}, {use({s.owner, s.id, part, 1}), use(value)}, k_.name_of(s));
  }

  accum<acc32, 32> sub_product(const accum<acc32, 32>& from, const words& a, const words& b) {
    return detail::result<accum<acc32, 32>>(k_, {"VMSC_vmac_cm_core_dense"},
                                            {use(from), use(a), use(b), use(elementwise())}, "less product");
  }

  /// Where the row group's first block of the result lies: [4][16 blocks of columns][4].
  scalar row_of_result(const scalar& row) {
    const auto group = bit_and(row, number(k_, 3));
    return add(add(number(k_, result_at), shift_left(group, number(k_, 6))),
               shift_left(sub(row, group), number(k_, 10)));
  }

  /// The negated values of the chunk as bf16, all over it: [8 key groups][16 blocks of columns][8 keys][4]. What is
  /// written lies before what is still to be read.
  void widen_values() {
    auto from = k_.pointer_from("values", add(b_.address(), number(k_, key_bytes)), k_.memory("int8 values", {3}));
    auto to = k_.pointer_from("V", b_.address(), value_area_);
    // An integer added to the bits of -1.5 · 2^8, 15 bits up, is subtracted from its value. What is left is -v.
    const auto unsigned_high = as_lanes_of<std::uint16_t>(all<std::int16_t, 32>(k_, -32768));
    const auto bits_low = all<std::int16_t, 32>(k_, bits(-0x1.8p8F) / (1 << 15));
    const auto twelve = as_lanes_of<bfloat16>(all<std::int16_t, 32>(k_, 0x4140)),
               sixteen = as_lanes_of<bfloat16>(all<std::int16_t, 32>(k_, 0x4180));
    const auto shift = shift_here(k_, 15);
    // Around, so that what the loop reads behind its end is memory.
    constexpr std::int32_t blocks = key_bytes / block;
    const auto next = k_.make_stride("next values", block, blocks, -(blocks - 1) * block);
    const auto evens = number(k_, even_32), odds = number(k_, odd_32);
    const auto wide = [&](const vector<std::int8_t, 64>& v, unsigned half) {
      const auto integers = detail::result<accum<acc32, 32>>(
          k_, {"VUPS_S32_S8_mv_ups_w2c"}, {use(detail::part_of_value<std::int8_t, 64>(v, half, 1)), use(shift)},
          "wide");
      return mac(integers, unsigned_high, bits_low);
    };
    k_.loop(
        "widen", key_groups * k_steps / 2,
        [&] {
          const auto first = load<std::int8_t, 64>(from, post(next)), second = load<std::int8_t, 64>(from, post(next));
          const auto left = rearrange(first, second, evens), right = rearrange(first, second, odds);
          for (unsigned half = 0; half < 2; ++half) {
            for (const auto* columns : {&left, &right}) {
              const auto sum = wide(*columns, half);
              for (unsigned i = 0; i < 2; ++i) {
                const auto part =
                    kernel::typed<lanes>(value_ref{sum.owner, sum.id, static_cast<std::uint8_t>(2 * i), 2});
                store_bf16(to, mac(part, twelve, sixteen, mac_shape::bf16_elementwise), post(block / 2));
              }
            }
          }
        },
        loop_end::overrun);
  }

  /// The result plus P · V.
  void add_values() {
    auto powers = k_.pointer_to("P", powers_at, power_area_);
    auto values = k_.pointer_from("V", b_.address(), value_area_);
    auto c = k_.pointer_to("C", result_at, result_area_), c_after = k_.pointer_to("C'", result_at, new_result_area_);
    constexpr std::int32_t last = static_cast<std::int32_t>(k_steps - 1);
    const auto next_step = k_.make_stride("next step of P", p_step - 3 * block);
    const auto next_powers =
        k_.make_stride("next powers", -3 * block - last * p_step, column_pairs, block - last * p_step);
    const auto next_key = k_.make_stride("next step of V", v_step);
    const auto next_values =
        k_.make_stride("next values", 2 * block - last * v_step, column_pairs,
                       -(last * v_step + (static_cast<std::int32_t>(column_pairs) - 1) * 2 * block));
    k_.loop(
        "values", row_groups / row_blocks * column_pairs,
        [&] {  // 16 x 8: a sum may be added to every fourth cycle, so eight of them keep the multiplier busy
          std::array<std::array<lanes, row_blocks>, 2> sum;
          for (auto& column : sum) {
            for (auto& s : column) s = load_accum<lanes>(c, post(block));
          }
          for (unsigned step = 0; step < k_steps; ++step) {
            const bool at_last = step == k_steps - 1;
            std::array<vector<bfloat16, 32>, 2> columns;
            columns[1] = load<bfloat16, 32>(values, at(block));
            columns[0] = load<bfloat16, 32>(values, at_last ? post(next_values) : post(next_key));
            for (unsigned r = 0; r < row_blocks; ++r) {
              const auto row = load<bfloat16, 32>(powers, r < row_blocks - 1 ? post(block)
                                                          : at_last          ? post(next_powers)
                                                                             : post(next_step));
              for (unsigned i = 0; i < 2; ++i) {
                sum[i][r] = mac(sum[i][r], row, columns[i], step == 0 ? first_ : k_.constant(accumulate_f));
              }
            }
          }
          for (const auto& column : sum) {
            for (const auto& s : column) store(c_after, s, post(block));
          }
        },
        loop_end::overrun);
  }

  // ---- a block's end

  /// result · v_scale / sums, as rows of blocks of 4 x 4.
  void finish_block() {
    auto sum_from = k_.pointer_from("sums", sums_, sum_area_);
    auto row = k_.make_variable("row group", number(k_, 0));
    k_.loop("half", 2, [&] {
      auto to = out_.at(power_area_);
      k_.loop("row", row_groups / 2, [&] {
        const auto v_scale = split(all_lanes(parameter(attention_i8_word::v_scale)));
        const auto less = as_lanes_of<bfloat16>(all<std::int16_t, 32>(k_, sum_factor - 32768));  // V is negated
        const auto sum = bf16_attention::reciprocal(k_, load_accum<lanes>(sum_from, post(block)));
        const auto inverse = mul(split(sum), less, mac_shape::bf16_elementwise);
        const auto near = to_bf16_twice(inverse);
        const auto rest = to_bf16_pair(sub(inverse, to_float(low(near))), all_lanes(number(k_, 0)));
        const auto factor =
            mac(mul(v_scale, near, mac_shape::bf16_elementwise), v_scale, rest, mac_shape::bf16_elementwise);
        const auto high_part = to_bf16_twice(factor);
        const auto low_part = to_bf16_pair(sub(factor, to_float(low(high_part))), all_lanes(number(k_, 0)));
        auto c = k_.pointer_from("C", row_of_result(row), result_area_);
        k_.loop(
            "divide", 16,
            [&] {
              const auto parts = split(load_accum<lanes>(c, post(256)));
              const auto quotient =
                  mac(mul(parts, high_part, mac_shape::bf16_elementwise), parts, low_part, mac_shape::bf16_elementwise);
              store_bf16(to, quotient, post(32));
            },
            loop_end::overrun);
        row = add(row, number(k_, 1));
      });
      out_.give();
    });
  }

  kernel k_;
  const compile_options& options_;
  pointer parameters_;
  memory_area query_area_ = k_.memory("queries", {1}), reference_area_ = k_.memory("references", {1}),
              new_reference_area_ = k_.memory("new references", {1}), sum_area_ = k_.memory("sums", {1}),
              new_sum_area_ = k_.memory("new sums", {1}), score_area_ = k_.memory("scores", {0}),
              masked_area_ = k_.memory("masked scores", {0}), power_area_ = k_.memory("P", {0}),
              value_area_ = k_.memory("V", {3}), result_area_ = k_.memory("result", {2}),
              new_result_area_ = k_.memory("new result", {2});
  overlay::chunk_stream a_, b_, out_;
  variable<scalar> raise_;        ///< not 0: the next scores are for references, not for powers; 2: the first ones
  variable<scalar> again_;        ///< this tile's scores are not powers yet
  variable<scalar> first_;        ///< configuration of the first multiply-accumulate of P · V
  variable<scalar> sums_;         ///< address of the sums before this key tile
  variable<scalar> keys_, rows_;  ///< keys that there are, and that the block's first row sees, from this tile on
};

}  // namespace

compiled_function op_attention_i8(const compile_options& options) { return attention(options).run(); }

}  // namespace npurt::kernels
