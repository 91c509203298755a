// SPDX-License-Identifier: Apache-2.0
// Routes hold to the switches' legal connections, to free ports and to the shortest way.
#include <catch2/catch_test_macros.hpp>
#include <set>

#include "config/designs.hpp"
#include "config/router.hpp"

using namespace npurt;
using aie::bundle;
using config::route;

namespace {

config::array_description with_flows(std::uint8_t columns, std::vector<config::flow> flows) {
  config::array_description d;
  d.name = "routes";
  d.columns = columns;
  d.buffers = 1;
  d.flows = std::move(flows);
  return d;
}

/// Follows circuits from a slave port; the ends of all ways it takes.
std::set<aie::tile_port> ends(const config::routes& r, std::uint8_t columns, const aie::tile_port& from) {
  aie::geometry array = aie::npu1;
  array.columns = columns;
  std::set<aie::tile_port> found;
  const auto at = r.switches.find(from.tile);
  if (at == r.switches.end()) {
    return found;
  }
  for (const auto& [master, slave] : at->second.circuits) {
    if (slave != from.p) {
      continue;
    }
    CHECK(aie::can_connect(array.kind(from.tile), slave, master));
    if (const auto next = aie::wire(array, {from.tile, master})) {
      found.merge(ends(r, columns, *next));
    } else {
      found.insert({from.tile, master});
    }
  }
  return found;
}

std::size_t circuits(const config::routes& r) {
  std::size_t count = 0;
  for (const auto& [tile, s] : r.switches) {
    count += s.circuits.size();
  }
  return count;
}

}  // namespace

TEST_CASE("a flow from the shim's DMA to a core passes three switches", "[config][router]") {
  const auto r = route(with_flows(1, {{{{0, 0}, {bundle::dma, 0}}, {{0, 2}, {bundle::dma, 1}}}}));
  CHECK(circuits(r) == 3);
  // MM2S 0 stands behind South 3.
  CHECK(ends(r, 1, {{0, 0}, {bundle::south, 3}}) == std::set<aie::tile_port>{{{0, 2}, {bundle::dma, 1}}});
  REQUIRE(r.shim_channels.size() == 1);
  CHECK(r.shim_channels[0].direction == aie::dma_direction::mm2s);
  CHECK(r.shim_channels[0].channel == 0);
}

TEST_CASE("flows of one source share their way and part where they must", "[config][router]") {
  const auto r = route(with_flows(1, {{{{0, 1}, {bundle::dma, 0}}, {{0, 2}, {bundle::dma, 0}}},
                                      {{{0, 1}, {bundle::dma, 0}}, {{0, 3}, {bundle::dma, 0}}}}));
  CHECK(ends(r, 1, {{0, 1}, {bundle::dma, 0}}) ==
        std::set<aie::tile_port>{{{0, 2}, {bundle::dma, 0}}, {{0, 3}, {bundle::dma, 0}}});
  CHECK(circuits(r) == 4);  // memtile out, core (0,2) in and on, core (0,3) in
}

TEST_CASE("flows of different sources use different ports", "[config][router]") {
  std::vector<config::flow> flows;
  for (std::uint8_t i = 0; i < 6; ++i) {
    flows.push_back({{{0, 1}, {bundle::dma, i}},
                     {{0, static_cast<std::uint8_t>(2 + i / 2)}, {bundle::dma, static_cast<std::uint8_t>(i % 2)}}});
  }
  const auto r = route(with_flows(1, flows));
  for (const config::flow& f : flows) {
    CHECK(ends(r, 1, f.from) == std::set<aie::tile_port>{f.to});
  }
}

TEST_CASE("flows between columns are routed", "[config][router]") {
  const auto r = route(with_flows(4, {{{{0, 0}, {bundle::dma, 1}}, {{3, 5}, {bundle::dma, 0}}}}));
  CHECK(ends(r, 4, {{0, 0}, {bundle::south, 7}}) == std::set<aie::tile_port>{{{3, 5}, {bundle::dma, 0}}});
  CHECK(circuits(r) == 9);  // 3 columns and 5 rows away
}

TEST_CASE("a flow without a free way is refused by name", "[config][router]") {
  // A core's stream port takes one circuit.
  const auto twice = [] {
    route(with_flows(1, {{{{0, 1}, {bundle::dma, 0}}, {{0, 2}, {bundle::core, 0}}},
                         {{{0, 1}, {bundle::dma, 1}}, {{0, 2}, {bundle::core, 0}}}}));
  };
  CHECK(test::config_error_of(twice) == "no route for the flow (0,1) DMA 1 -> (0,2) Core 0");
}

TEST_CASE("more flows than there are wires are refused", "[config][router]") {
  // Four wires lead down from the cores to the memtile.
  std::vector<config::flow> flows;
  for (std::uint8_t i = 0; i < 5; ++i) {
    flows.push_back({{{0, static_cast<std::uint8_t>(2 + i / 2)}, {bundle::dma, static_cast<std::uint8_t>(i % 2)}},
                     {{0, 1}, {bundle::dma, i}}});
  }
  CHECK(test::config_error_of([&] { route(with_flows(1, flows)); }).find("no route") != std::string::npos);
  flows.pop_back();
  CHECK_NOTHROW(route(with_flows(1, flows)));
}

TEST_CASE("ends that do not exist are refused", "[config][router]") {
  const auto error = [](aie::tile_port from, aie::tile_port to) {
    return test::config_error_of([&] { route(with_flows(1, {{from, to}})); });
  };
  CHECK(error({{1, 0}, {bundle::dma, 0}}, {{0, 2}, {bundle::dma, 0}}).find("outside") != std::string::npos);
  CHECK(error({{0, 0}, {bundle::dma, 2}}, {{0, 2}, {bundle::dma, 0}}).find("no such channel") != std::string::npos);
  CHECK(error({{0, 1}, {bundle::dma, 6}}, {{0, 2}, {bundle::dma, 0}}).find("no such slave") != std::string::npos);
  CHECK(error({{0, 1}, {bundle::dma, 0}}, {{0, 2}, {bundle::dma, 2}}).find("no such master") != std::string::npos);
}

TEST_CASE("tokens leave by packet rules from TileControl to South 0", "[config][router]") {
  const auto r = route(test::one_core());
  const config::switch_settings& shim = r.switches.at({0, 0});
  CHECK(shim.packet_masters.contains({bundle::south, 0}));
  REQUIRE(shim.packet_slaves.at({bundle::tile_control, 0}).size() == 1);
  CHECK(shim.packet_slaves.at({bundle::tile_control, 0})[0].id == 15);
}

TEST_CASE("packet flows of several ids that go the same way share a rule", "[config][router]") {
  config::array_description d = with_flows(1, {});
  for (const std::uint8_t id : std::initializer_list<std::uint8_t>{0, 1, 2, 3, 7}) {
    d.packet_flows.push_back({{{0, 2}, {bundle::trace, 0}}, {{0, 0}, {bundle::south, 0}}, id});
  }
  const auto rules = route(d).switches.at({0, 2}).packet_slaves.at({bundle::trace, 0});
  REQUIRE(rules.size() == 1);
  CHECK((rules[0].id == 0 && rules[0].mask == 0b11000));
  d.packet_flows.back().id = 3;
  CHECK(test::config_error_of([&] { route(d); }).find("another flow of this id") != std::string::npos);
  d.packet_flows.back().id = 32;
  CHECK(test::config_error_of([&] { route(d); }).find("5 bits") != std::string::npos);
}

TEST_CASE("a slave port has slots for four rules", "[config][router]") {
  config::array_description d = with_flows(1, {});
  const auto add = [&](std::uint8_t id, bundle side, std::uint8_t index) {
    d.packet_flows.push_back({{{0, 1}, {bundle::dma, 0}}, {{0, 1}, {side, index}}, id});
  };
  for (std::uint8_t id = 0; id < 4; ++id) add(id, bundle::south, id);
  CHECK(route(d).switches.at({0, 1}).packet_slaves.at({bundle::dma, 0}).size() == 4);
  add(4, bundle::north, 0);
  CHECK(test::config_error_of([&] { route(d); }).find("no slot of DMA 0 is left") != std::string::npos);
}

TEST_CASE("a broadcast and single packets to four cores leave each by masks, arbiters and msels", "[config][router]") {
  config::array_description d = with_flows(1, {});
  const aie::tile_port source{{0, 1}, {bundle::dma, 0}};
  for (std::uint8_t row = 0; row < 4; ++row) {
    const aie::tile_port core{{0, static_cast<std::uint8_t>(2 + row)}, {bundle::dma, 0}};
    d.packet_flows.push_back({source, core, 0, true});
    d.packet_flows.push_back({source, core, static_cast<std::uint8_t>(4 + row), true});
  }
  const auto r = route(d);
  const config::switch_settings& first = r.switches.at({0, 2});
  REQUIRE(first.packet_slaves.size() == 1);
  const auto& rules = first.packet_slaves.begin()->second;
  // Where a packet of this id leaves, by the rules that match it: exactly one.
  const auto masters = [&](std::uint8_t id) {
    std::set<aie::port> out;
    int matching = 0;
    for (const config::slot_rule& rule : rules) {
      if ((id & rule.mask) != rule.id) continue;
      ++matching;
      for (const auto& [port, way] : first.packet_masters) {
        if (way.arbiter == rule.arbiter && (way.msel_mask >> rule.msel & 1) != 0) out.insert(port);
      }
    }
    CHECK(matching == 1);
    return out;
  };
  const aie::port own{bundle::dma, 0};
  CHECK(masters(0).size() == 2);
  CHECK(masters(0).contains(own));
  CHECK(masters(4) == std::set{own});
  for (const std::uint8_t id : std::initializer_list<std::uint8_t>{5, 6, 7}) {
    CHECK(masters(id).size() == 1);
    CHECK_FALSE(masters(id).contains(own));
  }
  CHECK(first.packet_masters.at(own).drop_header);
  CHECK(r.switches.at({0, 5}).packet_masters.at(own).drop_header);
}

TEST_CASE("a circuit does not take a port that carries packets", "[config][router]") {
  config::array_description d = with_flows(1, {});
  d.packet_flows = config::token_flows(1);
  d.flows = {{{{0, 1}, {bundle::dma, 0}}, {{0, 0}, {bundle::south, 0}}}};
  CHECK(test::config_error_of([&] { route(d); }).find("no route for the packet flow") != std::string::npos);
}

TEST_CASE("packet flows that meet agree on their ids and headers", "[config][router]") {
  config::array_description d = with_flows(1, {});
  for (std::uint8_t i = 0; i < 5; ++i) {  // over the four wires from the cores to the memtile
    const std::uint8_t row = static_cast<std::uint8_t>(2 + i / 2), channel = i % 2;
    d.packet_flows.push_back({{{0, row}, {bundle::dma, channel}}, {{0, 1}, {bundle::dma, i}}, 1});
  }
  CHECK(test::config_error_of([&] { route(d); }).find("another flow of this id comes in at") != std::string::npos);
  const aie::tile_port sink{{0, 0}, {bundle::south, 0}};
  d.packet_flows = {{{{0, 2}, {bundle::trace, 0}}, sink, 1}, {{{0, 3}, {bundle::trace, 0}}, sink, 2, true}};
  CHECK(test::config_error_of([&] { route(d); }).find("treats the header in another way") != std::string::npos);
}
