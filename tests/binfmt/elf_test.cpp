// SPDX-License-Identifier: Apache-2.0
// The ELF segment reader on a file written out by hand (System V ABI, ELF32).
#include <catch2/catch_test_macros.hpp>

#include "binfmt/damage.hpp"
#include "binfmt/elf.hpp"
#include "binfmt/little_endian.hpp"

using namespace npurt;

namespace {

/// A program segment of 8 bytes at 0 and a data segment of 4 bytes, 16 in memory, at 0x70400.
std::vector<std::byte> example() {
  return binfmt::bytes_of(std::vector<std::uint32_t>{0x464C457F,
                                                     0x00010101,
                                                     0,
                                                     0,
                                                     264U << 16 | 2,
                                                     1,
                                                     0,
                                                     52,
                                                     0,
                                                     2,
                                                     32U << 16 | 52,
                                                     40U << 16 | 2,
                                                     0,  // ELF header
                                                     1,
                                                     116,
                                                     0,
                                                     0,
                                                     8,
                                                     8,
                                                     5,
                                                     16,  // PT_LOAD R+X
                                                     1,
                                                     124,
                                                     0x70400,
                                                     0x70400,
                                                     4,
                                                     16,
                                                     6,
                                                     4,  // PT_LOAD R+W
                                                     0x11111111,
                                                     0x22222222,
                                                     0x33333333});
}
const auto reader = [](std::span<const std::byte> bytes) { return binfmt::read_elf_segments(bytes); };

}  // namespace

TEST_CASE("loadable segments are read", "[binfmt][elf]") {
  const std::vector<std::byte> file = example();
  const auto segments = binfmt::read_elf_segments(file);
  REQUIRE(segments.size() == 2);
  CHECK(segments[0].executable);
  CHECK(segments[0].address == 0);
  CHECK(binfmt::words_of(segments[0].data) == std::vector<std::uint32_t>{0x11111111, 0x22222222});
  CHECK_FALSE(segments[1].executable);
  CHECK(segments[1].address == 0x70400);
  CHECK(segments[1].memory_size == 16);
  CHECK(binfmt::words_of(segments[1].data) == std::vector<std::uint32_t>{0x33333333});
}

TEST_CASE("files that are no AIE program are refused", "[binfmt][elf]") {
  std::vector<std::byte> other_machine = example();
  other_machine[18] = std::byte{62};
  CHECK(test::refused(reader, other_machine));
  std::vector<std::byte> big_endian = example();
  big_endian[5] = std::byte{2};
  CHECK(test::refused(reader, big_endian));
  std::vector<std::byte> too_full = example();
  too_full[52 + 20] = std::byte{4};  // memory size below file size
  CHECK(test::refused(reader, too_full));
}

TEST_CASE("truncated and damaged ELF files give nothing but format errors", "[binfmt][elf]") {
  CHECK(test::accepted_prefixes(reader, example()) == 0);
  CHECK(test::refused_mutations(reader, example(), 5000) > 0);
}
