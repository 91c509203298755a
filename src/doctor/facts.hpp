// SPDX-License-Identifier: Apache-2.0
// What is known of a machine, before anything is concluded from it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "doctor/machine.hpp"

namespace npurt::doctor {

struct pci_npu {
  std::string bdf;
  std::string id;      ///< "1502"
  std::string name;    ///< vbnv: "NPU Phoenix"
  bool bound = false;  ///< to amdxdna
  std::string node;    ///< "/dev/accel/accel0"; empty if the driver made none
  bool node_exists = false;
  std::optional<file_status> status;  ///< of the node
  int open_error = 0;                 ///< errno
  std::string iommu;                  ///< type of its IOMMU group: "DMA-FQ", "identity"; empty without one
  driver_answers answers;             ///< of an open node

  bool is_npu1() const { return id == "1502"; }
};

struct library {
  std::string path;     ///< empty if it is not found
  std::string version;  ///< from the file's name: "2.25.00"; empty if it tells none
};

struct facts {
  bool emulated = false;
  std::string kernel;       ///< release
  std::string kernel_line;  ///< parameters of the boot
  std::string container;    ///< "docker", "podman", ...; empty outside of one
  bool driver_loaded = false;
  std::string driver_version;    ///< of the module amdxdna; empty if it tells none
  std::string driver_blacklist;  ///< file that forbids loading it
  bool firmware_file = false;    ///< for npu1, below /lib/firmware
  std::vector<pci_npu> npus;
  library xrt, plugin;           ///< libxrt_coreutil; libxrt_driver_xdna beside it
  std::string plugin_elsewhere;  ///< folder of a plug-in that is not beside XRT
  std::string kernels;           ///< folder of npurt's XCLBINs; empty if they are not found
  identity user;
  std::uint64_t memlock = 0;         ///< bytes, or `unlimited`
  std::vector<std::string> holders;  ///< of contexts: "PID (program): 4 columns"
};

facts collect(const machine& source);

nlohmann::ordered_json to_json(const facts& known);
/// A few lines: driver, device, XRT, limits.
std::string to_text(const facts& known);

}  // namespace npurt::doctor
