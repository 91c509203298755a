// SPDX-License-Identifier: Apache-2.0
// Tiles as boxes in rows from the shims upwards; between two of them an arrow for all streams of one direction.
#include "plot.hpp"

#include <algorithm>
#include <cmath>
#include <format>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "inspect/flows.hpp"

namespace npurt::tools {

namespace {

constexpr color background{250, 250, 252}, ink{38, 44, 56}, faint{122, 130, 146}, frame{176, 182, 194};
constexpr color unused{236, 238, 242}, used{214, 226, 240}, program{88, 172, 110}, arrow_color{60, 104, 170};
constexpr color broken{196, 60, 52};

constexpr int rows = 6;
constexpr double tile_width = 170, tile_height = 92, gap_x = 76, gap_y = 56, margin = 40, title_height = 70;
constexpr double footer_height = 46;

double left_of(int column) { return margin + column * (tile_width + gap_x); }
double top_of(int row) { return title_height + (rows - 1 - row) * (tile_height + gap_y); }

class painter {
 public:
  explicit painter(const inspect::configuration& array)
      : array_(array),
        columns_(static_cast<int>(std::max(array.columns(), 1U))),
        flows_(inspect::find_flows(array)),
        canvas_(static_cast<int>(std::max(columns_ * tile_width + (columns_ - 1) * gap_x, 560.0) + 2 * margin),
                static_cast<int>(title_height + rows * (tile_height + gap_y) + footer_height), background) {
    title();
    for (int column = 0; column < columns_; ++column) {
      for (int row = 0; row < rows; ++row) {
        tile({static_cast<std::uint8_t>(column), static_cast<std::uint8_t>(row)});
      }
    }
    streams();
  }

  canvas take() { return std::move(canvas_); }

 private:
  void title() {
    const auto bad = std::ranges::count_if(flows_, [](const inspect::flow& f) { return !f.problem.empty(); });
    canvas_.text(margin, 18, std::format("{} tiles, {} streams", array_.tiles.size(), flows_.size()), ink, 2.5);
    canvas_.text(margin, 44, "bar: program memory used, arrows: streams between tiles", faint, 1.5);
    if (bad != 0) {
      canvas_.text(margin + 330, 20, std::format("{} of them broken", bad), broken, 2);
    }
  }

  void tile(aie::tile_id at) {
    const double x = left_of(at.col), y = top_of(at.row);
    const auto found = array_.tiles.find(at);
    canvas_.rounded(x - 3, y - 3, tile_width + 6, tile_height + 6, 6, frame);
    canvas_.rectangle(x, y, tile_width, tile_height, found == array_.tiles.end() ? unused : used);
    canvas_.text(x + 8, y + 8, std::format("{} {}", aie::to_string(aie::npu1.kind(at)), aie::to_string(at)), ink);
    if (found != array_.tiles.end()) {
      contents(x, y, found->second);
    }
  }

  void contents(double x, double y, const inspect::configured_tile& t) {
    const auto tasks = t.tasks.size();
    canvas_.text(x + 8, y + 32, std::format("{} BDs, {} task{}", t.bds.size(), tasks, tasks == 1 ? "" : "s"), ink, 1.5);
    canvas_.text(x + 8, y + 50, std::format("{} locks set", t.locks.size()), ink, 1.5);
    if (t.kind != aie::tile_kind::core) {
      return;
    }
    const double memory = aie::resources(t.kind).program_memory;
    const double share = std::min(1.0, t.program_bytes / memory);
    canvas_.rectangle(x + 8, y + 72, tile_width - 16, 12, background);
    canvas_.rectangle(x + 8, y + 72, (tile_width - 16) * share, 12, t.enabled ? program : frame);
  }

  struct edge {
    aie::tile_id tile;
    aie::bundle side;
    auto operator<=>(const edge&) const = default;
  };

  void streams() {
    std::map<edge, int> counts;
    for (const inspect::flow& f : flows_) {
      for (const inspect::flow_hop& hop : f.hops) {
        ++counts[{hop.tile, hop.master.side}];
      }
      if (f.from.tile.row == 0 && f.from.p.side == aie::bundle::dma) {
        ++from_memory_[f.from.tile.col];
      }
    }
    for (const auto& [where, count] : counts) {
      outward(where, count);
    }
    for (const auto& [column, count] : from_memory_) {
      const double x = left_of(column) + 30, y = top_of(0) + tile_height;
      lane(x, y + gap_y - 8, x, y + 8, count);
    }
  }

  void outward(const edge& where, int count) {
    const double x = left_of(where.tile.col), y = top_of(where.tile.row), bottom = y + tile_height;
    switch (where.side) {
      case aie::bundle::north:
        return lane(x + 30, y - 6, x + 30, y - gap_y + 6, count);
      case aie::bundle::south:
        return lane(x + 110, bottom + 6, x + 110, bottom + gap_y - 6, count);
      case aie::bundle::east:
        return lane(x + tile_width + 6, y + 22, x + tile_width + gap_x - 6, y + 22, count);
      case aie::bundle::west:
        return lane(x - 6, y + 62, x - gap_x + 6, y + 62, count);
      default:
        return;  // stays in the tile
    }
  }

  void lane(double x0, double y0, double x1, double y1, int count) {
    canvas_.arrow(x0, y0, x1, y1, std::min(3.0 + 1.5 * count, 14.0), arrow_color);
    const std::string number = std::to_string(count);
    if (x0 == x1) {
      canvas_.text(x0 + 14, (y0 + y1) / 2 - 5, number, ink, 1.5);
    } else {
      canvas_.text((x0 + x1) / 2 - 4, y0 + 12, number, ink, 1.5);
    }
  }

  const inspect::configuration& array_;
  int columns_;
  std::vector<inspect::flow> flows_;
  std::map<int, int> from_memory_;
  canvas canvas_;
};

}  // namespace

canvas draw_configuration(const inspect::configuration& array) { return painter(array).take(); }

}  // namespace npurt::tools
