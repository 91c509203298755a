// SPDX-License-Identifier: Apache-2.0
#include "runtime/overlay/page_loader.hpp"

#include <algorithm>
#include <ctime>
#include <ranges>
#include <utility>

#include <fmt/format.h>

#include "binfmt/xclbin.hpp"
#include "npurt/detail/control_code.hpp"
#include "npurt/error.hpp"
#include "runtime/overlay/layout.hpp"

namespace npurt::detail::overlay {

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

// Words 2 and 3 of the header are the number of operations and the bytes of it all (formats of control code:
// runtime/control_code.cpp).
std::vector<std::uint32_t> with_page(const binfmt::code_pages& pages, std::size_t page,
                                     std::span<const std::uint32_t> code) {
  constexpr std::size_t header = 4, operations = 2, bytes = 3;
  std::vector<std::uint32_t> all = page_code(pages, page);
  all[operations] += code[operations];
  all.insert(all.end(), code.begin() + header, code.end());
  all[bytes] = static_cast<std::uint32_t>(all.size() * sizeof(std::uint32_t));
  return all;
}

std::chrono::nanoseconds page_loader::now() noexcept {
  timespec time{};
  ::clock_gettime(CLOCK_BOOTTIME, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// There may be several at a time: one where commands hang, and the one that took its place.
std::shared_ptr<page_loader::opening> page_loader::at(const open_place& place) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(known_, place->number, &known_opening::number);
  if (found != known_.end()) return found->state;
  std::erase_if(known_, [](const known_opening& each) { return each.place.expired(); });
  known_.push_back({place, place->number, std::make_shared<opening>()});
  return known_.back().state;
}

void page_loader::forget_lost(opening& in, const kernel& target, const open_context& place) {
  constexpr std::chrono::seconds kept_for_sure{1};
  const bool slept = now() - std::chrono::nanoseconds(used_) > kept_for_sure;
  const std::uint64_t openings = target.state()->context->openings();
  // Another context may have had the columns, or another opening of this one.
  const bool others = openings != std::exchange(in.openings, openings);
  const bool lost = last_.exchange(place.number) != place.number || others || slept;
  if (lost && in.loaded != 0U) in.loaded.reset();  // the first one comes with the array
}

namespace {

bool is_over(const run_state& load) noexcept {
  if (!load.in_flight) return true;
  try {
    return has_ended(load.native.state());
  } catch (const std::exception&) {
    return false;  // the driver refuses to be asked
  }
}

}  // namespace

run_state& page_loader::idle_load(opening& in, const kernel& target, const open_place& place, std::size_t page) const {
  const auto found = std::ranges::find_if(
      in.loads, [&](const page_load& each) { return each.page == page && is_over(*each.command); });
  if (found != in.loads.end()) return *found->command;
  return *in.loads.emplace_back(page, make_run_in(place, target, page_code(pages_, page), {})).command;
}

run_state& page_loader::start_load(opening& in, const kernel& target, const open_place& place, std::size_t page) const {
  const trace::span traced("load a page of code");
  run_state& load = idle_load(in, target, place, page);
  start_in(place, load);
  return load;
}

void page_loader::drop(opening& in, const run_state& load) {
  std::erase_if(in.loads, [&](const page_load& each) { return each.command.get() == &load; });
}

}  // namespace npurt::detail::overlay
