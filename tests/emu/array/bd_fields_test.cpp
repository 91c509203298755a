// SPDX-License-Identifier: Apache-2.0
// Every field of a buffer descriptor and of a task, on all three kinds of tile: a design that uses them all agrees with
// plain loops, and no longer does so when any one field is cleared.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <functional>

#include "emu/array/design.hpp"

using namespace npurt;
using namespace npurt::emu::testing;

namespace {

constexpr auto mm2s = dma_direction::mm2s, s2mm = dma_direction::s2mm;
constexpr std::uint32_t source_words = 600, sink_words = 500, sink_offset = 0x2000, chained_words = 5;
constexpr unsigned taken_lock = 5, given_lock = 6;

struct setting {
  dma_bd bd;
  aie::dma_task task;
};

struct outcome {
  std::vector<std::uint32_t> words;
  std::uint32_t taken = 0, given = 0;
  bool token = false;
  bool operator==(const outcome&) const = default;
};

/// The source's address, lock numbers as its BDs have them.
std::uint64_t base(aie::tile_kind kind) {
  return kind == aie::tile_kind::shim ? src_address : kind == aie::tile_kind::memtile ? own : 0;
}
std::uint8_t lock_id(aie::tile_kind kind, unsigned lock) {
  return static_cast<std::uint8_t>(kind == aie::tile_kind::memtile ? 64 + lock : lock);
}

setting full_setting(aie::tile_kind kind) {
  const bool memtile_kind = kind == aie::tile_kind::memtile;
  dma_bd bd{.address = base(kind) + 40,
            .length = memtile_kind ? 108u : 12u,
            .iteration_step = 7,
            .iteration_wrap = 2,
            .use_next = true,
            .next_bd = 1,
            .acquire_enable = true,
            .acquire_lock = lock_id(kind, taken_lock),
            .acquire_value = -1,
            .release_lock = lock_id(kind, given_lock),
            .release_value = 2};
  bd.dimensions = {{{.step = 2, .wrap = 3}, {.step = 10, .wrap = 2}, {.step = 40, .wrap = 0}, {}}};
  if (memtile_kind) {
    bd.dimensions = {{{.step = 2, .wrap = 3, .zero_before = 1, .zero_after = 2},
                      {.step = 10, .wrap = 2, .zero_before = 1},
                      {.step = 40, .wrap = 2, .zero_after = 1},
                      {.step = 90}}};
  }
  return {bd, {.bd = 0, .repeat = 3, .issue_token = kind == aie::tile_kind::shim}};
}

/// What the full setting sends, by plain loops.
std::vector<std::uint32_t> expected_words(aie::tile_kind kind, const std::vector<std::uint32_t>& source) {
  const bool pads = kind == aie::tile_kind::memtile;
  std::vector<std::uint32_t> words;
  for (std::size_t run = 0; run < 3; ++run) {
    const std::size_t first = 10 + 7 * (run % 2);
    for (int i3 = 0; i3 < (pads ? 2 : 1); ++i3)
      for (int i2 = 0; i2 < (pads ? 3 : 2); ++i2)
        for (int i1 = pads ? -1 : 0; i1 < 2; ++i1)
          for (int i0 = pads ? -1 : 0; i0 < (pads ? 5 : 3); ++i0) {
            const bool inside = i2 < 2 && i1 >= 0 && i0 >= 0 && i0 < 3;
            words.push_back(inside ? source[first + static_cast<std::size_t>(2 * i0 + 10 * i1 + 40 * i2 + 90 * i3)]
                                   : 0);
          }
    words.insert(words.end(), source.end() - chained_words, source.end());
  }
  words.resize(sink_words);
  return words;
}

outcome run(aie::tile_kind kind, const setting& s) {
  design d;
  const tile_id t = kind == aie::tile_kind::shim ? shim : kind == aie::tile_kind::memtile ? memtile : core2;
  const auto source = pattern(source_words);
  std::vector<std::uint32_t>* host_sink = nullptr;
  if (kind == aie::tile_kind::shim) {
    d.open_shim();
    d.open_tokens();
    d.circuit(shim, {bundle::south, 3}, {bundle::south, 2});
    d.host.add(src_address, source_words) = source;
    host_sink = &d.host.add(dst_address, sink_words);
  } else {
    d.circuit(t, {bundle::dma, 0}, {bundle::dma, 0});
    d.fill(t, 0, source);
  }
  d.set_lock(t, taken_lock, 4);
  d.bd(t, 0, s.bd);
  d.bd(t, 1, {.address = base(kind) + 4 * (source_words - chained_words), .length = chained_words});
  d.bd(t, 2, {.address = host_sink != nullptr ? dst_address : base(kind) + sink_offset, .length = sink_words});
  d.push(t, s2mm, 0, 2);
  d.push(t, mm2s, 0, s.task.bd, s.task.repeat, s.task.issue_token);
  d.settle();
  outcome o{.words = host_sink != nullptr ? *host_sink : d.dump(t, sink_offset, sink_words),
            .taken = d.lock(t, taken_lock),
            .given = d.lock(t, given_lock)};
  o.token = d.tiles.take_token(t, mm2s, 0);
  return o;
}

struct change {
  const char* field;
  std::function<void(setting&)> clear;
  bool memtile_only = false;
};

const std::vector<change>& changes() {
  static const std::vector<change> all{
      {"length", [](setting& s) { s.bd.length -= 1; }},
      {"base address", [](setting& s) { s.bd.address -= 40; }},
      {"D0 step", [](setting& s) { s.bd.dimensions[0].step = 1; }},
      {"D0 wrap", [](setting& s) { s.bd.dimensions[0].wrap = 0; }},
      {"D1 step", [](setting& s) { s.bd.dimensions[1].step = 1; }},
      {"D1 wrap", [](setting& s) { s.bd.dimensions[1].wrap = 0; }},
      {"D2 step", [](setting& s) { s.bd.dimensions[2].step = 1; }},
      {"D2 wrap", [](setting& s) { s.bd.dimensions[2].wrap = 0; }, true},
      {"D3 step", [](setting& s) { s.bd.dimensions[3].step = 1; }, true},
      {"D0 zero before", [](setting& s) { s.bd.dimensions[0].zero_before = 0; }, true},
      {"D0 zero after", [](setting& s) { s.bd.dimensions[0].zero_after = 0; }, true},
      {"D1 zero before", [](setting& s) { s.bd.dimensions[1].zero_before = 0; }, true},
      {"D2 zero after", [](setting& s) { s.bd.dimensions[2].zero_after = 0; }, true},
      {"iteration step", [](setting& s) { s.bd.iteration_step = 1; }},
      {"iteration wrap", [](setting& s) { s.bd.iteration_wrap = 1; }},
      {"Use_Next_BD", [](setting& s) { s.bd.use_next = false; }},
      {"Lock_Acq_Enable", [](setting& s) { s.bd.acquire_enable = false; }},
      {"Lock_Acq_Value", [](setting& s) { s.bd.acquire_value = 0; }},
      {"Lock_Acq_ID",
       [](setting& s) { s.bd.acquire_lock = static_cast<std::uint8_t>(s.bd.acquire_lock - taken_lock); }},
      {"Lock_Rel_Value", [](setting& s) { s.bd.release_value = 0; }},
      {"Lock_Rel_ID",
       [](setting& s) { s.bd.release_lock = static_cast<std::uint8_t>(s.bd.release_lock - given_lock); }},
      {"Repeat_Count", [](setting& s) { s.task.repeat = 1; }},
  };
  return all;
}

}  // namespace

TEST_CASE("a design that uses every field of a BD agrees with plain loops, and with none of them cleared",
          "[emu][array]") {
  const auto kind = GENERATE(aie::tile_kind::shim, aie::tile_kind::memtile, aie::tile_kind::core);
  const setting full = full_setting(kind);
  const outcome reference = run(kind, full);
  CAPTURE(aie::to_string(kind));
  CHECK(reference == outcome{.words = expected_words(kind, pattern(source_words)),
                             .taken = 1,
                             .given = 6,
                             .token = kind == aie::tile_kind::shim});
  for (const change& c : changes()) {
    if (c.memtile_only && kind != aie::tile_kind::memtile) continue;
    CAPTURE(c.field);
    setting changed = full;
    c.clear(changed);
    CHECK(run(kind, changed) != reference);
  }
}

TEST_CASE("without Enable_Token_Issue there is no token", "[emu][array]") {
  setting s = full_setting(aie::tile_kind::shim);
  s.task.issue_token = false;
  CHECK_FALSE(run(aie::tile_kind::shim, s).token);
}
