// SPDX-License-Identifier: Apache-2.0
// Pages of code out of the programs that hold them.
#include <algorithm>
#include <format>

#include "binfmt/code_pages.hpp"
#include "binfmt/elf.hpp"
#include "binfmt/little_endian.hpp"
#include "config/description.hpp"
#include "overlay/core_memory.hpp"
#include "overlay/program.hpp"

namespace npurt::kernels::overlay {

namespace {

using binfmt::code_pages;

binfmt::elf_segment segment_at(std::span<const std::byte> elf, std::uint32_t address, bool executable) {
  const auto segments = binfmt::read_elf_segments(elf);
  const auto found = std::ranges::find_if(segments, [&](const binfmt::elf_segment& each) {
    return each.address == address && each.executable == executable;
  });
  if (found == segments.end()) {
    throw config::config_error(std::format("the overlay's program has nothing at {:#x}", address));
  }
  return *found;
}

/// Code ends on two bytes.
std::vector<std::uint32_t> whole_words(std::span<const std::byte> bytes) {
  std::vector<std::byte> filled(bytes.begin(), bytes.end());
  filled.resize((bytes.size() + 3) / 4 * 4);
  return binfmt::words_of(filled);
}

code_pages::page page_of(std::span<const std::byte> elf) {
  return {.table = whole_words(segment_at(elf, data_memory + operations_offset, false).data),
          .code = whole_words(segment_at(elf, page_offset, true).data)};
}

/// Number 27 is nobody's, now and later.
constexpr std::size_t no_operation = operations - 1;

void check_shared(const code_pages& pages) {
  for (const code_pages::page& each : pages.pages) {
    for (std::size_t i = 0; i < operations; ++i) {
      const auto elsewhere = [&](std::uint32_t address) { return address >= page_offset || address == pages.absent; };
      if (each.table[i] != pages.pages[0].table[i] &&
          !(elsewhere(each.table[i]) && elsewhere(pages.pages[0].table[i]))) {
        throw config::config_error(std::format("the overlay's operation {} is in two places outside the pages", i));
      }
    }
  }
}

}  // namespace

std::vector<std::byte> pages_of(std::span<const std::vector<std::byte>> elfs) {
  code_pages result{.code_offset = page_offset, .table_offset = operations_offset, .absent = 0, .pages = {}};
  for (const std::vector<std::byte>& elf : elfs) result.pages.push_back(page_of(elf));
  result.absent = result.pages.front().table[no_operation];
  check_shared(result);
  return binfmt::write_code_pages(result);
}

}  // namespace npurt::kernels::overlay
