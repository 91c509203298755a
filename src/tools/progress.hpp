// SPDX-License-Identifier: Apache-2.0
// How far a long command is, for who watches it.
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

namespace npurt::tools {

/// "[12/1000] name" on stderr, over the line before and gone at the end, if stderr is a terminal and there is more than
/// one to do; nothing elsewhere.
class progress {
 public:
  explicit progress(std::size_t total) : total_(total), shown_(total > 1 && ::isatty(STDERR_FILENO) != 0) {}
  ~progress() { show(""); }
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;

  /// The `number`-th begins, from 1 on. At most ten times a second there is a new line, so that it costs nothing.
  void begin(std::size_t number, std::string_view name = {}) {
    const auto now = std::chrono::steady_clock::now();
    if (number != 1 && now - last_ < std::chrono::milliseconds(100)) return;
    last_ = now;
    show("[" + std::to_string(number) + "/" + std::to_string(total_) + "] " + std::string(name));
  }

 private:
  void show(const std::string& line) const {
    if (shown_) std::fputs(("\r\033[K" + line).c_str(), stderr);
  }

  std::size_t total_;
  bool shown_;
  std::chrono::steady_clock::time_point last_ = {};
};

}  // namespace npurt::tools
