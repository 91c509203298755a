// SPDX-License-Identifier: Apache-2.0
// Queries: Phoenix values and negotiated sizes. Expectations: the reference of the amdxdna user API, section 7.
#include <catch2/catch_test_macros.hpp>

#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "driver_fixture.hpp"

using namespace npurt::tests;

namespace {

template <class T>
int get_info(test_client& client, std::uint32_t param, T& value, std::uint32_t& size) {
  amdxdna_drm_get_info args{.param = param, .buffer_size = size, .buffer = reinterpret_cast<std::uint64_t>(&value)};
  const int result = client.ioctl(DRM_IOCTL_AMDXDNA_GET_INFO, args);
  size = args.buffer_size;
  return result;
}

template <class T>
T get(test_client& client, std::uint32_t param) {
  T value{};
  std::uint32_t size = sizeof(T);
  if (get_info(client, param, value, size) != 0 || size != sizeof(T)) throw std::runtime_error("GET_INFO");
  return value;
}

}  // namespace

TEST_CASE("AIE metadata are those of Phoenix", "[emu][driver][info]") {
  test_client client(make_device());
  const auto data = get<amdxdna_drm_query_aie_metadata>(client, DRM_AMDXDNA_QUERY_AIE_METADATA);
  static_assert(sizeof(data) == 64);
  CHECK((data.cols == 5 && data.rows == 6));
  CHECK((data.version.major == 1 && data.version.minor == 1));
  CHECK((data.core.row_count == 4 && data.core.row_start == 2 && data.core.lock_count == 16));
  CHECK((data.mem.row_count == 1 && data.mem.row_start == 1 && data.mem.lock_count == 64));
  CHECK((data.shim.row_count == 1 && data.shim.row_start == 0 && data.shim.dma_channel_count == 2));
  CHECK(data.col_size == 504);
}

TEST_CASE("a short buffer is filled as far as it goes and told the full size", "[emu][driver][info]") {
  test_client client(make_device());
  std::vector<std::byte> buffer(64, std::byte{0xee});
  std::uint32_t size = 6;
  REQUIRE(get_info(client, DRM_AMDXDNA_QUERY_AIE_METADATA, buffer[0], size) == 0);
  CHECK(size == 64);
  CHECK(buffer[4] == std::byte{5});  // columns
  CHECK(buffer[6] == std::byte{0xee});
}

TEST_CASE("clocks follow the power mode, which only root sets", "[emu][driver][info]") {
  test_client client(make_device());
  const auto clocks = get<amdxdna_drm_query_clock_metadata>(client, DRM_AMDXDNA_QUERY_CLOCK_METADATA);
  CHECK(std::string(reinterpret_cast<const char*>(clocks.h_clock.name)) == "H Clock");
  CHECK(clocks.h_clock.freq_mhz == 1028);
  CHECK(clocks.mp_npu_clock.freq_mhz == 600);
  amdxdna_drm_set_power_mode mode{.power_mode = POWER_MODE_LOW, .pad = {}};
  amdxdna_drm_set_state args{.param = DRM_AMDXDNA_SET_POWER_MODE,
                             .buffer_size = sizeof(mode),
                             .buffer = reinterpret_cast<std::uint64_t>(&mode)};
  if (::geteuid() != 0) {
    CHECK(client.ioctl(DRM_IOCTL_AMDXDNA_SET_STATE, args) == -EACCES);
    return;
  }
  REQUIRE(client.ioctl(DRM_IOCTL_AMDXDNA_SET_STATE, args) == 0);
  CHECK(get<amdxdna_drm_get_power_mode>(client, DRM_AMDXDNA_GET_POWER_MODE).power_mode == POWER_MODE_LOW);
  CHECK(get<amdxdna_drm_query_clock_metadata>(client, DRM_AMDXDNA_QUERY_CLOCK_METADATA).h_clock.freq_mhz == 800);
  mode.power_mode = 5;
  CHECK(client.ioctl(DRM_IOCTL_AMDXDNA_SET_STATE, args) == -EINVAL);
  args.param = DRM_AMDXDNA_WRITE_AIE_REG;
  CHECK(client.ioctl(DRM_IOCTL_AMDXDNA_SET_STATE, args) == -EOPNOTSUPP);
}

TEST_CASE("unknown queries and ioctls are refused", "[emu][driver][info]") {
  test_client client(make_device());
  std::uint64_t value = 0;
  std::uint32_t size = sizeof(value);
  CHECK(get_info(client, DRM_AMDXDNA_QUERY_TELEMETRY, value, size) == -EOPNOTSUPP);
  CHECK(get_info(client, 1000, value, size) == -EOPNOTSUPP);
  amdxdna_drm_get_info null{.param = DRM_AMDXDNA_QUERY_AIE_METADATA, .buffer_size = 64, .buffer = 0};
  CHECK(client.ioctl(DRM_IOCTL_AMDXDNA_GET_INFO, null) == -EFAULT);
  CHECK(client.file().ioctl(DRM_IOWR(0x9f, std::uint64_t), &value) == -EINVAL);
  CHECK(client.file().ioctl(_IOWR('x', 0x43, std::uint64_t), &value) == -EINVAL);
}

TEST_CASE("contexts are listed with the element size that was asked for", "[emu][driver][info]") {
  const auto device = make_device();
  test_client client(device), other(device);
  running_context context(client);
  fake_npu::instance().columns = {.start = 2, .count = 2};
  std::uint64_t seq = 0;
  REQUIRE(client.exec(context.hwctx, context.kernel_packet().handle, seq) == 0);
  REQUIRE(client.wait(context.hwctx, seq) == 0);
  std::vector<std::byte> buffer(32 * 144);
  amdxdna_drm_get_array args{.param = DRM_AMDXDNA_HW_CONTEXT_ALL,
                             .element_size = 144,
                             .num_element = 32,
                             .pad = 0,
                             .buffer = reinterpret_cast<std::uint64_t>(buffer.data())};
  REQUIRE(other.ioctl(DRM_IOCTL_AMDXDNA_GET_ARRAY, args) == 0);
  CHECK(args.num_element == 1);
  CHECK(args.element_size == std::min<std::size_t>(144, sizeof(amdxdna_drm_hwctx_entry)));
  amdxdna_drm_hwctx_entry entry{};
  std::memcpy(&entry, buffer.data(), args.element_size);
  CHECK(entry.context_id == context.hwctx);
  CHECK(entry.start_col == 3);  // the first usable column is 1
  CHECK(entry.num_col == 2);
  CHECK(entry.pid == ::getpid());
  CHECK(entry.command_submissions == 1);
  CHECK(entry.command_completions == 1);
  args = {.param = DRM_AMDXDNA_HW_CONTEXT_ALL, .element_size = 4096, .num_element = 1, .pad = 0, .buffer = args.buffer};
  REQUIRE(client.ioctl(DRM_IOCTL_AMDXDNA_GET_ARRAY, args) == 0);
  CHECK(args.element_size == sizeof(amdxdna_drm_hwctx_entry));
  args.element_size = 0;
  CHECK(client.ioctl(DRM_IOCTL_AMDXDNA_GET_ARRAY, args) == -EINVAL);
  args = {.param = 77, .element_size = 8, .num_element = 1, .pad = 0, .buffer = args.buffer};
  CHECK(client.ioctl(DRM_IOCTL_AMDXDNA_GET_ARRAY, args) == -EOPNOTSUPP);
}

TEST_CASE("a caller's structure may be shorter or longer than the driver's", "[emu][driver][info]") {
  test_client client(make_device());
  // An older CREATE_BO without `handle`: the rest must stay untouched.
  struct {
    std::uint64_t flags = 0, vaddr = 0, size = 4096;
    std::uint32_t type = AMDXDNA_BO_SHARE, guard = 0xabcdef01;
  } shorter;
  CHECK(client.file().ioctl(_IOC(_IOC_READ | _IOC_WRITE, 'd', 0x43, 28), &shorter) == 0);
  CHECK(shorter.guard == 0xabcdef01);
  struct {
    amdxdna_drm_create_bo known{.flags = 0, .vaddr = 0, .size = 4096, .type = AMDXDNA_BO_SHARE, .handle = 0};
    std::uint64_t unknown = 5;
  } longer;
  CHECK(client.file().ioctl(_IOC(_IOC_READ | _IOC_WRITE, 'd', 0x43, sizeof(longer)), &longer) == 0);
  CHECK(longer.known.handle == 2);
  CHECK(longer.unknown == 5);
}
