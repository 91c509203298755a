// SPDX-License-Identifier: Apache-2.0
// Four blocks of queries of a head at a time in a column, and all of the head's keys and values past them.
#include "runtime/overlay/attention_code.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include "npurt/error.hpp"
#include "runtime/overlay/call.hpp"

namespace npurt::detail::overlay {

namespace {

using enum dma_side;

constexpr unsigned q = 0, kv = 1;
constexpr unsigned argument_q = 0, argument_k = 1, argument_v = 2, argument_out = 3;
constexpr std::uint32_t block = 64;  // queries of a core, keys of a tile
constexpr std::uint32_t row_words = attention_width / 2;
constexpr std::uint32_t most_runs = 256;
constexpr unsigned queue_depth = 4;

// Shim BDs: queries, results, and a pair of keys and values for each head of a round.
constexpr unsigned shim_q = 0;
constexpr unsigned shim_out(unsigned n) { return 1 + n; }
constexpr unsigned shim_k(unsigned head) { return 4 + 2 * head; }
constexpr unsigned shim_v(unsigned head) { return shim_k(head) + 1; }

// Memtile BDs.
constexpr unsigned send_q(unsigned row) { return standard_bds::free(q) + row; }
constexpr unsigned take_out(unsigned row) { return standard_bds::free(row % 2) + 5 + row / 2; }
constexpr unsigned fill_kv = standard_bds::free(kv), send_k = fill_kv + 1, send_v = fill_kv + 2;

/// What a column works on: whole heads, or part of one.
struct share {
  std::uint32_t first_head = 0, heads = 0;
  std::uint32_t first_group = 0, groups = 0;  ///< of each head
};

class writer {
 public:
  explicit writer(const attention_job& job)
      : job_(job),
        tiles_(padded_keys(job.keys) / block),
        head_groups_(padded_queries(job.queries) / (core_rows * block)) {
    for (unsigned column = 0; column < columns; ++column) shares_[column] = share_of(column);
  }

  std::vector<std::uint32_t> write() {
    for (unsigned column = 0; column < columns; ++column) {
      if (shares_[column].heads != 0) begin(column);
    }
    const std::uint32_t most_heads = std::ranges::max(shares_, {}, &share::heads).heads;
    for (std::uint32_t head = 0; head < most_heads; head += heads_per_round()) round(head);
    return std::move(code_).finish();
  }

 private:
  share share_of(unsigned column) const {
    const std::uint32_t columns_per_head = job_.heads == 1 ? columns : job_.heads == 2 ? columns / 2 : 1;
    if (columns_per_head > 1) {
      const std::uint32_t part = column % columns_per_head;
      const auto cut = [&](std::uint32_t n) { return head_groups_ * n / columns_per_head; };
      const std::uint32_t groups = cut(part + 1) - cut(part);
      return {column / columns_per_head, groups != 0 ? 1u : 0u, cut(part), groups};
    }
    const auto cut = [&](std::uint32_t n) { return job_.heads * n / columns; };
    return {cut(column), cut(column + 1) - cut(column), 0, head_groups_};
  }

  std::uint32_t tasks_per_head() const { return (tiles_ * head_groups_ + most_runs - 1) / most_runs; }
  /// As many as the queues take; with a mask one, because the parameters say what its first query sees.
  std::uint32_t heads_per_round() const { return job_.causal ? 1 : std::max(1u, queue_depth / tasks_per_head()); }

  void begin(unsigned column) {
    for (unsigned n = 0; n < 2; ++n) code_.set_controller(column, taking(n));
    rewind_in(code_, column, q);
    rewind_joined(code_, column);
    // [4 rows][8 of d] blocks, along a row of blocks first.
    memtile_bd bd{.length = chunk_words,
                  .dimensions = {{{1, 4}, {row_words, 4}, {4, row_words / 4}, {4 * row_words, 0}}},
                  .iteration_step = unit_words,
                  .iteration_wrap = in_chunks / core_rows,
                  .acquire = {{in_free(q) + 1, 1}},
                  .release = {{in_free(q), 1}}};
    for (unsigned row = 0; row < core_rows; ++row) {
      bd.address = in_offset(q) + row * chunk_bytes;
      bd.packet_id = core_id(row);
      bd.next = row + 1 < core_rows ? std::optional(send_q(row + 1)) : std::nullopt;
      code_.write_memtile_bd(column, send_q(row), bd);
    }
    write_keys_and_values(column);
    for (unsigned row = 0; row < core_rows; ++row) {
      code_.write_memtile_bd(column, take_out(row),
                             {.address = out_offset(row),
                              .length = chunk_words,
                              .dimensions = {{{1, 2}, {row_words, 4}, {2, row_words / 2}, {4 * row_words, 0}}},
                              .iteration_step = chunk_words,
                              .iteration_wrap = out_chunks,
                              .acquire = {{out_free(row), 1}},
                              .release = {{out_free(row) + 1, 1}}});
    }
  }

  /// The blocks of `heads` heads for a core.
  void write_core(unsigned column, unsigned row, std::uint32_t heads) {
    const share& s = shares_[column];
    const std::uint32_t keys = tiles_ * block, first = (s.first_group * core_rows + row) * block + 1;
    constexpr std::uint32_t no_causal_mask = 1u << 30, one_half = 1;
    const auto [base, step] = scale_words();
    write_parameters(code_, column, row,
                     std::array{static_cast<std::uint32_t>(operation::attention_bf16), heads * s.groups, tiles_,
                                job_.keys, job_.causal ? first : no_causal_mask,
                                keys + (job_.causal ? core_rows * block : 0), base, one_half, step});
  }

  // kernels/bf16-attention/README.md: scores are counted in steps of a power of two.
  std::array<std::uint32_t, 2> scale_words() const {
    constexpr std::uint32_t steps_below = 100;
    int exponent = 0;
    const double step = std::frexp(job_.scale * std::numbers::log2e, &exponent);
    const auto field = static_cast<std::uint32_t>(127 + 7 - exponent);
    return {field << 7 | steps_below, static_cast<std::uint32_t>(std::lround(step * 0x1p15 - 0.5))};
  }

  /// A tile of keys, as blocks of 8 of d by 64 keys, then one of values, as blocks of 4 of d by 64.
  void write_keys_and_values(unsigned column) {
    memtile_bd bd{.address = in_offset(kv),
                  .length = 2 * chunk_words,
                  .iteration_step = 2 * chunk_words,
                  .iteration_wrap = in_chunks / 2,
                  .acquire = {{in_free(kv), 2}},
                  .release = {{in_free(kv) + 1, 2}}};
    code_.write_memtile_bd(column, fill_kv, bd);
    bd.length = chunk_words;
    bd.acquire = {{in_free(kv) + 1, 1}};
    bd.release = {{in_free(kv), 1}};
    bd.packet_id = broadcast_id;
    bd.dimensions = {{{1, 4}, {row_words, block}, {4, 0}, {}}};
    bd.next = send_v;
    code_.write_memtile_bd(column, send_k, bd);
    bd.address += chunk_bytes;
    bd.dimensions = {{{1, 2}, {row_words, block}, {2, 0}, {}}};
    bd.next.reset();
    code_.write_memtile_bd(column, send_v, bd);
  }

  /// The heads from `first` on of every column, as many as the queues take.
  void round(std::uint32_t first) {
    const auto heads_in = [&](unsigned column) {
      const std::uint32_t heads = shares_[column].heads;
      return heads <= first ? 0 : std::min(heads - first, heads_per_round());
    };
    for (unsigned column = 0; column < columns; ++column) {
      if (const std::uint32_t heads = heads_in(column)) {
        for (unsigned row = 0; row < core_rows; ++row) write_core(column, row, heads);
        queue_queries(column, first, heads);
        for (std::uint32_t h = 0; h < heads; ++h) queue_keys(column, shares_[column].first_head + first + h, h);
        queue_results(column, first, heads);
      }
    }
    for (unsigned column = 0; column < columns; ++column) {
      for (unsigned n = 0; n < 2 && heads_in(column) != 0; ++n) code_.wait_token(column, taking(n));
    }
  }

  /// Groups before head `head` of the column's share.
  std::uint32_t groups_before(unsigned column, std::uint32_t head) const {
    const share& s = shares_[column];
    return (s.first_head + head) * head_groups_ + s.first_group;
  }

  void queue_queries(unsigned column, std::uint32_t first, std::uint32_t heads) {
    const std::uint32_t groups = heads * shares_[column].groups;
    code_.write_bd(column, shim_q, {.length = groups * unit_words}, argument_q,
                   4 * groups_before(column, first) * unit_words);
    code_.push(column, shim_channel::mm2s_0, shim_q, 1, false);
    code_.push_memtile(column, s2mm, in_channel(q), standard_bds::in(q), groups);
    code_.push_memtile(column, mm2s, in_channel(q), send_q(0), groups);
  }

  void queue_keys(unsigned column, std::uint32_t head, std::uint32_t slot) {
    const std::uint32_t start = 4 * head * tiles_ * chunk_words;
    shim_bd bd{.length = chunk_words, .iteration_step = chunk_words, .iteration_wrap = tiles_, .next = shim_v(slot)};
    code_.write_bd(column, shim_k(slot), bd, argument_k, start);
    bd.next.reset();
    code_.write_bd(column, shim_v(slot), bd, argument_v, start);
    for (std::uint32_t left = tiles_ * shares_[column].groups; left != 0;) {
      const std::uint32_t runs = std::min(left, most_runs);
      code_.push(column, shim_channel::mm2s_1, shim_k(slot), runs, false);
      code_.push_memtile(column, s2mm, in_channel(kv), fill_kv, runs);
      code_.push_memtile(column, mm2s, in_channel(kv), send_k, runs);
      left -= runs;
    }
  }

  void queue_results(unsigned column, std::uint32_t first, std::uint32_t heads) {
    const std::uint32_t groups = heads * shares_[column].groups;
    for (unsigned n = 0; n < 2; ++n) {
      code_.write_bd(column, shim_out(n), strided(unit_words / 2, unit_words, groups), argument_out,
                     4 * (groups_before(column, first) * unit_words + n * unit_words / 2));
      code_.push(column, taking(n), shim_out(n), 1, true);
      code_.push_memtile(column, mm2s, joined_channel(n), standard_bds::joined(n), groups);
      for (unsigned i = 0; i < 2; ++i) {
        code_.push_memtile(column, s2mm, out_channel(2 * n + i), take_out(2 * n + i), groups);
      }
    }
  }

  attention_job job_;
  std::uint32_t tiles_;        ///< of keys
  std::uint32_t head_groups_;  ///< groups of four blocks of queries in a head
  std::array<share, columns> shares_;
  control_code code_{columns};
};

void check(const char* letter, const char* what, std::uint32_t given, std::uint32_t most) {
  if (given == 0 || given > most) {
    throw shape_error(letter, fmt::format("attention: {} {}, they must be from 1 to {}", given, what, most));
  }
}

}  // namespace

std::vector<std::uint32_t> attention_code(const attention_job& job) {
  constexpr std::uint32_t most_heads = 256;
  check("heads", "heads", job.heads, most_heads);
  check("T", "queries", job.queries, most_attention_rows);
  check("T", "keys", job.keys, most_attention_rows);
  return writer(job).write();
}

}  // namespace npurt::detail::overlay
