// SPDX-License-Identifier: Apache-2.0
// A function to assembly text: registers, schedule, software pipelines.
#pragma once

#include <string>
#include <vector>

#include "codegen/ir.hpp"
#include "codegen/schedule.hpp"

namespace npurt::codegen {

struct compile_options {
  bool pipeline = true;                            ///< overlap the iterations of innermost loops
  block_order order = block_order::critical_path;  ///< of straight code, and of loops that are not pipelined
  int most_copies = 8;                             ///< iterations that a pipelined loop may unroll to keep values apart
};

/// How an innermost loop came out.
struct loop_report {
  std::string name;
  std::size_t operations = 0;
  bool pipelined = false;
  int interval = 0;        ///< cycles from one iteration's start to the next; a plain loop: of a whole iteration
  int stages = 0;          ///< iterations in flight
  int copies = 0;          ///< iterations in one pass of the repeated code
  std::string obstacle{};  ///< why it could not be pipelined
  std::vector<interval_bound> bounds{};  ///< what the interval cannot be below, worst first
};
std::string to_string(const loop_report& report);

struct compiled_function {
  std::string text;  ///< for npurt-as
  int bundles = 0;
  std::vector<loop_report> loops;
};

/// @throws codegen_error: operand_error, undefined_value_error, register_pressure_error
compiled_function compile(const function& f, const compile_options& options = {});

}  // namespace npurt::codegen
