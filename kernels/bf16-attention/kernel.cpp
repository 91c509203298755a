// SPDX-License-Identifier: Apache-2.0
// bf16 attention on one core: blocks of queries, each over all keys. Layouts and arithmetic in README.md.
#include <array>

#include "bf16-attention/arithmetic.hpp"
#include "overlay/chunks.hpp"
#include "programs.hpp"

namespace npurt::kernels {

using namespace codegen;
using namespace bf16_attention;

namespace {

class attention {
 public:
  explicit attention(const compile_options& options)
      : k_("op_attention_bf16"),
        options_(options),
        parameters_(k_.argument_pointer("parameters", k_.memory("parameters"))),
        a_(overlay::chunk_stream::a(k_)),
        b_(overlay::chunk_stream::b(k_)),
        out_(overlay::chunk_stream::out(k_)),
        next_step_(k_.make_stride("next step", a_step - a_rows + block)),
        c_step_(k_.make_stride("next half of C", 0)),
        next_a_(k_.make_stride("next A", block - a_rows - static_cast<std::int32_t>(k_steps - 1) * a_step,
                               column_groups, block - static_cast<std::int32_t>(k_steps - 1) * a_step)),
        next_b_(k_.make_stride("next B", block + b_columns, column_groups, block + b_columns - b_tile)),
        next_scores_(k_.make_stride("next scores", 3 * block, row_groups,
                                    block - static_cast<std::int32_t>(row_groups - 1) * 4 * block)),
        next_sum_(k_.make_stride("next sum", block, row_groups, -static_cast<std::int32_t>(row_groups - 1) * block)),
        next_new_sum_(
            k_.make_stride("next new sum", block, row_groups, -static_cast<std::int32_t>(row_groups - 1) * block)),
        one_(k_.constant(1)),
        minus_one_(k_.constant(-1)),
        halves_(parameter(attention_word::halves)),
        item_(unset("item")),
        left_(unset("items left")),
        raised_(unset("references raised at")),
        forced_(unset("no reference yet")),
        first_(unset("first values")),
        sums_(k_.make_variable("sums", number(k_, sums_at))),
        keys_(unset("keys left")),
        rows_(unset("first row's keys left")) {}

  compiled_function run() {
    k_.set_rounding(nearest_even);
    k_.set_saturation(saturate);
    rows_ = parameter(attention_word::first_limit);
    k_.loop("block", parameter(attention_word::blocks), [&] {
      begin_block();
      k_.loop("tile", parameter(attention_word::tiles), [&] { key_tile(); });
      a_.give();
      finish_block();
      rows_ = add(rows_, parameter(attention_word::limit_step));
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
  scalar parameter(attention_word word) { return load_i32(parameters_, at(4 * static_cast<std::int32_t>(word))); }

  /// fp32 of the base, its bit pattern so much higher.
  scalar base_bits(std::int32_t higher) {
    return add(shift_left(parameter(attention_word::base), number(k_, 16)), number(k_, higher));
  }
  vector<std::int16_t, 32> least_high() {
    return broadcast<std::int16_t, 32>(sub(parameter(attention_word::base), number(k_, steps_below)));
  }

  // ---- a block's begin

  void begin_block() {
    a_.wait();
    out_.wait();
    out_.wait();
    auto starts = k_.pointer_to("starts", starts_at, start_area_),
         scores = k_.pointer_to("scores", scores_at, score_area_);
    auto sum_to = k_.pointer_from("sums", sums_, sum_area_);
    const auto start = all_lanes(base_bits(to_wide)), zero = all_lanes(number(k_, 0));
    k_.loop(
        "clear", row_groups,
        [&] {
          store(starts, low(start), post(32));
          store(sum_to, zero, post(block));
          for (unsigned i = 0; i < 4; ++i) {  // those of rows that there are not stay 0
            store(scores, zero, post(block));
          }
        },
        loop_end::plain);
    forced_ = number(k_, 1);
    first_ = number(k_, drop);
    keys_ = parameter(attention_word::key_length);
  }

  // ---- a key tile

  void key_tile() {
    // A causal mask may hide the tile from all rows; never a block's first one.
    k_.when("hidden", lt(rows_, number(k_, 2 - rows_of_block)), [&] {
      k_.loop("hidden", shift_left(halves_, one_), [&] {
        b_.wait();
        b_.give();
      });
    });
    k_.when("seen", lt(number(k_, 1 - rows_of_block), rows_), [&] { seen_tile(); });
    const auto width = number(k_, 64);
    keys_ = sub(keys_, width);
    rows_ = sub(rows_, width);
  }

  void seen_tile() {
    b_.wait();
    k_.when("second half", sub(halves_, one_), [&] { b_.wait(); });
    item_ = first_item();
    raised_ = number(k_, -100);
    k_.repeat("item", left_, [&] {
      k_.when("values", lt(minus_one_, item_), [&] {
        k_.when("second half", sub(sub(halves_, one_), item_), [&] { b_.give(); });
        b_.give();
        b_.wait();
      });
      product();
      k_.when("scores", bit_and(lt(item_, number(k_, 0)), eq(add(half(), one_), halves_)), [&] {
        const auto width = number(k_, 64);
        k_.when("masked", bit_or(lt(keys_, width), lt(rows_, width)), [&] { mask_scores(); });
        to_powers();
      });
      item_ = add(item_, one_);
      left_ = sub(halves_, item_);
    });
    b_.give();
    first_ = number(k_, accumulate);
    sums_ = bit_xor(sums_, number(k_, sums_flip));
  }

  /// Items of a key tile: below 0, for each of four stripes of 16 keys the halves of d; from 0 on the halves of the
  /// values.
  scalar first_item() { return shift_left(sub(number(k_, 0), halves_), number(k_, 2)); }
  scalar half() { return bit_and(item_, sub(halves_, one_)); }
  /// From -4 to -1.
  scalar stripe() { return shift_arithmetic(item_, sub(one_, halves_)); }

  /// Scores of 16 keys, K · Q^T, or the result plus P · V.
  void product() {
    const auto scores = lt(item_, number(k_, 0));
    const auto pick = [&](const scalar& for_scores, const scalar& for_values) {
      return select(for_values, for_scores, scores);
    };
    // Each thing right before its use: there are few registers.
    const auto half_now = half();
    const auto keys_at = add(add(bit_xor(b_.address(), shift_left(half_now, number(k_, 13))), number(k_, 4 << 8)),
                             shift_left(stripe(), number(k_, 8)));
    auto a_at = k_.pointer_from("A", pick(keys_at, number(k_, powers_at)), k_.memory("left", {3}));
    const auto queries_at = add(a_.address(), shift_left(half_now, number(k_, 12)));
    auto b_at = k_.pointer_from("B", pick(queries_at, b_.address()), k_.memory("right", {1}));
    const auto result = add(number(k_, result_at), shift_left(item_, number(k_, 13)));
    const auto start = add(number(k_, starts_at), mul(half_now, number(k_, scores_at - starts_at)));
    auto c_at = k_.pointer_from("C", pick(start, result), k_.memory("C before", {1}));
    auto to = k_.pointer_from("C'", pick(number(k_, scores_at), result), k_.memory("C", {1}));
    const auto wide = number(k_, 32);
    k_.assign(c_step_, pick(mul(half_now, wide), wide));
    const auto blocks = shift_left(pick(number(k_, 8), wide), sub(one_, halves_));
    const auto configuration = pick(k_.constant(accumulate), first_);
    const auto b_mode = pick(number(k_, transpose_4x8), number(k_, as_it_is));
    k_.restart(next_a_);
    k_.restart(next_b_);
    k_.loop("product", blocks, [&] { product_block(a_at, b_at, c_at, to, configuration, b_mode); }, loop_end::overrun);
  }

  /// 16 x 8 of C. A sum may be added to every fourth cycle, so eight of them keep the multiplier busy.
  void product_block(pointer& a_at, pointer& b_at, pointer& c_at, pointer& to, const scalar& configuration,
                     const scalar& b_mode) {
    std::array<std::array<lanes, row_blocks>, column_blocks> sum;
    for (auto& column : sum) {
      for (auto& s : column) {
        s = kernel::typed<lanes>(k_.define(register_kind::bm));
        for (std::uint8_t half = 0; half < 2; ++half) {
          const bool last = &s == &column.back() && half == 1;
          detail::load(k_, {s.owner, s.id, half, 1}, c_at, last ? post(32) : post(c_step_));
        }
      }
    }
    for (unsigned step = 0; step < k_steps; ++step) {
      const bool last = step == k_steps - 1;
      std::array<vector<bfloat16, 32>, column_blocks> columns;
      columns[1] = shuffle(load<bfloat16, 32>(b_at, at(b_columns)), b_mode);
      columns[0] = shuffle(load<bfloat16, 32>(b_at, last ? post(next_b_) : post(block)), b_mode);
      for (unsigned r = 0; r < row_blocks; ++r) {
        const auto row = load<bfloat16, 32>(a_at, r < row_blocks - 1 ? post(block)
                                                  : last             ? post(next_a_)
                                                                     : post(next_step_));
        for (unsigned i = 0; i < column_blocks; ++i) {
          sum[i][r] = mac(sum[i][r], row, columns[i], step == 0 ? configuration : k_.constant(accumulate));
        }
      }
    }
    for (const auto& column : sum) {
      for (const auto& s : column) {
        store(to, s, post(block));
      }
    }
  }

  /// Scores of keys that a row must not see become 0, which gives the power 0.
  void mask_scores() {
    const auto zero = all<std::int32_t, 16>(k_, 0);
    const auto bit = [&](std::int32_t lanes_set, std::int32_t value) {
      return select(zero, all<std::int32_t, 16>(k_, value), kernel::typed<mask>(number(k_, lanes_set)));
    };
    const auto past = add(shift_left(stripe(), number(k_, 4)), number(k_, 64));
    const auto row = add(bit(0xAAAA, 1), bit(0xCCCC, 2)), key = rearrange(row, row, number(k_, transpose_4x4_32));
    const auto four = all<std::int32_t, 16>(k_, 4);
    const auto length = broadcast<std::int32_t, 16>(sub(keys_, past));
    auto limits = k_.make_variable("limits", add(broadcast<std::int32_t, 16>(sub(rows_, past)), row));
    auto from = k_.pointer_to("scores", scores_at, score_area_);
    auto to = k_.pointer_to("scores'", scores_at, masked_area_);
    k_.loop(
        "mask", row_groups,
        [&] {
          auto seen = min(limits, length);
          for (unsigned r = 0; r < row_blocks; ++r) {
            const auto scores = load<std::int32_t, 16>(from, post(block));
            store(to, select(zero, scores, lt(key, seen)), post(block));
            seen = sub(seen, four);
          }
          limits = add(limits, four);
        },
        loop_end::plain);
  }

  /// P = 2^(score - reference) as bf16, and the rows' sums; then, if a score was too far above its row's reference,
  /// higher references and the key tile again.
  void to_powers() {
    const auto stripe_now = stripe();
    const auto new_sums = bit_xor(sums_, number(k_, sums_flip));
    auto from = k_.pointer_to("scores", scores_at, score_area_);
    auto to = k_.pointer_from("P", add(number(k_, powers_at + (4 << 11)), shift_left(stripe_now, number(k_, 11))),
                              power_area_);
    // The first 8 keys of a tile are added to the sums before it.
    const auto old_sums = select(sums_, new_sums, add(stripe_now, number(k_, 4)));
    set_last_step(next_sum_,
                  sub(sub(new_sums, old_sums), number(k_, static_cast<std::int32_t>(row_groups - 1) * block)));
    auto sum_from = k_.pointer_from("sums", old_sums, sum_area_),
         sum_to = k_.pointer_from("sums'", new_sums, new_sum_area_);
    auto track = k_.pointer_to("largest", largest_at, largest_area_);
    const auto least = least_high(), step = broadcast<std::int16_t, 32>(parameter(attention_word::step));
    const power_of_two powers(k_);
    auto largest = k_.make_variable("largest", all<std::int16_t, 32>(k_, 0));
    const auto lows = number(k_, low_halves), highs = number(k_, high_halves), transpose = number(k_, transpose_8x4);
    k_.restart(next_scores_);
    k_.restart(next_sum_);
    k_.loop(
        "power", 2 * row_groups,
        [&] {  // 8 keys x 4 rows
          const auto low_keys = load<std::int32_t, 16>(from, post(block)),
                     high_keys = load<std::int32_t, 16>(from, post(next_scores_));
          const auto fraction = as_lanes_of<std::uint16_t>(rearrange(low_keys, high_keys, lows));
          const auto steps = excess(as_lanes_of<std::int16_t>(rearrange(low_keys, high_keys, highs)), least);
          const auto y = sum_of(mul(as_lanes_of<std::uint16_t>(steps), step),
                                widen(to_i16(mul(fraction, step), k_.shift(16)), k_.shift(0)));
          const auto p = powers(to_i16(y, k_.shift(7)));
          largest = max(largest, as_lanes_of<std::int16_t>(p));
          const auto rows_first = rearrange(p, p, transpose);
          store(to, rows_first, post(block));
          // The sums are those of the powers times this power of two.
          const auto sum = load_accum<lanes>(sum_from, post(next_sum_));
          store(sum_to, mac(sum, rows_first, as_lanes_of<bfloat16>(least), mac_shape::bf16_4x8x4), post(next_new_sum_));
          store(track, static_cast<const vector<std::int16_t, 32>&>(largest), at(0));
        },
        loop_end::overrun);
    const auto most =
        shift_left(mul(parameter(attention_word::step), number(k_, steps_below + headroom)), number(k_, -8));
    const auto over =
        kernel::typed<scalar>(lt(broadcast<std::int16_t, 32>(most), load<std::int16_t, 32>(track, at(0))));
    const auto raises = select(number(k_, 0), bit_or(over, forced_), lt(raised_, item_));
    k_.when("raise", raises, [&] {
      raise_references(powers, step);
      raised_ = item_;
      item_ = sub(first_item(), one_);
      forced_ = number(k_, 0);
    });
  }

  /// Bytes to move on after all counts.
  void set_last_step(const stride_2d& s, const scalar& bytes) {
    detail::emit(k_, {"MOV_mv_scl"}, {use({s.owner, s.id, 0, 1}), use(bytes)}, k_.name_of(s));
  }

  /// References become the rows' largest scores of this stripe, in whole steps; sums and result follow.
  void raise_references(const power_of_two& powers, const vector<std::int16_t, 32>& step) {
    const auto base = base_bits(0), zero = number(k_, 0);
    const auto no_references = bit_or(forced_, zero);  // in a register that selects
    const auto old_base = add(base, select(zero, number(k_, to_wide), no_references));
    const auto from_base = all_lanes(old_base), shift_base = sub(from_base, all_lanes(base));
    const auto least = broadcast<std::int32_t, 16>(select(old_base, zero, no_references));
    const auto whole_bits = broadcast<std::int32_t, 16>(add(base, number(k_, to_whole)));
    const auto whole = float_of_bits(whole_bits);
    const auto most = all<std::int32_t, 16>(k_, 254), nothing = broadcast<std::int32_t, 16>(zero);
    const auto all_of_it = widen(all<std::int16_t, 32>(k_, 127 * 256), k_.shift(7));
    auto from = k_.pointer_to("scores", scores_at, score_area_);
    auto starts = k_.pointer_to("starts", starts_at, start_area_),
         new_starts = k_.pointer_to("starts'", starts_at, new_start_area_);
    auto sum_from = k_.pointer_from("sums", sums_, sum_area_), sum_to = k_.pointer_from("sums'", sums_, new_sum_area_);
    auto row = k_.make_variable("row group", number(k_, 0));
    k_.loop("raise", shift_left(number(k_, row_groups), sub(one_, halves_)), [&] {
      auto largest = least;
      for (unsigned r = 0; r < row_blocks; ++r) {
        largest = max(largest, load<std::int32_t, 16>(from, post(block)));
      }
      largest = max(largest, shift_bytes(largest, largest, number(k_, 16)));
      largest = max(largest, shift_bytes(largest, largest, number(k_, 32)));
      const auto near = add(sub(float_of_bits(largest), from_base), whole);
      const auto start = kernel::typed<lanes>(k_.define(register_kind::bm));
      detail::load(k_, {start.owner, start.id, 1, 1}, starts, at(0));
      detail::load(k_, {start.owner, start.id, 0, 1}, starts, post(32));
      store(new_starts, low(sub(sub(start, sub(near, whole)), shift_base)), post(32));
      // 2^-raised as bf16, each row's four times, twice.
      const auto steps = min(max(sub(bits_of(near), whole_bits), nothing), most);
      const auto by_row = rearrange(steps, steps, number(k_, transpose_4x4_32));
      const auto narrow = as_lanes_of<std::uint16_t>(rearrange(by_row, by_row, number(k_, low_halves)));
      const auto factor =
          powers(max(to_i16(msc(all_of_it, narrow, step), k_.shift(7)), as_lanes_of<std::int16_t>(nothing)));
      store(sum_to, mul(split(load_accum<lanes>(sum_from, post(block))), factor, mac_shape::bf16_elementwise),
            post(block));
      k_.when("result follows", eq(forced_, number(k_, 0)), [&] {
        auto c_at = k_.make_variable("result row", row_of_result(row));
        k_.loop("half", halves_, [&] {
          auto c = k_.pointer_from("C", c_at, result_area_), c_after = k_.pointer_from("C'", c_at, new_result_area_);
          c_at = add(c_at, number(k_, 1 << 13));
          k_.loop(
              "rescale", 16,
              [&] {
                store(c_after, mul(split(load_accum<lanes>(c, post(256))), factor, mac_shape::bf16_elementwise),
                      post(256));
              },
              loop_end::plain);
        });
      });
      row = add(row, one_);
    });
  }

  /// Where the row group's first block of the result lies: [4][16 blocks of columns][4].
  scalar row_of_result(const scalar& row) {
    const auto group = bit_and(row, number(k_, 3));  // of a stripe of 16 rows
    return add(add(number(k_, result_at), shift_left(group, number(k_, 6))),
               shift_left(sub(row, group), number(k_, 10)));
  }

  // ---- a block's end

  /// result / sums, as rows of blocks of 4 x 4.
  void finish_block() {
    auto sums_of_half = k_.make_variable("sums of the half", number(k_, 0));
    sums_of_half = sums_;
    auto row = k_.make_variable("row group", number(k_, 0));
    k_.loop("half", 2, [&] {
      auto sum_from = k_.pointer_from("sums", sums_of_half, sum_area_);
      auto to = out_.at(power_area_);
      k_.loop("row", row_groups / 2, [&] {
        const auto sum = load_accum<lanes>(sum_from, post(block));
        // to_powers has multiplied the sums by this power of two.
        const auto inverse =
            mul(split(reciprocal(k_, sum)), as_lanes_of<bfloat16>(least_high()), mac_shape::bf16_elementwise);
        const auto high_part = to_bf16_twice(inverse);
        const auto low_part = to_bf16_pair(sub(inverse, to_float(low(high_part))), all_lanes(number(k_, 0)));
        auto c = k_.pointer_from("C", row_of_result(row), result_area_);
        k_.loop(
            "divide", 16 / 2,
            [&] {
              for (unsigned i = 0; i < 2; ++i) {
                const auto parts = split(load_accum<lanes>(c, post(256)));
                const auto quotient = mac(mul(parts, high_part, mac_shape::bf16_elementwise), parts, low_part,
                                          mac_shape::bf16_elementwise);
                store_bf16(to, quotient, post(32));
              }
            },
            loop_end::plain);
        row = add(row, one_);
      });
      out_.give();
      sums_of_half = add(sums_of_half, shift_left(sub(number(k_, 2), halves_), number(k_, 9)));
    });
  }

  kernel k_;
  const compile_options& options_;
  pointer parameters_;
  memory_area start_area_ = k_.memory("starts", {1}), sum_area_ = k_.memory("sums", {1}),
              largest_area_ = k_.memory("largest", {1}), score_area_ = k_.memory("scores", {1}),
              masked_area_ = k_.memory("masked scores", {1}), power_area_ = k_.memory("P", {0}),
              new_sum_area_ = k_.memory("new sums", {1}), new_start_area_ = k_.memory("new starts", {1}),
              result_area_ = k_.memory("result", {2}), new_result_area_ = k_.memory("new result", {2});
  overlay::chunk_stream a_, b_, out_;
  stride next_step_, c_step_;
  stride_2d next_a_, next_b_, next_scores_, next_sum_, next_new_sum_;
  scalar one_, minus_one_, halves_;
  variable<scalar> item_, left_;  ///< of a key tile (first_item)
  variable<scalar> raised_;       ///< item at which references were raised last in this key tile
  variable<scalar> forced_;       ///< a block's first scores: no references yet
  variable<scalar> first_;        ///< configuration of the first multiply-accumulate of P · V
  variable<scalar> sums_;         ///< address of the sums before this key tile
  variable<scalar> keys_, rows_;  ///< keys that there are, and that the block's first row sees, from this tile on
};

}  // namespace

compiled_function op_attention_bf16(const compile_options& options) { return attention(options).run(); }

}  // namespace npurt::kernels
