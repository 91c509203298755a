// SPDX-License-Identifier: Apache-2.0
// The logger and its level.
#include "runtime/log.hpp"

#include <cstdlib>
#include <memory>

#include <spdlog/sinks/stdout_sinks.h>

namespace npurt::detail {

spdlog::logger& log() {
  // Never destroyed: runs that are still in flight at exit may log after static destruction has begun.
  static auto* logger = [] {
    auto* made = new spdlog::logger("npurt", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    const char* level = std::getenv("NPURT_LOG");
    made->set_level(level ? spdlog::level::from_str(level) : spdlog::level::off);
    return made;
  }();
  return *logger;
}

}  // namespace npurt::detail
