// SPDX-License-Identifier: Apache-2.0
// Branches in delay slots, and what stands too close to the end of a hardware loop.
#include "asm/hazard_search.hpp"
#include "asm/hazards.hpp"

namespace npurt::assembler {
namespace {

using namespace aie::isa;

bool is_loop_register(reg_id reg) {
  static const std::array<reg_id, 3> loop_registers{*find_register("LS"), *find_register("LE"), *find_register("LC")};
  return std::ranges::find(loop_registers, reg) != loop_registers.end();
}

/// Every write of a loop register from which the text runs straight into the last bundle of the loop.
void check_setups(const flow& f, std::size_t last, hazard_report& report) {
  const auto& end = f.bundles()[last];
  for (std::size_t i = last + 1; i-- > 0;) {
    const auto& b = f.bundles()[i];
    if (end.address - b.address >= loop_setup_distance || (i < last && !f.adjacent(i))) return;
    for (const auto& write : b.writes)
      if (is_loop_register(write.leaf)) {
        const instruction_at at{i, write.slot};
        report.warn(
            "loop", {last, 0}, at,
            fmt::format("{} writes {} {} bytes of program before the loop's last bundle (line {}); the core needs "
                        "{}: put {} more bytes of bundles between them",
                        report.name(at), registers()[write.leaf].asm_name, end.address - b.address, end.line,
                        loop_setup_distance, loop_setup_distance - (end.address - b.address)));
      }
  }
}

void check_shape(const flow& f, const flow::loop& loop, std::size_t last, hazard_report& report) {
  const auto& end = f.bundles()[last];
  if (end.address % 16 != 0 || end.bundle.bytes != 16)
    report.warn("loop end", {loop.setup, 0}, {last, 0},
                fmt::format("the last bundle of a hardware loop must be 16 bytes long on 16 bytes; this one has {} at "
                            "{:#x}: give movxm le a label of its own at the bundle, and it is made so",
                            end.bundle.bytes, end.address));
  if (loop.first % 16 != 0)
    report.warn(
        "loop start", {loop.setup, 0}, {std::min(f.at(loop.first), last), 0},
        fmt::format("the first bundle of a hardware loop must lie on 16 bytes; this one lies at {:#x}: give movxm "
                    "ls a label of its own at the bundle, and it is made so",
                    loop.first));
}

}  // namespace

void find_loop_hazards(const flow& f, hazard_report& report) {
  for (const auto& loop : f.loops()) {
    const auto last = f.at(loop.last);
    if (last == f.bundles().size()) {
      report.warn("no loop end", {loop.setup, 0}, {loop.setup, 0},
                  fmt::format("le gets {:#x}, where no bundle begins: give it the address of the loop's last bundle",
                              loop.last));
      continue;
    }
    check_setups(f, last, report);
    check_shape(f, loop, last, report);
  }
}

void find_branch_hazards(const flow& f, hazard_report& report) {
  for (std::size_t i = 0; i < f.bundles().size(); ++i) {
    if (f.bundles()[i].branch < 0) continue;
    const instruction_at branch{i, static_cast<std::size_t>(f.bundles()[i].branch)};
    std::size_t slot = 0;
    while (slot < delay_slots && f.adjacent(i + slot)) {
      ++slot;
      const auto& b = f.bundles()[i + slot];
      if (b.branch < 0) continue;
      const instruction_at inner{i + slot, static_cast<std::size_t>(b.branch)};
      report.warn("branch", branch, inner,
                  fmt::format("{} stands in delay slot {} of {} (line {}); what the core does then is not established: "
                              "needs {} more {} between them",
                              report.name(inner), slot, report.name(branch), report.line(branch),
                              delay_slots + 1 - slot, slot == delay_slots ? "bundle" : "bundles"));
    }
    if (slot < delay_slots)
      report.warn("delay slots", branch, branch,
                  fmt::format("{} has {} behind it and executes {}: put {} more (nop)", report.name(branch),
                              counted(static_cast<unsigned>(slot), "bundle"), delay_slots, delay_slots - slot));
  }
}

}  // namespace npurt::assembler
