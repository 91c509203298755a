// SPDX-License-Identifier: Apache-2.0
// Hardware contexts: limits and configuration. Expectations: npu1 limits in the reference of the amdxdna user API.
#include <catch2/catch_test_macros.hpp>

#include <cerrno>

#include "driver_fixture.hpp"

using namespace npurt::tests;

TEST_CASE("the seventh context of the device is ENOENT, whoever owns the others", "[emu][driver][hwctx]") {
  const auto device = make_device();
  test_client one(device), other(device);
  one.bo(AMDXDNA_BO_DEV_HEAP, heap_size);
  other.bo(AMDXDNA_BO_DEV_HEAP, heap_size);
  std::uint32_t handle = 0, last = 0;
  for (int i = 0; i < 3; ++i) {
    REQUIRE(one.create_hwctx(4, handle) == 0);
    REQUIRE(other.create_hwctx(4, last) == 0);
  }
  CHECK(one.create_hwctx(4, handle) == -ENOENT);
  CHECK(other.destroy_hwctx(last) == 0);
  CHECK(one.create_hwctx(4, handle) == 0);
}

TEST_CASE("closing the file frees its contexts", "[emu][driver][hwctx]") {
  const auto device = make_device();
  {
    test_client client(device);
    std::uint32_t handle = 0;
    client.bo(AMDXDNA_BO_DEV_HEAP, heap_size);
    REQUIRE(client.create_hwctx(16, handle) == 0);
  }
  CHECK(fake_npu::instance().destroyed == 1);
}

TEST_CASE("a context has one to four columns of four core tiles", "[emu][driver][hwctx]") {
  test_client client(make_device());
  std::uint32_t handle = 0;
  CHECK(client.create_hwctx(4, handle) == -ENOENT);  // needs a heap for its command slots
  client.bo(AMDXDNA_BO_DEV_HEAP, heap_size);
  CHECK(client.create_hwctx(0, handle) == -EINVAL);
  CHECK(client.create_hwctx(3, handle) == -EINVAL);
  CHECK(client.create_hwctx(6, handle) == -EINVAL);
  CHECK(client.create_hwctx(20, handle) == -EOPNOTSUPP);
  CHECK(client.create_hwctx(24, handle) == -ENOSPC);
  CHECK(client.create_hwctx(16, handle) == 0);
  CHECK(handle != AMDXDNA_INVALID_CTX_HANDLE);
  CHECK(client.syncobj == AMDXDNA_INVALID_FENCE_HANDLE);
}

TEST_CASE("no free partition is ENOSPC and leaves nothing behind", "[emu][driver][hwctx]") {
  test_client client(make_device());
  client.bo(AMDXDNA_BO_DEV_HEAP, heap_size);
  fake_npu::instance().partitions = 0;
  std::uint32_t handle = 0;
  for (int i = 0; i < 10; ++i) CHECK(client.create_hwctx(16, handle) == -ENOSPC);
  CHECK(client.info(client.bo(AMDXDNA_BO_DEV, 4096)).xdna_addr == 0x4000000);
  fake_npu::instance().partitions = 1;
  CHECK(client.create_hwctx(16, handle) == 0);
}

TEST_CASE("compute units are configured once, from DEV buffers", "[emu][driver][hwctx]") {
  test_client client(make_device());
  client.bo(AMDXDNA_BO_DEV_HEAP, heap_size);
  std::uint32_t hwctx = 0;
  REQUIRE(client.create_hwctx(16, hwctx) == 0);
  const auto pdi = client.bo(AMDXDNA_BO_DEV, 128);
  CHECK(client.config_cu(hwctx, {}) == -EINVAL);
  CHECK(client.config_cu(hwctx, std::vector<std::uint32_t>(33, pdi)) == -EINVAL);
  CHECK(client.config_cu(hwctx, {client.bo(AMDXDNA_BO_SHARE, 128)}) == -EINVAL);
  CHECK(client.config_cu(hwctx + 1, {pdi}) == -EINVAL);
  CHECK(fake_npu::instance().pdis.empty());
  CHECK(client.config_cu(hwctx, {pdi}) == 0);
  CHECK(fake_npu::instance().pdis.at(0).size() == 128);
  CHECK(client.config_cu(hwctx, {pdi}) == -EINVAL);
}

TEST_CASE("a configuration whose size does not hold its units is EINVAL", "[emu][driver][hwctx]") {
  test_client client(make_device());
  client.bo(AMDXDNA_BO_DEV_HEAP, heap_size);
  std::uint32_t hwctx = 0;
  REQUIRE(client.create_hwctx(16, hwctx) == 0);
  std::uint64_t value[2]{2, client.bo(AMDXDNA_BO_DEV, 128)};
  amdxdna_drm_config_hwctx args{.handle = hwctx,
                                .param_type = DRM_AMDXDNA_HWCTX_CONFIG_CU,
                                .param_val = reinterpret_cast<std::uint64_t>(value),
                                .param_val_size = 16,
                                .pad = 0};
  CHECK(client.ioctl(DRM_IOCTL_AMDXDNA_CONFIG_HWCTX, args) == -EINVAL);
  args.param_val_size = 4;
  CHECK(client.ioctl(DRM_IOCTL_AMDXDNA_CONFIG_HWCTX, args) == -EINVAL);
  args.param_val = 0;
  CHECK(client.ioctl(DRM_IOCTL_AMDXDNA_CONFIG_HWCTX, args) == -EFAULT);
  args.param_type = DRM_AMDXDNA_HWCTX_ASSIGN_DBG_BUF;
  CHECK(client.ioctl(DRM_IOCTL_AMDXDNA_CONFIG_HWCTX, args) == -EOPNOTSUPP);
}

TEST_CASE("a PDI that the firmware cannot read is EINVAL", "[emu][driver][hwctx]") {
  test_client client(make_device());
  client.bo(AMDXDNA_BO_DEV_HEAP, heap_size);
  std::uint32_t hwctx = 0;
  REQUIRE(client.create_hwctx(16, hwctx) == 0);
  fake_npu::instance().pdi_error = "no PDI";
  CHECK(client.config_cu(hwctx, {client.bo(AMDXDNA_BO_DEV, 128)}) == -EINVAL);
}
