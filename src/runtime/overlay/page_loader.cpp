// SPDX-License-Identifier: Apache-2.0
#include "runtime/overlay/page_loader.hpp"

#include <algorithm>
#include <chrono>
#include <ranges>

#include <fmt/format.h>

#include "binfmt/xclbin.hpp"
#include "npurt/detail/control_code.hpp"
#include "npurt/error.hpp"
#include "runtime/overlay/layout.hpp"

namespace npurt::detail::overlay {

namespace {

// A page is there within a millisecond of the firmware's turn; it waits for the calls that were queued before it.
constexpr std::chrono::hours load_deadline{1};

}  // namespace

binfmt::code_pages read_pages(const xclbin& image) {
  const axlf* file = image.native().get_axlf();
  const std::span bytes(reinterpret_cast<const std::byte*>(file), file->m_header.m_length);
  const auto sections = binfmt::read_xclbin(bytes).sections;
  const auto found = std::ranges::find(sections, std::to_underlying(binfmt::section_kind::user_metadata),
                                       &binfmt::xclbin_section::kind);
  if (found == sections.end()) {
    throw xclbin_error(fmt::format("{}: it has no section USER_METADATA with the pages of its code", image.origin()));
  }
  try {
    return binfmt::read_code_pages(bytes.subspan(found->offset, found->size));
  } catch (const binfmt::format_error& failure) {
    throw xclbin_error(fmt::format("{}: USER_METADATA: {}", image.origin(), failure.what()));
  }
}

std::optional<std::size_t> page_of(const binfmt::code_pages& pages, operation op) {
  const auto has = [&](const binfmt::code_pages::page& each) {
    const std::size_t number = std::to_underlying(op);
    return number < each.table.size() && each.table[number] != pages.absent;
  };
  if (std::ranges::all_of(pages.pages, has)) return std::nullopt;
  const auto found = std::ranges::find_if(pages.pages, has);
  if (found == pages.pages.end()) {
    throw xclbin_error(
        fmt::format("the overlay has no operation {}: its file is older than the library", std::to_underlying(op)));
  }
  return found - pages.pages.begin();
}

std::vector<std::uint32_t> page_code(const binfmt::code_pages& pages, std::size_t page) {
  control_code code(columns);
  for (unsigned column = 0; column < columns; ++column) {
    for (unsigned row = 0; row < core_rows; ++row) {
      code.write_block(core_address(column, row, program_memory + pages.code_offset), pages.pages[page].code);
      code.write_block(core_address(column, row, pages.table_offset), pages.pages[page].table);
    }
  }
  return std::move(code).finish();
}

void page_loader::start(const kernel& target, run& command, operation op) {
  const auto needed = page_of(pages_, op);
  if (!needed) return command.start();
  const std::lock_guard lock(mutex_);
  if (*needed != loaded_) load(target, *needed);
  command.start();
}

void page_loader::load(const kernel& target, std::size_t page) {
  std::optional<run>& load = loads_[page];
  if (load) {
    load->wait(load_deadline);  // it was queued before the page that is loaded now
  } else {
    load.emplace(target, page_code(pages_, page), std::span<const buffer<std::byte>>());
  }
  load->start();
  loaded_ = page;
}

}  // namespace npurt::detail::overlay
