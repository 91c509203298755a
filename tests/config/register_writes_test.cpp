// SPDX-License-Identifier: Apache-2.0
// The register writes of a description, in the order of real PDIs.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "binfmt/format_error.hpp"
#include "config/designs.hpp"
#include "config/register_writes.hpp"

using namespace npurt;
using config::register_write;
using form = config::register_write::form;

namespace {

using words = std::vector<std::uint32_t>;

bool is_mask(const register_write& w, std::uint32_t address, std::uint32_t mask, std::uint32_t value) {
  return w.how == form::mask && w.address == address && w.mask == mask && w.value == value;
}
bool is_word(const register_write& w, std::uint32_t address, std::uint32_t value) {
  return w.how == form::word && w.address == address && w.value == value;
}

const register_write& at(const std::vector<register_write>& writes, std::uint32_t address) {
  const auto found = std::ranges::find(writes, address, &register_write::address);
  REQUIRE(found != writes.end());
  return *found;
}

}  // namespace

TEST_CASE("cores are stopped, channels held in reset, and the program loaded", "[config][register_writes]") {
  const auto program = config::to_register_writes(test::one_core());
  REQUIRE(program.elfs.size() == 10);
  CHECK(is_mask(program.elfs[0], 0x232000, 1, 0));
  const std::uint32_t ctrl[]{0x21DE00, 0x21DE08, 0x21DE10, 0x21DE18};
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(is_mask(program.elfs[1 + i], ctrl[i], 2, 2));
    CHECK(is_mask(program.elfs[6 + i], ctrl[i], 2, 0));
  }
  CHECK(program.elfs[5].how == form::block);
  CHECK(program.elfs[5].address == 0x220000);
  CHECK(program.elfs[5].data == words{0x11, 0x22, 0x33, 0x44});
}

TEST_CASE("the core is reset and its locks are set before anything runs", "[config][register_writes]") {
  const auto init = config::to_register_writes(test::one_core()).init;
  CHECK(is_mask(init[0], 0x232000, 2, 2));
  CHECK(is_mask(init[1], 0x232000, 2, 0));
  for (std::uint32_t lock = 0; lock < 16; ++lock) {
    CHECK(is_word(init[2 + lock], 0x21F000 + 0x10 * lock, 0));
  }
  CHECK(is_word(init[18], 0x21F000, 1));
  CHECK(is_word(init[19], 0x21F010, 0));
  CHECK(init[20].address == 0x21D060);
}

TEST_CASE("BDs, task, switches and mux have the words of the register database", "[config][register_writes]") {
  const auto init = config::to_register_writes(test::one_core()).init;
  // Address 0x400 in words, 16 words; next BD 3, valid, release 1 to lock 1, acquire -1 from lock 0.
  CHECK(at(init, 0x21D060).data ==
        words{0x100U << 14 | 16, 0, 0, 0, 0,
              3U << 27 | 1U << 26 | 1U << 25 | 1U << 18 | 1U << 13 | 1U << 12 | 0x7FU << 5 | 0});
  CHECK(is_word(at(init, 0x21DE0C), 0x21DE0C, 3));         // S2MM 1 starts BD 3
  CHECK(is_word(at(init, 0x3F100), 0x3F100, 0xC0000000));  // TileControl carries packets
  CHECK(is_word(at(init, 0x3F200), 0x3F200, 0x0F1F0100));  // id 15, mask 31
  CHECK(is_word(at(init, 0x3F008), 0x3F008, 0xC0000008));  // South 0, header kept
  CHECK(is_word(at(init, 0x3F114), 0x3F114, 0x80000000));  // slave South 3, number 5
  CHECK(is_mask(init.back(), 0x1F000, 0xC00, 0x400));      // MM2S 0 into the switch by South 3
}

TEST_CASE("cores start last", "[config][register_writes]") {
  const auto enable = config::to_register_writes(test::one_core()).enable;
  REQUIRE(enable.size() == 1);
  CHECK(is_mask(enable[0], 0x232000, 1, 1));
}

TEST_CASE("memtile BDs address their own memory and locks in the middle of three windows",
          "[config][register_writes]") {
  config::array_description d = test::one_core();
  d.memory.push_back({{0, 1}, "m", 0x1000, 64});
  d.locks.push_back({{0, 1}, 2, 1});
  d.locks.push_back({{0, 1}, 3, 0});
  d.transfers.push_back({{0, 1},
                         24,
                         "m",
                         {.address = 4,
                          .length = 8,
                          .acquire_enable = true,
                          .acquire_lock = 2,
                          .acquire_value = -1,
                          .release_lock = 3,
                          .release_value = 1}});
  d.starts.push_back({{0, 1}, aie::dma_direction::mm2s, 1, {.bd = 24}});
  const auto init = config::to_register_writes(d).init;
  CHECK(at(init, 0x1A0300).data ==
        words{8, (0x80000 + 0x1004) / 4, 0, 0, 0, 0, 0, 1U << 31 | 1U << 24 | 67U << 16 | 1U << 15 | 0x7FU << 8 | 66});
  CHECK(is_word(at(init, 0x1A063C), 0x1A063C, 24));
  CHECK(is_word(at(init, 0x1C0020), 0x1C0020, 1));
}

TEST_CASE("initial contents and data segments go to the memory they belong to", "[config][register_writes]") {
  config::array_description d = test::one_core();
  d.memory[0].initial = binfmt::bytes_of(words{0xAA, 0xBB});
  CHECK(at(config::to_register_writes(d).init, 0x200400).data == words{0xAA, 0xBB});

  // A data segment instead of code: 8 bytes at 0x70800, 16 in memory.
  std::vector<std::byte> elf = test::program_elf({0x55, 0x66});
  auto file = binfmt::words_of(elf);
  file[16] = 0x70800;  // p_paddr
  file[18] = 16;       // p_memsz
  file[19] = 6;        // read and write
  d.programs[0].elf = binfmt::bytes_of(file);
  CHECK(at(config::to_register_writes(d).init, 0x200800).data == words{0x55, 0x66, 0, 0});

  file[16] = 0x60800;  // the tile above
  d.programs[0].elf = binfmt::bytes_of(file);
  CHECK(at(config::to_register_writes(d).init, 0x300800).data == words{0x55, 0x66, 0, 0});

  for (const std::uint32_t bad : {0x40800U, 0x50800U, 0x30000U, 0x80000U, 0x7FFFCU}) {
    file[16] = bad;
    d.programs[0].elf = binfmt::bytes_of(file);
    INFO(bad);
    CHECK(test::config_error_of([&] { config::to_register_writes(d); }).find("data segment") != std::string::npos);
  }
}

TEST_CASE("programs that do not fit or are none are refused", "[config][register_writes]") {
  config::array_description d = test::one_core();
  d.programs[0].elf = test::program_elf(words(4097));
  CHECK(test::config_error_of([&] { config::to_register_writes(d); }).find("program memory") != std::string::npos);
  d.programs[0].elf.resize(10);
  CHECK_THROWS_AS(config::to_register_writes(d), binfmt::format_error);
}

TEST_CASE("a BD field that does not fit is refused with its tile", "[config][register_writes]") {
  config::array_description d = test::one_core();
  d.transfers[0].descriptor.packet_id = 32;
  const std::string message = test::config_error_of([&] { config::to_register_writes(d); });
  CHECK(message.find("tile (0,2): BD 3") != std::string::npos);
  CHECK(message.find("packet_id") != std::string::npos);
}
