// SPDX-License-Identifier: Apache-2.0
// A column owns consecutive units, four chunks, of x, which go to its cores by A, and the same ones of y, by B.
#include "runtime/overlay/add_code.hpp"

#include <array>

#include <fmt/format.h>

#include "npurt/error.hpp"

namespace npurt::detail::overlay {

namespace {

using enum dma_side;

constexpr unsigned argument_sum = 2;

void send(control_code& code, unsigned column, unsigned n, std::uint32_t pairs) {
  code.write_bd(column, n, {.length = pairs * unit_words}, n, 4 * column * pairs * unit_words);
  code.push(column, sending(n), n, 1, false);
  push_runs(code, column, s2mm, in_channel(n), standard_bds::in(n), pairs);
  push_runs(code, column, mm2s, in_channel(n), standard_bds::scatter(n), pairs);
}

}  // namespace

std::vector<std::uint32_t> add_code(std::uint32_t pairs) {
  constexpr std::uint32_t most_pairs = 512;
  if (pairs == 0 || pairs > most_pairs) {
    throw error(fmt::format("{} pairs of chunks, a call takes 1 to {}", pairs, most_pairs));
  }
  control_code code(columns);
  write_parameters(code, std::array{static_cast<std::uint32_t>(operation::add_bf16), pairs});
  for (unsigned column = 0; column < columns; ++column) {
    rewind_all(code, column);
    for (unsigned n = 0; n < 2; ++n) send(code, column, n, pairs);
  }
  for (unsigned column = 0; column < columns; ++column) take_units(code, column, argument_sum, pairs);
  for (unsigned column = 0; column < columns; ++column) {
    for (unsigned n = 0; n < 2; ++n) code.wait_token(column, taking(n));
  }
  return std::move(code).finish();
}

}  // namespace npurt::detail::overlay
