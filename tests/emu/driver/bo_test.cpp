// SPDX-License-Identifier: Apache-2.0
// Buffer objects: creation, addresses, lifetime, sharing. Expectations: the amdxdna uapi and XRT 2.25.
#include <catch2/catch_test_macros.hpp>

#include <unistd.h>

#include <cerrno>
#include <vector>

#include "driver_fixture.hpp"

using namespace npurt::tests;

TEST_CASE("CREATE_BO refuses bad types, flags and sizes", "[emu][driver][bo]") {
  test_client client(make_device());
  std::uint32_t handle = 0;
  CHECK(client.create_bo(AMDXDNA_BO_INVALID, 4096, handle) == -EINVAL);
  CHECK(client.create_bo(5, 4096, handle) == -EINVAL);
  CHECK(client.create_bo(AMDXDNA_BO_SHARE, 0, handle) == -EINVAL);
  CHECK(client.create_bo(AMDXDNA_BO_CMD, (32 << 10) + 1, handle) == -EINVAL);
  CHECK(client.create_bo(AMDXDNA_BO_SHARE, ~std::uint64_t{0}, handle) == -EINVAL);
  CHECK(client.create_bo(AMDXDNA_BO_DEV, 4096, handle) == -EINVAL);  // no heap yet
  CHECK(client.create_bo(AMDXDNA_BO_DEV_HEAP, heap_size + 4096, handle) == -EINVAL);
  amdxdna_drm_create_bo args{.flags = 1, .vaddr = 0, .size = 4096, .type = AMDXDNA_BO_SHARE, .handle = 0};
  CHECK(client.ioctl(DRM_IOCTL_AMDXDNA_CREATE_BO, args) == -EINVAL);
  CHECK(client.file().ioctl(DRM_IOCTL_AMDXDNA_CREATE_BO, nullptr) == -EFAULT);
}

TEST_CASE("a SHARE buffer's device address is unknown until it is mapped and then the program's", "[emu][driver][bo]") {
  test_client client(make_device());
  const auto handle = client.bo(AMDXDNA_BO_SHARE, 5000);
  CHECK(client.info(handle).xdna_addr == ~std::uint64_t{0});
  CHECK(client.info(handle).map_offset % 4096 == 0);
  auto* mapped = client.map(handle, 8192);
  CHECK(client.info(handle).xdna_addr == reinterpret_cast<std::uint64_t>(mapped));
}

TEST_CASE("map offsets are the buffer's own and end with it", "[emu][driver][bo]") {
  test_client client(make_device());
  const auto first = client.bo(AMDXDNA_BO_SHARE, 4096), second = client.bo(AMDXDNA_BO_SHARE, 4096);
  const auto offset = client.info(first).map_offset;
  CHECK(offset != client.info(second).map_offset);
  CHECK(client.file().map(offset, 4097).error() == EINVAL);
  CHECK(client.file().map(12345 * 4096, 4096).error() == EINVAL);
  REQUIRE(client.file().map(offset, 4096).has_value());
  CHECK(client.close(first) == 0);
  CHECK(client.file().map(offset, 4096).error() == EINVAL);
  CHECK(client.close(first) == -EINVAL);
}

TEST_CASE("DEV buffers lie in the heap at 32 KiB steps from 0x4000000 and cannot be mapped", "[emu][driver][bo]") {
  test_client client(make_device());
  const auto heap = client.bo(AMDXDNA_BO_DEV_HEAP, heap_size);
  auto* heap_memory = client.map(heap, heap_size);
  const auto first = client.bo(AMDXDNA_BO_DEV, 100), second = client.bo(AMDXDNA_BO_DEV, 100);
  CHECK(client.info(heap).xdna_addr == 0x4000000);
  CHECK(client.info(first).xdna_addr == 0x4000000);
  CHECK(client.info(second).xdna_addr == 0x4008000);
  CHECK(client.info(second).map_offset == ~std::uint64_t{0});
  CHECK(client.info(second).vaddr == reinterpret_cast<std::uint64_t>(heap_memory) + 0x8000);
  CHECK(client.close(first) == 0);
  CHECK(client.info(client.bo(AMDXDNA_BO_DEV, 100)).xdna_addr == 0x4000000);
}

TEST_CASE("a full heap asks to be expanded, up to 512 MiB", "[emu][driver][bo]") {
  test_client client(make_device());
  std::uint32_t handle = 0;
  client.bo(AMDXDNA_BO_DEV_HEAP, heap_size);
  client.bo(AMDXDNA_BO_DEV, heap_size);
  CHECK(client.create_bo(AMDXDNA_BO_DEV, 4096, handle) == -EAGAIN);
  client.bo(AMDXDNA_BO_DEV_HEAP, heap_size);
  CHECK(client.info(client.bo(AMDXDNA_BO_DEV, 4096)).xdna_addr == 0x8000000);
  client.bo(AMDXDNA_BO_DEV_HEAP, 6 * heap_size);
  CHECK(client.create_bo(AMDXDNA_BO_DEV_HEAP, heap_size, handle) == -ENOSPC);
  CHECK(client.create_bo(AMDXDNA_BO_DEV, 7 * heap_size, handle) == -ENOSPC);
}

TEST_CASE("a user pointer is its own device address and must be mapped memory", "[emu][driver][bo]") {
  test_client client(make_device());
  auto* memory =
      static_cast<std::byte*>(::mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  // amdxdna_drm_va_tbl {s32 -1, u32 1} with one {u64 address, u64 length}, as XRT builds it.
  std::uint64_t table[3]{0x1ffffffff, reinterpret_cast<std::uint64_t>(memory), 8192};
  amdxdna_drm_create_bo args{
      .flags = 0, .vaddr = reinterpret_cast<std::uint64_t>(table), .size = 0, .type = AMDXDNA_BO_SHARE, .handle = 0};
  REQUIRE(client.ioctl(DRM_IOCTL_AMDXDNA_CREATE_BO, args) == 0);
  CHECK(client.info(args.handle).xdna_addr == reinterpret_cast<std::uint64_t>(memory));
  table[1] += 8;
  CHECK(client.ioctl(DRM_IOCTL_AMDXDNA_CREATE_BO, args) == -EINVAL);
  table[1] -= 8;
  ::munmap(memory, 8192);
  CHECK(client.ioctl(DRM_IOCTL_AMDXDNA_CREATE_BO, args) == -EFAULT);
}

TEST_CASE("an exported buffer is imported with its contents, beyond the exporter's handle", "[emu][driver][bo]") {
  const auto device = make_device();
  test_client exporter(device), importer(device);
  const auto handle = exporter.bo(AMDXDNA_BO_SHARE, 4096);
  exporter.map(handle, 4096)[7] = std::byte{42};
  drm_prime_handle prime{.handle = handle, .flags = DRM_CLOEXEC | DRM_RDWR, .fd = -1};
  REQUIRE(exporter.ioctl(DRM_IOCTL_PRIME_HANDLE_TO_FD, prime) == 0);
  CHECK(::lseek(prime.fd, 0, SEEK_END) == 4096);
  CHECK(exporter.close(handle) == 0);
  REQUIRE(importer.ioctl(DRM_IOCTL_PRIME_FD_TO_HANDLE, prime) == 0);
  ::close(prime.fd);
  CHECK(importer.map(prime.handle, 4096)[7] == std::byte{42});
  CHECK(importer.close(prime.handle) == 0);
}

TEST_CASE("a descriptor that is no exported buffer is not imported", "[emu][driver][bo]") {
  test_client client(make_device());
  drm_prime_handle prime{.handle = 0, .flags = 0, .fd = STDIN_FILENO};
  CHECK(client.ioctl(DRM_IOCTL_PRIME_FD_TO_HANDLE, prime) == -EINVAL);
  prime.fd = -1;
  CHECK(client.ioctl(DRM_IOCTL_PRIME_FD_TO_HANDLE, prime) == -EINVAL);
  prime.handle = 77;
  CHECK(client.ioctl(DRM_IOCTL_PRIME_HANDLE_TO_FD, prime) == -ENOENT);
}

TEST_CASE("SYNC_BO checks handle, direction and range", "[emu][driver][bo]") {
  test_client client(make_device());
  const auto handle = client.bo(AMDXDNA_BO_SHARE, 4096);
  const auto sync = [&](std::uint32_t bo, std::uint32_t direction, std::uint64_t offset, std::uint64_t size) {
    amdxdna_drm_sync_bo args{.handle = bo, .direction = direction, .offset = offset, .size = size};
    return client.ioctl(DRM_IOCTL_AMDXDNA_SYNC_BO, args);
  };
  CHECK(sync(handle, SYNC_DIRECT_TO_DEVICE, 0, 4096) == 0);
  CHECK(sync(handle, SYNC_DIRECT_FROM_DEVICE, 4096, 0) == 0);
  CHECK(sync(handle, 2, 0, 4096) == -EINVAL);
  CHECK(sync(handle, SYNC_DIRECT_TO_DEVICE, 1, 4096) == -EINVAL);
  CHECK(sync(handle, SYNC_DIRECT_TO_DEVICE, ~std::uint64_t{0}, 2) == -EINVAL);
  CHECK(sync(99, SYNC_DIRECT_TO_DEVICE, 0, 4096) == -ENOENT);
}

TEST_CASE("a thousand buffers and more can be open at once", "[emu][driver][bo]") {
  test_client client(make_device());
  for (int i = 0; i < 1500; ++i) REQUIRE_NOTHROW(client.bo(AMDXDNA_BO_SHARE, 4096));
}
