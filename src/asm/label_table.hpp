// SPDX-License-Identifier: Apache-2.0
// The names that a disassembly defines and uses.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "aie/isa/isa.hpp"
#include "asm/program.hpp"

namespace npurt::assembler {

/// Bundles stand at even addresses only.
inline constexpr std::size_t step_without_bundle = 2;

/// Calls visit(offset, bundle) for what stands in the code of a section, in order; two bytes that begin no bundle are
/// passed with nothing.
void for_each_bundle(const section& code,
                     const std::function<void(std::size_t, const std::optional<aie::isa::decoded_bundle>&)>& visit);

class label_table {
 public:
  explicit label_table(const program& p);

  /// Definitions at an address of a section, each a line; an empty text if there are none. They are given out once.
  std::string definitions(std::size_t section, std::uint32_t address);
  /// The first name at or behind an address at which definitions stand, `end` if there is none before it.
  std::uint32_t next(std::size_t section, std::uint32_t address, std::uint32_t end) const;
  /// Symbols that are not at the start of a line, or absolute.
  const std::string& others() const { return others_; }
  /// How an instruction spells a constant; empty if it names no label.
  std::string name(const aie::isa::decoded_instruction& user, std::uint32_t value) const;

 private:
  struct entry {
    std::string name;
    bool global;
    std::uint32_t size;
  };

  void add_symbols(const program& p);
  void add_symbol(const program& p, const symbol& s);
  void add_targets(const section& code);
  std::string spellable(const std::string& name);
  void find_sound_loops(const program& p);

  std::vector<std::set<std::uint32_t>> lines_;  ///< by section: where a label can stand in code
  std::vector<std::map<std::uint32_t, std::vector<entry>>> entries_;
  std::map<std::uint32_t, std::string> names_;
  std::set<std::string> used_;
  std::set<std::uint32_t>
      loop_ends_;  ///< on 16 bytes, with a bundle of 16, far enough behind every loop register write
  std::string others_;
};

}  // namespace npurt::assembler
