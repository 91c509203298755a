// SPDX-License-Identifier: Apache-2.0
#include "runtime/overlay/page_loader.hpp"

#include <algorithm>
#include <ctime>
#include <ranges>

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

bool page_loader::is_shared(const kernel& target, [[maybe_unused]] const open_place& place) {
  if (!target.state()->context->is_shared()) return false;
  const std::lock_guard lock(mutex_);
  loaded_.reset();
  return true;
}

std::chrono::nanoseconds page_loader::now() noexcept {
  timespec time{};
  ::clock_gettime(CLOCK_BOOTTIME, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// A command may be started in an opening that is not the newest any more: another thread found meanwhile that it hangs.
void page_loader::note(const kernel& target, const open_context& place) {
  constexpr std::chrono::seconds kept_for_sure{1};
  if (now() - std::chrono::nanoseconds(used_) > kept_for_sure) loaded_.reset();
  const std::uint64_t openings = target.state()->context->openings();
  if (openings != openings_ || place.number != number_) loaded_.reset();  // another context may have had the columns
  if (place.number > newest_) {
    loaded_ = 0;  // it comes with the array
    newest_ = place.number;
    // They would keep the one before open.
    std::erase_if(loads_, [&](const load& each) {
      const std::uint64_t made_in = each.command.shared()->number;
      return made_in != 0 && made_in != newest_;
    });
  }
  openings_ = openings;
  number_ = place.number;
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

run& page_loader::idle_load(const kernel& target, std::size_t page) {
  const auto found = std::ranges::find_if(
      loads_, [&](const load& each) { return each.page == page && is_over(*each.command.shared()); });
  if (found != loads_.end()) return found->command;
  loads_.push_back({page, run(target, page_code(pages_, page), std::span<const buffer<std::byte>>())});
  return loads_.back().command;
}

run_state& page_loader::start_load(const kernel& target, const open_place& place, std::size_t page) {
  const trace::span traced("load a page of code");
  run_state& load = *idle_load(target, page).shared();
  start_in(place, load);
  return load;
}

void page_loader::drop(const run_state& load) {
  std::erase_if(loads_, [&](const auto& each) { return each.command.shared().get() == &load; });
}

}  // namespace npurt::detail::overlay
