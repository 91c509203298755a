// SPDX-License-Identifier: Apache-2.0
// The PDI reader against the header words of 38 real PDIs.
#include <catch2/catch_test_macros.hpp>
#include <string>

#include "binfmt/damage.hpp"
#include "binfmt/little_endian.hpp"
#include "binfmt/pdi.hpp"

using namespace npurt;
using binfmt::bytes_of;

namespace {

std::uint32_t inverted(std::span<const std::uint32_t> words) {
  std::uint32_t sum = 0;
  for (const auto w : words) {
    sum += w;
  }
  return ~sum;
}

/// A PDI whose CDO has one NOP, 6 words, padded to 8. The two first checksums are those of real files.
std::vector<std::uint32_t> example() {
  std::vector<std::uint32_t> w{0x000000DD, 0x11223344, 0x55667788, 0x99AABBCC,
                               // Image header table.
                               0x00040000, 1, 0x24, 1, 0x34, 0, 0x14CA8093, 0, 0, 0, 0x50504449, 0x00201020, 0x30, 0, 0,
                               0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x9AC12A78,
                               // Image header.
                               0x34, 1, 0, 0, 0x5F656961, 0x67616D69, 0x65, 0, 0x1C000000, 0, 0, 0, 0, 0, 0, 0x1D39289B,
                               // Partition header, its checksum filled in below.
                               8, 6, 8, 0, 0, 0, 0xFFFFFFFF, 0xFFFFFFFF, 0x54, 0x02000006, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                               0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                               // CDO, its checksum filled in below.
                               4, 0x004F4443, 0x200, 1, 0, 0x111, 0, 0};
  w[83] = inverted(std::span(w).subspan(52, 31));
  w[88] = inverted(std::span(w).subspan(84, 4));
  return w;
}

const auto reader = [](std::span<const std::byte> bytes) { return binfmt::read_pdi(bytes); };

/// Changes a word of the partition header and mends its checksum.
std::vector<std::byte> with_partition_word(std::size_t index, std::uint32_t value) {
  std::vector<std::uint32_t> words = example();
  words[52 + index] = value;
  words[83] = inverted(std::span(words).subspan(52, 31));
  return bytes_of(words);
}

}  // namespace

TEST_CASE("a PDI with the header words of real files is read", "[binfmt][pdi]") {
  const binfmt::pdi pdi = binfmt::read_pdi(bytes_of(example()));
  CHECK(pdi.id_code == 0x14CA8093);
  CHECK(pdi.extended_id_code == 1);
  CHECK(pdi.image_id == 0x1C000000);
  CHECK(pdi.image_name == "aie_image");
  CHECK(pdi.cdo.size() == 6);
  CHECK(pdi.cdo.back() == 0x111);
}

TEST_CASE("every truncated PDI is refused", "[binfmt][pdi]") {
  CHECK(test::accepted_prefixes(reader, bytes_of(example())) == 0);
}

TEST_CASE("a PDI with one flipped bit in a header is refused", "[binfmt][pdi]") {
  const std::vector<std::byte> good = bytes_of(example());
  for (std::size_t bit = 0; bit < 0x150 * 8; ++bit) {
    std::vector<std::byte> damaged = good;
    damaged[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    INFO("bit " << bit);
    REQUIRE(test::refused(reader, damaged));
  }
}

TEST_CASE("a PDI with right checksums and wrong contents is refused", "[binfmt][pdi]") {
  CHECK(test::refused(reader, with_partition_word(1, 9)));           // used more than total
  CHECK(test::refused(reader, with_partition_word(1, 4)));           // shorter than a CDO header
  CHECK(test::refused(reader, with_partition_word(2, 9)));           // encrypted length differs
  CHECK(test::refused(reader, with_partition_word(8, 0x40000000)));  // far outside
  CHECK(test::refused(reader, with_partition_word(9, 0x01000006)));  // an ELF partition
  std::vector<std::byte> longer = bytes_of(example());
  longer.resize(longer.size() + 16);
  CHECK(test::refused(reader, longer));
}

TEST_CASE("an error says where in the PDI it is", "[binfmt][pdi]") {
  std::vector<std::uint32_t> words = example();
  words[35] ^= 1;
  try {
    binfmt::read_pdi(bytes_of(words));
    FAIL("accepted");
  } catch (const binfmt::format_error& e) {
    CHECK(e.offset() == 35 * 4);
    CHECK(std::string(e.what()).find("image header table checksum") != std::string::npos);
  }
}
