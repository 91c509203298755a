// SPDX-License-Identifier: Apache-2.0
// Contexts, compute units, reloading.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "emu/firmware/program.hpp"

using namespace npurt;
using namespace npurt::emu::testing;
using Catch::Matchers::ContainsSubstring;
using emu::command_outcome;

TEST_CASE("there are six contexts of one to four columns", "[emu][firmware]") {
  host_memory host;
  emu::npu npu(host);
  CHECK_FALSE(npu.create_context(0).has_value());
  CHECK_FALSE(npu.create_context(5).has_value());
  std::vector<emu::context_id> contexts;
  for (unsigned columns : {4u, 1u, 2u, 3u, 1u, 4u}) contexts.push_back(npu.create_context(columns).value());
  CHECK_FALSE(npu.create_context(1).has_value());
  npu.destroy_context(contexts[2]);
  CHECK(npu.create_context(1).has_value());
}

// The driver's partitions are all as wide as the widest context; a context goes where the fewest are (xdna-driver
// aie2_ctx_runqueue.c).
TEST_CASE("contexts are given the columns that the driver gives them", "[emu][firmware]") {
  host_memory host;
  emu::npu npu(host);
  const auto is = [&](emu::context_id id, unsigned start, unsigned count) {
    const auto given = npu.columns_of(id);
    return given.start == start && given.count == count;
  };
  const auto a = *npu.create_context(1), b = *npu.create_context(1), c = *npu.create_context(1);
  CHECK((is(a, 0, 1) && is(b, 1, 1) && is(c, 2, 1)));
  const auto wide = *npu.create_context(2);
  CHECK((is(a, 0, 2) && is(b, 2, 2) && is(c, 0, 2) && is(wide, 2, 2)));
  npu.destroy_context(c);
  npu.destroy_context(wide);
  CHECK((is(a, 0, 1) && is(b, 1, 1)));
  const auto whole = *npu.create_context(4);
  CHECK((is(a, 0, 4) && is(b, 0, 4) && is(whole, 0, 4)));
}

TEST_CASE("a PDI that cannot be read is refused when it is configured", "[emu][firmware]") {
  host_memory host;
  emu::npu npu(host);
  const auto context = *npu.create_context(1);
  CHECK_FALSE(npu.configure_cu(context, 0, {}).empty());
  auto broken = relay(64).build();
  broken[0x20] ^= std::byte{1};
  CHECK_FALSE(npu.configure_cu(context, 0, broken).empty());
  auto truncated = relay(64).build();
  truncated.resize(truncated.size() - 32);
  CHECK_FALSE(npu.configure_cu(context, 0, truncated).empty());
  const auto transfer_command = pdi_builder().append({0x00060109, 0, 0, 0, 0, 4, 0}).build();  // DMA_XFER
  CHECK_THAT(npu.configure_cu(context, 0, transfer_command),
             ContainsSubstring("0x109") && ContainsSubstring("not built"));
  CHECK_FALSE(npu.configure_cu(context + 1, 0, relay(64).build()).empty());
}

TEST_CASE("a command for a compute unit without PDI is an error", "[emu][firmware]") {
  host_memory host;
  emu::npu npu(host);
  const auto context = *npu.create_context(1);
  const auto code = transfer(64).build();
  const auto result = npu.execute(context, {.cu = 3, .control_code = code, .arguments = {}});
  CHECK(result.outcome == command_outcome::error);
  CHECK_THAT(result.report, ContainsSubstring("compute unit 3"));
}

TEST_CASE("a PDI that writes outside its partition fails the command", "[emu][firmware]") {
  host_memory host;
  emu::npu npu(host);
  const auto context = *npu.create_context(1);
  REQUIRE(npu.configure_cu(context, 0, pdi_builder().write({1, 1}, 0, 5).build()).empty());
  const auto code = transfer(64).build();
  const auto result = npu.execute(context, {.cu = 0, .control_code = code, .arguments = {}});
  CHECK(result.outcome == command_outcome::error);
  CHECK_THAT(result.report, ContainsSubstring("(1,1)"));
}

TEST_CASE("two compute units of a context are loaded in turn", "[emu][firmware]") {
  host_memory host;
  auto& src = host.add(src_address, 640);
  src = pattern(640);
  auto& dst = host.add(dst_address, 640);
  emu::npu npu(host);
  const auto context = *npu.create_context(1);
  REQUIRE(npu.configure_cu(context, 0, relay(64).build()).empty());
  REQUIRE(npu.configure_cu(context, 1, relay(80).build()).empty());
  const auto code = transfer(640).build();
  const auto run = [&](std::uint32_t cu) {
    dst.assign(640, 0);
    const auto r = npu.execute(context, {.cu = cu, .control_code = code, .arguments = {src_address, dst_address}});
    CHECK(r.outcome == command_outcome::completed);
    CHECK(dst == src);
    return r.cycles;
  };
  run(0);
  const auto warm = run(0), reloaded = (run(1), run(0));
  CHECK(reloaded > warm);
}

TEST_CASE("contexts on shared columns do not see each other's state", "[emu][firmware]") {
  host_memory host;
  auto& src = host.add(src_address, 640);
  src = pattern(640);
  auto& dst = host.add(dst_address, 640);
  emu::npu npu(host);
  const auto wide = *npu.create_context(4), other = *npu.create_context(4);
  REQUIRE(npu.configure_cu(wide, 0, relay(64).build()).empty());
  REQUIRE(npu.configure_cu(other, 0, relay(32).build()).empty());
  const auto code = transfer(640).build();
  for (const auto context : {wide, other, wide, wide, other}) {
    dst.assign(640, 0);
    const auto r = npu.execute(context, {.cu = 0, .control_code = code, .arguments = {src_address, dst_address}});
    CHECK(r.outcome == command_outcome::completed);
    CHECK(dst == src);
  }
}
