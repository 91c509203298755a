// SPDX-License-Identifier: Apache-2.0
// Finds the semantics of an instruction: by record name, else by mnemonic without its addressing form.
#include <algorithm>
#include <string>
#include <unordered_map>

#include "emu/core/insns/tables.hpp"

namespace npurt::emu {
namespace {

using semantics_map = std::unordered_map<std::string_view, const semantics*>;

semantics_map all_semantics() {
  semantics_map map;
  for (const auto table :
       {insns::scalar_alu(), insns::moves(), insns::control_flow(), insns::loads(), insns::stores(),
        insns::locks_streams(), insns::vector_alu(), insns::vector_compare(), insns::vector_elements(),
        insns::shuffle(), insns::mac_int(), insns::mac_float(), insns::srs_ups_pack(), insns::convert()}) {
    for (const semantics& row : table) {
      if (!map.emplace(row.key, &row).second) {
        throw std::logic_error("two semantics of " + std::string(row.key));
      }
    }
  }
  return map;
}

/// The mnemonic of a whole addressing family.
std::string family_of(const aie::isa::instruction& row) {
  std::string mnemonic(row.mnemonic);
  for (const std::string_view dimension : {".2d", ".3d"}) {
    if (const std::size_t at = mnemonic.find(dimension); at != std::string::npos) {
      mnemonic.erase(at, dimension.size());
    }
  }
  return mnemonic;
}

/// Instructions of which no source says what they do (README.md, "Refused, or assumed"). No compiler emits them but for
/// the intrinsic of the same name.
constexpr std::array refusals = {
    refusal{"vmov.lo", "which accumulator lanes a cascade word expands to"},
    refusal{"vmov.hi", "which accumulator lanes a cascade word expands to"},
    refusal{"vldb.sparse.fill.4", "the format of compressed weights in memory"},
    refusal{"vldb.sparse.fill.8", "the format of compressed weights in memory"},
    refusal{"vldb.sparse.fill.16", "the format of compressed weights in memory"},
    refusal{"vldb.sparse.reset.4", "the format of compressed weights in memory"},
    refusal{"vldb.sparse.reset.8", "the format of compressed weights in memory"},
    refusal{"vldb.sparse.reset.16", "the format of compressed weights in memory"},
    refusal{"vldb.sparse.pop.4", "the format of compressed weights in memory"},
    refusal{"vldb.sparse.pop.8", "the format of compressed weights in memory"},
    refusal{"vldb.sparse.pop.16", "the format of compressed weights in memory"},
    refusal{"vldb.sparse.peek.4", "the format of compressed weights in memory"},
    refusal{"vldb.sparse.peek.8", "the format of compressed weights in memory"},
    refusal{"vldb.sparse.peek.16", "the format of compressed weights in memory"},
    refusal{"vldb.compr.fill", "the format of compressed data in memory"},
    refusal{"vldb.compr.reset", "the format of compressed data in memory"},
    refusal{"vldb.compr.pop", "the format of compressed data in memory"},
    refusal{"vldb.compr.peek", "the format of compressed data in memory"},
};

}  // namespace

const semantics* find_semantics(const aie::isa::instruction& row) {
  // Never destroyed: a device may still be at work when the process ends.
  static const semantics_map& map = *new semantics_map(all_semantics());
  if (const auto found = map.find(row.name); found != map.end()) {
    return found->second;
  }
  const auto found = map.find(family_of(row));
  return found != map.end() ? found->second : nullptr;
}

const refusal* find_refusal(const aie::isa::instruction& row) {
  const auto found = std::ranges::find(refusals, family_of(row), &refusal::key);
  return found != refusals.end() ? &*found : nullptr;
}

}  // namespace npurt::emu
