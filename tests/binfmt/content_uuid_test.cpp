// SPDX-License-Identifier: Apache-2.0
// Name-based UUIDs against those of Python's uuid.uuid5 in the same namespace.
#include "binfmt/content_uuid.hpp"

#include <string>

#include <catch2/catch_test_macros.hpp>

using namespace npurt::binfmt;

TEST_CASE("content UUIDs are those of uuid.uuid5(UUID('c0e44ffa-898e-4023-9539-f24b09a51612'), content)",
          "[binfmt][content_uuid]") {
  CHECK(to_text(uuid_of("")) == "d259d149-071b-51b2-b009-a6d758e49a9c");
  CHECK(to_text(uuid_of("abc")) == "3ffe80be-dc06-5c82-ac77-70027ef233c6");
  CHECK(to_text(uuid_of(std::string(1000000, 'a'))) == "ec7cceb6-b8a2-508f-8f4e-57cc4c233cdc");
}

TEST_CASE("bytes are written as two digits each", "[binfmt][content_uuid]") {
  constexpr std::array bytes{std::byte{0x00}, std::byte{0x1F}, std::byte{0xA0}};
  CHECK(to_hex(bytes) == "001fa0");
}
