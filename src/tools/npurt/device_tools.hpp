// SPDX-License-Identifier: Apache-2.0
// The subcommands that use the device. They lie in a module that is loaded for them, so that the others start without
// XRT.
#pragma once

#include <string>
#include <vector>

namespace npurt::tools {

/// A data buffer of a call, in the order of the kernel's arguments.
struct call_buffer {
  enum class role { in, out, inout } use = role::in;
  std::string argument;  ///< in, inout: a file; out: "FILE:BYTES"
};

struct run_options {
  std::string file, instructions, kernel;
  std::vector<call_buffer> buffers;
  unsigned device = 0;
  unsigned repeat = 1;
  unsigned timeout_ms = 0;  ///< 0: ten seconds, on an emulated device an hour
  bool json = false;
};

struct hw_check_options {
  std::string output;
  std::string model;  ///< a report made under npurt-emu whose modelled times stand beside the measured ones
  std::string only;   ///< one check by name; all if empty
  unsigned device = 0;
  unsigned repeat = 5;
  bool json = false;
};

/// Loads the module and calls it.
/// @throws std::runtime_error if it cannot be loaded, with what the loader misses
int run_on_device(const run_options& options);
int run_hw_check(const hw_check_options& options);

// What the module exports.
using run_function = int(const run_options&);
using hw_check_function = int(const hw_check_options&);
inline constexpr const char* run_symbol = "npurt_tools_run";
inline constexpr const char* hw_check_symbol = "npurt_tools_hw_check";

}  // namespace npurt::tools
