// SPDX-License-Identifier: Apache-2.0
// Writes timelines. The format: "Trace Event Format" of Chrome's tracing, as Perfetto reads it.
#include "emu/firmware/timeline.hpp"

#include <algorithm>
#include <array>
#include <format>
#include <iterator>
#include <map>
#include <ostream>
#include <set>
#include <span>
#include <utility>

#include "emu/array/timing.hpp"

namespace npurt::emu {
namespace {

using kind = timeline_event::kind;

constexpr unsigned firmware_track = 1, first_agent_track = 100;
constexpr unsigned locks_per_tile = 64;

aie::tile_id tile_of(unsigned agent) {
  if (agent >= max_channels) {
    const unsigned core = agent - max_channels;
    return {static_cast<std::uint8_t>(core / cores_per_column), static_cast<std::uint8_t>(core % cores_per_column + 2)};
  }
  const unsigned in_column = agent % channels_per_column;
  const unsigned row = in_column < 4 ? 0 : in_column < 16 ? 1 : 2 + (in_column - 16) / 4;
  return {static_cast<std::uint8_t>(agent / channels_per_column), static_cast<std::uint8_t>(row)};
}

std::string track_name(unsigned agent) {
  const aie::tile_id tile = tile_of(agent);
  if (agent >= max_channels) return "core " + aie::to_string(tile);
  const unsigned in_column = agent % channels_per_column;
  const unsigned first = tile.row == 0 ? 0 : tile.row == 1 ? 4 : 16 + (tile.row - 2u) * 4;
  const unsigned channels = tile.row == 1 ? 6 : 2, number = in_column - first;
  return std::format("{} {} of {}", number < channels ? "S2MM" : "MM2S", number % channels, aie::to_string(tile));
}

/// Column by column, from the core rows down to the shim, the core above its channels.
unsigned sort_index(unsigned agent) {
  const aie::tile_id tile = tile_of(agent);
  return 10 + tile.col * 1000u + (5u - tile.row) * 100u + (agent >= max_channels ? 0 : 1 + agent % channels_per_column);
}

std::string slice_name(const timeline_event& e) {
  static constexpr std::array stalls{"stalled",
                                     "stalled: memory",
                                     "stalled: lock",
                                     "stalled: stream in",
                                     "stalled: stream out",
                                     "stalled: cascade in",
                                     "stalled: cascade out"};
  static constexpr std::array waits{"starts", "waits: lock", "waits: stream", "waits: memory", "waits: token"};
  switch (e.what) {
    case kind::core_runs:
      return "running";
    case kind::core_stalls:
      return stalls[e.value % stalls.size()];
    case kind::task:
      return std::format("task BD {}", e.value);
    case kind::bd:
      return std::format("BD {}", e.value);
    case kind::channel_waits:
      return waits[e.value % waits.size()];
    case kind::lock: {
      const unsigned tile = e.track / locks_per_tile;
      const aie::tile_id at{static_cast<std::uint8_t>(tile / aie::npu1.rows),
                            static_cast<std::uint8_t>(tile % aie::npu1.rows)};
      return std::format("lock {} of {}", e.track % locks_per_tile, aie::to_string(at));
    }
  }
  return {};
}

// Whole nanoseconds keep what is nested nested and what follows apart.
std::uint64_t nanoseconds(std::uint64_t cycles, std::uint64_t hz) {
  const std::uint64_t seconds = cycles / hz, rest = cycles % hz;
  return seconds * 1'000'000'000 + rest * 1'000'000'000 / hz;
}

/// Where commands are put on the host's clock.
class host_clock {
 public:
  host_clock(const timeline& t, std::uint64_t hz, std::uint64_t origin_ns) {
    std::vector<host_moment> commands = t.commands;
    std::ranges::stable_sort(commands, {}, &host_moment::ns);
    std::array<std::uint64_t, aie::npu1.columns> free_from{};
    for (const host_moment& c : commands) {
      const std::span columns = std::span(free_from).subspan(c.start_column, c.columns);
      const std::uint64_t modelled = nanoseconds(c.cycle, hz);
      const std::uint64_t begin = std::max(c.ns > origin_ns ? c.ns - origin_ns : 0, *std::ranges::max_element(columns));
      places_[c.owner].push_back({c.cycle, modelled, begin});
      std::ranges::fill(columns, begin + nanoseconds(c.cycle + c.cycles, hz) - modelled);
    }
  }

  /// What is to be added to the times, in ns, of what a context does from a cycle on.
  std::uint64_t shift(unsigned owner, std::uint64_t cycle) const {
    const auto found = places_.find(owner);
    if (found == places_.end()) return 0;
    const auto after = std::ranges::upper_bound(found->second, cycle, {}, &place::cycle);
    return after == found->second.begin() ? 0 : std::prev(after)->begin - std::prev(after)->modelled;
  }

 private:
  struct place {
    std::uint64_t cycle, modelled, begin;
  };
  std::map<unsigned, std::vector<place>> places_;  ///< by context
};

class trace_writer {
 public:
  trace_writer(std::ostream& out, std::uint64_t clock_hz) : out_(out), hz_(clock_hz) {}
  /// Beside a host, whose process has another number.
  trace_writer(std::ostream& out, std::uint64_t clock_hz, const host_clock& host)
      : out_(out), hz_(clock_hz), host_(&host), first_process_(10'000'000) {}

  void slice(unsigned owner, unsigned track, const std::string& name, std::uint64_t start, std::uint64_t end) {
    const std::uint64_t from = nanoseconds(start, hz_);
    event(R"("ph":"X","pid":{},"tid":{},"name":"{}","ts":{},"dur":{})", first_process_ + owner, track, name,
          micro(from + shift(owner, start)), micro(nanoseconds(end, hz_) - from));
  }
  void counter(unsigned owner, const std::string& name, std::uint64_t at, unsigned value) {
    event(R"("ph":"C","pid":{},"name":"{}","ts":{},"args":{{"value":{}}})", first_process_ + owner, name,
          micro(nanoseconds(at, hz_) + shift(owner, at)), value);
  }
  void process(unsigned owner) {
    event(R"("ph":"M","pid":{},"name":"process_name","args":{{"name":"context {}, modelled"}})", first_process_ + owner,
          owner);
    thread(owner, firmware_track, "firmware", 0);
  }
  void thread(unsigned owner, unsigned track, const std::string& name, unsigned index) {
    event(R"("ph":"M","pid":{},"tid":{},"name":"thread_name","args":{{"name":"{}"}})", first_process_ + owner, track,
          name);
    event(R"("ph":"M","pid":{},"tid":{},"name":"thread_sort_index","args":{{"sort_index":{}}})", first_process_ + owner,
          track, index);
  }

 private:
  std::uint64_t shift(unsigned owner, std::uint64_t cycle) const {
    return host_ != nullptr ? host_->shift(owner, cycle) : 0;
  }
  static std::string micro(std::uint64_t ns) { return std::format("{}.{:03}", ns / 1000, ns % 1000); }

  template <typename... Args>
  void event(std::format_string<Args...> form, Args&&... args) {
    out_ << (std::exchange(first_, false) ? "\n{" : ",\n{");
    std::format_to(std::ostreambuf_iterator<char>(out_), form, std::forward<Args>(args)...);
    out_ << '}';
  }

  std::ostream& out_;
  std::uint64_t hz_;
  const host_clock* host_ = nullptr;
  unsigned first_process_ = 0;
  bool first_ = true;
};

void write_events(trace_writer& writer, const timeline& t) {
  std::set<unsigned> owners;
  std::set<std::pair<unsigned, unsigned>> tracks;
  for (const firmware_slice& s : t.firmware) owners.insert(s.owner);
  for (const timeline_event& e : t.array.events()) {
    owners.insert(e.owner);
    if (e.what != kind::lock) tracks.emplace(e.owner, e.track);
  }
  for (const unsigned owner : owners) writer.process(owner);
  for (const auto& [owner, agent] : tracks)
    writer.thread(owner, first_agent_track + agent, track_name(agent), sort_index(agent));
  for (const firmware_slice& s : t.firmware) writer.slice(s.owner, firmware_track, s.name, s.start, s.end);
  for (const timeline_event& e : t.array.events()) {
    if (e.what == kind::lock) {
      writer.counter(e.owner, slice_name(e), e.start, e.value);
    } else {
      writer.slice(e.owner, first_agent_track + e.track, slice_name(e), e.start, e.end);
    }
  }
}

}  // namespace

void write_trace(std::ostream& out, const timeline& t, std::uint64_t clock_hz) {
  out << std::format(R"({{"displayTimeUnit":"ns","otherData":{{"note":"modelled times, not hardware measurements",)"
                     R"("clock_mhz":{},"time_model":"{}","dropped_events":{}}},"traceEvents":[)",
                     clock_hz / 1'000'000, timing::label(clock_hz), t.array.dropped() + t.dropped);
  trace_writer writer(out, clock_hz);
  write_events(writer, t);
  out << "\n]}\n";
}

void write_events_beside_host(std::ostream& out, const timeline& t, std::uint64_t clock_hz, std::uint64_t origin_ns) {
  const host_clock host(t, clock_hz, origin_ns);
  trace_writer writer(out, clock_hz, host);
  write_events(writer, t);
}

}  // namespace npurt::emu
