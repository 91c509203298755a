// SPDX-License-Identifier: Apache-2.0
// Finds the semantics of an instruction: by record name, else by mnemonic without its addressing form.
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

}  // namespace

const semantics* find_semantics(const aie::isa::instruction& row) {
  // Never destroyed: a device may still be at work when the process ends.
  static const semantics_map& map = *new semantics_map(all_semantics());
  if (const auto found = map.find(row.name); found != map.end()) {
    return found->second;
  }
  std::string mnemonic(row.mnemonic);
  for (const std::string_view dimension : {".2d", ".3d"}) {
    if (const std::size_t at = mnemonic.find(dimension); at != std::string::npos) {
      mnemonic.erase(at, dimension.size());
    }
  }
  const auto found = map.find(mnemonic);
  return found != map.end() ? found->second : nullptr;
}

}  // namespace npurt::emu
