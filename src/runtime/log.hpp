// SPDX-License-Identifier: Apache-2.0
// npurt's one logger.
#pragma once

#include <spdlog/logger.h>

namespace npurt::detail {

/// Writes to stderr; silent unless the environment variable NPURT_LOG names a level of spdlog's (trace, debug, info,
/// warn, err). Not registered with spdlog, so that it never meets the program's own loggers.
spdlog::logger& log();

}  // namespace npurt::detail
