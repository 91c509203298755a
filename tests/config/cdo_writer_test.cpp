// SPDX-License-Identifier: Apache-2.0
// CDO files word by word.
#include <catch2/catch_test_macros.hpp>

#include "config/cdo_writer.hpp"

using namespace npurt;
using form = config::register_write::form;
using words = std::vector<std::uint32_t>;

TEST_CASE("CDO files have the words of bootgen's format", "[config][cdo]") {
  const std::vector<config::register_write> writes{
      {.how = form::word, .address = 0x21F000, .value = 2, .data = {}},
      {.how = form::mask, .address = 0x232000, .mask = 1, .value = 1, .data = {}},
      {.how = form::block, .address = 0x21D000, .data = {7, 8}},
  };
  const words expected{4,          0x004F4443, 0x200,    15,       ~(4U + 0x004F4443 + 0x200 + 15),
                       0x00000111, 0x00030108, 0,        0x21F000, 2,
                       0x00040107, 0,          0x232000, 1,        1,
                       0x00040105, 0,          0x21D000, 7,        8};
  CHECK(config::write_cdo(writes) == expected);
}

TEST_CASE("lengths from 255 on take the long form", "[config][cdo]") {
  const auto length_words = [](std::size_t data) {
    const words cdo = config::write_cdo(
        std::vector<config::register_write>{{.how = form::block, .address = 0x220000, .data = words(data)}});
    return words{cdo[6], cdo[7]};
  };
  CHECK(length_words(252) == words{0x00FE0105, 0});
  CHECK(length_words(253) == words{0x00FF0105, 255});
  CHECK(length_words(1024) == words{0x00FF0105, 1026});
}
