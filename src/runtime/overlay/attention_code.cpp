// SPDX-License-Identifier: Apache-2.0
// Four blocks of queries of a head at a time in a column, and all of the head's keys and values past them.
#include "runtime/overlay/attention_code.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "bf16-attention/parameters.hpp"
#include "i8-attention/parameters.hpp"
#include "npurt/error.hpp"
#include "runtime/overlay/call.hpp"

namespace npurt::detail::overlay {

namespace {

using enum dma_side;

constexpr unsigned q_stream = 0, kv_stream = 1;
constexpr unsigned argument_q = 0, argument_k = 1, argument_v = 2, argument_out = 3;
constexpr std::uint32_t attention_panel = 64;  // rows and columns of what a core multiplies at once; keys of a tile
constexpr std::uint32_t attention_panel_words = attention_panel / 2,
                        attention_panel_words_i8 = attention_panel / 4;  // of a row
constexpr unsigned queue_depth = 4;
constexpr unsigned most_parts = 2;  // panels side by side in a row

// Shim BDs of each piece of a round. A descriptor's iteration takes so many tiles; of more keys each part has
// descriptors, then a round is a single group.
constexpr unsigned most_pieces = 3;
constexpr std::uint32_t most_tiles = 64;
static_assert(most_pieces * most_tiles * attention_panel == most_attention_keys);
constexpr unsigned shim_q(unsigned slot) { return 5 * slot; }
constexpr unsigned shim_k(unsigned slot) { return 5 * slot + 1; }
constexpr unsigned shim_v(unsigned slot) { return 5 * slot + 2; }
constexpr unsigned shim_out(unsigned slot, unsigned n) { return 5 * slot + 3 + n; }

// Memtile BDs.
constexpr unsigned send_q(unsigned row) { return standard_bds::free(q_stream) + row; }
constexpr unsigned fill_q = standard_bds::free(q_stream) + core_rows;
constexpr unsigned take_out(unsigned row, unsigned part) {
  return standard_bds::free(row % 2) + 5 + row / 2 * most_parts + part;
}
constexpr unsigned fill_kv = standard_bds::free(kv_stream);
constexpr unsigned send_kv(unsigned i) { return fill_kv + 1 + i; }  // up to two panels each

/// Groups of queries of one head, a block for each core of a column.
struct piece {
  std::uint32_t head = 0, first_group = 0, groups = 0;
};
/// No more than the queues and descriptors take.
using round = std::vector<piece>;

std::uint32_t divided_up(std::uint32_t n, std::uint32_t by) { return (n + by - 1) / by; }

class attention_writer {
 public:
  explicit attention_writer(const attention_job& job)
      : job_(job),
        parts_(job.width / attention_panel),
        row_words_(is_i8() ? attention_panel_words_i8 : parts_ * attention_panel_words),
        block_(attention_panel / parts_),
        tiles_(padded_keys(job.keys) / attention_panel),
        head_groups_(padded_queries(job.queries, job.width) / (core_rows * block_)) {
    for (unsigned column = 0; column < columns; ++column) rounds_[column] = rounds_of(column);
  }

  std::vector<std::uint32_t> write() {
    const std::size_t rounds = std::ranges::max(rounds_, {}, &std::vector<round>::size).size();
    for (std::size_t i = 0; i < rounds; ++i) queue_round(i);
    return std::move(code_).finish();
  }

 private:
  bool is_i8() const { return job_.type == attention_type::i8; }

  // ---- who does what

  std::vector<round> rounds_of(unsigned column) const {
    const std::uint32_t columns_per_head = job_.heads == 1 ? columns : job_.heads == 2 ? columns / 2 : 1;
    if (columns_per_head > 1) {
      const std::uint32_t part = column % columns_per_head;
      const auto cut = [&](std::uint32_t n) { return head_groups_ * n / columns_per_head; };
      return cut_into_rounds({column / columns_per_head, cut(part), cut(part + 1) - cut(part)}, 1);
    }
    const auto cut = [&](std::uint32_t n) { return job_.heads * n / columns; };
    return cut_into_rounds({cut(column), 0, head_groups_}, cut(column + 1) - cut(column));
  }

  /// The first piece and the same of the heads behind it.
  std::vector<round> cut_into_rounds(const piece& first, std::uint32_t heads) const {
    std::vector<round> rounds;
    if (first.groups == 0) return rounds;
    // With a mask a head at a time, because the parameters say what its first query sees.
    const bool many_keys = tiles_ > most_tiles;
    const std::uint32_t together =
        many_keys ? 0 : std::min(job_.causal ? 1 : most_pieces, queue_depth / tasks_of(first.groups));
    const std::uint32_t most_groups = many_keys ? 1 : queue_depth * most_runs / fills_of_group();
    for (std::uint32_t head = 0; head < heads;) {
      round now;
      if (together > 0) {
        for (; now.size() < together && head < heads; ++head) {
          now.push_back({first.head + head, first.first_group, first.groups});
        }
        rounds.push_back(std::move(now));
        continue;
      }
      for (std::uint32_t at = 0; at < first.groups; at += most_groups) {
        rounds.push_back({{first.head + head, first.first_group + at, std::min(most_groups, first.groups - at)}});
      }
      ++head;
    }
    return rounds;
  }

  std::uint32_t fills_of_group() const { return parts_ * tiles_; }  ///< runs of the keys' and values' descriptor
  std::uint32_t tasks_of(std::uint32_t groups) const { return divided_up(fills_of_group() * groups, most_runs); }

  static std::uint32_t groups_of(const round& r) {
    std::uint32_t groups = 0;
    for (const piece& p : r) groups += p.groups;
    return groups;
  }

  // ---- descriptors that all rounds use

  void begin_inputs(unsigned column) {
    write_queries(column);
    if (is_i8()) {
      write_keys_and_values_i8(column);
    } else {
      write_keys_and_values(column);
    }
  }

  void begin_results(unsigned column) {
    for (unsigned n = 0; n < 2; ++n) code_.set_controller(column, taking(n));
    rewind_joined(code_, column);
    for (unsigned row = 0; row < core_rows; ++row) write_results(column, row);
  }

  /// A unit of four blocks; blocks of 4 rows by 16 bytes go to the core, along a column of them first.
  void write_queries(unsigned column) {
    constexpr std::uint32_t slots = in_chunks / core_rows;
    memtile_bd bd{.address = in_offset(q_stream),
                  .length = group_rows() * row_words_,
                  .iteration_step = unit_words,
                  .iteration_wrap = slots,
                  .acquire = {{in_free(q_stream), core_rows}},
                  .release = {{in_free(q_stream) + 1, core_rows}}};
    if (parts_ > 1) {  // the panels of a block one behind the other
      bd.dimensions = {{{1, attention_panel_words},
                        {block_ * attention_panel_words, parts_},
                        {attention_panel_words, block_},
                        {chunk_words, 0}}};
    }
    code_.write_memtile_bd(column, fill_q, bd);
    bd.length = chunk_words;
    bd.acquire = {{in_free(q_stream) + 1, 1}};
    bd.release = {{in_free(q_stream), 1}};
    bd.dimensions = {
        {{1, 4}, {attention_panel_words, 4}, {4, attention_panel_words / 4}, {4 * attention_panel_words, 0}}};
    if (is_i8()) bd.dimensions = {{{1, 2}, {row_words_, 4}, {2, row_words_ / 2}, {4 * row_words_, 0}}};
    for (unsigned row = 0; row < core_rows; ++row) {
      // A block of int8 is half a chunk; what follows fills it up.
      bd.address = in_offset(q_stream) + row * (is_i8() ? chunk_bytes / 2 : chunk_bytes);
      bd.packet_id = core_id(row);
      bd.next = row + 1 < core_rows ? std::optional(send_q(row + 1)) : std::nullopt;
      code_.write_memtile_bd(column, send_q(row), bd);
    }
  }

  /// A tile of keys, as blocks of 8 of d by 64 keys, then one of values, as blocks of 4 of d by 64; panel by panel.
  void write_keys_and_values(unsigned column) {
    memtile_bd bd{.address = in_offset(kv_stream),
                  .length = 2 * chunk_words,
                  .iteration_step = 2 * chunk_words,
                  .iteration_wrap = in_chunks / 2,
                  .acquire = {{in_free(kv_stream), 2}},
                  .release = {{in_free(kv_stream) + 1, 2}}};
    code_.write_memtile_bd(column, fill_kv, bd);
    bd.length = chunk_words;
    bd.iteration_step = 2 * parts_ * chunk_words;
    bd.iteration_wrap = in_chunks / (2 * parts_);
    bd.acquire = {{in_free(kv_stream) + 1, 1}};
    bd.release = {{in_free(kv_stream), 1}};
    bd.packet_id = broadcast_id;
    for (unsigned i = 0; i < 2 * parts_; ++i) {
      const std::uint32_t part = i % parts_, width = i < parts_ ? 4 : 2;
      bd.address = in_offset(kv_stream) + i / parts_ * parts_ * chunk_bytes + part * 4 * attention_panel_words;
      bd.dimensions = {{{1, width}, {row_words_, attention_panel}, {width, 0}, {}}};
      bd.next = i + 1 < 2 * parts_ ? std::optional(send_kv(i + 1)) : std::nullopt;
      code_.write_memtile_bd(column, send_kv(i), bd);
    }
  }

  /// A chunk: 64 keys and their values, as blocks of 8 rows by 8 bytes, along a row of blocks first.
  void write_keys_and_values_i8(unsigned column) {
    memtile_bd bd{.address = in_offset(kv_stream),
                  .length = chunk_words,
                  .iteration_step = chunk_words,
                  .iteration_wrap = in_chunks,
                  .acquire = {{in_free(kv_stream), 1}},
                  .release = {{in_free(kv_stream) + 1, 1}}};
    code_.write_memtile_bd(column, fill_kv, bd);
    std::swap(bd.acquire, bd.release);
    bd.packet_id = broadcast_id;
    bd.dimensions = {{{1, 2}, {row_words_, 8}, {2, row_words_ / 2}, {8 * row_words_, 0}}};
    code_.write_memtile_bd(column, send_kv(0), bd);
  }

  /// A block of results, panel by panel from the core: rows in memory.
  void write_results(unsigned column, unsigned row) {
    const std::uint32_t out_words = parts_ * attention_panel_words;  // of a row, bf16 whatever comes in
    memtile_bd bd{.length = chunk_words / parts_,
                  .dimensions = {{{1, 2}, {out_words, 4}, {2, attention_panel_words / 2}, {4 * out_words, 0}}},
                  .iteration_step = chunk_words,
                  .iteration_wrap = out_chunks};
    for (unsigned part = 0; part < parts_; ++part) {
      const bool first = part == 0, last = part + 1 == parts_;
      bd.address = out_offset(row) + part * 4 * attention_panel_words;
      bd.acquire = first ? std::optional(memtile_bd::lock_use{out_free(row), 1}) : std::nullopt;
      bd.release = last ? std::optional(memtile_bd::lock_use{out_free(row) + 1, 1}) : std::nullopt;
      bd.next = last ? std::nullopt : std::optional(take_out(row, part + 1));
      code_.write_memtile_bd(column, take_out(row, part), bd);
    }
  }

  // ---- rounds

  void queue_round(std::size_t index) {
    const auto each_column = [&](auto&& queue) {
      for (unsigned column = 0; column < columns; ++column) {
        if (index < rounds_[column].size()) queue(column, rounds_[column][index]);
      }
    };
    // What the cores wait for comes first: the firmware takes its time over each write.
    each_column([&](unsigned column, const round& now) {
      if (index == 0) begin_inputs(column);
      for (unsigned row = 0; row < core_rows; ++row) write_core(column, row, now);
      queue_piece(column, now[0], 0);
      run_inputs(column, groups_of(now));
    });
    each_column([&](unsigned column, const round& now) {
      for (unsigned slot = 1; slot < now.size(); ++slot) queue_piece(column, now[slot], slot);
    });
    each_column([&](unsigned column, const round& now) {
      if (index == 0) begin_results(column);
      queue_results(column, now);
    });
    each_column([&](unsigned column, const round&) {
      for (unsigned n = 0; n < 2; ++n) code_.wait_token(column, taking(n));
    });
  }

  void write_core(unsigned column, unsigned row, const round& now) {
    const std::uint32_t first = (now.front().first_group * core_rows + row) * block_ + 1;
    const auto number = is_i8() ? operation::attention_i8 : operation::attention_bf16;
    std::vector<std::uint32_t> words{static_cast<std::uint32_t>(number),
                                     groups_of(now),
                                     tiles_,
                                     job_.keys,
                                     job_.causal ? first : kernels::no_causal_mask,
                                     tiles_ * attention_panel + (job_.causal ? core_rows * block_ : 0)};
    if (is_i8()) {
      const auto scale = kernels::attention_i8_scale(job_.scale);
      words.insert(words.end(), scale.begin(), scale.end());
      words.push_back(std::bit_cast<std::uint32_t>(job_.v_scale));
    } else {
      const auto [base, step] = kernels::attention_scale(job_.scale);
      words.insert(words.end(), {base, parts_, step});
    }
    write_parameters(code_, column, row, words);
  }

  void queue_piece(unsigned column, const piece& p, unsigned slot) {
    write_rows(column, shim_q(slot), argument_q, job_.q, row_words_, p.head, p.first_group * group_rows(),
               {.rows = p.groups * group_rows()});
    code_.push(column, shim_channel::mm2s_0, shim_q(slot), 1, false);
    for (std::uint32_t first = 0; first < tiles_; first += most_tiles, ++slot) {
      const runs_of_rows tile{.rows = attention_panel, .tiles = std::min(most_tiles, tiles_ - first)};
      write_rows(column, shim_k(slot), argument_k, job_.k, row_words_, p.head, first * attention_panel, tile,
                 shim_v(slot));
      write_rows(column, shim_v(slot), argument_v, job_.v, row_words_, p.head, first * attention_panel, tile);
      for (std::uint32_t left = tile.tiles * p.groups; left != 0;) {
        const std::uint32_t runs = std::min(left, most_runs);
        code_.push(column, shim_channel::mm2s_1, shim_k(slot), runs, false);
        left -= runs;
      }
    }
  }

  /// The memtile's part in it.
  void run_inputs(unsigned column, std::uint32_t groups) {
    push_runs(code_, column, s2mm, in_channel(q_stream), fill_q, groups);
    push_runs(code_, column, mm2s, in_channel(q_stream), send_q(0), groups);
    push_runs(code_, column, s2mm, in_channel(kv_stream), fill_kv, fills_of_group() * groups);
    push_runs(code_, column, mm2s, in_channel(kv_stream), send_kv(0), tiles_ * groups);
  }

  void queue_results(unsigned column, const round& now) {
    for (unsigned n = 0; n < 2; ++n) {
      for (unsigned slot = 0; slot < now.size(); ++slot) {
        const piece& p = now[slot];
        write_rows(column, shim_out(slot, n), argument_out, job_.out, parts_ * attention_panel_words, p.head,
                   p.first_group * group_rows() + n * group_rows() / 2,
                   {.rows = group_rows() / 2, .step = group_rows(), .runs = p.groups});
        code_.push(column, taking(n), shim_out(slot, n), 1, slot + 1 == now.size());
      }
      push_runs(code_, column, mm2s, joined_channel(n), standard_bds::joined(n), groups_of(now));
      for (unsigned i = 0; i < 2; ++i) {
        push_runs(code_, column, s2mm, out_channel(2 * n + i), take_out(2 * n + i, 0), groups_of(now));
      }
    }
  }

  std::uint32_t group_rows() const { return core_rows * block_; }

  /// Some rows of a head, and more of them `step` rows further; or a tile in each run of the descriptor.
  struct runs_of_rows {
    std::uint32_t rows = 0, step = 0, runs = 1, tiles = 1;
  };

  void write_rows(unsigned column, unsigned bd, unsigned argument, const head_layout& where, std::uint32_t words,
                  std::uint32_t head, std::uint32_t first_row, const runs_of_rows& which,
                  std::optional<std::uint32_t> next = {}) {
    const std::uint32_t row_step = where.row_words != 0 ? where.row_words : words;
    const std::uint32_t rows_of_head = argument == argument_q || argument == argument_out
                                           ? padded_queries(job_.queries, job_.width)
                                           : padded_keys(job_.keys);
    const std::uint32_t head_step = where.row_words != 0 ? where.head_words : rows_of_head * words;
    shim_bd made{.length = words * which.rows * which.runs,
                 .iteration_step = attention_panel * row_step,
                 .iteration_wrap = which.tiles,
                 .next = next};
    if (row_step != words) {
      made.d0_wrap = words;
      made.d1_step = row_step;
      if (which.runs > 1) {
        made.d1_wrap = which.rows;
        made.d2_step = which.step * row_step;
      }
    } else if (which.runs > 1) {
      const shim_bd whole = strided(words * which.rows, which.step * row_step, which.runs);
      made.d0_wrap = whole.d0_wrap;
      made.d1_step = whole.d1_step;
      made.d1_wrap = whole.d1_wrap;
      made.d2_step = whole.d2_step;
    }
    code_.write_bd(column, bd, made, argument, where.first_byte + 4 * (head * head_step + first_row * row_step));
  }

  attention_job job_;
  std::uint32_t parts_;        ///< panels that a row of d is
  std::uint32_t row_words_;    ///< of q, k and v
  std::uint32_t block_;        ///< queries of a core
  std::uint32_t tiles_;        ///< of keys
  std::uint32_t head_groups_;  ///< groups of four blocks of queries in a head
  std::array<std::vector<round>, columns> rounds_;
  control_code code_{columns};
};

void check_count(const char* letter, const char* what, std::uint32_t given, std::uint32_t most) {
  if (given == 0 || given > most) {
    throw shape_error(letter, fmt::format("attention: {} {}, they must be from 1 to {}", given, what, most));
  }
}

}  // namespace

std::vector<std::uint32_t> attention_code(const attention_job& job) {
  check_count("heads", "heads", job.heads, most_attention_heads);
  check_count("T", "queries", job.queries, most_attention_rows);
  check_count("S", "keys", job.keys, most_attention_keys);
  return attention_writer(job).write();
}

}  // namespace npurt::detail::overlay
