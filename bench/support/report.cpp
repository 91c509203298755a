// SPDX-License-Identifier: Apache-2.0
// Table and JSON of the report.
#include "bench/support/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace npurt::bench {
namespace {

/// Four significant digits, without exponent where people would not write one.
std::string number(double value) {
  const double size = std::abs(value);
  if (size != 0 && (size < 1e-3 || size >= 1e9)) return fmt::format("{:.3e}", value);
  if (size >= 1000 || value == std::trunc(value)) return fmt::format("{:.0f}", value);
  return fmt::format("{:.4g}", value);
}

std::string ratio_text(const row& r) {
  if (!r.range) return number(r.ratio);
  return fmt::format("{} [{}, {}]", number(r.ratio), number(r.range->low), number(r.range->high));
}

std::string verdict(const row& r) { return !r.goal ? "" : r.goal->met_by(r.ratio) ? ", met" : ", NOT MET"; }

}  // namespace

void to_json(nlohmann::json& to, const row& from) {
  to = {{"name", from.name},       {"value", from.value},         {"unit", from.unit},
        {"against", from.against}, {"reference", from.reference}, {"ratio", from.ratio}};
  if (from.range) {
    to["low"] = from.range->low;
    to["high"] = from.range->high;
  }
  if (!from.model.empty()) to["model"] = from.model;
  if (from.goal) {
    to["goal"] = {{from.goal->is == goal::side::at_least ? "at_least" : "at_most", from.goal->ratio}};
    to["met"] = from.goal->met_by(from.ratio);
  }
}

void from_json(const nlohmann::json& from, row& to) {
  to = {.name = from.at("name"),
        .value = from.at("value"),
        .unit = from.at("unit"),
        .against = from.at("against"),
        .reference = from.at("reference"),
        .ratio = from.at("ratio"),
        .model = from.value("model", "")};
  if (from.contains("low")) to.range = {from.at("low"), from.at("high")};
  if (!from.contains("goal")) return;
  const nlohmann::json& wanted = from.at("goal");
  const bool least = wanted.contains("at_least");
  to.goal = goal{.is = least ? goal::side::at_least : goal::side::at_most,
                 .ratio = wanted.at(least ? "at_least" : "at_most")};
}

void print_table(const std::vector<row>& rows) {
  constexpr auto layout = "{:<34} {:>10} {:<27} {:>8} {:<37} {}\n";
  fmt::print(layout, "name", "value", "unit", "against", "", "ratio [95 % interval]");
  for (const row& r : rows) {
    fmt::print(layout, r.name, number(r.value), r.unit, number(r.against), r.reference,
               ratio_text(r) + verdict(r) + (r.model.empty() ? "" : "  " + r.model));
  }
  fmt::print(
      "Times are CPU times on this host, wall-clock times where two threads are compared with one; an interval is that "
      "of the median over interleaved repetitions.\n");
  if (std::ranges::all_of(rows, &std::string::empty, &row::model)) return;
  fmt::print(
      "Modelled figures are those of the emulator's time model (src/emu/array/timing.inc), of a command with the "
      "firmware's launch; none was measured on hardware.\n");
}

void write_rows(const std::string& file, const std::vector<row>& rows) {
  std::ofstream out(file);
  out << nlohmann::json(rows).dump(2) << '\n' << std::flush;
  if (!out) throw std::runtime_error("cannot write " + file);
}

std::vector<row> read_rows(const std::string& file) {
  std::ifstream in(file);
  try {
    return nlohmann::json::parse(in).get<std::vector<row>>();
  } catch (const nlohmann::json::exception& error) {
    throw std::runtime_error(fmt::format("no rows in {}: {}", file, error.what()));
  }
}

}  // namespace npurt::bench
