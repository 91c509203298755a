// SPDX-License-Identifier: Apache-2.0
// A difference made small: what is not needed for it becomes nop, and what is left is printed.
#include <algorithm>
#include <format>
#include <span>

#include "aie/isa/isa.hpp"
#include "emu/core/differential_run.hpp"

namespace npurt::test {
namespace {

namespace isa = aie::isa;

bool still_differs(engine_pair& engines, const scenario& what) { return engines.run(what, true).differs.has_value(); }

/// Tries a change and keeps it if the difference stays.
template <typename Change>
bool try_change(engine_pair& engines, scenario& what, Change&& change) {
  scenario changed = what;
  change(changed);
  if (!still_differs(engines, changed)) return false;
  what = std::move(changed);
  return true;
}

bool is_nop(const bundle_bytes& bundle) { return bundle.bytes == nop_like(bundle).bytes; }

/// Whole runs of bundles, half as many at a time.
void drop_bundles(engine_pair& engines, scenario& what) {
  for (std::size_t size = std::max<std::size_t>(what.program.bundles.size() / 2, 1);; size /= 2) {
    for (std::size_t at = 0; at < what.program.bundles.size(); at += size) {
      const auto end = std::min(at + size, what.program.bundles.size());
      const auto part = std::span(what.program.bundles).subspan(at, end - at);
      if (std::ranges::all_of(part, is_nop)) continue;
      try_change(engines, what, [&](scenario& s) {
        for (auto i = at; i < end; ++i) s.program.bundles[i] = nop_like(s.program.bundles[i]);
      });
    }
    if (size == 1) break;
  }
}

/// The single instructions of what is left.
void drop_instructions(engine_pair& engines, scenario& what) {
  for (std::size_t at = 0; at < what.program.bundles.size(); ++at) {
    const auto decoded = isa::decode(what.program.bundles[at].bytes);
    for (unsigned i = 0; decoded && i < decoded->count; ++i) {
      auto smaller = isa::decode(what.program.bundles[at].bytes);
      auto& slot = smaller->slots[i];
      if (slot.row == &isa::slot_nop(slot.row->where)) continue;
      const auto where = slot.row->where;
      slot = {};
      slot.row = &isa::slot_nop(where);
      complete(slot);
      const auto bytes = encode(*smaller);
      if (bytes) try_change(engines, what, [&](scenario& s) { s.program.bundles[at].bytes = *bytes; });
    }
  }
}

}  // namespace

scenario shrink(const scenario& what, const setup& how) {
  engine_pair pair(how);
  scenario smaller = what;
  if (!still_differs(pair, smaller)) return smaller;
  try_change(pair, smaller, [](scenario& s) { s.paused = false; });
  try_change(pair, smaller, [](scenario& s) { s.rewritten = false; });
  try_change(pair, smaller, [](scenario& s) { s.others_write = false; });
  try_change(pair, smaller, [](scenario& s) { s.refuse = {}; });
  drop_bundles(pair, smaller);
  drop_instructions(pair, smaller);
  return smaller;
}

std::string report(const scenario& what, const setup& how) {
  const auto smaller = shrink(what, how);
  engine_pair pair(how);
  const auto result = pair.run(smaller, true);
  if (!result.differs) return std::format("seed {}: the difference needs runs of earlier programs\n", what.seed);
  std::string text = std::format(
      "seed {}: equal until cycle {}, then in cycles up to {} (reference and other engine):\n{}"
      "others write memory: {}, program rewritten: {}, paused: {}, banks refuse one in {}, other ports one in {}\n"
      "what is left of the program, from {:#x}:\n",
      what.seed, result.differs->cycle, result.cycles, result.differs->what, smaller.others_write, smaller.rewritten,
      smaller.paused, smaller.refuse.banks, smaller.refuse.others, smaller.program.start);
  for (std::size_t i = 0; i < smaller.program.bundles.size(); ++i) {
    const auto& bundle = smaller.program.bundles[i];
    if (!is_nop(bundle)) text += std::format("  {:#06x}  {}\n", smaller.program.address(i), text_of(bundle));
  }
  return text + "last bundles:\n" + result.trace;
}

}  // namespace npurt::test
