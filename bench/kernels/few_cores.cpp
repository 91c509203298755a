// SPDX-License-Identifier: Apache-2.0
// Control code for a part of the array. What a chunk is and how memtiles order it is as the stubs have it:
// src/runtime/overlay/.
#include "bench/kernels/few_cores_parts.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "binfmt/control_code.hpp"
#include "runtime/device_state.hpp"

namespace npurt::bench {

using namespace detail::overlay;
using detail::control_code;
using detail::memtile_bd;
using enum detail::dma_side;

memtile_bd through(unsigned n, std::uint32_t chunks) {
  return {.address = in_offset(n),
          .length = chunks * chunk_words,
          .iteration_step = chunks * chunk_words,
          .iteration_wrap = in_chunks / chunks,
          .acquire = {{in_free(n), chunks}},
          .release = {{in_free(n) + 1, chunks}}};
}

memtile_bd out_of(unsigned n, std::uint32_t chunks, std::uint32_t packet_id) {
  memtile_bd bd = through(n, chunks);
  std::swap(bd.acquire, bd.release);
  bd.packet_id = packet_id;
  return bd;
}

memtile_bd results(unsigned core_row, std::uint32_t chunks) {
  return {.address = out_offset(core_row),
          .length = chunks * chunk_words,
          .iteration_step = chunks * chunk_words,
          .iteration_wrap = out_chunks / chunks,
          .acquire = {{out_free(core_row), chunks}},
          .release = {{out_free(core_row) + 1, chunks}}};
}

void pass_units(control_code& code, unsigned column, unsigned n, unsigned cores, const memtile_bd& in,
                std::uint32_t pairs) {
  code.write_memtile_bd(column, fill(n), in);
  push_runs(code, column, s2mm, in_channel(n), fill(n), pairs);
  if (cores == 1) {
    code.write_memtile_bd(column, send(n), out_of(n, 1, core_id(0)));
  } else {
    rewind_scatter(code, column, n);
  }
  push_runs(code, column, mm2s, in_channel(n), cores == 1 ? send(n) : standard_bds::scatter(n), pairs);
}

std::vector<std::uint32_t> finished(control_code code, const core_share& share) {
  for (unsigned column = 0; column < share.columns; ++column) {
    for (unsigned n = 0; n < std::min(share.of_a_column, 2u); ++n) code.wait_token(column, taking(n));
  }
  return std::move(code).finish();
}

namespace {

/// Every other unit of one tensor, or all of one of two.
void send_units(control_code& code, unsigned column, unsigned n, unsigned cores, std::uint32_t pairs, bool one_tensor) {
  const std::uint32_t unit = cores * chunk_words;
  if (one_tensor) {
    code.write_bd(column, n, strided(unit, 2 * unit, pairs), argument_x, 4 * (column * 2 * pairs + n) * unit);
  } else {
    code.write_bd(column, n, {.length = pairs * unit}, n, 4 * column * pairs * unit);
  }
  code.push(column, sending(n), n, 1, false);
  pass_units(code, column, n, cores, through(n, cores), pairs);
}

void take_from_one_core(control_code& code, unsigned column, unsigned argument, std::uint32_t chunks) {
  code.rewind_memtile_bd(column, standard_bds::out(0), chunk_words, out_chunks);
  push_runs(code, column, s2mm, out_channel(0), standard_bds::out(0), chunks);
  memtile_bd bd = results(0, 1);
  std::swap(bd.acquire, bd.release);
  code.write_memtile_bd(column, give(0, 0), bd);
  push_runs(code, column, mm2s, joined_channel(0), give(0, 0), chunks);
  code.set_controller(column, taking(0));
  code.write_bd(column, 2, {.length = chunks * chunk_words}, argument, 4 * column * chunks * chunk_words);
  code.push(column, taking(0), 2, 1, true);
}

recipe recipe_of(operation op, const std::vector<std::uint32_t>& code, std::span<const std::vector<std::byte>> operands,
                 std::size_t result_bytes, std::span<const std::vector<std::byte>> tables) {
  recipe what{op, code, {}};
  for (const auto& operand : operands) what.buffer_bytes.push_back(operand.size());
  what.buffer_bytes.push_back(result_bytes);
  for (const auto& table : tables) what.buffer_bytes.push_back(table.size());
  return what;
}

void put(plan& into, std::span<const std::vector<std::byte>> values, std::size_t first_argument) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::ranges::copy(values[i], into.data(first_argument + i));
    into.to_device(first_argument + i);
  }
}

}  // namespace

std::vector<std::uint32_t> linear_code_of(const linear_operation& what, std::uint32_t chunks, const core_share& share,
                                          std::uint32_t word) {
  control_code code(columns);
  const std::uint32_t pairs = chunks * what.operands / (2 * share.count()), units = 2 * pairs / what.operands;
  std::vector<std::uint32_t> parameters{static_cast<std::uint32_t>(what.op), pairs};
  if (what.has_word) parameters.push_back(word);
  for (unsigned column = 0; column < share.columns; ++column) {
    for (unsigned row = 0; row < share.of_a_column; ++row) write_parameters(code, column, row, parameters);
    // Cores without work keep theirs, for which they have room twice.
    if (what.has_table) queue_broadcast(code, column, what.operands + 1, {.length = chunk_words});
    for (unsigned n = 0; n < 2; ++n) send_units(code, column, n, share.of_a_column, pairs, what.operands == 1);
  }
  for (unsigned column = 0; column < share.columns; ++column) {
    if (share.of_a_column == 1) {
      take_from_one_core(code, column, what.operands, units);
    } else {
      rewind_out(code, column);
      rewind_joined(code, column);
      take_units(code, column, what.operands, units);
    }
  }
  return finished(std::move(code), share);
}

std::vector<std::uint32_t> first_columns(const std::vector<std::uint32_t>& code, unsigned columns) {
  const binfmt::control_code all = binfmt::read_control_code(std::as_bytes(std::span(code)));
  std::vector<std::uint32_t> kept(code.begin(), code.begin() + 4);  // the header
  kept[2] = 0;
  for (const binfmt::control_operation& each : all.operations) {
    const auto column = each.op == binfmt::control_op::tct_sync ? each.sync.col : each.address >> 25;
    if (column >= columns) continue;
    const auto words = std::span(code).subspan(each.offset / 4, each.size / 4);
    kept.insert(kept.end(), words.begin(), words.end());
    ++kept[2];
  }
  kept[3] = static_cast<std::uint32_t>(4 * kept.size());
  return kept;
}

std::vector<std::byte> result_of(device& npu, operation op, const std::vector<std::uint32_t>& code,
                                 std::span<const std::vector<std::byte>> operands, std::size_t result_bytes) {
  std::vector<std::byte> result(result_bytes);
  const auto prepared = npu.state()->ops.make(npu, recipe_of(op, code, operands, result_bytes, {}));
  prepared->call(
      prepared->default_deadline(), [&](plan& into) { put(into, operands, 0); },
      [&](plan& from) {
        from.from_device(operands.size());
        std::copy_n(from.data(operands.size()), result_bytes, result.begin());
      });
  return result;
}

void call_checked(device& npu, operation op, const std::vector<std::uint32_t>& code,
                  std::span<const std::vector<std::byte>> operands, const std::vector<std::byte>& result,
                  std::span<const std::vector<std::byte>> tables) {
  const auto prepared = npu.state()->ops.plan_of(npu, {.operation = static_cast<std::uint32_t>(op)},
                                                 [&] { return recipe_of(op, code, operands, result.size(), tables); });
  const auto fill = [&](plan& into) {
    put(into, operands, 0);
    put(into, tables, operands.size() + 1);
  };
  prepared->call(prepared->default_deadline(), fill, [&](plan& from) {
    from.from_device(operands.size());
    if (!std::ranges::equal(std::span(from.data(operands.size()), result.size()), result)) {
      throw std::runtime_error("a call on few cores gives a wrong result");
    }
  });
}

}  // namespace npurt::bench
