// SPDX-License-Identifier: Apache-2.0
// Asks the reference which instructions and multiplier configurations it executes.
#include "emu/core/differential_rows.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "aie/isa/modes.hpp"
#include "emu/core/differential_bundles.hpp"
#include "emu/core/differential_operands.hpp"
#include "emu/core/differential_ports.hpp"

namespace npurt::test {
namespace {

namespace isa = aie::isa;

/// Why a core that holds what programs rely on, and `r0` in r0, stops at the instruction; empty if it does not.
std::string refusal_of(const isa::decoded_instruction& insn, std::optional<std::uint32_t> r0 = std::nullopt) {
  seeded_ports ports;
  ports.restart(1, {});
  emu::core core(ports, emu::engine::reference);
  std::vector<std::uint8_t> image(64);
  const auto bundle = alone(insn);
  std::copy_n(bundle.bytes.begin(), bundle.length, image.begin());
  for (std::size_t at = bundle.length; at < image.size(); at += 2) image[at] = 1;  // nop
  core.write_program(0, std::as_bytes(std::span(image)));
  if (r0) {
    std::memcpy(core.reg("r0").data(), &*r0, sizeof *r0);
  } else {
    random_source registers(1);
    set_registers(registers, core);
  }
  core.enable(true);
  for (int i = 0; i < 16 && !core.fault(); ++i) core.step();
  return core.fault() ? core.fault()->cause : "";
}

/// Whether the reference executes the instruction with operands that a program may have.
bool goes_on(const isa::instruction& row) {
  random_source random(1);
  operand_maker maker(random);
  for (int attempt = 0; attempt < 4; ++attempt) {
    const auto insn = maker.settled(row);
    if (insn && refusal_of(*insn).empty()) return true;
  }
  return false;
}

std::array<row_lists, isa::slot_count> make_lists() {
  std::array<row_lists, isa::slot_count> lists;
  std::array<std::map<std::string_view, std::vector<const isa::instruction*>>, isa::slot_count> mnemonics;
  for (const auto& row : isa::instructions()) {
    auto& list = lists[static_cast<std::size_t>(row.where)];
    list.all.push_back(&row);
    if (row.delay_slots != 0 || row.mnemonic == "done" || !goes_on(row)) continue;
    list.going_on.push_back(&row);
    mnemonics[static_cast<std::size_t>(row.where)][row.mnemonic].push_back(&row);
  }
  for (std::size_t i = 0; i < lists.size(); ++i) {
    for (auto& [mnemonic, rows] : mnemonics[i]) lists[i].by_mnemonic.push_back(std::move(rows));
  }
  return lists;
}

/// Configuration words whose shape the reference multiplies, with sub_mask too where it knows that.
std::vector<std::uint32_t> make_words(std::string_view record, bool floating, bool sparse) {
  std::vector<std::uint32_t> words;
  auto insn = isa::decode(isa::slot::vec, isa::find_instruction(record)->value);
  for (const auto& mode : isa::mac_modes()) {
    if (mode.is_float != floating || mode.sparse != sparse) continue;
    const auto word = static_cast<std::uint32_t>(mode.amode << 1 | mode.bmode << 3 | mode.variant << 5);
    for (const std::uint32_t sub_mask : {0x0000u, 0xFFFFu, 0xA5A5u, 0x0F0Fu, 0x8001u, 0x1234u}) {
      if (insn && refusal_of(*insn, word | sub_mask << 16).empty()) words.push_back(word | sub_mask << 16);
    }
  }
  if (words.empty()) words.push_back(floating ? 28u : 8u);
  return words;
}

}  // namespace

const row_lists& rows_of(isa::slot where) {
  static const auto lists = make_lists();
  return lists[static_cast<std::size_t>(where)];
}

const std::vector<std::uint32_t>& words_of(role what) {
  static const auto ints = make_words("VMUL_vmac_cm_core_dense", false, false);
  static const auto floats = make_words("VMUL_F_vmac_bm_core_dense", true, false);
  static const auto sparse_ints = make_words("VMUL_vmac_cm_core_sparse_narrow", false, true);
  static const auto sparse_floats = make_words("VMUL_F_vmac_bm_core_sparse_narrow", true, true);
  return what == role::mac_int      ? ints
         : what == role::mac_float  ? floats
         : what == role::sparse_int ? sparse_ints
                                    : sparse_floats;
}

}  // namespace npurt::test
