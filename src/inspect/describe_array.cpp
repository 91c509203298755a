// SPDX-License-Identifier: Apache-2.0
// A configured array as JSON: tiles with programs, locks, BDs and tasks; flows.
#include <nlohmann/json.hpp>
#include <utility>

#include "binfmt/pdi.hpp"
#include "inspect/describe.hpp"
#include "inspect/flows.hpp"

namespace npurt::inspect {

namespace {

using json = nlohmann::ordered_json;

json place_of(aie::tile_id tile) { return json::array({tile.col, tile.row}); }

json describe_bd(std::uint8_t number, const aie::dma_bd& bd) {
  json out{{"bd", number}, {"valid", bd.valid}, {"address", bd.address}, {"bytes", std::uint64_t{bd.length} * 4}};
  json dimensions = json::array();
  for (const aie::dma_dimension& d : bd.dimensions) {
    if (d.wrap != 0 || d.step != 1) {
      dimensions.push_back({{"step", d.step}, {"wrap", d.wrap}});
    } else if (!dimensions.empty()) {
      break;
    }
  }
  if (!dimensions.empty()) {
    out["dimensions"] = dimensions;
  }
  if (bd.iteration_wrap > 1) {
    out["iteration"] = {{"step", bd.iteration_step}, {"wrap", bd.iteration_wrap}};
  }
  if (bd.acquire_enable) {
    out["acquire"] = {{"lock", bd.acquire_lock}, {"value", bd.acquire_value}};
  }
  if (bd.release_value != 0) {
    out["release"] = {{"lock", bd.release_lock}, {"value", bd.release_value}};
  }
  if (bd.packet_enable) {
    out["packet"] = bd.packet_id;
  }
  if (bd.use_next) {
    out["next"] = bd.next_bd;
  }
  return out;
}

json describe_tile(aie::tile_id tile, const configured_tile& t) {
  json out{{"tile", place_of(tile)}, {"kind", aie::to_string(t.kind)}};
  const aie::tile_resources& r = aie::resources(t.kind);
  if (t.kind == aie::tile_kind::core) {
    out["core_enabled"] = t.enabled;
    out["program_bytes"] = t.program_bytes;
    out["program_memory"] = r.program_memory;
  }
  if (r.data_memory != 0) {
    out["data_bytes"] = t.data_bytes;
  }
  out["locks"] = json::array();
  for (const auto& [id, value] : t.locks) {
    out["locks"].push_back({{"lock", id}, {"value", value}});
  }
  out["bds"] = json::array();
  for (const auto& [number, bd] : t.bds) {
    out["bds"].push_back(describe_bd(number, bd));
  }
  out["tasks"] = json::array();
  for (const queued_task& task : t.tasks) {
    out["tasks"].push_back({{"channel", channel_name(task.direction, task.channel)},
                            {"bd", task.task.bd},
                            {"repeat", task.task.repeat},
                            {"token", task.task.issue_token}});
  }
  return out;
}

json describe_end(const aie::tile_port& end, bool receives) {
  const bool firmware = receives && end.tile.row == 0 && end.p == aie::port{aie::bundle::south, 0};
  return {{"tile", place_of(end.tile)}, {"port", firmware ? "firmware" : aie::to_string(end.p)}};
}

json describe_flow(const flow& f) {
  json out{{"from", describe_end(f.from, false)}, {"to", json::array()}};
  for (const aie::tile_port& end : f.to) {
    out["to"].push_back(describe_end(end, true));
  }
  if (!f.packet_ids.empty()) {
    out["packets"] = f.packet_ids;
  }
  out["hops"] = json::array();
  for (const flow_hop& hop : f.hops) {
    out["hops"].push_back(
        {{"tile", place_of(hop.tile)}, {"in", aie::to_string(hop.slave)}, {"out", aie::to_string(hop.master)}});
  }
  if (!f.problem.empty()) {
    out["problem"] = f.problem;
  }
  return out;
}

}  // namespace

std::string channel_name(aie::dma_direction direction, unsigned channel) {
  return (direction == aie::dma_direction::s2mm ? "S2MM " : "MM2S ") + std::to_string(channel);
}

json describe(const configuration& array) {
  json out{{"columns", array.columns()}, {"commands", array.commands}, {"words", array.words}};
  out["tiles"] = json::array();
  for (const auto& [tile, t] : array.tiles) {
    out["tiles"].push_back(describe_tile(tile, t));
  }
  out["flows"] = json::array();
  for (const flow& f : find_flows(array)) {
    out["flows"].push_back(describe_flow(f));
  }
  return out;
}

configuration configuration_of_pdi(std::span<const std::byte> image) {
  const binfmt::pdi pdi = binfmt::read_pdi(image);
  configuration_reader reader;
  reader.apply_cdo(pdi.cdo);
  return reader.take();
}

}  // namespace npurt::inspect
