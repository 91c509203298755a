// SPDX-License-Identifier: Apache-2.0
// What would fail with a file on an XDNA NPU (Phoenix, npu1), found without one.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "binfmt/control_code.hpp"
#include "inspect/configuration.hpp"
#include "inspect/finding.hpp"

namespace npurt::inspect {

/// Checks an XCLBIN, PDI, ELF or control code, recognised by its content. Damage is a finding, too.
/// @return nothing for a file that the emulated NPU and the sources of XRT and the driver have no objection to
std::vector<finding> lint(std::span<const std::byte> bytes);

/// What keeps a control code from running with an XCLBIN; both were checked on their own.
/// @throws binfmt::format_error
std::vector<finding> lint_together(std::span<const std::byte> xclbin, std::span<const std::byte> instructions);

// Of the parts; `where` stands in the evidence, "PDI 0".
void lint_xclbin(std::span<const std::byte> bytes, std::vector<finding>& out);
/// @param what  names the number, "column_width"
void lint_columns(unsigned columns, const std::string& what, std::vector<finding>& out);
void lint_pdi(std::span<const std::byte> image, unsigned columns, const std::string& where, std::vector<finding>& out);
/// The same; damage is a finding.
void lint_pdi_or_damage(std::span<const std::byte> image, unsigned columns, const std::string& where,
                        std::vector<finding>& out);
/// @param columns of the partition
/// @param whole   whether it is all that the array is set to: a control code works on what a PDI has set
void lint_array(const configuration& array, unsigned columns, bool whole, const std::string& where,
                std::vector<finding>& out);
/// @param patched_by_xrt in an ELF file: XRT writes the addresses
void lint_control_code(const binfmt::control_code& code, bool patched_by_xrt, std::vector<finding>& out);

}  // namespace npurt::inspect
