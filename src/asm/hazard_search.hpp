// SPDX-License-Identifier: Apache-2.0
// What the searches for hazards share; for hazard*.cpp only.
#pragma once

#include <fmt/format.h>

#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "asm/diagnostic.hpp"
#include "asm/flow.hpp"

namespace npurt::assembler {

/// An instruction of the program.
struct instruction_at {
  std::size_t bundle;
  std::size_t slot;
  auto operator<=>(const instruction_at&) const = default;
};

class hazard_report {
 public:
  hazard_report(const flow& f, std::string_view file) : flow_(f), file_(file) {}

  std::string_view name(const instruction_at& i) const { return flow_.bundles()[i.bundle].mnemonic(i.slot); }
  unsigned line(const instruction_at& i) const { return flow_.bundles()[i.bundle].line; }

  /// Warns at `second` of what it does with `first`; the same kind for the same two once, over all paths.
  void warn(std::string_view kind, const instruction_at& first, const instruction_at& second, std::string message) {
    if (!seen_.emplace(kind, first, second).second) return;
    const auto& b = flow_.bundles()[second.bundle];
    found_.push_back({std::string(file_), b.line, b.column_of(second.slot), std::move(message), true});
  }

  std::vector<diagnostic> take() { return std::move(found_); }

 private:
  const flow& flow_;
  std::string_view file_;
  std::set<std::tuple<std::string_view, instruction_at, instruction_at>> seen_;
  std::vector<diagnostic> found_;
};

/// "1 cycle", "3 cycles".
inline std::string counted(unsigned count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

/// Bundles that must lie from a write to a read of the same register, at least, for the read to get it: with 1 the next
/// bundle, with 0 or less the same one (aie2 README, "The exposed pipeline").
inline int distance_needed(const register_access& write, const register_access& read) {
  const bool forwarded = write.bypass != 0 && write.bypass == read.bypass;
  return write.stage - read.stage + 1 - (forwarded ? 1 : 0);
}

void find_early_reads(const flow& f, hazard_report& report);
void find_late_reads(const flow& f, hazard_report& report);
void find_loop_hazards(const flow& f, hazard_report& report);
void find_branch_hazards(const flow& f, hazard_report& report);

}  // namespace npurt::assembler
