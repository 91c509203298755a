// SPDX-License-Identifier: Apache-2.0
// Messages of the emulated driver.
#include "emu/driver/log.hpp"

#include <unistd.h>

#include <string>

namespace npurt::emu::driver {

void log(std::string_view text) {
  std::string lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.append("npurt-emu: ").append(text.substr(0, end)).append("\n");
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  // One write, so that messages of several threads and processes stay whole; there is nobody to tell of a failure.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, lines.data(), lines.size());
}

}  // namespace npurt::emu::driver
