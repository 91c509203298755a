// SPDX-License-Identifier: Apache-2.0
// npurt doctor: whether calls can work on this machine.
#include <format>
#include <nlohmann/json.hpp>

#include "../files.hpp"
#include "doctor/diagnose.hpp"
#include "options.hpp"

namespace npurt::tools {

int run_doctor(const doctor_options& options) {
  const doctor::facts known = doctor::collect(*doctor::this_machine());
  const auto findings = doctor::diagnose(known);
  const bool ready = inspect::gravest(findings) != inspect::severity::error;
  if (options.json) {
    const nlohmann::ordered_json report{
        {"ready", ready}, {"machine", doctor::to_json(known)}, {"findings", inspect::to_json(findings)}};
    print_text(report.dump(2) + "\n");
  } else {
    print_text(doctor::to_text(known) + inspect::to_text(findings) +
               (ready ? "calls can work on this machine\n" : "calls fail on this machine\n"));
  }
  return ready ? all_well : found_something;
}

}  // namespace npurt::tools
