// SPDX-License-Identifier: Apache-2.0
// npurt inspect: what is in a file.
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>

#include "../files.hpp"
#include "inspect/describe.hpp"
#include "options.hpp"
#include "plot.hpp"

namespace npurt::tools {

namespace {

void draw(std::span<const std::byte> file, const std::string& path) {
  const auto arrays = inspect::configurations(file);
  if (arrays.empty()) {
    throw std::runtime_error("there is no configured array to draw: --plot takes an XCLBIN, a PDI or control code");
  }
  const std::vector<std::uint8_t> png = draw_configuration(arrays.front()).png();
  write_file(path, std::as_bytes(std::span(png)));
}

}  // namespace

int run_inspect(const inspect_options& options) {
  const auto bytes = read_file(options.file);
  const auto file = std::as_bytes(std::span(bytes));
  nlohmann::ordered_json description;
  try {
    description = inspect::describe(file);
    if (!options.plot.empty()) {
      draw(file, options.plot);
    }
  } catch (const binfmt::format_error& damage) {
    throw std::runtime_error(options.file + ": " + damage.what());
  }
  print_text(options.json ? description.dump(2) + "\n" : options.file + ": " + inspect::to_text(description));
  return all_well;
}

}  // namespace npurt::tools
