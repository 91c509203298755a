// SPDX-License-Identifier: Apache-2.0
// A column owns consecutive units, four chunks, of x, which go to its cores by A, and the same ones of y, by B.
#include "runtime/overlay/add_code.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "npurt/error.hpp"
#include "runtime/overlay/call.hpp"

namespace npurt::detail::overlay {

namespace {

using enum dma_side;

constexpr std::uint32_t unit_words = core_rows * chunk_words;
constexpr unsigned argument_sum = 2;
static_assert(add_chunks_per_pair == columns * core_rows);

/// The results of rows 0 and 1 are the first half of each unit, those of rows 2 and 3 the second one.
void take(control_code& code, unsigned column, unsigned n, std::uint32_t pairs) {
  constexpr std::uint32_t half = unit_words / 2;
  const unsigned bd = 2 + n;
  code.set_controller(column, taking(n));
  code.write_bd(column, bd, strided(half, unit_words, pairs), argument_sum,
                4 * (column * pairs * unit_words + n * half));
  code.push(column, taking(n), bd, 1, true);
  for (unsigned row = 2 * n; row < 2 * n + 2; ++row) {
    push_runs(code, column, s2mm, out_channel(row), standard_bds::out(row), pairs);
  }
  push_runs(code, column, mm2s, joined_channel(n), standard_bds::joined(n), pairs);
}

void send(control_code& code, unsigned column, unsigned n, std::uint32_t pairs) {
  code.write_bd(column, n, {.length = pairs * unit_words}, n, 4 * column * pairs * unit_words);
  code.push(column, sending(n), n, 1, false);
  push_runs(code, column, s2mm, in_channel(n), standard_bds::in(n), pairs);
  push_runs(code, column, mm2s, in_channel(n), standard_bds::scatter(n), pairs);
}

}  // namespace

std::uint32_t add_pairs_of(std::size_t bytes) {
  constexpr std::size_t each = add_chunks_per_pair * chunk_bytes;
  return static_cast<std::uint32_t>((bytes + each - 1) / each);
}

std::vector<std::uint32_t> add_code(std::uint32_t pairs) {
  constexpr std::uint32_t most_pairs = 512;
  if (pairs == 0 || pairs > most_pairs) {
    throw error(fmt::format("{} pairs of chunks, a call takes 1 to {}", pairs, most_pairs));
  }
  control_code code(columns);
  write_parameters(code, std::array{static_cast<std::uint32_t>(operation::add_bf16), pairs});
  for (unsigned column = 0; column < columns; ++column) {
    rewind_all(code, column);
    for (unsigned n = 0; n < 2; ++n) take(code, column, n, pairs);
    for (unsigned n = 0; n < 2; ++n) send(code, column, n, pairs);
  }
  for (unsigned column = 0; column < columns; ++column) {
    for (unsigned n = 0; n < 2; ++n) code.wait_token(column, taking(n));
  }
  return std::move(code).finish();
}

}  // namespace npurt::detail::overlay
