// SPDX-License-Identifier: Apache-2.0
// Operations of the transaction stream and words of the shim BD, against words put together by hand from the layouts.
#include "npurt/detail/control_code.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "npurt/error.hpp"

using npurt::detail::control_code;
using npurt::detail::encode_shim_bd;
using npurt::detail::shim_bd;
using npurt::detail::shim_channel;
using words = std::vector<std::uint32_t>;

TEST_CASE("an empty stream is the header of an npu1 transaction", "[runtime][control_code]") {
  CHECK(control_code(4).finish() == words{0x06030100, 0x00000104, 0, 16});
  CHECK(control_code(1).finish() == words{0x06030100, 0x00000101, 0, 16});
}

// clang-format off: a line is an operation
TEST_CASE("a register write has six words and a masked one seven, the value before the mask", "[runtime][control_code]") {
  control_code code(4);
  code.write(0x1D204, 0x80010002);
  code.mask_write(0x1D210, 0xF00, 0x1F00);
  CHECK(std::move(code).finish() == words{0x06030100, 0x104, 2, 68,
                                          0, 0, 0x1D204, 0, 0x80010002, 24,
                                          3, 0, 0x1D210, 0, 0xF00, 0x1F00, 28});
}
// clang-format on

TEST_CASE("a linear descriptor is the one that mlir-aie writes", "[runtime][control_code]") {
  // {len, 0, 0, 0, 0x80000000, 0x02000000, 0, 0x02000000} in recorded streams.
  CHECK(encode_shim_bd({.length = 1024}) ==
        std::array<std::uint32_t, 8>{1024, 0, 0, 0, 0x80000000, 0x02000000, 0, 0x02000000});
}

TEST_CASE("every field of a descriptor stands where the manual has it", "[runtime][control_code]") {
  const shim_bd bd{.length = 0x12345678,
                   .d0_step = 2,
                   .d0_wrap = 1023,
                   .d1_step = 1u << 20,
                   .d1_wrap = 5,
                   .d2_step = 0x100,
                   .iteration_step = 0x801,
                   .iteration_wrap = 64};
  CHECK(encode_shim_bd(bd) ==
        std::array<std::uint32_t, 8>{0x12345678, 0, 0, 0x3FF00001, 0x805FFFFF, 0x020000FF, 0x03F00800, 0x02000000});
}

TEST_CASE("a descriptor whose values do not fit is refused by the field's name", "[runtime][control_code]") {
  const auto refused = [](const shim_bd& bd, const char* field) {
    CHECK_THROWS_MATCHES(encode_shim_bd(bd), npurt::error,
                         Catch::Matchers::MessageMatches(Catch::Matchers::ContainsSubstring(field)));
  };
  refused({.d0_step = (1u << 20) + 1}, "D0 step");
  refused({.d0_wrap = 1024}, "D0 wrap");
  refused({.d1_step = 0}, "D1 step");
  refused({.d1_wrap = 1024}, "D1 wrap");
  refused({.d2_step = (1u << 20) + 1}, "D2 step");
  refused({.iteration_step = 0}, "iteration step");
  refused({.iteration_wrap = 65}, "iteration wrap");
}

// clang-format off: a line is an operation
TEST_CASE("a descriptor is written and its address patched from a buffer", "[runtime][control_code]") {
  control_code code(1);
  code.write_bd(0, 15, {.length = 16}, 4, 0x40);
  CHECK(std::move(code).finish() == words{0x06030100, 0x101, 2, 112,
                                          1, 0, 0x1D1E0, 48, 16, 0, 0, 0, 0x80000000, 0x02000000, 0, 0x02000000,
                                          0x81, 48, 0, 0, 0, 0, 0x1D1E4, 0, 4, 0, 0x40, 0});
}

TEST_CASE("tasks and tokens name their column and channel", "[runtime][control_code]") {
  control_code code(4);
  code.push(0, shim_channel::s2mm_0, 3, 1, false);
  code.push(1, shim_channel::s2mm_1, 3, 1, false);
  code.push(0, shim_channel::mm2s_0, 15, 256, true);
  code.push(0, shim_channel::mm2s_1, 0, 2, true);
  code.wait_token(3, shim_channel::s2mm_1);
  code.wait_token(0, shim_channel::mm2s_0);
  const words stream = std::move(code).finish();
  CHECK(words(stream.begin() + 4, stream.end()) == words{0, 0, 0x1D204, 0, 0x00000003, 24,
                                                         0, 0, 0x201D20C, 0, 0x00000003, 24,
                                                         0, 0, 0x1D214, 0, 0x80FF000F, 24,
                                                         0, 0, 0x1D21C, 0, 0x80010000, 24,
                                                         0x80, 16, 0x30000, 0x01010100,
                                                         0x80, 16, 1, 0x00010100});
}
// clang-format on

TEST_CASE("a task that the queue register cannot hold is refused", "[runtime][control_code]") {
  control_code code(1);
  CHECK_THROWS_AS(code.push(0, shim_channel::mm2s_0, 0, 0, false), npurt::error);
  CHECK_THROWS_AS(code.push(0, shim_channel::mm2s_0, 0, 257, false), npurt::error);
  CHECK_THROWS_AS(code.push(0, shim_channel::mm2s_0, 16, 1, false), npurt::error);
  CHECK_THROWS_AS(code.write_bd(0, 16, {.length = 16}, 0, 0), npurt::error);
  CHECK(std::move(code).finish() == words{0x06030100, 0x101, 0, 16});
}
