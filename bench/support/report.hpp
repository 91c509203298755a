// SPDX-License-Identifier: Apache-2.0
// Rows of the report: as a table for people, as JSON for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "bench/support/statistics.hpp"

namespace npurt::bench {

/// What a row's ratio should be.
struct goal {
  enum class side { at_least, at_most } is;
  double ratio = 1;

  bool met_by(double value) const { return is == side::at_least ? value >= ratio : value <= ratio; }
};

struct row {
  std::string name;
  double value = 0;
  std::string unit;
  double against = 0;
  std::string reference;            ///< what `against` is
  double ratio = 0;                 ///< value to against
  std::optional<interval> range{};  ///< of the ratio; nothing if the figure is exact
  std::string model{};  ///< "modelled ..." with clock and digest, for a figure of the emulator's model; empty if it was
                        ///< measured
  std::optional<bench::goal> goal{};  ///< nothing where the other side is no bar
};

void to_json(nlohmann::json& to, const row& from);
void from_json(const nlohmann::json& from, row& to);

void print_table(const std::vector<row>& rows);

/// @throws std::runtime_error if the file cannot be written
void write_rows(const std::string& file, const std::vector<row>& rows);
/// @throws std::runtime_error if the file does not hold rows
std::vector<row> read_rows(const std::string& file);

}  // namespace npurt::bench
