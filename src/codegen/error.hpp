// SPDX-License-Identifier: Apache-2.0
// What can be wrong with a kernel that is being built.
#pragma once

#include <format>
#include <stdexcept>
#include <string>

#include "codegen/target.hpp"

namespace npurt::codegen {

struct codegen_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// An operand that no form of the instruction takes: wrong kind of register, immediate out of range.
struct operand_error : codegen_error {
  using codegen_error::codegen_error;
};

/// A value that is read where nothing has defined it, or defined twice.
struct undefined_value_error : codegen_error {
  using codegen_error::codegen_error;
};

/// More values of one kind are alive at once than there are registers.
struct register_pressure_error : codegen_error {
  register_pressure_error(const std::string& where, register_kind k, std::size_t need, std::size_t have)
      : codegen_error(std::format("{}: {} registers of kind {} are alive at once; there are {}", where, need,
                                  to_string(k), have)),
        kind(k),
        needed(need),
        available(have) {}

  register_kind kind;
  std::size_t needed, available;
};

}  // namespace npurt::codegen
