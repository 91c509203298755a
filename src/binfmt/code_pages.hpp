// SPDX-License-Identifier: Apache-2.0
// Pages of core code that one array program runs in turn: the section USER_METADATA of an npurt kernel's XCLBIN.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "binfmt/format_error.hpp"

namespace npurt::binfmt {

/// Which code is where. Operations count from 0; an address in a table is one of program memory.
struct code_pages {
  struct page {
    std::vector<std::uint32_t> table;  ///< of each operation its address while this page is loaded
    std::vector<std::uint32_t> code;
    bool operator==(const page&) const = default;
  };

  std::uint32_t code_offset = 0;   ///< of every page, bytes in program memory
  std::uint32_t table_offset = 0;  ///< bytes in the core's data memory
  std::uint32_t absent = 0;        ///< the address in a table of operations that need another page
  std::vector<page> pages;         ///< the first one is loaded with the array
  bool operator==(const code_pages&) const = default;
};

/// Words behind a magic number, a version and the UUID of the rest.
std::vector<std::byte> write_code_pages(const code_pages& pages);

/// @throws format_error for a wrong magic, version or UUID, tables of different sizes, and code or tables that reach
///         beyond a core's memories
code_pages read_code_pages(std::span<const std::byte> bytes);

}  // namespace npurt::binfmt
