// SPDX-License-Identifier: Apache-2.0
// What the emulated driver tells the user: lines on stderr, each with the prefix "npurt-emu: ".
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace npurt::emu::driver {

/// Writes `text`, which may have several lines. Thread-safe: texts are not mixed.
void log(std::string_view text);

/// Writes lines that another process's log has made.
void log_lines(std::string_view lines);

/// Takes the place of stderr for the threads that work for another process. Thread-safe.
class log_sink {
 public:
  void add(std::string_view lines);
  /// What was added since the last time.
  std::string take();

 private:
  std::mutex mutex_;
  std::string lines_;
};

/// Where this thread logs from now on; stderr if null.
void log_to(std::shared_ptr<log_sink> sink);
std::shared_ptr<log_sink> current_log();

}  // namespace npurt::emu::driver
