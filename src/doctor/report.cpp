// SPDX-License-Identifier: Apache-2.0
// Facts as JSON and as lines.
#include <cstring>
#include <format>
#include <nlohmann/json.hpp>

#include "doctor/facts.hpp"

namespace npurt::doctor {

namespace {

using json = nlohmann::ordered_json;

std::string firmware_of(const driver_answers& a) {
  return std::format("{}.{}.{}.{}", a.firmware[0], a.firmware[1], a.firmware[2], a.firmware[3]);
}

json optional_number(const std::optional<unsigned>& value) { return value ? json(*value) : json(nullptr); }

std::string power_mode_of(const driver_answers& a) {
  constexpr std::array names{"default", "low", "medium", "high", "turbo"};
  return !a.power_mode                  ? "unknown"
         : *a.power_mode < names.size() ? names[*a.power_mode]
                                        : std::to_string(*a.power_mode);
}

json describe(const pci_npu& npu) {
  json out{{"bdf", npu.bdf},     {"id", npu.id},     {"name", npu.name},
           {"bound", npu.bound}, {"node", npu.node}, {"iommu", npu.iommu}};
  out["opens"] = npu.node_exists && npu.open_error == 0;
  if (npu.open_error != 0) {
    out["open_error"] = std::strerror(npu.open_error);
  }
  if (npu.node_exists && npu.open_error == 0 && npu.answers.problem.empty()) {
    out["firmware"] = firmware_of(npu.answers);
    out["power_mode"] = power_mode_of(npu.answers);
    out["clock_mhz"] = optional_number(npu.answers.clock_mhz);
    out["contexts"] = npu.answers.contexts.size();
    out["most_contexts"] = optional_number(npu.answers.most_contexts);
  }
  return out;
}

json describe(const library& file) { return {{"path", file.path}, {"version", file.version}}; }

}  // namespace

json to_json(const facts& known) {
  json npus = json::array();
  for (const pci_npu& npu : known.npus) {
    npus.push_back(describe(npu));
  }
  return {{"emulated", known.emulated},
          {"kernel", known.kernel},
          {"container", known.container},
          {"driver", {{"loaded", known.driver_loaded}, {"version", known.driver_version}}},
          {"npus", npus},
          {"xrt", describe(known.xrt)},
          {"xrt_plugin", describe(known.plugin)},
          {"kernels", known.kernels},
          {"user", known.user.user},
          {"groups", known.user.groups},
          {"memlock_bytes", known.memlock == unlimited ? json("unlimited") : json(known.memlock)},
          {"context_holders", known.holders}};
}

std::string to_text(const facts& known) {
  std::string text = std::format("kernel {}, driver amdxdna {}\n", known.kernel,
                                 !known.driver_loaded           ? "not loaded"
                                 : known.driver_version.empty() ? "of this kernel"
                                                                : known.driver_version);
  for (const pci_npu& npu : known.npus) {
    text += std::format("{} {} (1022:{}), {}", npu.bdf, npu.name, npu.id, npu.node.empty() ? "no node" : npu.node);
    if (npu.node_exists && npu.open_error == 0 && npu.answers.problem.empty()) {
      text += std::format(", firmware {}, power mode {}{}", firmware_of(npu.answers), power_mode_of(npu.answers),
                          npu.answers.clock_mhz ? std::format(", {} MHz", *npu.answers.clock_mhz) : "");
    }
    text += '\n';
  }
  const auto version = [](const library& file) {
    return file.path.empty() ? std::string("not found") : file.version.empty() ? file.path : file.version;
  };
  text += std::format("XRT {}, XDNA plug-in {}\n", version(known.xrt), version(known.plugin));
  text += std::format("user {}, lockable memory {}\n", known.user.user,
                      known.memlock == unlimited ? "unlimited" : std::format("{} KB", known.memlock >> 10));
  return text;
}

}  // namespace npurt::doctor
