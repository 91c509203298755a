// SPDX-License-Identifier: Apache-2.0
// The array as a picture.
#include "tools/picture/array_picture.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <format>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace npurt::tools {
namespace {

using json = nlohmann::json;

constexpr color background{250, 250, 252}, ink{38, 44, 56}, faint{122, 130, 146}, frame{176, 182, 194};
constexpr color stream_pale{176, 196, 222}, stream_dark{28, 78, 150};

constexpr int columns = 4, rows = 6;
constexpr double tile_width = 176, tile_height = 96, gap_x = 84, gap_y = 58;
constexpr double margin = 44, title_height = 84, ddr_height = 34, legend_width = 300;
constexpr double array_width = columns * tile_width + (columns - 1) * gap_x;
constexpr double array_height = rows * tile_height + rows * gap_y + ddr_height;

double left_of(int column) { return margin + column * (tile_width + gap_x); }
double top_of(int row) { return title_height + (rows - 1 - row) * (tile_height + gap_y); }

/// 1234567 -> "1.23M".
std::string short_number(double value) {
  static constexpr std::array suffixes{"", "k", "M", "G", "T"};
  std::size_t suffix = 0;
  while (value >= 1000 && suffix + 1 < suffixes.size()) {
    value /= 1000;
    ++suffix;
  }
  if (suffix == 0) return std::format("{:.0f}", value);
  return std::format("{:.{}f}{}", value, value < 10 ? 2 : value < 100 ? 1 : 0, suffixes[suffix]);
}

/// Cycles by activity; index as in `activities`.
using time_shares = std::array<double, activities.size()>;
enum : std::size_t { computing, moving, memory, lock, stream, cascade, start, idle };

void finish(time_shares& shares, std::size_t working, double busy, double total) {
  double waiting = 0;
  for (std::size_t i = memory; i < idle; ++i) waiting += shares[i];
  shares[working] = std::max(0.0, busy - waiting);
  shares[idle] = std::max(0.0, total - std::max(busy, waiting));
}

time_shares core_shares(const json& core, double total) {
  time_shares shares{};
  for (const auto& [cause, cycles] : core.at("stalls").items())
    for (std::size_t i = memory; i < idle; ++i)
      if (!activities[i].stall.empty() && cause.starts_with(activities[i].stall)) shares[i] += cycles.get<double>();
  finish(shares, computing, core.at("cycles").get<double>(), total);
  return shares;
}

time_shares channel_shares(const json& channel, double total) {
  time_shares shares{};
  for (const auto& [cause, cycles] : channel.at("waits").items())
    for (std::size_t i = memory; i < idle; ++i)
      if (cause == activities[i].wait || (i == start && cause == "token")) shares[i] += cycles.get<double>();
  double waiting = 0;
  for (const double share : shares) waiting += share;
  // A task that never ends has no cycles of its own yet: its words say how long it moved.
  const double moved = channel.at("words").get<double>();
  finish(shares, moving, std::max(channel.at("task_cycles").get<double>(), std::min(total, waiting + moved)), total);
  return shares;
}

using place = std::pair<int, int>;  ///< column, row

struct tile_summary {
  bool has_core = false;
  time_shares core{}, dma{};
  double macs = 0, words = 0, received = 0, sent = 0;
  int channels = 0;
};

place place_of(const json& entry) { return {entry.at("tile").at(0).get<int>(), entry.at("tile").at(1).get<int>()}; }

std::map<place, tile_summary> summarize(const json& totals, double total) {
  std::map<place, tile_summary> tiles;
  for (const json& core : totals.at("cores")) {
    tile_summary& t = tiles[place_of(core)];
    t.has_core = true;
    t.core = core_shares(core, total);
    t.macs = core.at("macs").get<double>();
  }
  for (const json& channel : totals.at("channels")) {
    tile_summary& t = tiles[place_of(channel)];
    const time_shares shares = channel_shares(channel, total);
    for (std::size_t i = 0; i < shares.size(); ++i) t.dma[i] += shares[i];
    const double words = channel.at("words").get<double>();
    (channel.at("channel").get<std::string>().starts_with("S2MM") ? t.received : t.sent) += words;
    t.words += words;
    ++t.channels;
  }
  return tiles;
}

class painter {
 public:
  explicit painter(const json& statistics)
      : totals_(statistics.at("totals")),
        total_(std::max(1.0, totals_.at("cycles").get<double>())),
        tiles_(summarize(totals_, total_)),
        canvas_(static_cast<int>(array_width + 2 * margin + legend_width),
                static_cast<int>(title_height + array_height + margin), background) {
    title(statistics);
    links();
    for (int column = 0; column < columns; ++column)
      for (int row = 0; row < rows; ++row) tile(column, row);
    ddr();
    legend();
  }

  canvas take() { return std::move(canvas_); }

 private:
  void title(const json& statistics) {
    const double mhz = statistics.at("clock_mhz").get<double>();
    const auto commands = totals_.at("commands").get<std::uint64_t>();
    canvas_.text(margin, 20,
                 std::format("{} command{}, {} cycles = {:.3f} ms", commands, commands == 1 ? "" : "s",
                             totals_.at("cycles").get<std::uint64_t>(), total_ / mhz / 1000),
                 ink, 2.5);
    canvas_.text(margin, 48, statistics.value("time_model", std::format("modelled at {} MHz", mhz)), faint, 1.5);
  }

  void bar(double x, double y, double width, double height, const time_shares& shares) {
    double sum = 0;
    for (const double s : shares) sum += s;
    if (sum == 0) return canvas_.rectangle(x, y, width, height, activities[idle].shade);
    for (std::size_t i = 0; i < shares.size(); ++i) {
      const double part = width * shares[i] / sum;
      canvas_.rectangle(x, y, part, height, activities[i].shade);
      x += part;
    }
  }

  void label(double x, double y, const std::string& line, double scale = 2) {
    canvas_.text(x, y, line, ink, scale);  // all colours are light enough for it
  }

  static std::string percent(const time_shares& shares, std::size_t what) {
    double sum = 0;
    for (const double s : shares) sum += s;
    return std::format("{:.0f}%", sum == 0 ? 0 : 100 * shares[what] / sum);
  }

  void tile(int column, int row) {
    const double x = left_of(column), y = top_of(row);
    const auto found = tiles_.find({column, row});
    const tile_summary t = found == tiles_.end() ? tile_summary{} : found->second;
    const bool core_row = row >= 2;
    canvas_.rounded(x - 3, y - 3, tile_width + 6, tile_height + 6, 6, frame);
    const double strip = core_row ? 20 : 0;  // a core tile's DMA below its core
    bar(x, y, tile_width, tile_height - strip, core_row ? t.core : t.dma);
    if (core_row) {
      canvas_.rectangle(x, y + tile_height - strip, tile_width, 2, frame);
      bar(x, y + tile_height - strip + 2, tile_width, strip - 2, t.dma);
    }
    label(x + 10, y + 10, std::format("{} ({},{})", row == 0 ? "shim" : row == 1 ? "memtile" : "core", column, row));
    if (t.has_core) {
      label(x + 10, y + 32, percent(t.core, computing) + " computing", 1.5);
      if (t.macs != 0) label(x + 10, y + 52, std::format("{:.1f} MACs/cycle", t.macs / total_), 1.5);
    } else if (!core_row && t.channels != 0) {
      label(x + 10, y + 32, percent(t.dma, moving) + " moving words", 1.5);
      label(x + 10, y + 52, std::format("{} in {} out", short_number(t.received), short_number(t.sent)), 1.5);
      label(x + 10, y + 72, std::format("{} channels", t.channels), 1.5);
    }
  }

  double most_words() const {
    double most = 1;
    for (const auto& [where, count] : words_) most = std::max(most, count);
    return most;
  }

  /// Words out of a tile by side.
  void collect_links() {
    for (const json& link : totals_.at("links")) {
      const auto port = link.at("port").get<std::string>();
      const auto [column, row] = place_of(link);
      words_[{column, row, port.front()}] += link.at("words").get<double>();
    }
    for (const auto& [where, t] : tiles_)
      if (where.second == 0) {
        words_[{where.first, 0, 'R'}] = t.sent;  // what shims send they have read
        words_[{where.first, 0, 'D'}] = t.received;
      }
  }

  void lane(double x0, double y0, double x1, double y1, double words) {
    if (words == 0) return;
    const double share = std::sqrt(words / most_words());
    const auto mix = [share](std::uint8_t a, std::uint8_t b) { return static_cast<std::uint8_t>(a + (b - a) * share); };
    const color c{mix(stream_pale.r, stream_dark.r), mix(stream_pale.g, stream_dark.g),
                  mix(stream_pale.b, stream_dark.b)};
    canvas_.arrow(x0, y0, x1, y1, 2 + 12 * share, c);
    const std::string number = short_number(words);
    if (x0 == x1)
      canvas_.text(x0 + 14, (y0 + y1) / 2 - 5, number, ink, 1.5);
    else
      canvas_.text((x0 + x1) / 2 - canvas::text_width(number, 1.5) / 2, y0 + 12, number, ink, 1.5);
  }

  double words_of(int column, int row, char side) const {
    const auto found = words_.find({column, row, side});
    return found == words_.end() ? 0 : found->second;
  }

  void links() {
    collect_links();
    constexpr double space = 6;
    for (int column = 0; column < columns; ++column)
      for (int row = 0; row < rows; ++row) {
        const double x = left_of(column), y = top_of(row), bottom = y + tile_height;
        lane(x + 34, y - space, x + 34, y - gap_y + space, words_of(column, row, 'N'));
        lane(x + 118, bottom + space, x + 118, bottom + gap_y - space, row == 0 ? 0 : words_of(column, row, 'S'));
        lane(x + tile_width + space, y + 22, x + tile_width + gap_x - space, y + 22, words_of(column, row, 'E'));
        lane(x - space, y + 62, x - gap_x + space, y + 62, words_of(column, row, 'W'));
      }
    for (int column = 0; column < columns; ++column) {
      const double x = left_of(column), from = top_of(0) + tile_height + space, to = from + gap_y - 2 * space;
      lane(x + 34, to, x + 34, from, words_of(column, 0, 'R'));
      lane(x + 118, from, x + 118, to, words_of(column, 0, 'D'));
    }
  }

  void ddr() {
    const double y = top_of(0) + tile_height + gap_y;
    canvas_.rounded(margin - 3, y, array_width + 6, ddr_height, 6, frame);
    canvas_.text(
        margin + 14, y + 10,
        std::format("host memory: {}B read, {}B written", short_number(totals_.at("ddr_read_bytes").get<double>()),
                    short_number(totals_.at("ddr_write_bytes").get<double>())),
        ink);
  }

  void legend() {
    const double x = margin + array_width + 56;
    double y = title_height;
    canvas_.text(x, y, "time spent on", ink);
    y += 32;
    for (const activity& a : activities) {
      canvas_.rounded(x, y, 34, 20, 4, a.shade);
      canvas_.text(x + 46, y + 3, a.name, ink);
      y += 30;
    }
    y += 14;
    for (const char* line :
         {"waits: lock, stream,", "memory, cascade, start", "", "core tiles: the core,", "below it its DMA", "",
          "others: mean of the", "DMA channels in use", "", "arrows: words moved,", "32 bits each"}) {
      canvas_.text(x, y, line, faint, 1.5);
      y += 18;
    }
    y += 14;
    const double macs = totals_.at("macs").get<double>(), firmware = totals_.at("firmware_cycles").get<double>();
    for (const std::string& line :
         {std::format("{} MACs", short_number(macs)), std::format("{:.1f} MACs/cycle", macs / total_),
          std::format("firmware {:.0f}%", 100 * firmware / total_)}) {
      canvas_.text(x, y, line, ink);
      y += 26;
    }
  }

  struct tile_side {
    int column, row;
    char towards;
    auto operator<=>(const tile_side&) const = default;
  };

  const json& totals_;
  double total_;
  std::map<place, tile_summary> tiles_;
  std::map<tile_side, double> words_;
  canvas canvas_;
};

}  // namespace

canvas draw_array(const json& statistics) { return painter(statistics).take(); }

}  // namespace npurt::tools
