// SPDX-License-Identifier: Apache-2.0
// The doctor on machines in every state that it knows: one that is well, with one thing changed each.
#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <map>

#include "doctor/diagnose.hpp"
#include "tools/npurt_findings.hpp"

using namespace npurt;
using namespace npurt::test;

namespace {

using ids = std::set<std::string>;

/// A Phoenix with everything as it should be, for a user in group render. Paths as the amdxdna driver and Debian make
/// them.
struct patient : doctor::machine {
  std::map<std::string, std::string> files;
  std::map<std::string, std::string> links;
  doctor::file_status node{.mode = 0660, .group = 105, .group_name = "render"};
  int node_error = 0;
  doctor::driver_answers answers{.problem = {},
                                 .firmware = {1, 5, 5, 391},
                                 .power_mode = 0,
                                 .clock_mhz = 1028,
                                 .most_contexts = 6,
                                 .contexts = {}};
  doctor::identity user{
      .user = "ada", .root = false, .may_lock = false, .groups = {"ada", "render"}, .member_of = {"ada", "render"}};
  std::uint64_t memlock = doctor::unlimited;
  std::map<std::string, std::string> variables;
  bool emulator = false;

  patient() {
    const std::string device = "/sys/bus/pci/devices/0000:c4:00.1";
    files = {{device + "/vendor", "0x1022\n"},
             {device + "/device", "0x1502\n"},
             {device + "/vbnv", "NPU Phoenix\n"},
             {device + "/accel/accel0", ""},
             {device + "/iommu_group/type", "DMA-FQ\n"},
             {"/sys/bus/pci/devices/0000:00:00.0/vendor", "0x1022\n"},
             {"/sys/bus/pci/devices/0000:00:00.0/device", "0x14e8\n"},
             {"/sys/bus/pci/drivers/amdxdna/0000:c4:00.1", ""},
             {"/sys/module/amdxdna/version", "0.6.0\n"},
             {"/dev/accel/accel0", ""},
             {"/lib/firmware/amdnpu/1502_00/npu.sbin.zst", ""},
             {"/proc/cmdline", "root=/dev/nvme0n1p2 quiet\n"},
             {"/usr/share/npurt/kernels/overlay.xclbin", ""},
             {"/usr/lib/x86_64-linux-gnu/libxrt_coreutil.so.2", ""},
             {"/usr/lib/x86_64-linux-gnu/libxrt_driver_xdna.so.2", ""}};
    links = {{"/usr/lib/x86_64-linux-gnu/libxrt_coreutil.so.2", "/usr/lib/x86_64-linux-gnu/libxrt_coreutil.so.2.25.00"},
             {"/usr/lib/x86_64-linux-gnu/libxrt_driver_xdna.so.2",
              "/usr/lib/x86_64-linux-gnu/libxrt_driver_xdna.so.2.25.00"}};
  }

  void remove(const std::string& below) {
    std::erase_if(files, [&](const auto& entry) { return entry.first.starts_with(below); });
  }

  std::optional<std::string> read(const std::string& path) const override {
    const auto at = files.find(path);
    return at == files.end() ? std::nullopt : std::optional(at->second);
  }
  bool exists(const std::string& path) const override {
    const auto at = files.lower_bound(path);
    return at != files.end() && (at->first == path || at->first.starts_with(path + "/"));
  }
  std::vector<std::string> list(const std::string& path) const override {
    std::set<std::string> names;
    for (const auto& [name, text] : files)
      if (name.starts_with(path + "/"))
        names.insert(name.substr(path.size() + 1, name.find('/', path.size() + 1) - path.size() - 1));
    return {names.begin(), names.end()};
  }
  std::string resolve(const std::string& path) const override {
    const auto at = links.find(path);
    return at == links.end() ? path : at->second;
  }
  std::optional<doctor::file_status> status(const std::string&) const override { return node; }
  int open_error(const std::string&) const override { return node_error; }
  doctor::driver_answers ask(const std::string&) const override { return answers; }
  doctor::identity who() const override { return user; }
  std::uint64_t memlock_limit() const override { return memlock; }
  std::string environment(const std::string& name) const override {
    const auto at = variables.find(name);
    return at == variables.end() ? "" : at->second;
  }
  std::string kernel_release() const override { return "6.17.0"; }
  std::string prefix() const override { return "/usr"; }
  bool emulated() const override { return emulator; }
};

std::vector<inspect::finding> findings_of(const patient& p) { return doctor::diagnose(doctor::collect(p)); }

/// The one finding of a machine, which must have this id and grade.
inspect::finding only(const patient& p, const std::string& id, inspect::severity level = inspect::severity::error) {
  const auto found = findings_of(p);
  CHECK(ids_of(found) == ids{id});
  const auto one = find(found, id);
  CHECK(one.level == level);
  CHECK_FALSE(one.cause.empty());
  CHECK_FALSE(one.evidence.empty());
  return one;
}

}  // namespace

TEST_CASE("the doctor finds nothing where all is well", "[tools][doctor]") { CHECK(findings_of(patient()).empty()); }

TEST_CASE("the doctor sees that there is no NPU, or another one", "[tools][doctor]") {
  patient p;
  p.remove("/sys/bus/pci/devices/0000:c4:00.1");
  CHECK(contains(only(p, "no-npu").fix, "npurt-emu"));
  patient strix;
  strix.files["/sys/bus/pci/devices/0000:c4:00.1/device"] = "0x17f0\n";
  CHECK(contains(only(strix, "other-npu").evidence, "1022:17f0"));
}

TEST_CASE("the doctor sees that the driver is not loaded, and why", "[tools][doctor]") {
  patient p;
  p.remove("/sys/module/amdxdna");
  CHECK(contains(only(p, "driver-not-loaded").fix, "sudo modprobe amdxdna"));
  p.files["/etc/modprobe.d/npu.conf"] = "# no NPU\nblacklist amdxdna\n";
  CHECK(contains(only(p, "driver-blacklisted").fix, "/etc/modprobe.d/npu.conf"));
}

TEST_CASE("the doctor sees that the driver gave the device up, and why", "[tools][doctor]") {
  patient p;
  p.remove("/sys/bus/pci/drivers/amdxdna");
  p.files["/proc/cmdline"] = "quiet amd_iommu=off\n";
  CHECK(contains(only(p, "driver-unbound").evidence, "IOMMU off"));
  p.remove("/lib/firmware");
  CHECK(contains(only(p, "firmware-missing").fix, "linux-firmware"));
}

TEST_CASE("the doctor sees a device without its node", "[tools][doctor]") {
  patient p;
  p.remove("/dev/accel");
  only(p, "node-missing");
  p.files["/.dockerenv"] = "";
  const auto found = findings_of(p);
  CHECK(ids_of(found) == ids{"container", "node-not-passed"});
  CHECK(contains(find(found, "node-not-passed").fix,
                 "--device /dev/accel/accel0 --group-add $(stat -c %g /dev/accel/accel0) --ulimit memlock=-1"));
  CHECK(find(found, "container").level == inspect::severity::note);
}

TEST_CASE("the doctor names the group to join", "[tools][doctor]") {
  patient p;
  p.node_error = EACCES;
  p.user.groups = p.user.member_of = {"ada"};
  const auto missing = only(p, "group-missing");
  CHECK(contains(missing.fix, "sudo usermod -aG render ada"));
  CHECK(contains(missing.evidence, "/dev/accel/accel0 as ada: Permission denied; mode 0660, group render"));
  p.user.member_of = {"ada", "render"};
  CHECK(contains(only(p, "group-not-active").fix, "newgrp render"));
}

TEST_CASE("the doctor sees a node that no group may open", "[tools][doctor]") {
  patient p;
  p.node_error = EACCES;
  p.node = {.mode = 0600, .group = 0, .group_name = "root"};
  CHECK(contains(only(p, "node-mode").fix, "/etc/udev/rules.d"));
}

TEST_CASE("the doctor sees a container that may not open the node", "[tools][doctor]") {
  patient p;
  p.variables["container"] = "podman";
  p.node_error = EPERM;
  CHECK(ids_of(findings_of(p)) == ids{"container", "container-permission"});
  p.node_error = EACCES;
  p.node.group_name = "";  // the host's group has no name here
  CHECK(ids_of(findings_of(p)) == ids{"container", "container-permission"});
  p = patient();
  p.files["/proc/1/cgroup"] = "0::/system.slice/docker-1234.scope\n";
  CHECK(find(findings_of(p), "container").evidence == "docker");
}

TEST_CASE("the doctor sees that addresses cannot be shared with the NPU", "[tools][doctor]") {
  patient p;
  for (const int error : {ENODEV, EOPNOTSUPP, EINVAL, ENOSPC}) {
    p.node_error = error;
    CHECK(contains(only(p, "sva").evidence, "IOMMU group of type DMA-FQ"));
  }
  p.remove("/sys/bus/pci/devices/0000:c4:00.1/iommu_group");
  CHECK(contains(only(p, "sva").evidence, "no IOMMU group"));
  p.node_error = EIO;
  only(p, "node-unusable");
}

TEST_CASE("the doctor notes an IOMMU that is off though all works", "[tools][doctor]") {
  patient p;
  p.files["/proc/cmdline"] = "iommu=off\n";
  only(p, "iommu-off", inspect::severity::note);
}

TEST_CASE("the doctor sees a driver that does not answer", "[tools][doctor]") {
  patient p;
  p.answers.problem = "QUERY_FIRMWARE_VERSION: No such device";
  CHECK(contains(only(p, "driver-silent").evidence, "No such device"));
}

TEST_CASE("the doctor sees firmware that is too old", "[tools][doctor]") {
  patient p;
  p.answers.firmware = {1, 5, 2, 379};
  CHECK(contains(only(p, "firmware-old").evidence, "1.5.2.379, needed 1.5.2.380"));
  p.answers.firmware = {1, 5, 2, 380};
  CHECK(findings_of(p).empty());
}

TEST_CASE("the doctor sees a slow power mode", "[tools][doctor]") {
  patient p;
  p.answers.power_mode = 1;
  p.answers.clock_mhz = 800;
  const auto slow = only(p, "power-mode", inspect::severity::warning);
  CHECK(contains(slow.evidence, "low, 800 MHz"));
  CHECK(contains(slow.fix, "xrt-smi configure --pmode default"));
  p.answers.power_mode = 4;
  CHECK(findings_of(p).empty());
}

TEST_CASE("the doctor names who holds contexts", "[tools][doctor]") {
  patient p;
  p.files["/proc/4711/comm"] = "whisper\n";
  p.answers.contexts.push_back({.pid = 4711, .columns = 4, .submitted = 12, .completed = 10});
  CHECK(contains(only(p, "contexts-held", inspect::severity::note).evidence, "1 of 6: 4711 (whisper): 4 columns"));
  p.answers.contexts.resize(6, p.answers.contexts.front());
  CHECK(contains(only(p, "contexts-full").evidence, "6 of 6"));
}

TEST_CASE("the doctor names the line that lifts the limit of locked memory", "[tools][doctor]") {
  patient p;
  p.memlock = 8 << 20;
  const auto small = only(p, "memlock");
  CHECK(contains(small.evidence, "ulimit -l is 8192 KB"));
  CHECK(contains(small.fix, "ada - memlock unlimited  into /etc/security/limits.d/"));
  p.memlock = std::uint64_t{1} << 30;
  only(p, "memlock", inspect::severity::warning);
  p.memlock = 8 << 20;
  p.user.may_lock = true;
  CHECK(findings_of(p).empty());
}

TEST_CASE("on the emulated NPU a small limit of locked memory is no error", "[tools][doctor]") {
  patient p;
  p.emulator = true;
  p.memlock = 8 << 20;
  const auto found = findings_of(p);
  CHECK(ids_of(found) == ids{"emulated", "memlock"});
  CHECK(inspect::gravest(found) == inspect::severity::warning);
}

TEST_CASE("the doctor sees XRT missing, without its plug-in, of two versions, or old", "[tools][doctor]") {
  const std::string folder = "/usr/lib/x86_64-linux-gnu/", coreutil = folder + "libxrt_coreutil.so.2",
                    plugin = folder + "libxrt_driver_xdna.so.2";
  patient p;
  p.remove(folder);
  CHECK(contains(only(p, "xrt-missing").fix, "libxrt-npu2"));
  p = patient();
  p.remove(plugin);
  CHECK(contains(only(p, "xrt-plugin-missing").evidence, "beside " + coreutil));
  p.files["/opt/xilinx/xrt/lib/libxrt_driver_xdna.so.2"] = "";
  CHECK(contains(only(p, "xrt-plugin-missing").evidence, "is in /opt/xilinx/xrt/lib"));
  p = patient();
  p.links[plugin] = folder + "libxrt_driver_xdna.so.2.23.0";
  CHECK(contains(only(p, "xrt-mismatch").evidence, "is 2.25.00"));
  p.links[coreutil] = folder + "libxrt_coreutil.so.2.16.0";
  p.links[plugin] = folder + "libxrt_driver_xdna.so.2.16.0";
  CHECK(contains(only(p, "xrt-old").evidence, "2.16.0, needed 2.18"));
  p.variables["LD_LIBRARY_PATH"] = ":/home/ada/xrt";  // comes first
  p.files["/home/ada/xrt/libxrt_coreutil.so.2"] = p.files["/home/ada/xrt/libxrt_driver_xdna.so.2"] = "";
  CHECK(findings_of(p).empty());
}

TEST_CASE("the doctor sees that npurt's kernels are missing", "[tools][doctor]") {
  patient p;
  p.remove("/usr/share/npurt");
  CHECK(contains(only(p, "kernels-missing").fix, "NPURT_KERNEL_PATH"));
  p.variables["NPURT_KERNEL_PATH"] = "/srv/a:/srv/b";
  p.files["/srv/b/overlay.xclbin"] = "";
  CHECK(findings_of(p).empty());
}

TEST_CASE("the doctor puts errors first", "[tools][doctor]") {
  patient p;
  p.emulator = true;
  p.answers.power_mode = 1;
  p.remove("/usr/lib/x86_64-linux-gnu/");
  const auto found = findings_of(p);
  REQUIRE(found.size() == 3);
  CHECK(found[0].id == "xrt-missing");
  CHECK(found[1].id == "power-mode");
  CHECK(found[2].id == "emulated");
}
