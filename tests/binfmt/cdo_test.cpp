// SPDX-License-Identifier: Apache-2.0
// The CDO reader, command by command; layouts from bootgen's cdo-binary.c.
#include <catch2/catch_test_macros.hpp>
#include <vector>

#include "binfmt/cdo.hpp"

using namespace npurt::binfmt;

namespace {

std::vector<std::uint32_t> cdo_of(std::vector<std::uint32_t> commands, std::uint32_t magic = 0x004F4443) {
  const auto length = static_cast<std::uint32_t>(commands.size());
  const std::uint32_t header[]{4, magic, 0x200, length, ~(4 + magic + 0x200 + length)};
  commands.insert(commands.begin(), std::begin(header), std::end(header));
  return commands;
}

cdo_command only(const std::vector<std::uint32_t>& words) {
  cdo_reader reader(words);
  const auto command = reader.next();
  REQUIRE(command);
  CHECK_FALSE(reader.next());
  return *command;
}

bool refused(const std::vector<std::uint32_t>& words) {
  try {
    cdo_reader reader(words);
    while (reader.next()) {
    }
  } catch (const format_error&) {
    return true;
  }
  return false;
}

}  // namespace

TEST_CASE("32-bit CDO commands are decoded", "[binfmt][cdo]") {
  const auto write = cdo_of({0x00020103, 0x0021F000, 2});
  CHECK(only(write).op == cdo_op::write);
  CHECK(only(write).address == 0x0021F000);
  CHECK(only(write).value == 2);
  CHECK(only(write).offset == 20);

  const auto mask_write = cdo_of({0x00030102, 0x00232000, 1, 3});
  CHECK(only(mask_write).op == cdo_op::mask_write);
  CHECK(only(mask_write).mask == 1);
  CHECK(only(mask_write).value == 3);

  const auto poll = cdo_of({0x00050101, 0x1000, 0xF, 5, 1000, 7});
  CHECK(only(poll).op == cdo_op::mask_poll);
  CHECK(only(poll).address == 0x1000);
  CHECK(only(poll).mask == 0xF);
  CHECK(only(poll).value == 5);
  CHECK(only(poll).count == 1000);
  CHECK(only(poll).flags == 7);

  const auto delay = cdo_of({0x00010104, 99});
  CHECK(only(delay).op == cdo_op::delay);
  CHECK(only(delay).count == 99);
  const auto nop = cdo_of({0x00020111, 1, 2});
  CHECK(only(nop).op == cdo_op::nop);
}

TEST_CASE("64-bit CDO commands are decoded, upper half first", "[binfmt][cdo]") {
  const auto write = cdo_of({0x00030108, 1, 2, 3});
  CHECK(only(write).address == 0x100000002);
  CHECK(only(write).value == 3);
  const auto mask_write = cdo_of({0x00040107, 0, 0x232000, 2, 4});
  CHECK(only(mask_write).address == 0x232000);
  CHECK(only(mask_write).mask == 2);
  CHECK(only(mask_write).value == 4);
  const auto poll = cdo_of({0x00050106, 0, 0x10, 1, 2, 3});
  CHECK(only(poll).mask == 1);
  CHECK(only(poll).value == 2);
  CHECK(only(poll).count == 3);
  const auto transfer = cdo_of({0x00060109, 0, 1, 0, 2, 3, 4});
  CHECK(only(transfer).source == 1);
  CHECK(only(transfer).address == 2);
  CHECK(only(transfer).count == 3);
  CHECK(only(transfer).flags == 4);
  const auto set = cdo_of({0x0004010C, 0, 8, 16, 0xAB});
  CHECK(only(set).count == 16);
  CHECK(only(set).value == 0xAB);
  const auto keyhole = cdo_of({0x0004010D, 0, 8, 4, 0xCD});
  CHECK(only(keyhole).count == 4);
  CHECK(only(keyhole).data.size() == 1);
}

TEST_CASE("DMA_WRITE has an address and data, in the short and in the long form", "[binfmt][cdo]") {
  const auto short_form = cdo_of({0x00040105, 0, 0x21D000, 0xA, 0xB});
  CHECK(only(short_form).address == 0x21D000);
  REQUIRE(only(short_form).data.size() == 2);
  CHECK(only(short_form).data[1] == 0xB);

  std::vector<std::uint32_t> commands{0x00FF0105, 302, 0, 0x220000};
  commands.resize(4 + 300, 0x77);
  const auto long_form = cdo_of(commands);
  CHECK(only(long_form).data.size() == 300);
  CHECK(only(long_form).data[299] == 0x77);
}

TEST_CASE("an end mark ends the commands", "[binfmt][cdo]") {
  for (const std::uint32_t mark : {0x100U, 0xFFFFFFFFU}) {
    const auto words = cdo_of({0x111, mark, 0x12345678});
    cdo_reader reader(words);
    CHECK(reader.next());
    CHECK_FALSE(reader.next());
    CHECK_FALSE(reader.next());
  }
}

TEST_CASE("both magic words of CDO headers are accepted, others are not", "[binfmt][cdo]") {
  CHECK_FALSE(refused(cdo_of({0x111}, 0x004F4443)));
  CHECK_FALSE(refused(cdo_of({0x111}, 0x584C4E58)));
  CHECK(refused(cdo_of({0x111}, 0x12345678)));
}

TEST_CASE("broken CDO headers are refused", "[binfmt][cdo]") {
  const auto good = cdo_of({0x00020103, 1, 2});
  REQUIRE_FALSE(refused(good));
  for (std::size_t bit = 0; bit < 5 * 32; ++bit) {
    auto damaged = good;
    damaged[bit / 32] ^= 1U << bit % 32;
    INFO("bit " << bit);
    REQUIRE(refused(damaged));
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    REQUIRE(refused({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)}));
  }
}

TEST_CASE("malformed CDO commands are refused", "[binfmt][cdo]") {
  CHECK(refused(cdo_of({0x00020119, 1, 2})));        // MARKER: not for the array
  CHECK(refused(cdo_of({0x00020203, 1, 2})));        // another handler
  CHECK(refused(cdo_of({0x01020103, 1, 2})));        // reserved bits
  CHECK(refused(cdo_of({0x00010103, 1})));           // WRITE without value
  CHECK(refused(cdo_of({0x00030103, 1, 2, 3})));     // WRITE with too much
  CHECK(refused(cdo_of({0x00020103, 1})));           // announced more than is there
  CHECK(refused(cdo_of({0x00010105, 0})));           // DMA_WRITE without address
  CHECK(refused(cdo_of({0x00FF0105})));              // long form without length
  CHECK(refused(cdo_of({0x00FF0105, 0xFFFFFFFF})));  // longer than the file
  CHECK(refused(cdo_of({0x00030101, 1, 2, 3})));     // MASK_POLL without time limit
}
