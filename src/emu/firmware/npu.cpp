// SPDX-License-Identifier: Apache-2.0
// Contexts of the emulated NPU, their places and PDIs; statistics and the timeline.
#include "emu/firmware/npu.hpp"

#include <algorithm>
#include <format>
#include <utility>

#include <nlohmann/json.hpp>

#include "binfmt/pdi.hpp"
#include "emu/array/core_pool.hpp"
#include "emu/core/core.hpp"
#include "emu/firmware/cdo_loader.hpp"
#include "emu/firmware/npu_impl.hpp"
#include "emu/firmware/statistics.hpp"

namespace npurt::emu {
namespace {

constexpr std::size_t most_contexts = 6;  // xdna-driver npu1_regs.c

aie::geometry part_of_npu1(unsigned columns) {
  aie::geometry shape = aie::npu1;
  shape.columns = static_cast<std::uint8_t>(columns);
  return shape;
}

}  // namespace

unsigned npu::clock_mhz(unsigned mode_mhz) { return static_cast<unsigned>(timing::clock_hz(mode_mhz) / 1'000'000); }

std::string npu::time_model(std::uint64_t clock_hz) { return timing::label(clock_hz); }

std::string npu::settings_problem() {
  try {
    timing::clock_hz();
    default_threads();
    default_engine();
    return {};
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}

npu::npu(device_memory& memory) : impl_(std::make_unique<impl>(memory)) {}
npu::~npu() = default;

/// Into the partition with the fewest contexts; of several the first.
void npu::impl::place(context& c, unsigned width) {
  unsigned fewest = most_contexts + 1;
  c.place.width = 0;
  for (unsigned start = 0; start + width <= aie::npu1.columns; start += width) {
    const auto users = static_cast<unsigned>(std::ranges::count_if(contexts, [&](const auto& entry) {
      return entry.second.place.width == width && entry.second.place.start == start;
    }));
    if (users >= fewest) continue;
    fewest = users;
    c.place.start = start;
  }
  c.place.width = width;
}

/// All partitions are as wide as the widest context. When that changes, everybody moves. The driver places a context
/// when its first command comes; here it has its place from its creation on.
void npu::impl::place_all() {
  unsigned width = 0;
  for (const auto& [id, c] : contexts) width = std::max(width, c.columns);
  const bool moved = std::ranges::any_of(
      contexts, [&](const auto& e) { return e.second.place.width != 0 && e.second.place.width != width; });
  if (moved)
    for (auto& [id, c] : contexts) {
      c.place.width = 0;
      c.displace();
    }
  for (auto& [id, c] : contexts)
    if (c.place.width == 0) place(c, width);
}

npu::column_range npu::columns_of(context_id id) const {
  const std::lock_guard guard(impl_->mutex);
  const auto found = impl_->contexts.find(id);
  if (found == impl_->contexts.end()) return {};
  return {found->second.place.start, found->second.place.width};
}

void npu::limit_cycles(std::uint64_t cycles) { impl_->cycle_budget = cycles; }

std::optional<context_id> npu::create_context(unsigned columns) {
  const std::lock_guard guard(impl_->mutex);
  if (columns == 0 || columns > aie::npu1.columns || impl_->contexts.size() == most_contexts) return std::nullopt;
  const context_id id = impl_->next_id++;
  auto memory = std::make_unique<memory_port>(impl_->memory);
  array tiles(part_of_npu1(columns), *memory);
  impl_->contexts.emplace(id, context{.columns = columns, .memory = std::move(memory), .tiles = std::move(tiles)});
  impl_->place_all();
  return id;
}

void npu::destroy_context(context_id id) {
  std::unique_lock lock(impl_->mutex);
  const auto found = impl_->contexts.find(id);
  if (found == impl_->contexts.end()) return;
  impl_->wait_until_idle(lock, found->second);
  impl_->contexts.erase(found);
  impl_->place_all();
  impl_->turn_over.notify_all();
}

std::string npu::configure_cu(context_id id, std::uint32_t cu, std::vector<std::byte> pdi) {
  std::unique_lock lock(impl_->mutex);
  const auto found = impl_->contexts.find(id);
  if (found == impl_->contexts.end()) return std::format("no context {}", id);
  impl_->wait_until_idle(lock, found->second);
  try {
    std::vector<std::uint32_t> cdo = binfmt::read_pdi(pdi).cdo;
    check_cdo(cdo);
    found->second.cdos[cu] = std::move(cdo);
    if (found->second.loaded == cu) found->second.loaded.reset();
  } catch (const std::exception& error) {
    return std::format("PDI of compute unit {}: {}", cu, error.what());
  }
  return {};
}

void npu::forget_configurations() {
  const std::lock_guard guard(impl_->mutex);
  for (auto& [id, c] : impl_->contexts) c.displace();
}

void npu::impl::wait_until_idle(std::unique_lock<std::mutex>& lock, const context& c) {
  turn_over.wait(lock, [&] { return !turns.has(c); });
}

void npu::record_timeline(std::size_t limit) {
  const std::lock_guard guard(impl_->mutex);
  impl_->line = std::make_unique<timeline>(limit);
}

void npu::write_timeline(std::ostream& out) const {
  const std::lock_guard guard(impl_->mutex);
  write_trace(out, impl_->line ? *impl_->line : timeline(0), timing::clock_hz());
}

void npu::write_timeline_beside_host(std::ostream& out, std::uint64_t origin_ns) const {
  const std::lock_guard guard(impl_->mutex);
  if (impl_->line) write_events_beside_host(out, *impl_->line, timing::clock_hz(), origin_ns);
}

std::string npu::statistics() const {
  const std::lock_guard guard(impl_->mutex);
  nlohmann::json commands = nlohmann::json::array();
  for (const std::string& record : impl_->records) commands.push_back(nlohmann::json::parse(record));
  nlohmann::json totals = to_json(impl_->total);
  totals.update({{"commands", impl_->commands},
                 {"contexts", impl_->next_id - 1},
                 {"pdi_loads", impl_->total_pdi_loads},
                 {"cycles", impl_->total_cycles},
                 {"firmware_cycles", impl_->total_firmware},
                 {"macs", impl_->macs},
                 {"ddr_read_bytes", impl_->ddr_read},
                 {"ddr_write_bytes", impl_->ddr_written}});
  const nlohmann::json all{{"note", "modelled figures, not hardware measurements; cycles of the array clock"},
                           {"clock_mhz", timing::clock_hz() / 1'000'000},
                           {"time_model", timing::label(timing::clock_hz())},
                           {"totals", std::move(totals)},
                           {"ignored_register_writes", impl_->ignored},
                           {"commands", std::move(commands)}};
  return all.dump(2);
}

}  // namespace npurt::emu
