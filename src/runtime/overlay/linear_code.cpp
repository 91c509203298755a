// SPDX-License-Identifier: Apache-2.0
// A column owns consecutive units, four chunks. Of one tensor even ones go to its cores by A and odd ones by B; of two
// the first one's by A, the same ones of the second by B.
#include "runtime/overlay/linear_code.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "npurt/error.hpp"
#include "npurt/ops/elementwise.hpp"

namespace npurt::detail::overlay {

namespace {

using enum dma_side;

void pass_units(control_code& code, unsigned column, unsigned n, std::uint32_t units) {
  code.push(column, sending(n), n, 1, false);
  push_runs(code, column, s2mm, in_channel(n), standard_bds::in(n), units);
  push_runs(code, column, mm2s, in_channel(n), standard_bds::scatter(n), units);
}

void send_every_other_unit(control_code& code, unsigned column, unsigned n, std::uint32_t pairs) {
  const std::uint32_t first = (column * 2 * pairs + n) * unit_words;
  code.write_bd(column, n, strided(unit_words, 2 * unit_words, pairs), 0, 4 * first);
  pass_units(code, column, n, pairs);
}

void send_operand(control_code& code, unsigned column, unsigned n, std::uint32_t pairs) {
  code.write_bd(column, n, {.length = pairs * unit_words}, n, 4 * column * pairs * unit_words);
  pass_units(code, column, n, pairs);
}

}  // namespace

const linear_operation& linear_named(std::string_view name) {
  const auto found = std::ranges::find(linear_operations, name, &linear_operation::name);
  if (found != linear_operations.end()) return *found;
  throw value_error(fmt::format("no element-wise operation is named {}", name));
}

const linear_operation& linear_of(operation op) {
  const auto found = std::ranges::find(linear_operations, op, &linear_operation::op);
  if (found != linear_operations.end()) return *found;
  throw value_error(fmt::format("operation {} is not element-wise", static_cast<std::uint32_t>(op)));
}

const linear_operation& linear_of(elementwise function) {
  switch (function) {
    case elementwise::gelu:
      return linear_of(operation::gelu_bf16);
    case elementwise::silu:
      return linear_of(operation::silu_bf16);
    case elementwise::relu:
      return linear_of(operation::relu_bf16);
    case elementwise::scale:
      return linear_of(operation::scale_bf16);
  }
  throw value_error("elementwise: no such function");
}

std::uint32_t linear_operation::pairs_of(std::size_t bytes) const {
  const std::size_t each = std::size_t{chunks_per_pair()} * chunk_bytes;
  return static_cast<std::uint32_t>((bytes + each - 1) / each);
}

std::size_t linear_operation::buffer_bytes(std::size_t bytes) const {
  return std::size_t{pairs_of(bytes)} * chunks_per_pair() * chunk_bytes;
}

std::vector<std::uint32_t> linear_code(const linear_operation& what, std::uint32_t pairs, std::uint32_t word) {
  const std::uint32_t most_pairs = 256 * what.operands;
  if (pairs == 0 || pairs > most_pairs) {
    throw error(fmt::format("{} pairs of chunks, a call takes 1 to {}", pairs, most_pairs));
  }
  const unsigned result = what.operands, table = result + 1;
  control_code code(columns);
  std::vector<std::uint32_t> parameters{static_cast<std::uint32_t>(what.op), pairs};
  if (what.has_word) parameters.push_back(word);
  write_parameters(code, parameters);
  // What the cores wait for comes first: the firmware takes its time over each address of a buffer.
  for (unsigned column = 0; column < columns; ++column) {
    rewind_all(code, column);
    if (what.has_table) queue_broadcast(code, column, table, {.length = chunk_words});
    for (unsigned n = 0; n < 2; ++n) {
      if (what.operands == 1) {
        send_every_other_unit(code, column, n, pairs);
      } else {
        send_operand(code, column, n, pairs);
      }
    }
  }
  const std::uint32_t units = 2 / what.operands * pairs;
  for (unsigned column = 0; column < columns; ++column) take_units(code, column, result, units);
  for (unsigned column = 0; column < columns; ++column) {
    for (unsigned n = 0; n < 2; ++n) code.wait_token(column, taking(n));
  }
  return std::move(code).finish();
}

}  // namespace npurt::detail::overlay
