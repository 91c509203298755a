// SPDX-License-Identifier: Apache-2.0
// Buffers of a program's own memory on a device that is another process's.
#include <catch2/catch_test_macros.hpp>

#include <fcntl.h>
#include <sys/mman.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <span>
#include <utility>

#include "shared_fixture.hpp"

using namespace npurt::tests;
namespace emu = npurt::emu;

namespace {

constexpr std::size_t words_of_page = 1024;

/// Two pages of this process.
struct own_pages {
  own_pages()
      : words(static_cast<std::uint32_t*>(
            ::mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {}
  ~own_pages() { unmap(); }
  own_pages(const own_pages&) = delete;
  own_pages& operator=(const own_pages&) = delete;

  std::uint64_t address() const { return reinterpret_cast<std::uint64_t>(words); }
  std::span<std::uint32_t> first() const { return {words, words_of_page}; }
  std::span<std::uint32_t> second() const { return {words + words_of_page, words_of_page}; }

  void unmap() {
    if (auto* mapped = std::exchange(words, nullptr); mapped != nullptr) ::munmap(mapped, 8192);
  }

  std::uint32_t* words;
};

int create(test_client& client, std::uint64_t address, std::uint64_t size, std::uint32_t& handle,
           std::uint32_t type = AMDXDNA_BO_SHARE) {
  // amdxdna_drm_va_tbl {s32 -1, u32 1} with one {u64 address, u64 length}, as XRT builds it.
  const std::array<std::uint64_t, 3> table{0x1'ffff'ffff, address, size};
  amdxdna_drm_create_bo args{};
  args.vaddr = reinterpret_cast<std::uint64_t>(table.data());
  args.type = type;
  const int result = client.ioctl(DRM_IOCTL_AMDXDNA_CREATE_BO, args);
  handle = args.handle;
  return result;
}

/// Adds 7 to a hundred words of the first page, into the second, twice: what is read again is what was written.
emu::command_result add_seven(const emu::npu_command& command, emu::device_memory& memory) {
  const auto base = command.arguments.at(0);
  for (int i = 0; i < 2; ++i) {
    const auto* from =
        reinterpret_cast<std::uint32_t*>(memory.translate(i == 0 ? base : base + 4096, 400, emu::memory_access::read));
    auto* to = reinterpret_cast<std::uint32_t*>(memory.translate(base + 4096, 4096, emu::memory_access::write));
    if (from == nullptr || to == nullptr) return {.outcome = emu::command_outcome::error, .report = "no buffer"};
    for (int word = 0; word < 100; ++word) to[word] = from[word] + 7;
  }
  return {};
}

}  // namespace

TEST_CASE("commands of a shared device read and write memory of the program's own", "[emu][driver][shared]") {
  const shared_device device([] { on_execute(add_seven); });
  test_client client(shared_device::open());
  running_context context(client);
  const own_pages pages;
  std::uint32_t bo = 0;
  REQUIRE(create(client, pages.address(), 8192, bo) == 0);
  CHECK(client.info(bo).xdna_addr == pages.address());
  for (const std::uint32_t offset : {0u, 1000u}) {  // nothing of the first command's is left
    for (std::uint32_t i = 0; i < words_of_page; ++i) {
      pages.first()[i] = offset + i;
      pages.second()[i] = 5;
    }
    CHECK(state_after(client, context, context.kernel_packet(pages.address())) == completed);
    for (std::uint32_t i = 0; i < words_of_page; ++i) {
      REQUIRE(pages.first()[i] == offset + i);
      REQUIRE(pages.second()[i] == (i < 100 ? offset + i + 14 : 5));
    }
  }
  drm_prime_handle exported{.handle = bo, .flags = DRM_CLOEXEC, .fd = -1};
  CHECK(client.ioctl(DRM_IOCTL_PRIME_HANDLE_TO_FD, exported) == -EOPNOTSUPP);

  CHECK(client.close(bo) == 0);
  CHECK(state_after(client, context, context.kernel_packet(pages.address())) == error);
  CHECK(pages.second()[0] == 1014);
}

TEST_CASE("memory of the program's own that is not there is refused, or fails the command", "[emu][driver][shared]") {
  const shared_device device([] { on_execute(add_seven); });
  auto session = shared::session::open("test", nullptr).value();
  test_client client(std::make_unique<shared::remote_file>(session));
  running_context context(client);
  own_pages pages;
  std::uint32_t bo = 0;
  CHECK(create(client, pages.address() + 8, 4096, bo) == -EINVAL);
  CHECK(create(client, pages.address(), 100, bo) == -EINVAL);
  CHECK(create(client, ~std::uint64_t{4095}, 8192, bo) == -EINVAL);
  CHECK(create(client, pages.address(), 8192, bo, AMDXDNA_BO_CMD) == -EINVAL);
  REQUIRE(create(client, pages.address(), 8192, bo) == 0);
  const auto address = pages.address();
  const auto packet = context.kernel_packet(address);
  pages.unmap();
  CHECK(create(client, address, 8192, bo) == -EFAULT);
  CHECK(state_after(client, context, packet) == error);

  // What no emulator sends: no descriptor, one of something else, memory that is not there.
  const auto send = [&](shared::descriptor passed) {
    const std::array<std::uint64_t, 7> message{0, 1, 0, AMDXDNA_BO_SHARE, 0x1'ffff'ffff, 0x1000, 0x7fff'ffff'f000};
    const auto bytes = std::as_bytes(std::span(message));
    shared::message call{.kind = shared::request::ioctl, .values = {DRM_IOCTL_AMDXDNA_CREATE_BO}};
    call.payload.assign(bytes.begin(), bytes.end());
    call.passed = std::move(passed);
    return session->call(call)->result;
  };
  CHECK(send({}) == -EOPNOTSUPP);
  CHECK(send(shared::descriptor(::open("/dev/zero", O_RDWR | O_CLOEXEC))) == -EOPNOTSUPP);
  CHECK(send(emu::driver::process_memory::open()) == -EFAULT);
}
