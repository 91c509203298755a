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

TEST_CASE("packet flows of several ids share a way with one rule each", "[config][router]") {
  config::array_description d = with_flows(1, {});
  for (std::uint8_t id = 0; id < 4; ++id) {
    d.packet_flows.push_back({{{0, 2}, {bundle::trace, 0}}, {{0, 0}, {bundle::south, 0}}, id});
  }
  const auto r = route(d);
  CHECK(r.switches.at({0, 2}).packet_slaves.at({bundle::trace, 0}).size() == 4);
  d.packet_flows.push_back({{{0, 2}, {bundle::trace, 0}}, {{0, 0}, {bundle::south, 0}}, 4});
  CHECK(test::config_error_of([&] { route(d); }).find("no slot is left") != std::string::npos);
  d.packet_flows.back().id = 3;
  CHECK(test::config_error_of([&] { route(d); }).find("another flow of this id") != std::string::npos);
  d.packet_flows.back().id = 32;
  CHECK(test::config_error_of([&] { route(d); }).find("5 bits") != std::string::npos);
}

TEST_CASE("a circuit does not take a port that carries packets", "[config][router]") {
  config::array_description d = with_flows(1, {});
  d.packet_flows = config::token_flows(1);
  d.flows = {{{{0, 1}, {bundle::dma, 0}}, {{0, 0}, {bundle::south, 0}}}};
  CHECK(test::config_error_of([&] { route(d); }).find("no route for the packet flow") != std::string::npos);
}
