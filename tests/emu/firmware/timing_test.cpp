// SPDX-License-Identifier: Apache-2.0
// Modelled times of commands against what was measured on Phoenix, and the memory of many commands.
#include <malloc.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>

#include "emu/array/timing.hpp"
#include "emu/firmware/program.hpp"

using namespace npurt;
using namespace npurt::emu::testing;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::WithinRel;
using emu::command_outcome;

namespace {

struct machine {
  explicit machine(std::size_t size = 640) : src(host.add(src_address, size)), dst(host.add(dst_address, size)) {
    src = pattern(size);
    REQUIRE(npu.configure_cu(context, 0, relay(64).build()).empty());
  }
  std::uint64_t cycles(const code_builder& code) {
    const auto bytes = code.build();
    const auto result = npu.execute(
        context, {.cu = 0, .control_code = bytes, .arguments = {src_address, dst_address}, .apply_patches = true});
    INFO(result.report);
    REQUIRE(result.outcome == command_outcome::completed);
    return result.cycles;
  }

  host_memory host;
  words& src;
  words& dst;
  emu::npu npu{host};
  emu::context_id context = *npu.create_context(1);
};

/// What starts one task of a runtime sequence: BD, address, token id, queue.
code_builder& add_task(code_builder& c, std::uint32_t argument) {
  const std::uint32_t bd = argument == 1 ? 0x1D000 : 0x1D020;
  c.block(bd, bd_words(aie::tile_kind::shim, {.length = 64})).patch(bd + 4, argument, 0);
  return c.mask_write(argument == 1 ? 0x1D200 : 0x1D210, 15u << 8, 0x1F00)
      .write(argument == 1 ? 0x1D204 : 0x1D214, argument == 1 ? 0 : 1);
}

}  // namespace

TEST_CASE("from one task's start to the next the firmware takes 2700 (MM2S) to 2870 (S2MM) cycles",
          "[emu][firmware][timing]") {
  machine m;
  code_builder none, one, two;
  m.cycles(none);  // loads the PDI
  const auto empty = m.cycles(none);
  const auto cycles = m.cycles(add_task(one, 1)) - empty;
  CHECK_THAT(static_cast<double>(cycles), WithinRel(2700.0, 0.05));
  CHECK_THAT(static_cast<double>(cycles), WithinRel(2835.0, 0.05));
}

TEST_CASE("a command's first task starts 30.5 k cycles after it, and a command of a chain costs 27.7 us",
          "[emu][firmware][timing]") {
  machine m;
  code_builder none, one;
  const auto empty = [&] {
    m.cycles(none);
    return m.cycles(none);
  }();
  CHECK_THAT(static_cast<double>(empty), WithinRel(27.7 * 1028, 0.05));
  CHECK_THAT(static_cast<double>(m.cycles(add_task(one, 1))), WithinRel(30'500.0, 0.05));
}

TEST_CASE("register operations cost what was measured", "[emu][firmware][timing]") {
  machine m;
  code_builder none, write, mask, block;
  m.cycles(none);
  const auto empty = m.cycles(none);
  CHECK(m.cycles(write.write(0x14000, 0)) - empty == 100);
  CHECK(m.cycles(mask.mask_write(0x14000, 0, 1)) - empty == 210);
  CHECK(m.cycles(block.block(0x1D000, words(8))) - empty == 100 + 13 * 8);
}

TEST_CASE("the clock is 1028 MHz unless NPURT_EMU_CLOCK says otherwise, and every time carries it",
          "[emu][firmware][timing]") {
  CHECK(emu::npu::time_model(1'028'000'000).starts_with("modelled at 1028 MHz, time model "));
  CHECK(emu::npu::clock_mhz(800) == 800);
  ::setenv("NPURT_EMU_CLOCK", "1600", 1);
  machine m;
  CHECK(emu::npu::clock_mhz(800) == 1600);
  CHECK(nlohmann::json::parse(m.npu.statistics())["clock_mhz"] == 1600);
  CHECK_THAT(m.npu.statistics(), ContainsSubstring("modelled at 1600 MHz, time model "));
  for (const char* wrong : {"0", "fast", "1028MHz", "99999"}) {
    ::setenv("NPURT_EMU_CLOCK", wrong, 1);
    CHECK_THAT(emu::npu::settings_problem(), ContainsSubstring("NPURT_EMU_CLOCK"));
  }
  ::unsetenv("NPURT_EMU_CLOCK");
  CHECK(emu::npu::settings_problem().empty());
}

TEST_CASE("memory stays flat over many commands", "[emu][firmware]") {
  // NPURT_TEST_RUNS=10000 for the long form.
  const char* const setting = std::getenv("NPURT_TEST_RUNS");
  constexpr int batches = 4, kept_figures = 4096;
  const int batch = (setting != nullptr ? std::atoi(setting) : 600) / batches;
  REQUIRE(batch > 0);
  machine m;
  // The figures kept for each command end at 4096; commands without a PDI fill them quickest.
  const emu::npu_command no_pdi{.cu = 9, .control_code = {}, .arguments = {}};
  for (int i = 0; i < kept_figures; ++i) REQUIRE(m.npu.execute(m.context, no_pdi).outcome == command_outcome::error);
  const auto code = transfer(640);
  const auto run_batch = [&] {
    for (int i = 0; i < batch; ++i) m.cycles(code);
    const auto info = ::mallinfo2();
    return static_cast<std::ptrdiff_t>(info.uordblks + info.hblkhd);
  };
  // What a command leaves behind grows every batch, by a byte per command at the least; what the allocator keeps for
  // later does not grow in all of them.
  std::ptrdiff_t before = run_batch(), least_growth = std::numeric_limits<std::ptrdiff_t>::max();
  for (int i = 0; i < batches; ++i) {
    const std::ptrdiff_t after = run_batch();
    least_growth = std::min(least_growth, after - before);
    before = after;
  }
  CHECK(least_growth < batch);
}
