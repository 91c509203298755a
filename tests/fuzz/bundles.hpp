// SPDX-License-Identifier: Apache-2.0
// Bundles that decode, made from a fuzzer's bytes: a format, and in its slots instructions with any operands.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "aie/isa/isa.hpp"
#include "fuzz/input.hpp"

namespace npurt::fuzz {

inline std::span<const aie::isa::instruction* const> rows_of(aie::isa::slot where) {
  static const auto rows = [] {
    std::array<std::vector<const aie::isa::instruction*>, aie::isa::slot_count> lists;
    for (const auto& row : aie::isa::instructions()) lists[static_cast<std::size_t>(row.where)].push_back(&row);
    return lists;
  }();
  return rows[static_cast<std::size_t>(where)];
}

inline aie::isa::decoded_instruction make_instruction(input& in, aie::isa::slot where) {
  const auto* row = rows_of(where)[in.u16() % rows_of(where).size()];
  const auto operands = in.u64() & ((std::uint64_t{1} << aie::isa::slot_width(where)) - 1);
  if (const auto made = decode(where, row->value | (operands & ~row->mask))) return *made;
  aie::isa::decoded_instruction nop{};
  nop.row = &aie::isa::slot_nop(where);
  complete(nop);
  return nop;
}

inline std::array<std::uint8_t, 16> make_bundle(input& in, unsigned& length) {
  aie::isa::decoded_bundle bundle{};
  bundle.format = &aie::isa::formats()[in.u8() % aie::isa::formats().size()];
  bundle.bytes = bundle.format->bytes;
  length = bundle.bytes;
  for (const auto& part : bundle.format->slots) bundle.slots[bundle.count++] = make_instruction(in, part.where);
  const auto bytes = encode(bundle);
  require(bytes.has_value(), "decoded instructions encode in any format that has their slots");
  return *bytes;
}

}  // namespace npurt::fuzz
