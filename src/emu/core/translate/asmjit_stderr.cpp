// SPDX-License-Identifier: Apache-2.0
// The variable that our copy of asmjit's archive names instead of libc's stderr (cmake/npurt_asmjit.cmake).
#include <cstdio>

extern "C" {
// asmjit prints to it in debugOutput() alone, which only its assertions call.
extern FILE* npurt_asmjit_stderr;
[[gnu::visibility("hidden"), gnu::used]] FILE* npurt_asmjit_stderr = stderr;
}
