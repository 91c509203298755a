// SPDX-License-Identifier: Apache-2.0
// How far control code reaches into its buffers, against sizes computed by hand.
#include "runtime/argument_extents.hpp"

#include <catch2/catch_test_macros.hpp>

#include "npurt/detail/control_code.hpp"

using npurt::detail::argument_extents;
using npurt::detail::control_code;
using npurt::detail::shim_bd;
using npurt::detail::shim_channel;

namespace {

using extents = std::vector<std::uint64_t>;

/// Bytes that `runs` of one descriptor on argument 0 reach.
std::uint64_t reach(const shim_bd& bd, unsigned runs = 1, std::uint32_t offset = 0) {
  control_code code(1);
  code.write_bd(0, 3, bd, 0, offset);
  code.push(0, shim_channel::mm2s_1, 3, runs, false);
  return argument_extents(std::move(code).finish()).at(0);
}

}  // namespace

TEST_CASE("the matmul reaches exactly the ends of its matrices", "[runtime][argument_extents]") {
  CHECK(argument_extents(npurt::detail::matmul_control_code({256, 512, 256})) ==
        extents{256 * 256, 256 * 512, 256 * 512 * 4});
  CHECK(argument_extents(npurt::detail::matmul_control_code({256, 4096, 64})) ==
        extents{256 * 64, 64 * 4096, 256 * 4096 * 4});
}

TEST_CASE("a linear descriptor reaches its length behind its offset", "[runtime][argument_extents]") {
  CHECK(reach({.length = 100}) == 400);
  CHECK(reach({.length = 100}, 1, 48) == 448);
}

TEST_CASE("steps and wraps reach the last element that they visit", "[runtime][argument_extents]") {
  // Words 0 1 2, 10 11 12, then 100 101: the last but one row is the furthest within its plane.
  CHECK(reach({.length = 6, .d0_wrap = 3, .d1_step = 10, .d1_wrap = 2, .d2_step = 100}) == 4 * 13);
  CHECK(reach({.length = 8, .d0_wrap = 3, .d1_step = 10, .d1_wrap = 2, .d2_step = 100}) == 4 * 102);
  // 0 50 100, then 1 51: an inner dimension that is the furthest.
  CHECK(reach({.length = 5, .d0_step = 50, .d0_wrap = 3, .d1_step = 1}) == 4 * 101);
}

TEST_CASE("the iteration counts as often as the descriptor runs", "[runtime][argument_extents]") {
  const shim_bd bd{.length = 4, .iteration_step = 16, .iteration_wrap = 3};
  CHECK(reach(bd, 1) == 16);
  CHECK(reach(bd, 2) == 16 + 64);
  CHECK(reach(bd, 9) == 16 + 2 * 64);
}

TEST_CASE("a descriptor that is never queued reaches nothing", "[runtime][argument_extents]") {
  control_code code(1);
  code.write_bd(0, 3, {.length = 100}, 0, 0);
  CHECK(argument_extents(std::move(code).finish()).empty());
}

TEST_CASE("a stream that cannot be read tells nothing", "[runtime][argument_extents]") {
  CHECK(argument_extents(std::vector<std::uint32_t>{0x06030100, 0x101, 1, 20, 0x7F}).empty());
  CHECK(argument_extents(std::vector<std::uint32_t>{}).empty());
}
