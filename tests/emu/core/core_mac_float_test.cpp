// SPDX-License-Identifier: Apache-2.0
// bf16 products and fp32 accumulation: exact cases worked out by hand, and the alignment of small terms.
#include "core_bench.hpp"

using namespace npurt::test;

namespace {

const std::string tail = "\nnop\nnop\nnop\nnop\nnop\nnop\nnop\ndone\nnop\nnop\nnop\nnop\nnop\n";

void fill_bf16(core_bench& bench, std::string_view name, std::uint16_t value) {
  for (std::size_t i = 0; i < 32; ++i) {
    std::memcpy(bench.core.reg(name).data() + 2 * i, &value, sizeof value);
  }
}

constexpr std::uint16_t one = 0x3F80, two = 0x4000, infinity = 0x7F80;

}  // namespace

TEST_CASE("a bf16 matrix step adds eight products a lane", "[emu][core][mac]") {
  core_bench bench("vmac.f bml0, bml1, x0, x1, r0" + tail);
  fill_bf16(bench, "x0", one);
  fill_bf16(bench, "x1", two);
  bench.set("amll1", 0x3F800000);
  bench.set("r0", 28);
  bench.run();
  CHECK(bench.reg("amll0") == 0x41880000);  // 1 + 8 * 1 * 2 = 17
  CHECK(bench.reg("amlh0") == 0x41800000);  // 0 + 16
  CHECK(bench.core.counters().macs == 128);
}

TEST_CASE("elementwise bf16 adds the products of both halves", "[emu][core][mac]") {
  core_bench bench("vmul.f bml0, x0, x1, r0" + tail);
  fill_bf16(bench, "x0", two);
  fill_bf16(bench, "x1", two);
  bench.set("r0", 60);
  bench.run();
  CHECK(bench.reg("amll0") == 0x41000000);  // 2 * 2 + 2 * 2 = 8
}

TEST_CASE("terms far below the largest lose their bits before the sum", "[emu][core][mac]") {
  // Eight products of 1 beside an accumulator of 2^25: aligned to 23 fraction bits, each is 2^-2 of the last place: 0.
  core_bench bench("vmac.f bml0, bml1, x0, x1, r0" + tail);
  fill_bf16(bench, "x0", one);
  fill_bf16(bench, "x1", one);
  bench.set("amll1", 0x4C000000);
  bench.set("r0", 28);
  bench.run();
  CHECK(bench.reg("amll0") == 0x4C000000);
}

TEST_CASE("infinity minus infinity is no number, infinity alone stays", "[emu][core][mac]") {
  core_bench bench("vmac.f bml0, bml1, x0, x1, r0" + tail);
  fill_bf16(bench, "x0", infinity);
  fill_bf16(bench, "x1", one);
  bench.set("amll1", 0xFF800000);
  bench.set("r0", 28);
  bench.run();
  CHECK((bench.reg("amll0") & 0x7FFFFFFF) > 0x7F800000);
  CHECK(bench.reg("amlh0") == 0x7F800000);
}

TEST_CASE("fp32 accumulators are added and subtracted lane by lane", "[emu][core][mac]") {
  // r0 = 4: amode 2.
  core_bench bench("vadd.f bml0, bml1, bml2, r0\nvsub.f bml3, bml1, bml2, r0" + tail);
  bench.set("amll1", 0x40A00000);  // 5
  bench.set("amll2", 0x40000000);  // 2
  bench.set("r0", 4);
  bench.run();
  CHECK(bench.reg("amll0") == 0x40E00000);  // 7
  CHECK(bench.reg("amll3") == 0x40400000);  // 3
}
