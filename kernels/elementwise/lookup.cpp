// SPDX-License-Identifier: Apache-2.0
// gelu of int8 by a table of 256 bytes, four lookups at a time.
#include "elementwise/elementwise.hpp"

namespace npurt::kernels::elementwise {

using namespace codegen;

namespace {

// A gather reads eight bytes from each of four addresses, of the odd ones 16 bytes further: an entry is its byte 32
// times, so that lanes 0 and 1 do not meet in a bank. Lanes 2 and 3 read another table, which lies in bank 1 but for
// its last entries.
constexpr std::int32_t entry = 32, entry_bits = 5;
constexpr unsigned entries = 256;
constexpr std::uint32_t second_table = overlay::data_memory + overlay::tables_offset,
                        first_table = second_table + entries * entry;
constexpr std::int32_t second_lanes = 0xCCCC;
constexpr unsigned even_8 = 0, even_32 = 4;  // modes of vshuffle

using addresses_of_32 = accum<acc32, 32>;

/// Where the lanes' tables start.
codegen::vector<std::int32_t, 16> tables(kernel& k) {
  const auto all = [&](std::uint32_t table) {
    return broadcast<std::int32_t, 16>(number(k, static_cast<std::int32_t>(table)));
  };
  return select(all(first_table), all(second_table), kernel::typed<mask>(number(k, second_lanes)));
}

words look_up(const addresses_of_32& addresses, unsigned first, const memory_area& area) {
  return as_lanes_of<std::int16_t>(
      shuffle(gather(addresses, first, area), gather(addresses, first + 8, area), even_32));
}

}  // namespace

void spread_table(kernel& k, pointer bytes) {
  constexpr unsigned at_once = 4;
  const auto area = k.memory("entries written", {1, 2});
  auto first = k.pointer_to("first table", first_table, area),
       second = k.pointer_to("second table", second_table, area);
  k.loop("entries", entries / at_once, [&] {
    for (unsigned i = 0; i < at_once; ++i) {
      const auto all = low(broadcast<std::int8_t, 64>(load_u8(bytes, post(1))));
      store(first, all, post(entry));
      store(second, all, post(entry));
    }
  });
}

void add_lookup(kernel& k, const input& from, out_stream& out) {
  const auto area = k.memory("entries", {1, 2});
  auto x = from.chunk;
  const auto start = tables(k);
  const auto base = as_accum_twice(start);
  const auto by_entry = shift_here(k, entry_bits);
  set_bytes_signed(k, false);
  const auto next_high = [&] { return add(load_bytes(x, by_entry, at(32)), base); };
  const auto next_low = [&] { return add(load_bytes(x, by_entry, post(from.round)), base); };
  auto high = k.make_variable("addresses of 32 to 63", next_high());
  auto low = k.make_variable("addresses of 0 to 31", next_low());
  out.send_halves([&](pointer to) {
    k.loop("lookup", vectors / 2, [&] {  // the next addresses are made while this pass reads the tables
      const auto y_low = shuffle(look_up(low, 0, area), look_up(low, 16, area), even_16);
      const auto y_high = shuffle(look_up(high, 0, area), look_up(high, 16, area), even_16);
      store(to, shuffle(y_low, y_high, even_8), post(64));
      high = next_high();
      low = next_low();
    });
  });
}

}  // namespace npurt::kernels::elementwise
