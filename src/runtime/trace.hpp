// SPDX-License-Identifier: Apache-2.0
// What the host does and when, for NPURT_TRACE=FILE: Chrome's JSON trace events, which Perfetto opens.
#pragma once

#include <cstdint>
#include <string_view>

namespace npurt::detail::trace {

class recorder;
struct event;

/// Null unless NPURT_TRACE names a file: a look at it is what tracing costs when it is off. Set while the library is
/// loaded, and written to the file when the program ends.
extern recorder* const active;

/// What this thread does from here to the end of the scope.
class span {
 public:
  /// @param what   a literal: the call
  /// @param detail what it is about; copied
  explicit span(const char* what, std::string_view detail = {}) {
    if (active != nullptr) [[unlikely]]
      begin(what, detail);
  }
  ~span() {
    if (open_ != nullptr) [[unlikely]]
      end();
  }
  span(const span&) = delete;
  span& operator=(const span&) = delete;

 private:
  void begin(const char* what, std::string_view detail) noexcept;
  void end() noexcept;

  event* open_ = nullptr;
};

/// A command between its start and the end of the wait for it, on a track of its own.
class flight {
 public:
  void begin(std::string_view what) noexcept {
    if (active != nullptr) [[unlikely]]
      take_off(what);
  }
  void end() noexcept {
    if (open_ != nullptr) [[unlikely]]
      land();
  }

 private:
  void take_off(std::string_view what) noexcept;
  void land() noexcept;

  event* open_ = nullptr;
};

}  // namespace npurt::detail::trace
