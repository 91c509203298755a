// SPDX-License-Identifier: Apache-2.0
// The unmodified XRT on the emulated device: finding it, buffers, descriptors, fork. Nothing here executes a kernel.
// XRT maps with MAP_LOCKED; the emulator drops that, so these tests need neither root nor a memlock limit.
#include <catch2/catch_test_macros.hpp>

#include <npurt/emulator.hpp>

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xrt/experimental/xrt_ext.h>
#include <xrt/xrt_bo.h>
#include <xrt/xrt_device.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "support/leave_child.hpp"

namespace {

constexpr int host_only_group = 0x10000;  // a HOST argument's group_id

/// DRM_IOCTL_VERSION, which the emulated driver does not have: EINVAL from it, ENOTTY from anything else.
constexpr unsigned long drm_ioctl = 0xc0406400;

int errno_of_ioctl(int fd) {
  std::uint64_t argument[8]{};
  return ::ioctl(fd, drm_ioctl, argument) == 0 ? 0 : errno;
}

/// The exit status of a forked child that runs `work`.
template <class Work>
int in_child(Work&& work) {
  const pid_t child = ::fork();
  if (child == 0) npurt::test::leave_child(work());
  int status = -1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

}  // namespace

TEST_CASE("XRT finds the emulated Phoenix", "[e2e][xrt]") {
  const xrt::device device(0);
  CHECK(device.get_info<xrt::info::device::name>() == "NPU Phoenix");
  CHECK(device.get_info<xrt::info::device::bdf>() == "0000:c4:00.1");
  CHECK(npurt::emulator::present());
  CHECK_FALSE(npurt::emulator::last_command().has_value());
}

TEST_CASE("a host buffer keeps its data over syncs, and a second mapping sees it", "[e2e][xrt]") {
  const xrt::device device(0);
  xrt::bo bo(device, 1 << 20, xrt::bo::flags::host_only, host_only_group);
  auto* words = bo.map<std::uint32_t*>();
  std::iota(words, words + (1 << 18), 0U);
  bo.sync(XCL_BO_SYNC_BO_TO_DEVICE);
  bo.sync(XCL_BO_SYNC_BO_FROM_DEVICE);
  CHECK(bo.address() == reinterpret_cast<std::uint64_t>(words));
  CHECK(words[12345] == 12345);
  std::uint32_t read = 0;
  bo.read(&read, 4, 4 * 777);
  CHECK(read == 777);
}

TEST_CASE("a cacheable buffer lies in the device heap", "[e2e][xrt]") {
  const xrt::device device(0);
  xrt::bo first(device, 4096, xrt::bo::flags::cacheable, host_only_group);
  xrt::bo second(device, 4096, xrt::bo::flags::cacheable, host_only_group);
  CHECK(first.address() >= 0x4000000);
  CHECK(second.address() == first.address() + 0x8000);
  CHECK(second.map<char*>() - first.map<char*>() == 0x8000);
  CHECK_THROWS(xrt::bo(device, 65 << 20, xrt::bo::flags::cacheable, host_only_group));
}

TEST_CASE("a sub-buffer is a part of its parent", "[e2e][xrt]") {
  const xrt::device device(0);
  xrt::bo parent(device, 1 << 16, xrt::bo::flags::host_only, host_only_group);
  xrt::bo part(parent, 4096, 8192);
  part.map<char*>()[5] = 'x';
  part.sync(XCL_BO_SYNC_BO_TO_DEVICE);
  CHECK(parent.map<char*>()[8197] == 'x');
  CHECK(part.address() == parent.address() + 8192);
}

TEST_CASE("an exported buffer is the imported one, whichever goes first", "[e2e][xrt]") {
  const xrt::device device(0);
  for (const bool exporter_first : {true, false}) {
    auto exporter = std::make_unique<xrt::bo>(device, 8192, xrt::bo::flags::host_only, host_only_group);
    auto importer = std::make_unique<xrt::bo>(device, exporter->export_buffer());
    exporter->map<char*>()[100] = 'a';
    CHECK(importer->map<char*>()[100] == 'a');
    CHECK(importer->size() == 8192);
    (exporter_first ? exporter : importer).reset();
    const auto& left = exporter_first ? importer : exporter;
    CHECK(left->map<char*>()[100] == 'a');
  }
}

TEST_CASE("memory of the program can be a buffer", "[e2e][xrt]") {
  const xrt::device device(0);
  auto* memory = static_cast<char*>(std::aligned_alloc(4096, 8192));
  {
    xrt::bo bo(device, memory, 8192, xrt::bo::flags::host_only, host_only_group);
    CHECK(bo.address() == reinterpret_cast<std::uint64_t>(memory));
  }
  std::free(memory);
}

TEST_CASE("the memlock limit is of no matter", "[e2e][xrt]") {
  CHECK(in_child([] {
          const rlimit none{0, 0};
          ::setrlimit(RLIMIT_MEMLOCK, &none);
          if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) return 2;
          const xrt::device device(0);
          xrt::bo bo(device, 16 << 20, xrt::bo::flags::host_only, host_only_group);
          return bo.map<char*>() != nullptr ? 0 : 1;
        }) == 0);
}

TEST_CASE("buffers come and go in several threads", "[e2e][xrt]") {
  const xrt::device device(0);
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        xrt::bo bo(device, 4096U << (i % 5), xrt::bo::flags::host_only, host_only_group);
        bo.map<int*>()[i] = t * i;
        good += bo.map<int*>()[i] == t * i;
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(good == 400);
}

TEST_CASE("a copy of the device's descriptor is the device until it is closed itself", "[e2e][xrt][shim]") {
  const int fd = ::open("/dev/accel/accel0", O_RDWR | O_CLOEXEC);
  REQUIRE(fd >= 0);
  const int copy = ::dup(fd), other = ::fcntl(fd, F_DUPFD_CLOEXEC, 100);
  REQUIRE(other >= 100);
  ::close(fd);
  CHECK(errno_of_ioctl(copy) == EINVAL);
  const int null = ::open("/dev/null", O_RDWR);
  ::dup2(null, copy);
  CHECK(errno_of_ioctl(copy) == ENOTTY);
  CHECK(errno_of_ioctl(other) == EINVAL);
  for (const int each : {null, copy, other}) ::close(each);
}

TEST_CASE("a forked child loses the parent's device, may open its own and closes without harm", "[e2e][xrt][shim]") {
  const int fd = ::open("/dev/accel/accel0", O_RDWR);
  REQUIRE(fd >= 0);
  CHECK(in_child([&] {
          if (errno_of_ioctl(fd) != ENOTTY) return 1;
          const int own = ::open("/dev/accel/accel0", O_RDWR);
          if (errno_of_ioctl(own) != EINVAL) return 2;
          ::close(own);
          ::close(fd);
          return 0;
        }) == 0);
  CHECK(errno_of_ioctl(fd) == EINVAL);
  ::close(fd);
}

TEST_CASE("what a vfork'ed child closes stays open in the parent", "[e2e][xrt][shim]") {
  const int fd = ::open("/dev/accel/accel0", O_RDWR);
  const pid_t child = ::vfork();
  if (child == 0) {
    ::close(fd);
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  CHECK(errno_of_ioctl(fd) == EINVAL);
  ::close(fd);
}

TEST_CASE("the virtual files look as sysfs does and hide the machine's accelerators", "[e2e][xrt][shim]") {
  namespace fs = std::filesystem;
  std::vector<std::string> devices;
  for (const auto& entry : fs::directory_iterator("/sys/bus/pci/devices")) devices.push_back(entry.path().filename());
  CHECK(devices == std::vector<std::string>{"0000:c4:00.1"});
  CHECK(fs::exists("/dev/accel/accel0"));
  CHECK_FALSE(fs::exists("/dev/accel/accel1"));
  CHECK(fs::canonical("/sys/bus/pci/drivers/amdxdna/0000:c4:00.1").string().starts_with("/sys/devices/"));
  char buffer[PATH_MAX];
  CHECK(std::string(::realpath("/sys/bus/pci/devices/0000:c4:00.1", buffer)).starts_with("/sys/devices/"));
  CHECK(::access("/sys/module/amdxdna/version", R_OK) == 0);
  CHECK(fs::exists("/sys/kernel"));  // the rest of /sys is the machine's
}

TEST_CASE("the tree of a killed process is removed by the next", "[e2e][xrt][shim]") {
  char directory[] = "/tmp/npurt-shim-test.XXXXXX";
  REQUIRE(::mkdtemp(directory) != nullptr);
  const auto trees = [&] {
    return std::distance(std::filesystem::directory_iterator(directory), std::filesystem::directory_iterator());
  };
  const auto use_device = [&](auto&& end) {
    return in_child([&] {
      ::setenv("TMPDIR", directory, 1);
      struct stat status{};
      const int found = ::stat("/dev/accel/accel0", &status);
      end();
      return found;
    });
  };
  CHECK(use_device([] { ::kill(::getpid(), SIGKILL); }) == 255);
  CHECK(trees() == 1);
  CHECK(use_device([] { ::kill(::getpid(), SIGKILL); }) == 255);
  CHECK(trees() == 1);
  CHECK(use_device([] { std::exit(0); }) == 0);
  CHECK(trees() == 0);
  std::filesystem::remove_all(directory);
}
