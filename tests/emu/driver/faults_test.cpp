// SPDX-License-Identifier: Apache-2.0
// Faults on demand at the ioctl boundary.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <cerrno>

#include "driver_fixture.hpp"

using namespace npurt::tests;
using Catch::Matchers::ContainsSubstring;
using npurt::emu::driver::fault_plan;

namespace {

void set(const std::shared_ptr<device>& device, std::string_view text) {
  auto plan = fault_plan::parse(text);
  if (!plan) FAIL(plan.error());
  device->on_demand().set(std::move(*plan));
}

}  // namespace

TEST_CASE("what is no fault is refused with its text", "[emu][driver][faults]") {
  for (const char* text : {"ioctl:create_po@1=EIO",
                           "ioctl:create_bo@0=EIO",
                           "ioctl:create_bo@3-2=EIO",
                           "ioctl:create_bo@1=EFOO",
                           "ioctl:create_bo@1=0",
                           "ioctl:create_bo=EIO",
                           "ioctl:create_bo@1x=EIO",
                           "command@1=slow",
                           "command=timeout",
                           "memory=much",
                           "memory=99999999999G",
                           "device@0=gone",
                           "device@2=here",
                           "device@2=gone:x",
                           "firmware=1.2.3",
                           "firmware=1.2.3.4.5",
                           "firmware=new",
                           "cheese",
                           "ioctl:any@99999999999999999999=EIO",
                           "ioctl:any@3-=EIO",
                           "device@2=gone:",
                           "device@2=reset:1",
                           "device@0=suspend",
                           "device@1=restart:0",
                           "firmware=1.2.3.4."}) {
    const auto plan = fault_plan::parse(text);
    INFO(text);
    REQUIRE_FALSE(plan);
    CHECK_THAT(plan.error(), ContainsSubstring(std::string("'") + text + "'"));
  }
  CHECK(fault_plan::parse(""));
  CHECK(fault_plan::parse(";ioctl:any@2+=5;;command@1-3=lost;memory=1M;firmware=1.2.3.4;device@7=gone:2"));
}

TEST_CASE("the n-th ioctl of a name fails with its errno, the others do not", "[emu][driver][faults]") {
  const auto device = make_device();
  test_client client(device);
  set(device, "ioctl:create_bo@2=ENOSPC;ioctl:create_bo@4+=13");
  std::uint32_t handle = 0;
  CHECK(client.create_bo(AMDXDNA_BO_SHARE, 4096, handle) == 0);
  CHECK(client.create_bo(AMDXDNA_BO_SHARE, 4096, handle) == -ENOSPC);
  CHECK(client.create_bo(AMDXDNA_BO_SHARE, 4096, handle) == 0);
  CHECK(client.close(handle) == 0);
  CHECK(client.create_bo(AMDXDNA_BO_SHARE, 4096, handle) == -EACCES);
  CHECK(client.create_bo(AMDXDNA_BO_SHARE, 4096, handle) == -EACCES);
  set(device, "");
  CHECK(client.create_bo(AMDXDNA_BO_SHARE, 4096, handle) == 0);
}

TEST_CASE("'any' counts all ioctls", "[emu][driver][faults]") {
  const auto device = make_device();
  test_client client(device);
  set(device, "ioctl:any@2=EIO");
  std::uint32_t handle = 0;
  REQUIRE(client.create_bo(AMDXDNA_BO_SHARE, 4096, handle) == 0);
  CHECK(client.close(handle) == -EIO);
  CHECK(client.close(handle) == 0);
}

TEST_CASE("memory runs out and comes back when buffers go", "[emu][driver][faults]") {
  const auto device = make_device();
  test_client client(device);
  set(device, "memory=20K");
  std::uint32_t first = 0, second = 0;
  REQUIRE(client.create_bo(AMDXDNA_BO_SHARE, 4096, first) == 0);
  CHECK(client.create_bo(AMDXDNA_BO_SHARE, 16385, second) == -ENOMEM);
  REQUIRE(client.create_bo(AMDXDNA_BO_SHARE, 16384, second) == 0);
  CHECK(client.create_bo(AMDXDNA_BO_CMD, 1, second) == -ENOMEM);
  REQUIRE(client.close(first) == 0);
  CHECK(client.create_bo(AMDXDNA_BO_CMD, 1, second) == 0);
}

TEST_CASE("commands fail as asked, and the ones after them as the driver's reset has it", "[emu][driver][faults]") {
  const auto device = make_device();
  test_client client(device);
  running_context context(client);
  set(device, "command@2=error;command@3=timeout;command@4=abort");
  const auto packet = context.kernel_packet();
  CHECK(state_after(client, context, packet) == completed);
  CHECK(state_after(client, context, packet) == error);
  CHECK(state_after(client, context, packet) == timed_out);
  const auto next = context.kernel_packet();  // a packet that timed out holds health words
  CHECK(state_after(client, context, next) == aborted);
  CHECK(state_after(client, context, next) == completed);
  CHECK(fake_npu::instance().executed == 2);
}

TEST_CASE("a lost command ends with its context only", "[emu][driver][faults]") {
  const auto device = make_device();
  test_client client(device);
  running_context context(client);
  set(device, "command@1=lost");
  const auto packet = context.kernel_packet(), behind = context.kernel_packet();
  std::uint64_t seq = 0, later = 0;
  REQUIRE(client.exec(context.hwctx, packet.handle, seq) == 0);
  REQUIRE(client.exec(context.hwctx, behind.handle, later) == 0);
  CHECK(client.wait(context.hwctx, seq, 50) == -ETIME);
  CHECK(packet.state() == submitted);
  CHECK(client.destroy_hwctx(context.hwctx) == 0);
  CHECK(packet.state() == aborted);
  CHECK(behind.state() == aborted);
  CHECK(fake_npu::instance().executed == 0);
}

TEST_CASE("a DMA error is a command whose buffers the device does not find", "[emu][driver][faults]") {
  const auto device = make_device();
  test_client client(device);
  running_context context(client);
  std::vector<bool> found;
  on_execute([&](const npurt::emu::npu_command&, npurt::emu::device_memory& memory) {
    found.push_back(memory.translate(context.code_address, 16) != nullptr);
    return npurt::emu::command_result{};
  });
  set(device, "command@2=dma_error");
  const auto packet = context.kernel_packet();
  for (int i = 0; i < 3; ++i) state_after(client, context, packet);
  CHECK(found == std::vector{true, false, true});
}

TEST_CASE("a device that disappears is gone for who has it open and back for who opens it", "[emu][driver][faults]") {
  const auto device = make_device();
  test_client client(device);
  running_context context(client);
  const auto packet = context.kernel_packet();
  set(device, "device@3=gone:2;command@1=lost");
  std::uint64_t seq = 0;
  std::uint32_t handle = 0;
  REQUIRE(client.create_bo(AMDXDNA_BO_SHARE, 4096, handle) == 0);
  REQUIRE(client.exec(context.hwctx, packet.handle, seq) == 0);
  CHECK(client.close(handle) == -ENODEV);
  CHECK(packet.state() == aborted);
  CHECK(client.close(handle) == -ENODEV);
  CHECK(client.file().map(0, 4096).error() == ENODEV);
  CHECK(device->on_demand().on_open() == ENODEV);
  CHECK(device->on_demand().on_open() == ENODEV);
  CHECK(device->on_demand().on_open() == 0);
  test_client again(device);
  CHECK(again.create_bo(AMDXDNA_BO_SHARE, 4096, handle) == 0);
  CHECK(client.close(handle) == -ENODEV);
}

TEST_CASE("a device that is gone for good does not open", "[emu][driver][faults]") {
  const auto device = make_device();
  test_client client(device);
  set(device, "device@1=gone");
  std::uint32_t handle = 0;
  CHECK(client.create_bo(AMDXDNA_BO_SHARE, 4096, handle) == -ENODEV);
  for (int i = 0; i < 100; ++i) REQUIRE(device->on_demand().on_open() == ENODEV);
}

TEST_CASE("the firmware tells the version that is asked for", "[emu][driver][faults]") {
  const auto device = make_device();
  test_client client(device);
  set(device, "firmware=1.4.2.7");
  amdxdna_drm_query_firmware_version version{};
  amdxdna_drm_get_info args{.param = DRM_AMDXDNA_QUERY_FIRMWARE_VERSION,
                            .buffer_size = sizeof(version),
                            .buffer = reinterpret_cast<std::uint64_t>(&version)};
  REQUIRE(client.ioctl(DRM_IOCTL_AMDXDNA_GET_INFO, args) == 0);
  CHECK((version.major == 1 && version.minor == 4 && version.patch == 2 && version.build == 7));
}

TEST_CASE("a reset aborts commands and leaves contexts dead, new ones work", "[emu][driver][faults]") {
  const auto device = make_device();
  test_client client(device);
  running_context context(client);
  const auto running = context.kernel_packet(), behind = context.kernel_packet(), late = context.kernel_packet();
  std::uint64_t seq = 0, next = 0;
  set(device, "command@1=lost;device@3=reset");
  REQUIRE(client.exec(context.hwctx, running.handle, seq) == 0);
  REQUIRE(client.exec(context.hwctx, behind.handle, next) == 0);
  CHECK(client.wait(context.hwctx, next) == 0);
  CHECK(running.state() == aborted);
  CHECK(behind.state() == aborted);
  CHECK(client.exec(context.hwctx, late.handle, seq) == -EIO);
  CHECK(client.destroy_hwctx(context.hwctx) == 0);
  test_client other(device);
  running_context fresh(other);
  CHECK(state_after(other, fresh, fresh.kernel_packet()) == completed);
}

TEST_CASE("a suspended device ends its commands, loses its configuration and goes on", "[emu][driver][faults]") {
  const auto device = make_device();
  test_client client(device);
  running_context context(client);
  const auto before = context.kernel_packet(), after = context.kernel_packet();
  set(device, "device@2=suspend");
  std::uint64_t seq = 0;
  REQUIRE(client.exec(context.hwctx, before.handle, seq) == 0);
  CHECK(state_after(client, context, after) == completed);
  CHECK(before.state() == completed);
  CHECK(fake_npu::instance().forgotten == 1);
}

TEST_CASE("what does not end before a suspension is aborted", "[emu][driver][faults]") {
  const auto device = make_device();
  test_client client(device);
  running_context context(client);
  const auto lost = context.kernel_packet(), behind = context.kernel_packet(), after = context.kernel_packet();
  set(device, "command@1=lost;device@3=suspend");
  std::uint64_t seq = 0;
  REQUIRE(client.exec(context.hwctx, lost.handle, seq) == 0);
  REQUIRE(client.exec(context.hwctx, behind.handle, seq) == 0);
  CHECK(state_after(client, context, after) == completed);
  CHECK(lost.state() == aborted);
  CHECK(behind.state() == aborted);
}
