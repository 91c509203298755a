// SPDX-License-Identifier: Apache-2.0
// What commands cost, as JSON.
#include "emu/firmware/statistics.hpp"

#include <nlohmann/json.hpp>
#include <numeric>

namespace npurt::emu {
namespace {

template <std::size_t N>
void subtract(std::array<std::uint64_t, N>& from, const std::array<std::uint64_t, N>& what) {
  for (std::size_t i = 0; i < N; ++i) from[i] -= what[i];
}

nlohmann::json core_json(const core_statistics& c) {
  static constexpr std::array names{"none", "memory", "lock", "stream_in", "stream_out", "cascade_in", "cascade_out"};
  nlohmann::json stalls;
  for (std::size_t i = 1; i < names.size(); ++i) stalls[names[i]] = c.stalls[i];
  return {{"tile", {c.tile.col, c.tile.row}},
          {"cycles", c.cycles},
          {"bundles", c.bundles},
          {"macs", c.macs},
          {"stalls", stalls}};
}

nlohmann::json channel_json(const channel_statistics& c) {
  static constexpr std::array names{"start", "lock", "stream", "memory", "token"};
  nlohmann::json waits;
  for (std::size_t i = 0; i < names.size(); ++i) waits[names[i]] = c.waits[i];
  return {{"tile", {c.tile.col, c.tile.row}},
          {"channel", (c.direction == aie::dma_direction::mm2s ? "MM2S " : "S2MM ") + std::to_string(c.channel)},
          {"words", c.words},
          {"bds", c.bds},
          {"tasks", c.tasks},
          {"task_cycles", c.busy},
          {"waits", waits}};
}

}  // namespace

array_statistics difference(const array_statistics& after, const array_statistics& before) {
  array_statistics d = after;
  d.cycles -= before.cycles;
  d.ddr_read_bytes -= before.ddr_read_bytes;
  d.ddr_write_bytes -= before.ddr_write_bytes;
  for (std::size_t i = 0; i < d.cores.size(); ++i) {
    d.cores[i].cycles -= before.cores[i].cycles;
    d.cores[i].bundles -= before.cores[i].bundles;
    d.cores[i].macs -= before.cores[i].macs;
    subtract(d.cores[i].stalls, before.cores[i].stalls);
  }
  for (std::size_t i = 0; i < d.channels.size(); ++i) {
    d.channels[i].words -= before.channels[i].words;
    d.channels[i].bds -= before.channels[i].bds;
    d.channels[i].tasks -= before.channels[i].tasks;
    d.channels[i].busy -= before.channels[i].busy;
    subtract(d.channels[i].waits, before.channels[i].waits);
  }
  for (const auto& [what, times] : before.ignored_writes) d.ignored_writes[what] -= times;
  return d;
}

std::uint64_t total_macs(const array_statistics& s) {
  return std::accumulate(s.cores.begin(), s.cores.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const core_statistics& c) { return sum + c.macs; });
}

nlohmann::json to_json(const array_statistics& s) {
  nlohmann::json cores = nlohmann::json::array(), channels = nlohmann::json::array();
  for (const core_statistics& c : s.cores)
    if (c.cycles != 0) cores.push_back(core_json(c));
  for (const channel_statistics& c : s.channels)
    if (c.words != 0 || std::accumulate(c.waits.begin(), c.waits.end(), std::uint64_t{0}) != 0)
      channels.push_back(channel_json(c));
  return {{"cycles", s.cycles},
          {"ddr_read_bytes", s.ddr_read_bytes},
          {"ddr_write_bytes", s.ddr_write_bytes},
          {"macs", total_macs(s)},
          {"cores", cores},
          {"channels", channels}};
}

}  // namespace npurt::emu
