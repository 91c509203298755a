// SPDX-License-Identifier: Apache-2.0
// How an interposed function is declared.
#pragma once

/// Visible although the library hides its symbols: these are what a program finds in place of libc's.
#define NPURT_INTERPOSED extern "C" __attribute__((visibility("default"), used))
