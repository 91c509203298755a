// SPDX-License-Identifier: Apache-2.0
// Reads the facts: sysfs as the amdxdna driver fills it, the places where XRT lies, limits and rights.
#include <algorithm>
#include <array>
#include <format>

#include "doctor/facts.hpp"

namespace npurt::doctor {

namespace {

constexpr const char* pci_devices = "/sys/bus/pci/devices/";
constexpr const char* amd_vendor = "0x1022";

/// Without the line's end.
std::string line_of(const machine& m, const std::string& path) {
  std::string text = m.read(path).value_or("");
  return text.substr(0, text.find_first_of("\r\n"));
}

/// AMD's NPUs: 1502 Phoenix and Hawk Point; 17f0 Strix and later (amdxdna_pci_drv.c).
bool is_npu(const std::string& id) { return id == "1502" || id.starts_with("17f"); }

std::string id_of(const machine& m, const std::string& folder) {
  const std::string id = line_of(m, folder + "/device");
  return line_of(m, folder + "/vendor") == amd_vendor && id.starts_with("0x") ? id.substr(2) : "";
}

pci_npu read_npu(const machine& m, const std::string& bdf) {
  const std::string folder = pci_devices + bdf;
  pci_npu npu{.bdf = bdf,
              .id = id_of(m, folder),
              .name = line_of(m, folder + "/vbnv"),
              .bound = m.exists("/sys/bus/pci/drivers/amdxdna/" + bdf),
              .node = {},
              .status = {},
              .iommu = line_of(m, folder + "/iommu_group/type"),
              .answers = {}};
  for (const std::string& name : m.list(folder + "/accel")) {
    if (name.starts_with("accel")) {
      npu.node = "/dev/accel/" + name;
    }
  }
  npu.node_exists = !npu.node.empty() && m.exists(npu.node);
  if (npu.node_exists) {
    npu.status = m.status(npu.node);
    npu.open_error = m.open_error(npu.node);
    if (npu.open_error == 0) {
      npu.answers = m.ask(npu.node);
    }
  }
  return npu;
}

std::string container_of(const machine& m) {
  if (m.exists("/.dockerenv")) {
    return "docker";
  }
  if (m.exists("/run/.containerenv")) {
    return "podman";
  }
  for (const std::string& name : {m.environment("container"), line_of(m, "/run/systemd/container")}) {
    if (!name.empty()) {
      return name;
    }
  }
  const std::string groups = m.read("/proc/1/cgroup").value_or("");
  for (const char* name : {"docker", "kubepods", "lxc"}) {
    if (groups.contains(name)) {
      return name;
    }
  }
  return "";
}

/// The file that keeps the driver from being loaded; empty if none does.
std::string blacklist_of(const machine& m) {
  for (const char* folder : {"/etc/modprobe.d", "/run/modprobe.d", "/usr/lib/modprobe.d"}) {
    for (const std::string& name : m.list(folder)) {
      const std::string path = std::string(folder) + "/" + name;
      const std::string text = "\n" + m.read(path).value_or("");
      if (text.contains("\nblacklist amdxdna") || text.contains("\ninstall amdxdna")) {
        return path;
      }
    }
  }
  return "";
}

bool has_firmware_file(const machine& m) {
  constexpr std::array endings{"", ".zst", ".xz"};
  return std::ranges::any_of(endings, [&](const char* ending) {
    const std::string file = "/lib/firmware/amdnpu/1502_00/npu";
    return m.exists(file + ".sbin" + ending) || m.exists(file + ".dev.sbin" + ending);
  });
}

/// The parts of a list with colons that are not empty.
std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at < list.size();) {
    const std::size_t end = std::min(list.find(':', at), list.size());
    if (end != at) {
      parts.push_back(list.substr(at, end - at));
    }
    at = end + 1;
  }
  return parts;
}

/// As the library looks for them: NPURT_KERNEL_PATH, then beside itself.
std::string kernels_folder(const machine& m) {
  std::vector<std::string> folders = split(m.environment("NPURT_KERNEL_PATH"));
  folders.push_back(m.prefix() + "/share/npurt/kernels");
  const auto found =
      std::ranges::find_if(folders, [&](const std::string& f) { return m.exists(f + "/overlay.xclbin"); });
  return found == folders.end() ? "" : *found;
}

/// Where the loader finds XRT: LD_LIBRARY_PATH, then where packages put it.
std::vector<std::string> library_folders(const machine& m) {
  std::vector<std::string> folders = split(m.environment("LD_LIBRARY_PATH"));
  if (const std::string root = m.environment("XILINX_XRT"); !root.empty()) {
    folders.push_back(root + "/lib");
  }
  folders.insert(folders.end(), {"/usr/local/lib", "/usr/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu", "/usr/lib64",
                                 "/usr/lib", "/opt/xilinx/xrt/lib"});
  return folders;
}

library library_in(const machine& m, const std::string& folder, const std::string& name) {
  const std::string path = folder + "/" + name + ".so.2";
  if (!m.exists(path)) {
    return {};
  }
  const std::string real = m.resolve(path);
  const std::size_t at = real.rfind(".so.");
  const std::string version = at == std::string::npos ? "" : real.substr(at + 4);
  return {path, version.contains('.') ? version : ""};
}

/// XRT takes its plug-ins from its own folder only.
void find_xrt(const machine& m, facts& known) {
  const auto folders = library_folders(m);
  for (const std::string& folder : folders) {
    known.xrt = library_in(m, folder, "libxrt_coreutil");
    if (!known.xrt.path.empty()) {
      known.plugin = library_in(m, folder, "libxrt_driver_xdna");
      break;
    }
  }
  for (const std::string& folder : folders) {
    if (known.plugin.path.empty() && known.plugin_elsewhere.empty() &&
        !library_in(m, folder, "libxrt_driver_xdna").path.empty()) {
      known.plugin_elsewhere = folder;
    }
  }
}

void name_holders(const machine& m, facts& known) {
  for (const pci_npu& npu : known.npus) {
    for (const held_context& c : npu.answers.contexts) {
      const std::string program = line_of(m, std::format("/proc/{}/comm", c.pid));
      known.holders.push_back(std::format("{} ({}): {} columns, {} of {} commands done", c.pid,
                                          program.empty() ? "not visible here" : program, c.columns, c.completed,
                                          c.submitted));
    }
  }
}

}  // namespace

facts collect(const machine& source) {
  facts known{.emulated = source.emulated(),
              .kernel = source.kernel_release(),
              .kernel_line = line_of(source, "/proc/cmdline"),
              .container = container_of(source),
              .driver_loaded = source.exists("/sys/module/amdxdna"),
              .driver_version = line_of(source, "/sys/module/amdxdna/version"),
              .driver_blacklist = blacklist_of(source),
              .firmware_file = has_firmware_file(source),
              .npus = {},
              .xrt = {},
              .plugin = {},
              .plugin_elsewhere = {},
              .kernels = kernels_folder(source),
              .user = source.who(),
              .memlock = source.memlock_limit(),
              .holders = {}};
  for (const std::string& bdf : source.list("/sys/bus/pci/devices")) {
    if (is_npu(id_of(source, pci_devices + bdf))) {
      known.npus.push_back(read_npu(source, bdf));
    }
  }
  find_xrt(source, known);
  name_holders(source, known);
  return known;
}

}  // namespace npurt::doctor
