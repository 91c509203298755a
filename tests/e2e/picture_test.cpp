// SPDX-License-Identifier: Apache-2.0
// npurt-emu's picture of the array: the shares of a tile's area are the shares of its time.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "tools/picture/array_picture.hpp"

using namespace npurt::tools;
using nlohmann::json;

namespace {

json statistics() {
  return {{"clock_mhz", 1028},
          {"totals",
           {{"commands", 1},
            {"cycles", 1000},
            {"firmware_cycles", 100},
            {"macs", 5000},
            {"ddr_read_bytes", 4000},
            {"ddr_write_bytes", 0},
            {"cores", json::array()},
            {"channels", json::array()},
            {"links", json::array()}}}};
}

json core(int column, int row, int cycles, int lock) {
  return {{"tile", {column, row}},
          {"cycles", cycles},
          {"bundles", cycles - lock},
          {"macs", 5000},
          {"stalls", {{"memory", 0}, {"lock", lock}, {"stream_in", 0}, {"cascade_out", 0}}}};
}

color shade(std::string_view name) { return std::ranges::find(activities, name, &activity::name)->shade; }

long pixels(const canvas& picture, color wanted) {
  long count = 0;
  for (int y = 0; y < picture.height(); ++y)
    for (int x = 0; x < picture.width(); ++x) count += picture.at(x, y) == wanted ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("a tile's area is divided as its time", "[e2e][picture]") {
  const canvas before = draw_array(statistics());
  json all = statistics();
  all["totals"]["cores"].push_back(core(1, 3, 1000, 250));
  const canvas after = draw_array(all);
  const auto gained = [&](const char* name) {
    return static_cast<double>(pixels(after, shade(name)) - pixels(before, shade(name)));
  };
  const double computing = gained("computing"), lock = gained("lock"), idle = gained("idle");
  CHECK(lock > 1000);
  CHECK(computing > 2 * lock);  // three times, less what the labels' ink covers
  CHECK(computing < 3.2 * lock);
  CHECK(std::abs(idle + computing + lock) < 0.4 * (computing + lock));  // taken from the idle tile's area
  CHECK(pixels(after, shade("stream")) == pixels(before, shade("stream")));
}

TEST_CASE("a core that was never enabled is idle all the time", "[e2e][picture]") {
  json all = statistics();
  all["totals"]["cores"].push_back(core(0, 2, 0, 0));
  CHECK(pixels(draw_array(all), shade("computing")) == pixels(draw_array(statistics()), shade("computing")));
}

TEST_CASE("more words are a thicker arrow", "[e2e][picture]") {
  const auto ink_of = [](int north, int south) {
    json all = statistics();
    all["totals"]["links"] = {{{"tile", {0, 1}}, {"port", "North 0"}, {"words", north}},
                              {{"tile", {0, 1}}, {"port", "South 1"}, {"words", south}}};
    const canvas drawn = draw_array(all), empty = draw_array(statistics());
    long changed = 0;
    for (int y = 0; y < drawn.height(); ++y)
      for (int x = 0; x < drawn.width(); ++x) changed += drawn.at(x, y) == empty.at(x, y) ? 0 : 1;
    return changed;
  };
  CHECK(ink_of(100, 0) > 200);
  CHECK(ink_of(100, 100) > ink_of(100, 1) + 100);
}

TEST_CASE("a picture is a PNG file of its size", "[e2e][picture]") {
  const canvas picture = draw_array(statistics());
  const auto file = picture.png();
  const std::vector<std::uint8_t> signature{0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  REQUIRE(file.size() > 24);
  CHECK(std::equal(signature.begin(), signature.end(), file.begin()));
  const auto word = [&](std::size_t at) {
    return file[at] << 24 | file[at + 1] << 16 | file[at + 2] << 8 | file[at + 3];
  };
  CHECK(word(16) == picture.width());
  CHECK(word(20) == picture.height());
}

TEST_CASE("statistics without totals are refused", "[e2e][picture]") {
  CHECK_THROWS_AS(draw_array(json::object()), json::exception);
}
