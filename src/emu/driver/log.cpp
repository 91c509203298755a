// SPDX-License-Identifier: Apache-2.0
// Messages of the emulated driver.
#include "emu/driver/log.hpp"

#include <unistd.h>

#include <string>
#include <utility>

namespace npurt::emu::driver {
namespace {

thread_local std::shared_ptr<log_sink> sink_of_thread;

}  // namespace

void log(std::string_view text) {
  std::string lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.append("npurt-emu: ").append(text.substr(0, end)).append("\n");
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  if (sink_of_thread) return sink_of_thread->add(lines);
  log_lines(lines);
}

void log_lines(std::string_view lines) {
  if (lines.empty()) return;
  // One write, so that messages of several threads and processes stay whole; there is nobody to tell of a failure.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, lines.data(), lines.size());
}

void log_sink::add(std::string_view lines) {
  constexpr std::size_t most = 1 << 20;  // of a process that does not ask
  const std::lock_guard lock(mutex_);
  if (lines_.size() + lines.size() <= most) lines_ += lines;
}

std::string log_sink::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(lines_, {});
}

void log_to(std::shared_ptr<log_sink> sink) { sink_of_thread = std::move(sink); }

std::shared_ptr<log_sink> current_log() { return sink_of_thread; }

}  // namespace npurt::emu::driver
