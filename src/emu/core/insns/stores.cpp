// SPDX-License-Identifier: Apache-2.0
// Stores of registers as they are; those that convert stand with the conversion.
#include "emu/core/insns/tables.hpp"

namespace npurt::emu::insns {
namespace {

void store_whole(frame& f) { copy_bytes(f.memory.data(), f.uses[0], f.op->access); }

/// The word was read at E5; the part is put into it at E7 and the word written at E11.
template <typename T>
void part(frame& f) {
  const T value = static_cast<T>(f.use(0));
  if (f.address % sizeof(T) != 0) {
    throw core_error("memory: unaligned part-word store");
  }
  std::memcpy(f.memory.data() + f.address % 4, &value, sizeof value);
}

void store_word(frame& f) { f.store(f.use(0)); }

constexpr std::array stores_table = {
    semantics{"st", store_whole, unit::store},
    semantics{"st.s8", part<std::uint8_t>, unit::part_store, 1},
    semantics{"st.s16", part<std::uint16_t>, unit::part_store, 2},
    semantics{"vst", store_whole, unit::store, 32},
    semantics{"vst.128", store_whole, unit::store, 16},
    semantics{"st.tm", store_word, unit::bus_out},
};

}  // namespace

std::span<const semantics> stores() { return stores_table; }

}  // namespace npurt::emu::insns
