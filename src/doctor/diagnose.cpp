// SPDX-License-Identifier: Apache-2.0
// From facts to findings, from the hardware upwards: what lies above a missing layer is not judged.
#include "doctor/diagnose.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <format>

namespace npurt::doctor {

namespace {

using inspect::finding;
using inspect::severity;

// The oldest firmware in linux-firmware, of protocol 5.7, which the driver asks for (amdxdna npu1_regs.c).
constexpr std::array<std::uint32_t, 4> oldest_firmware{1, 5, 2, 380};
// XRT maps and locks the device heap of 64 MB when it opens the device, and every buffer besides.
constexpr std::uint64_t heap_bytes = 64 << 20;
constexpr unsigned default_most_contexts = 6;  // npu1_regs.c
constexpr unsigned oldest_xrt_minor = 18;      // what npurt builds against

const char* const emulate = "`npurt-emu PROGRAM` runs a program on an emulated one meanwhile";

class doctor {
 public:
  explicit doctor(const facts& known) : known_(known) {}

  std::vector<finding> run() {
    if (known_.emulated) {
      add("emulated", severity::note, "the device is npurt's emulated NPU, not hardware",
          "libnpurt_emulator.so is loaded", "");
    }
    container();
    hardware();
    for (const pci_npu& npu : known_.npus) {
      if (npu.is_npu1() && driver(npu) && node(npu)) {
        answers(npu);
      }
    }
    memlock();
    xrt();
    if (known_.kernels.empty()) {
      add("kernels-missing", severity::error, "npurt's XCLBINs are not found: every operation ends with file_error",
          "no overlay.xclbin in share/npurt/kernels beside this program, nor in a folder of NPURT_KERNEL_PATH",
          "install npurt's kernels, or set NPURT_KERNEL_PATH to their folder");
    }
    std::ranges::stable_sort(found_, std::ranges::greater{}, &finding::level);
    return std::move(found_);
  }

 private:
  void add(const char* id, severity level, std::string cause, std::string evidence, std::string fix) {
    found_.push_back({id, level, std::move(cause), std::move(evidence), std::move(fix)});
  }

  /// What a container needs of the host's device.
  std::string container_flags(const pci_npu& npu) const {
    const std::string node = npu.node.empty() ? "/dev/accel/accel0" : npu.node;
    return std::format("start the container with --device {} --group-add $(stat -c %g {}) --ulimit memlock=-1", node,
                       node);
  }

  void container() {
    if (!known_.container.empty()) {
      add("container", severity::note,
          "this is a container: driver and firmware are the host's, node and limits are passed to it", known_.container,
          container_flags(known_.npus.empty() ? pci_npu{} : known_.npus.front()));
    }
  }

  void hardware() {
    if (known_.npus.empty()) {
      add("no-npu", severity::error, "there is no NPU on the PCI bus: every call ends with no_device_error",
          "no device 1022:1502 in /sys/bus/pci/devices",
          std::format("switch the NPU (IPU) on in the firmware setup of a Ryzen 7040/8040; {}", emulate));
      return;
    }
    const auto& npus = known_.npus;
    if (std::ranges::none_of(npus, &pci_npu::is_npu1)) {
      add("other-npu", severity::error, "the NPU is of another generation than npurt's kernels are for",
          std::format("{}: 1022:{} {}", npus.front().bdf, npus.front().id, npus.front().name),
          std::format("use a Phoenix or Hawk Point (1022:1502); {}", emulate));
    }
  }

  bool driver(const pci_npu& npu) {
    if (!known_.driver_loaded) {
      if (!known_.driver_blacklist.empty()) {
        add("driver-blacklisted", severity::error, "the driver amdxdna is kept from being loaded",
            known_.driver_blacklist + " forbids it; /sys/module/amdxdna is not there",
            std::format("remove the line from {}, then sudo modprobe amdxdna", known_.driver_blacklist));
      } else {
        add("driver-not-loaded", severity::error, "the driver amdxdna is not loaded: there is no device node",
            std::format("/sys/module/amdxdna is not there, kernel {}", known_.kernel),
            "sudo modprobe amdxdna; if there is no such module, take a kernel from 6.14 on or the package "
            "amdxdna-dkms");
      }
      return false;
    }
    if (npu.bound) {
      return true;
    }
    if (!known_.firmware_file && known_.container.empty()) {
      add("firmware-missing", severity::error, "the driver has no firmware to load into the NPU and gave it up",
          std::format("{} is not bound to amdxdna; no /lib/firmware/amdnpu/1502_00/npu.sbin", npu.bdf),
          "install the distribution's firmware package (linux-firmware, firmware-amd-npu), then reboot");
    } else {
      add("driver-unbound", severity::error,
          "the driver gave the NPU up: firmware and driver that do not go together, or a device that does not answer",
          std::format("/sys/bus/pci/drivers/amdxdna has no {}{}", npu.bdf, iommu_text(npu)),
          "read sudo dmesg | grep amdxdna; \"Incompatible firmware protocol\": update linux-firmware and kernel "
          "together");
    }
    return false;
  }

  bool iommu_is_off() const {
    const std::string line = " " + known_.kernel_line + " ";
    return line.contains(" amd_iommu=off ") || line.contains(" iommu=off ");
  }

  std::string iommu_text(const pci_npu& npu) const {
    return iommu_is_off()      ? "; the kernel was booted with the IOMMU off"
           : npu.iommu.empty() ? "; the device has no IOMMU group"
                               : "; IOMMU group of type " + npu.iommu;
  }

  bool node(const pci_npu& npu) {
    if (npu.node.empty() || !npu.node_exists) {
      if (known_.container.empty()) {
        add("node-missing", severity::error, "the driver runs, but its device node is not there",
            npu.node.empty() ? std::format("/sys/bus/pci/devices/{}/accel holds none", npu.bdf)
                             : npu.node + " does not exist",
            "sudo udevadm trigger; the kernel needs CONFIG_DRM_ACCEL");
      } else {
        add("node-not-passed", severity::error, "the container has not been given the device node",
            (npu.node.empty() ? "/dev/accel" : npu.node) + " does not exist in this " + known_.container + " container",
            container_flags(npu));
      }
      return false;
    }
    if (npu.open_error == 0) {
      return true;
    }
    if (npu.open_error == EACCES || npu.open_error == EPERM) {
      permission(npu);
    } else if (npu.open_error == ENODEV || npu.open_error == EOPNOTSUPP || npu.open_error == EINVAL ||
               npu.open_error == ENOSPC) {
      add("sva", severity::error,
          "the driver cannot share this process's addresses with the NPU (\"SVA bind device failed\"), or the device "
          "is gone",
          std::format("opening {}: {}{}", npu.node, std::strerror(npu.open_error), iommu_text(npu)),
          "boot without amd_iommu=off, iommu=off and iommu=pt, switch the IOMMU on in the firmware setup; after a "
          "device "
          "loss: sudo modprobe -r amdxdna && sudo modprobe amdxdna");
    } else {
      add("node-unusable", severity::error, "the device node cannot be opened",
          std::format("opening {}: {}", npu.node, std::strerror(npu.open_error)),
          "read sudo dmesg | grep amdxdna; sudo modprobe -r amdxdna && sudo modprobe amdxdna");
    }
    return false;
  }

  void permission(const pci_npu& npu) {
    const file_status s = npu.status.value_or(file_status{});
    const std::string seen = std::format("opening {} as {}: {}; mode {:04o}, group {}", npu.node, known_.user.user,
                                         std::strerror(npu.open_error), s.mode,
                                         s.group_name.empty() ? std::to_string(s.group) : s.group_name);
    const bool group_may = (s.mode & 0060) == 0060;
    const auto has = [&](const std::vector<std::string>& groups) {
      return !s.group_name.empty() && std::ranges::contains(groups, s.group_name);
    };
    if (!known_.container.empty() && (npu.open_error == EPERM || !has(known_.user.member_of))) {
      add("container-permission", severity::error, "the container may not open the device node", seen,
          container_flags(npu));
    } else if (!group_may || s.group == 0 || has(known_.user.groups)) {
      add("node-mode", severity::error, "no group of users may open the device node", seen,
          "put the line  SUBSYSTEM==\"accel\", KERNEL==\"accel*\", GROUP=\"render\", MODE=\"0660\"  into "
          "/etc/udev/rules.d/70-npu.rules, then sudo udevadm trigger");
    } else if (has(known_.user.member_of)) {
      add("group-not-active", severity::error,
          std::format("{} is in group {}, but this session began before that", known_.user.user, s.group_name), seen,
          std::format("log out and in again, or newgrp {}", s.group_name));
    } else {
      add("group-missing", severity::error,
          std::format("{} is not in the group that may use the NPU", known_.user.user), seen,
          std::format("sudo usermod -aG {} {}, then log out and in again",
                      s.group_name.empty() ? std::to_string(s.group) : s.group_name, known_.user.user));
    }
  }

  void answers(const pci_npu& npu) {
    const driver_answers& a = npu.answers;
    if (!a.problem.empty()) {
      add("driver-silent", severity::error, "the driver does not answer for the device", npu.node + ": " + a.problem,
          "sudo modprobe -r amdxdna && sudo modprobe amdxdna; if that hangs, reboot");
      return;
    }
    if (a.firmware < oldest_firmware) {
      add("firmware-old", severity::error, "the NPU's firmware is older than what the library and XRT were made for",
          std::format("firmware {}, needed {}", version_of(a.firmware), version_of(oldest_firmware)),
          "install a newer linux-firmware (amdnpu/1502_00/npu.sbin), then reboot");
    }
    if (a.power_mode && (*a.power_mode == 1 || *a.power_mode == 2)) {
      add("power-mode", severity::warning, "the NPU is kept at a low clock: calls take up to twice their time",
          std::format("power mode {}{}", *a.power_mode == 1 ? "low" : "medium",
                      a.clock_mhz ? std::format(", {} MHz", *a.clock_mhz) : ""),
          "sudo xrt-smi configure --pmode default (or turbo)");
    }
    contexts(a);
    if (iommu_is_off()) {
      add("iommu-off", severity::note, "the IOMMU is off: this driver works without it, older ones do not",
          "kernel line: " + known_.kernel_line, "boot without amd_iommu=off if a driver update fails");
    }
  }

  void contexts(const driver_answers& a) {
    if (a.contexts.empty()) {
      return;
    }
    const unsigned most = a.most_contexts.value_or(default_most_contexts);
    std::string holders;
    for (const std::string& holder : known_.holders) {
      holders += (holders.empty() ? "" : "; ") + holder;
    }
    const bool full = a.contexts.size() >= most;
    add(full ? "contexts-full" : "contexts-held", full ? severity::error : severity::note,
        full ? "all contexts of the device are taken: the next one is refused"
             : "other programs hold contexts of the device",
        std::format("{} of {}: {}", a.contexts.size(), most, holders), full ? "end one of these programs" : "");
  }

  static std::string version_of(const std::array<std::uint32_t, 4>& v) {
    return std::format("{}.{}.{}.{}", v[0], v[1], v[2], v[3]);
  }

  void memlock() {
    if (known_.memlock == unlimited || known_.user.may_lock) {
      return;
    }
    const bool too_small = known_.memlock <= heap_bytes;
    const std::string fix =
        known_.container.empty()
            ? std::format(
                  "put the line  {} - memlock unlimited  into /etc/security/limits.d/npu.conf and log in again; for "
                  "a systemd service LimitMEMLOCK=infinity",
                  known_.user.user)
            : "start the container with --ulimit memlock=-1";
    // The emulated device does not lock memory.
    add("memlock", too_small && !known_.emulated ? severity::error : severity::warning,
        too_small ? "too little memory may be locked for XRT to open the device: mmap fails with EAGAIN or EPERM"
                  : "memory that may be locked is limited: large buffers fail with EAGAIN",
        std::format("ulimit -l is {} KB, opening takes {} KB", known_.memlock >> 10, (heap_bytes >> 10) + 1), fix);
  }

  void xrt() {
    if (known_.xrt.path.empty()) {
      add("xrt-missing", severity::error, "XRT is not installed: programs with npurt do not start",
          "libxrt_coreutil.so.2 is in none of the loader's folders",
          "install XRT (Debian: libxrt2 libxrt-npu2; else the xrt and xrt-npu packages), or set LD_LIBRARY_PATH");
      return;
    }
    if (known_.plugin.path.empty()) {
      add("xrt-plugin-missing", severity::error, "XRT has no plug-in for NPUs: it finds 0 devices",
          known_.plugin_elsewhere.empty() ? "no libxrt_driver_xdna.so.2 beside " + known_.xrt.path
                                          : std::format("libxrt_driver_xdna.so.2 is in {}, XRT looks beside {} only",
                                                        known_.plugin_elsewhere, known_.xrt.path),
          "install the plug-in of the same build (Debian: libxrt-npu2; else xrt_plugin-amdxdna)");
      return;
    }
    if (!known_.xrt.version.empty() && !known_.plugin.version.empty() && known_.xrt.version != known_.plugin.version) {
      add("xrt-mismatch", severity::error,
          "XRT and its plug-in are of different versions: it is not loaded, or crashes",
          std::format("{} is {}, {} is {}", known_.xrt.path, known_.xrt.version, known_.plugin.path,
                      known_.plugin.version),
          "install both from one build");
    }
    old_xrt();
  }

  void old_xrt() {
    const std::string& version = known_.xrt.version;
    char* rest = nullptr;
    const unsigned long major = std::strtoul(version.c_str(), &rest, 10);
    const unsigned long minor = *rest == '.' ? std::strtoul(rest + 1, nullptr, 10) : 0;
    if (!version.empty() && major == 2 && minor < oldest_xrt_minor) {
      add("xrt-old", severity::error, "XRT is older than what npurt was made for",
          std::format("{} is {}, needed 2.{}", known_.xrt.path, version, oldest_xrt_minor), "install XRT 2.25");
    }
  }

  const facts& known_;
  std::vector<finding> found_;
};

}  // namespace

std::vector<finding> diagnose(const facts& known) { return doctor(known).run(); }

}  // namespace npurt::doctor
