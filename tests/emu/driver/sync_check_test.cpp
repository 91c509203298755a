// SPDX-License-Identifier: Apache-2.0
// Strict mode: which forgotten syncs of a buffer object are told.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "emu/driver/driver_fixture.hpp"
#include "emu/driver/log.hpp"
#include "emu/driver/sync_check.hpp"

using namespace npurt::tests;
using Catch::Matchers::ContainsSubstring;
using npurt::emu::driver::byte_ranges;
using npurt::emu::driver::log_sink;
using npurt::emu::driver::log_to;
using npurt::emu::driver::sync_check;

namespace {

/// A page that the program shares with the device, and what is told of it.
struct shared_page {
  shared_page() {
    log_to(told_);
    check->synced_to_device(0, memory.size());
  }
  ~shared_page() { log_to(nullptr); }
  std::string told() { return told_->take(); }
  void change(std::size_t at) { memory[at] ^= std::byte{1}; }

  std::vector<std::byte> memory = std::vector<std::byte>(4096);
  std::optional<sync_check> check{std::in_place, "the page", std::span<const std::byte>(memory)};

 private:
  std::shared_ptr<log_sink> told_ = std::make_shared<log_sink>();
};

}  // namespace

TEST_CASE("there is no room for copies of all that a program may ask for", "[emu][driver][strict]") {
  constexpr std::uint64_t mebibyte = 1 << 20;
  REQUIRE(sync_check::has_room(512 * mebibyte));
  CHECK_FALSE(sync_check::has_room(512 * mebibyte + 1));
  CHECK_FALSE(sync_check::has_room(~std::uint64_t{0}));
  const shared_page one;
  CHECK_FALSE(sync_check::has_room(512 * mebibyte));
  CHECK(sync_check::has_room(512 * mebibyte - one.memory.size()));
}

TEST_CASE("ranges are joined, cut and found as their bytes are", "[emu][driver][strict]") {
  byte_ranges ranges;
  std::array<bool, 64> bytes{};
  std::uint32_t random = 1;
  const auto next = [&] { return (random = random * 1664525u + 1013904223u) >> 26; };
  for (int i = 0; i < 2000; ++i) {
    const auto [start, end] = std::minmax({next(), next()});
    const bool adds = next() % 2 == 0;
    if (adds) ranges.add(start, end);
    if (!adds) ranges.remove(start, end);
    std::fill(bytes.begin() + start, bytes.begin() + end, adds);
    std::array<bool, 64> held{};
    std::uint64_t last = 64;
    for (const auto& [from, to] : ranges.all()) {
      REQUIRE(from < to);
      REQUIRE(from != last);  // neighbours are one
      last = to;
      std::fill(held.begin() + static_cast<int>(from), held.begin() + static_cast<int>(to), true);
    }
    REQUIRE(held == bytes);
    const auto [low, high] = std::minmax({next(), next()});
    REQUIRE(ranges.overlaps(low, high) ==
            std::any_of(bytes.begin() + low, bytes.begin() + high, [](bool b) { return b; }));
  }
}

TEST_CASE("a command that reads what was changed after the last sync is told of, once per sync",
          "[emu][driver][strict]") {
  shared_page page;
  page.check->device_reads(0, 4096);
  CHECK(page.told().empty());
  page.change(100);
  page.change(107);
  page.check->device_reads(0, 100);
  page.check->device_reads(108, 1000);
  CHECK(page.told().empty());
  page.check->device_reads(64, 128);
  CHECK_THAT(page.told(), ContainsSubstring("reads bytes 64 to 191 of the page; the program changed 100 to 107"));
  page.check->device_reads(64, 128);
  CHECK(page.told().empty());
  page.check->synced_to_device(0, 107);
  page.check->device_reads(64, 128);
  CHECK_THAT(page.told(), ContainsSubstring("changed 107 to 107"));
  page.check->synced_to_device(64, 64);
  page.check->device_reads(64, 128);
  CHECK(page.told().empty());
}

TEST_CASE("what commands wrote is not the program's change, before and after it is synced", "[emu][driver][strict]") {
  shared_page page;
  page.check->device_writes(0, 256);
  page.change(10);
  page.check->device_reads(0, 4096);
  CHECK(page.told().empty());
  page.check->device_writes(0, 256);
  page.change(11);
  page.change(300);  // the program's, which a sync from the device does not carry over
  page.check->synced_from_device(0, 4096);
  page.check->device_reads(0, 256);
  CHECK(page.told().empty());
  page.change(12);
  page.check->device_reads(0, 256);
  CHECK_THAT(page.told(), ContainsSubstring("changed 12 to 12"));
  page.check->synced_to_device(0, 256);
  page.check->device_reads(0, 4096);
  CHECK_THAT(page.told(), ContainsSubstring("changed 300 to 300"));
}

TEST_CASE("results that nobody takes are told of at the buffer's end", "[emu][driver][strict]") {
  shared_page page;
  page.check->device_writes(1024, 512);
  SECTION("neither synced nor read") {
    page.check->device_reads(0, 1024);
    page.check.reset();
    CHECK_THAT(page.told(), ContainsSubstring("the page ends; commands wrote its bytes 1024 to 1535"));
  }
  SECTION("synced from the device") {
    page.check->synced_from_device(0, 4096);
    page.check.reset();
    CHECK(page.told().empty());
  }
  SECTION("read by a later command") {
    page.check->device_reads(1500, 100);
    page.check.reset();
    CHECK(page.told().empty());
  }
  SECTION("memory with other handles") {
    page.check->give_up();
    page.change(3);
    page.check->device_reads(0, 4096);
    page.check.reset();
    CHECK(page.told().empty());
  }
}

TEST_CASE("strict mode hears of the syncs of a client and of what its commands touch", "[emu][driver][strict]") {
  npurt::emu::driver::options strict;
  strict.strict = true;
  const auto told = std::make_shared<log_sink>();
  log_to(told);
  {
    test_client client(make_device(strict));
    running_context context(client);
    const auto handle = client.bo(AMDXDNA_BO_SHARE, 4096);
    auto* memory = client.map(handle, 4096);
    amdxdna_drm_sync_bo sync{.handle = handle, .direction = SYNC_DIRECT_TO_DEVICE, .offset = 0, .size = 4096};
    REQUIRE(client.ioctl(DRM_IOCTL_AMDXDNA_SYNC_BO, sync) == 0);
    npurt::tests::on_execute([&](const npurt::emu::npu_command&, npurt::emu::device_memory& device) {
      device.translate(reinterpret_cast<std::uint64_t>(memory), 4096, npurt::emu::memory_access::read);
      return npurt::emu::command_result{};
    });
    const auto run = [&] {
      std::uint64_t seq = 0;
      REQUIRE(client.exec(context.hwctx, context.kernel_packet().handle, seq) == 0);
      REQUIRE(client.wait(context.hwctx, seq) == 0);
    };
    run();
    CHECK(told->take().empty());
    memory[17] = std::byte{1};
    run();
    CHECK_THAT(told->take(),
               ContainsSubstring("of the SHARE buffer object of 4096 bytes; the program changed 17 to 17"));
    REQUIRE(client.ioctl(DRM_IOCTL_AMDXDNA_SYNC_BO, sync) == 0);
    run();
    CHECK(told->take().empty());
  }
  log_to(nullptr);
}
