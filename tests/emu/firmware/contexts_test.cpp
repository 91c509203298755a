// SPDX-License-Identifier: Apache-2.0
// Contexts, compute units, reloading.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <chrono>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "emu/firmware/program.hpp"

using namespace npurt;
using namespace npurt::emu::testing;
using Catch::Matchers::ContainsSubstring;
using namespace std::chrono_literals;
using emu::command_outcome;

namespace {

/// Host memory at which the first access of a command stops until it is let through.
class held_memory final : public emu::device_memory {
 public:
  explicit held_memory(emu::device_memory& behind) : behind_(behind) {}
  std::byte* translate(std::uint64_t address, std::uint64_t size, emu::memory_access access) override {
    if (!std::exchange(reached_, true)) {
      arrived.set_value();
      opened.get_future().wait();
    }
    return behind_.translate(address, size, access);
  }
  std::promise<void> arrived, opened;

 private:
  emu::device_memory& behind_;
  bool reached_ = false;
};

/// Contexts of any width that relay 640 words in their first columns, each in a buffer of its own.
struct relaying_contexts {
  static constexpr std::size_t count = 640;
  relaying_contexts() { host.add(src_address, count) = pattern(count); }

  emu::context_id add(unsigned columns) {
    const auto id = npu.create_context(columns).value();
    REQUIRE(npu.configure_cu(id, 0, relay(64).build()).empty());
    host.add(address_of(id), count);
    return id;
  }
  static std::uint64_t address_of(emu::context_id id) { return 0x100000000u + 0x1000000u * id; }
  emu::command_result run(emu::context_id id, emu::device_memory* memory = nullptr,
                          const std::atomic<bool>* cancelled = nullptr) {
    const auto code = transfer(count).build();
    return npu.execute(id, {.cu = 0,
                            .control_code = code,
                            .arguments = {src_address, address_of(id)},
                            .cancelled = cancelled,
                            .memory = memory});
  }
  auto start(emu::context_id id, emu::device_memory* memory = nullptr, const std::atomic<bool>* cancelled = nullptr) {
    return std::async(std::launch::async, [=, this] { return run(id, memory, cancelled).outcome; });
  }
  bool has_relayed(emu::context_id id) {
    return std::memcmp(host.translate(src_address, 4 * count, emu::memory_access::read),
                       host.translate(address_of(id), 4 * count, emu::memory_access::read), 4 * count) == 0;
  }
  nlohmann::json commands() const { return nlohmann::json::parse(npu.statistics())["commands"]; }
  nlohmann::json totals() const { return nlohmann::json::parse(npu.statistics())["totals"]; }

  host_memory host;
  emu::npu npu{host};
};

}  // namespace

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

TEST_CASE("a command keeps those of its own columns waiting, not those of others", "[emu][firmware]") {
  relaying_contexts all;
  const auto a = all.add(2), b = all.add(2), c = all.add(2);  // c is on a's columns
  REQUIRE(all.npu.columns_of(a).start == all.npu.columns_of(c).start);
  REQUIRE(all.npu.columns_of(a).start != all.npu.columns_of(b).start);
  held_memory held(all.host);
  auto first = all.start(a, &held);
  held.arrived.get_future().wait();
  auto third = all.start(c);
  for (int i = 0; i < 3; ++i) CHECK(all.run(b).outcome == command_outcome::completed);
  CHECK(all.has_relayed(b));
  CHECK(third.wait_for(50ms) == std::future_status::timeout);
  CHECK_FALSE(all.has_relayed(c));
  held.opened.set_value();
  CHECK(first.get() == command_outcome::completed);
  CHECK(third.get() == command_outcome::completed);
  CHECK(all.has_relayed(a));
  CHECK(all.has_relayed(c));
}

TEST_CASE("a command that is cancelled before its turn is aborted", "[emu][firmware]") {
  relaying_contexts all;
  const auto a = all.add(4), b = all.add(4);
  held_memory held(all.host);
  auto first = all.start(a, &held);
  held.arrived.get_future().wait();
  std::atomic<bool> cancelled = false;
  auto second = all.start(b, nullptr, &cancelled);
  cancelled = true;
  CHECK(second.get() == command_outcome::aborted);
  all.npu.destroy_context(b);
  held.opened.set_value();
  CHECK(first.get() == command_outcome::completed);
  CHECK_FALSE(all.commands().empty());
}

// Five contexts of one column on the four columns that there are: the fifth is on the first one's.
TEST_CASE("in the device's time, commands on different columns overlap", "[emu][firmware]") {
  relaying_contexts all;
  std::vector<emu::context_id> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(all.add(1));
  std::vector<std::uint64_t> cycles;
  for (const auto id : ids) cycles.push_back(all.run(id).cycles);
  all.run(ids[1]);
  const auto commands = all.commands();
  REQUIRE(commands.size() == 6);
  for (unsigned i = 0; i < 4; ++i) {
    CHECK(commands[i]["start_column"] == i);
    CHECK(commands[i]["start_cycle"] == 0);
  }
  CHECK(commands[4]["start_column"] == 0);
  CHECK(commands[4]["start_cycle"] == cycles[0]);
  CHECK(commands[5]["start_cycle"] == cycles[1]);
}

TEST_CASE("columns keep what is loaded until another context loads", "[emu][firmware]") {
  relaying_contexts all;
  const auto a = all.add(2), b = all.add(2), c = all.add(2);
  for (const auto id : {a, a, b, a, c, a}) all.run(id);
  std::vector<bool> loads;
  for (const auto& command : all.commands())
    loads.push_back(command["firmware_cycles_by_operation"].contains("load PDI"));
  CHECK(loads == std::vector<bool>{true, false, true, false, true, true});
  CHECK(all.totals()["contexts"] == 3);
  CHECK(all.totals()["pdi_loads"] == 4);
}

TEST_CASE("six contexts execute from six threads", "[emu][firmware]") {
  relaying_contexts all;
  std::vector<emu::context_id> ids;
  for (int i = 0; i < 6; ++i) ids.push_back(all.add(1));
  std::vector<std::future<bool>> threads;
  for (const auto id : ids)
    threads.push_back(std::async(std::launch::async, [&all, id] {
      bool good = true;
      for (int i = 0; i < 10; ++i) good = good && all.run(id).outcome == command_outcome::completed;
      return good;
    }));
  for (int i = 0; i < 5; ++i) {
    const auto statistics = all.npu.statistics();
    CHECK_FALSE(statistics.empty());
    std::this_thread::sleep_for(1ms);
  }
  for (auto& t : threads) CHECK(t.get());
  for (const auto id : ids) CHECK(all.has_relayed(id));
  CHECK(all.commands().size() == 60);
}

TEST_CASE("contexts move to other columns while commands run", "[emu][firmware]") {
  relaying_contexts all;
  const auto a = all.add(1), b = all.add(1);
  auto busy = std::async(std::launch::async, [&] {
    for (int i = 0; i < 20; ++i)
      if (all.run(a).outcome != command_outcome::completed || all.run(b).outcome != command_outcome::completed)
        return i;
    return -1;
  });
  for (int i = 0; i < 20; ++i) {
    const auto wide = all.npu.create_context(2 + 2 * (i % 2)).value();
    all.npu.destroy_context(wide);
  }
  CHECK(busy.get() == -1);
}

TEST_CASE("a context that moves while its PDI is loaded loads it again where it is then", "[emu][firmware]") {
  relaying_contexts all;
  const auto a = all.npu.create_context(1).value();
  // The PDI starts a DMA itself, whose first access tells the test that it is being loaded.
  pdi_builder pdi = relay(64);
  pdi.block(shim, 0x1D020, bd_words(aie::tile_kind::shim, {.address = src_address, .length = 64}));
  pdi.write(shim, 0x1D214, 1).append({0x00010104, 5000});  // delay
  REQUIRE(all.npu.configure_cu(a, 0, pdi.build()).empty());
  const auto code = code_builder().write(1u << 20 | 0x4000, 1).build();
  const auto run = [&](emu::device_memory* memory) {
    return all.npu.execute(a, {.cu = 0, .control_code = code, .arguments = {}, .memory = memory}).outcome;
  };
  held_memory held(all.host);
  auto first = std::async(std::launch::async, [&] { return run(&held); });
  held.arrived.get_future().wait();
  const auto wide = all.npu.create_context(2).value();
  CHECK(all.npu.columns_of(a).count == 2);
  held.opened.set_value();
  CHECK(first.get() == command_outcome::completed);
  all.npu.destroy_context(wide);
  for (int i = 0; i < 2; ++i) CHECK(run(nullptr) == command_outcome::completed);
  std::vector<bool> loads;
  for (const auto& command : all.commands())
    loads.push_back(command["firmware_cycles_by_operation"].contains("load PDI"));
  CHECK(loads == std::vector<bool>{true, true, false});
}
