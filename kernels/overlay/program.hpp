// SPDX-License-Identifier: Apache-2.0
// The program that all cores of the overlay run, in as many versions as it has pages.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace npurt::kernels::overlay {

/// Assembly texts, one a page: the loop that waits for a call and the operations of page 0, the same in all; at
/// page_offset the operations of the page.
std::vector<std::string> programs();

/// What has to be loaded for each page, from the programs' ELF files: binfmt::code_pages as bytes.
/// @throws config::config_error if the files do not share what is outside the pages
std::vector<std::byte> pages_of(std::span<const std::vector<std::byte>> elfs);

}  // namespace npurt::kernels::overlay
