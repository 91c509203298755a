// SPDX-License-Identifier: Apache-2.0
// What commands cost, as JSON.
#include "emu/firmware/statistics.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "aie/stream_switch.hpp"
#include "emu/core/core.hpp"

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

nlohmann::json link_json(const link_statistics& l) {
  const aie::port port = aie::master_port(aie::npu1.kind(l.tile), l.master).value();
  return {{"tile", {l.tile.col, l.tile.row}}, {"port", aie::to_string(port)}, {"words", l.words}};
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
  for (std::size_t i = 0; i < d.links.size(); ++i) d.links[i].words -= before.links[i].words;
  for (const auto& [what, times] : before.ignored_writes) d.ignored_writes[what] -= times;
  return d;
}

namespace {

template <std::size_t N>
void accumulate(std::array<std::uint64_t, N>& to, const std::array<std::uint64_t, N>& what) {
  for (std::size_t i = 0; i < N; ++i) to[i] += what[i];
}

/// Lists are in order of columns, and all columns are alike: an entry's place in the whole device's list.
template <typename Entry, typename Add>
void add_entries(std::vector<Entry>& to, const std::vector<Entry>& what, std::size_t columns, unsigned start,
                 const Add& add) {
  const std::size_t per_column = what.size() / columns;
  if (to.size() < per_column * (start + columns)) to.resize(per_column * (start + columns));
  for (std::size_t i = 0; i < what.size(); ++i) {
    Entry& entry = to[per_column * start + i];
    entry.tile = {static_cast<std::uint8_t>(what[i].tile.col + start), what[i].tile.row};
    add(entry, what[i]);
  }
}

}  // namespace

void add(array_statistics& total, const array_statistics& what, unsigned start) {
  const std::size_t columns = what.cores.size() / (aie::npu1.rows - aie::npu1.first_core_row);
  add_entries(total.cores, what.cores, columns, start, [](core_statistics& to, const core_statistics& c) {
    to.cycles += c.cycles;
    to.bundles += c.bundles;
    to.macs += c.macs;
    accumulate(to.stalls, c.stalls);
  });
  add_entries(total.channels, what.channels, columns, start, [](channel_statistics& to, const channel_statistics& c) {
    to.direction = c.direction;
    to.channel = c.channel;
    to.words += c.words;
    to.bds += c.bds;
    to.tasks += c.tasks;
    to.busy += c.busy;
    accumulate(to.waits, c.waits);
  });
  add_entries(total.links, what.links, columns, start, [](link_statistics& to, const link_statistics& l) {
    to.master = l.master;
    to.words += l.words;
  });
}

std::uint64_t total_macs(const array_statistics& s) {
  return std::accumulate(s.cores.begin(), s.cores.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const core_statistics& c) { return sum + c.macs; });
}

/// What cores ran other than `running` was beside the firmware's work and hides so much of it.
command_costs costs_of(const array_statistics& what, std::uint64_t firmware, std::uint64_t running) {
  command_costs all{.ddr_read_bytes = what.ddr_read_bytes, .ddr_write_bytes = what.ddr_write_bytes};
  std::uint64_t cores = 0;
  for (const core_statistics& c : what.cores) {
    const auto stalls = [&](stall cause) { return c.stalls[static_cast<std::size_t>(cause)]; };
    if (c.cycles != 0) ++cores;
    all.core_cycles += c.cycles;
    all.core_running += c.bundles;
    all.bank_stalls += stalls(stall::memory);
    all.lock_stalls += stalls(stall::lock);
    all.stream_stalls += stalls(stall::stream_in) + stalls(stall::stream_out);
    all.cascade_stalls += stalls(stall::cascade_in) + stalls(stall::cascade_out);
  }
  const auto mean = [&](std::uint64_t sum) { return cores == 0 ? 0 : sum / cores; };
  all.compute = std::min(what.cycles, mean(all.core_running + all.bank_stalls));
  const std::uint64_t hidden = all.compute - std::min(all.compute, mean(running));
  all.launch = std::min(what.cycles - all.compute, firmware - std::min(firmware, hidden));
  all.transfer = what.cycles - all.compute - all.launch;
  return all;
}

nlohmann::json to_json(const array_statistics& s) {
  nlohmann::json cores = nlohmann::json::array(), channels = nlohmann::json::array();
  for (const core_statistics& c : s.cores)
    if (c.cycles != 0) cores.push_back(core_json(c));
  for (const channel_statistics& c : s.channels)
    if (c.words != 0 || std::accumulate(c.waits.begin(), c.waits.end(), std::uint64_t{0}) != 0)
      channels.push_back(channel_json(c));
  nlohmann::json links = nlohmann::json::array();
  for (const link_statistics& l : s.links)
    if (l.words != 0) links.push_back(link_json(l));
  return {{"cycles", s.cycles},
          {"ddr_read_bytes", s.ddr_read_bytes},
          {"ddr_write_bytes", s.ddr_write_bytes},
          {"macs", total_macs(s)},
          {"cores", cores},
          {"channels", channels},
          {"links", links}};
}

}  // namespace npurt::emu
