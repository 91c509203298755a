// SPDX-License-Identifier: Apache-2.0
// The end of a forked child of a test.
#pragma once

#include <unistd.h>

#ifdef NPURT_COVERAGE
extern "C" void __gcov_dump();
#endif

namespace npurt::test {

/// Without the handlers and destructors of the test program, but with what coverage has counted.
[[noreturn]] inline void leave_child(int code) {
#ifdef NPURT_COVERAGE
  ::__gcov_dump();
#endif
  ::_exit(code);
}

}  // namespace npurt::test
