// SPDX-License-Identifier: Apache-2.0
// sysfs of an amdxdna device: what XRT reads (XRT core/pcie/linux/system_linux.cpp, pcidev.cpp; amdxdna_sysfs.c).
#include "emu/driver/sysfs.hpp"

#include <format>
#include <string>

namespace npurt::emu::driver {

shim::virtual_tree make_tree(const chip* model) {
  // All of /sys/bus/pci and /dev/accel is replaced: real accelerators stay out of an emulator run.
  shim::virtual_tree tree{.roots = {"/sys/bus/pci", "/sys/class/accel", "/sys/module/amdxdna", "/dev/accel"},
                          .directories = {"/sys/bus/pci/drivers", "/sys/bus/pci/devices", "/sys/class/accel",
                                          "/sys/module/amdxdna", "/dev/accel"},
                          .files = {},
                          .links = {},
                          .node = {}};
  if (model == nullptr) return tree;

  // XRT takes a link for a device only if it resolves to below /sys/devices.
  const auto bus = std::string("devices/pci0000:00/0000:00:08.2");
  const auto device = std::format("/sys/{}/{}", bus, model->address);
  const auto target = std::format("../../../{}/{}", bus, model->address);
  tree.roots.push_back(device);
  tree.links.push_back({std::format("/sys/bus/pci/devices/{}", model->address), target});
  tree.links.push_back({std::format("/sys/bus/pci/drivers/amdxdna/{}", model->address), "../" + target});

  const auto attribute = [&](const char* name, const std::string& value) {
    tree.files.push_back({std::format("{}/{}", device, name), value + "\n"});
  };
  attribute("vbnv", std::string(model->vbnv));
  attribute("device_type", "0");  // KMQ: the kernel submits commands
  attribute("vendor", std::format("{:#06x}", model->vendor));
  attribute("device", std::format("{:#06x}", model->device));
  attribute("subsystem_vendor", std::format("{:#06x}", model->vendor));
  attribute("subsystem_device", std::format("{:#06x}", model->device));
  attribute("revision", std::format("{:#04x}", model->revision));
  attribute("class", "0x118000");
  tree.directories.push_back(device + "/accel/accel0");
  const auto& firmware = model->firmware_version;
  attribute("fw_version", std::format("{}.{}.{}.{}", firmware[0], firmware[1], firmware[2], firmware[3]));
  tree.files.push_back({"/sys/module/amdxdna/version", "npurt-emu,0\n"});
  tree.node = "/dev/accel/accel0";
  tree.files.push_back({tree.node, ""});
  return tree;
}

}  // namespace npurt::emu::driver
