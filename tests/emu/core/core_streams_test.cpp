// SPDX-License-Identifier: Apache-2.0
// Stream words and the cascade: blocking moves.
#include "core_bench.hpp"

using namespace npurt::test;
using npurt::emu::stall;

TEST_CASE("a stream read waits for its word and delivers it like a load", "[emu][core][stream]") {
  core_bench bench("mov r1, SS\n" + ending(8));
  bench.core.run(100);
  CHECK(bench.core.waiting() == stall::stream_in);
  bench.ports.stream_in.push_back({1234, false});
  bench.run();
  CHECK(bench.reg("r1") == 1234);
}

TEST_CASE("stream writes wait for room and carry tlast", "[emu][core][stream]") {
  core_bench bench("mova r1, #17\nmov ms, r1\nmov.tlast ms, r1\n" + ending(8));
  bench.ports.stream_room = 1;
  bench.core.run(100);
  CHECK(bench.core.waiting() == stall::stream_out);
  bench.ports.stream_room = 1;
  bench.run();
  CHECK(bench.ports.stream_out == std::vector<std::pair<std::uint32_t, bool>>{{17, false}, {17, true}});
}

TEST_CASE("the cascade moves 512 bits in and out", "[emu][core][stream]") {
  core_bench bench("vmov x0, SCD\nnop\nnop\nnop\nnop\nnop\nnop\nvmov MCD, x0\n" + ending(8));
  bench.core.run(100);
  CHECK(bench.core.waiting() == stall::cascade_in);
  std::array<std::byte, 64> value;
  for (std::size_t i = 0; i < value.size(); ++i) {
    value[i] = static_cast<std::byte>(3 * i);
  }
  bench.ports.cascade_in.push_back(value);
  bench.run();
  REQUIRE(bench.ports.cascade_out.size() == 1);
  CHECK(bench.ports.cascade_out[0] == value);
}
