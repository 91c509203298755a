// SPDX-License-Identifier: Apache-2.0
// Contexts, PDIs and commands of the emulated NPU.
#include "emu/firmware/npu.hpp"

#include <algorithm>
#include <format>
#include <map>
#include <mutex>
#include <set>

#include <nlohmann/json.hpp>

#include "binfmt/control_code.hpp"
#include "binfmt/pdi.hpp"
#include "emu/array/array.hpp"
#include "emu/array/core_pool.hpp"
#include "emu/array/timing.hpp"
#include "emu/core/core.hpp"
#include "emu/firmware/cdo_loader.hpp"
#include "emu/firmware/firmware_error.hpp"
#include "emu/firmware/firmware_log.hpp"
#include "emu/firmware/interpreter.hpp"
#include "emu/firmware/statistics.hpp"
#include "emu/firmware/timeline.hpp"

namespace npurt::emu {
namespace {

constexpr std::size_t most_contexts = 6;  // xdna-driver npu1_regs.c
/// The driver's watchdog ends a command after 2 s (xdna-driver aie2_tdr.c).
std::uint64_t watchdog_cycles() { return 2 * timing::clock_hz(); }
/// Commands whose figures are kept one by one; the totals go on.
constexpr std::size_t most_records = 4096;
/// Of XRT's buffers in the device's view; XRT adds it when it patches addresses into an ELF.
constexpr std::uint64_t ddr_offset = 0x80000000;

class memory_port final : public ddr_port {
 public:
  explicit memory_port(device_memory& memory) : memory_(memory) {}
  std::byte* translate(std::uint64_t address, std::uint64_t size) override { return memory_.translate(address, size); }

 private:
  device_memory& memory_;
};

struct context {
  unsigned columns = 0;
  unsigned start = 0;  ///< first column of its partition, 0 to 3 within the usable ones
  array tiles;
  unsigned width = 0;                                             ///< of its partition
  std::map<std::uint32_t, std::vector<std::uint32_t>> cdos = {};  ///< by compute unit
  std::optional<std::uint32_t> loaded = std::nullopt;             ///< compute unit whose PDI the columns hold

  bool overlaps(const context& other) const { return start < other.start + other.width && other.start < start + width; }
};

aie::geometry part_of_npu1(unsigned columns) {
  aie::geometry shape = aie::npu1;
  shape.columns = static_cast<std::uint8_t>(columns);
  return shape;
}

const char* name(command_outcome outcome) {
  switch (outcome) {
    case command_outcome::completed:
      return "completed";
    case command_outcome::error:
      return "error";
    case command_outcome::timeout:
      return "timeout";
    case command_outcome::aborted:
      return "aborted";
  }
  return "";
}

}  // namespace

struct npu::impl {
  explicit impl(device_memory& host) : memory(host) {}

  void place(context& c, unsigned width);
  void place_all();
  void load(context& c, std::uint32_t cu);
  void configure(context& c, std::span<const std::uint32_t> cdo);
  void load_pdi(context& c, std::uint64_t address, std::uint32_t bytes);
  void keep_new(std::vector<std::string>& notes);
  void go_on(context& c, std::vector<std::string>& notes);
  void spend(context& c, std::string_view what, std::uint64_t cycles);
  void begin_log(context_id id, context& c);
  command_result run(context& c, const npu_command& command);
  void record(context_id id, const npu_command& command, const command_result& result, const array_statistics& cost);

  mutable std::mutex mutex;
  mutable std::mutex places_mutex;  ///< for `places`, which are asked for while a command runs
  std::map<context_id, column_range> places;
  memory_port memory;
  std::map<context_id, context> contexts;
  context_id next_id = 1;
  std::uint64_t cycle_budget = watchdog_cycles();
  std::uint64_t firmware_cycles = 0;  ///< of the command under way
  firmware_log log;                   ///< of the command under way
  std::unique_ptr<timeline> line;
  array_statistics total;            ///< over the device's usable columns
  std::vector<std::string> records;  ///< JSON text, a fifth of the size of its tree
  std::uint64_t commands = 0, total_cycles = 0, total_firmware = 0, macs = 0, ddr_read = 0, ddr_written = 0;
  std::map<std::string, std::uint64_t, std::less<>> ignored;
  std::set<std::string> told;  ///< notes
};

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
  c.width = 0;
  for (unsigned start = 0; start + width <= aie::npu1.columns; start += width) {
    const auto users = static_cast<unsigned>(std::ranges::count_if(
        contexts, [&](const auto& entry) { return entry.second.width == width && entry.second.start == start; }));
    if (users >= fewest) continue;
    fewest = users;
    c.start = start;
  }
  c.width = width;
}

/// All partitions are as wide as the widest context. When that changes, everybody moves. The driver places a context
/// when its first command comes; here it has its place from its creation on.
void npu::impl::place_all() {
  unsigned width = 0;
  for (const auto& [id, c] : contexts) width = std::max(width, c.columns);
  const bool moved =
      std::ranges::any_of(contexts, [&](const auto& e) { return e.second.width != 0 && e.second.width != width; });
  if (moved)
    for (auto& [id, c] : contexts) {
      c.width = 0;
      c.loaded.reset();
    }
  for (auto& [id, c] : contexts)
    if (c.width == 0) place(c, width);
  const std::lock_guard guard(places_mutex);
  places.clear();
  for (const auto& [id, c] : contexts) places[id] = {c.start, c.width};
}

npu::column_range npu::columns_of(context_id id) const {
  const std::lock_guard guard(impl_->places_mutex);
  const auto found = impl_->places.find(id);
  return found == impl_->places.end() ? column_range{} : found->second;
}

void npu::limit_cycles(std::uint64_t cycles) {
  const std::lock_guard guard(impl_->mutex);
  impl_->cycle_budget = cycles;
}

std::optional<context_id> npu::create_context(unsigned columns) {
  const std::lock_guard guard(impl_->mutex);
  if (columns == 0 || columns > aie::npu1.columns || impl_->contexts.size() == most_contexts) return std::nullopt;
  const context_id id = impl_->next_id++;
  impl_->contexts.emplace(id, context{.columns = columns, .tiles = array(part_of_npu1(columns), impl_->memory)});
  impl_->place_all();
  return id;
}

void npu::destroy_context(context_id id) {
  const std::lock_guard guard(impl_->mutex);
  impl_->contexts.erase(id);
  impl_->place_all();
}

std::string npu::configure_cu(context_id id, std::uint32_t cu, std::vector<std::byte> pdi) {
  const std::lock_guard guard(impl_->mutex);
  const auto found = impl_->contexts.find(id);
  if (found == impl_->contexts.end()) return std::format("no context {}", id);
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

void npu::impl::load(context& c, std::uint32_t cu) {
  if (c.loaded == cu) return;
  const auto cdo = c.cdos.find(cu);
  if (cdo == c.cdos.end()) throw firmware_error(std::format("compute unit {} has no PDI", cu));
  for (auto& [id, other] : contexts)
    if (&other != &c && c.overlaps(other)) other.loaded.reset();
  c.loaded.reset();
  configure(c, cdo->second);
  c.loaded = cu;
}

void npu::impl::configure(context& c, std::span<const std::uint32_t> cdo) {
  c.tiles.reset();
  spend(c, "load PDI", load_cdo(c.tiles, cdo) * timing::fw_pdi_tenths_per_word / 10);
}

/// From control code.
void npu::impl::load_pdi(context& c, std::uint64_t address, std::uint32_t bytes) {
  const std::byte* pdi = memory.translate(address, bytes);
  if (pdi == nullptr) pdi = memory.translate(address - ddr_offset, bytes);
  if (pdi == nullptr)
    throw firmware_error(std::format("PDI of {} bytes at {:#x}: no buffer object holds it", bytes, address));
  const std::vector<std::uint32_t> cdo = binfmt::read_pdi(std::span(pdi, bytes)).cdo;
  check_cdo(cdo);
  configure(c, cdo);
}

/// Output that control code does not wait for arrives while the host is hearing of the command's end, which takes 90 us
/// (reference/array.md section 8). That time is no command's.
void npu::impl::go_on(context& c, std::vector<std::string>& notes) {
  if (!c.tiles.awaits_output()) return;
  try {
    c.tiles.run(c.tiles.now() + 90 * timing::clock_hz() / 1'000'000, false, true);
  } catch (const std::exception& error) {
    c.loaded.reset();
    notes.push_back(std::format("after a command's end: {}", error.what()));
  }
}

/// Those that were not told before.
void npu::impl::keep_new(std::vector<std::string>& notes) {
  std::erase_if(notes, [&](const std::string& note) { return !told.insert(note).second; });
}

void npu::impl::spend(context& c, std::string_view what, std::uint64_t cycles) {
  const std::uint64_t start = c.tiles.now();
  firmware_cycles += cycles;
  c.tiles.run(start + cycles, false, false);
  log.add(what, start, start + cycles, cycles);
}

command_result npu::impl::run(context& c, const npu_command& command) {
  command_result result;
  c.tiles.forget_translations();
  firmware_cycles = 0;
  try {
    load(c, command.cu);
    const binfmt::control_code code = binfmt::read_control_code(command.control_code);
    spend(c, "launch", timing::fw_command);
    interpreter firmware(c.tiles, command, cycle_budget, log,
                         [&](std::uint64_t address, std::uint32_t bytes) { load_pdi(c, address, bytes); });
    result = firmware.run(code);
    firmware_cycles += firmware.firmware_cycles();
    // The event that stops a trace comes last in control code; the rest of the trace is on its way still.
    if (result.outcome == command_outcome::completed && c.tiles.traces())
      c.tiles.run(c.tiles.now() + timing::fw_completion, false, true);
  } catch (const std::exception& error) {
    result.outcome = command_outcome::error;
    result.report = error.what();
  }
  if (result.outcome != command_outcome::completed) c.loaded.reset();
  return result;
}

void npu::impl::record(context_id id, const npu_command& command, const command_result& result,
                       const array_statistics& cost) {
  ++commands;
  total_cycles += cost.cycles;
  total_firmware += firmware_cycles;
  macs += result.macs;
  add(total, cost, contexts.at(id).start);
  ddr_read += cost.ddr_read_bytes;
  ddr_written += cost.ddr_write_bytes;
  for (const auto& [what, times] : cost.ignored_writes)
    if (times != 0) ignored[what] += times;
  if (records.size() == most_records) return;
  nlohmann::json entry = to_json(cost);
  entry["context"] = id;
  entry["cu"] = command.cu;
  entry["outcome"] = name(result.outcome);
  entry["start_column"] = contexts.at(id).start;
  entry["firmware_cycles"] = firmware_cycles;
  entry["firmware_cycles_by_operation"] = log.busy_cycles;
  if (!result.report.empty()) entry["report"] = result.report;
  records.push_back(entry.dump());
}

void npu::impl::begin_log(context_id id, context& c) {
  log = {.busy_cycles = {},
         .line = line.get(),
         .base = total_cycles,
         .began = c.tiles.now(),
         .owner = static_cast<std::uint16_t>(id)};
  if (line) c.tiles.watch(&line->array, log.owner, log.base);
}

void npu::record_timeline(std::size_t limit) {
  const std::lock_guard guard(impl_->mutex);
  impl_->line = std::make_unique<timeline>(limit);
}

void npu::write_timeline(std::ostream& out) const {
  const std::lock_guard guard(impl_->mutex);
  write_trace(out, impl_->line ? *impl_->line : timeline(0), timing::clock_hz());
}

command_result npu::execute(context_id id, const npu_command& command) {
  const std::lock_guard guard(impl_->mutex);
  const auto found = impl_->contexts.find(id);
  if (found == impl_->contexts.end())
    return {.outcome = command_outcome::error, .report = std::format("no context {}", id)};
  context& c = found->second;
  const array_statistics before = c.tiles.statistics();
  impl_->begin_log(id, c);
  command_result result = impl_->run(c, command);
  c.tiles.watch(nullptr);
  const array_statistics cost = difference(c.tiles.statistics(), before);
  result.cycles = cost.cycles;
  result.macs = total_macs(cost);
  if (result.outcome == command_outcome::completed) impl_->go_on(c, result.notes);
  for (const auto& [what, times] : cost.ignored_writes)
    if (times != 0) result.notes.push_back("without effect here: " + what);
  impl_->keep_new(result.notes);
  impl_->record(id, command, result, cost);
  return result;
}

std::string npu::statistics() const {
  const std::lock_guard guard(impl_->mutex);
  nlohmann::json commands = nlohmann::json::array();
  for (const std::string& record : impl_->records) commands.push_back(nlohmann::json::parse(record));
  nlohmann::json totals = to_json(impl_->total);
  totals.update({{"commands", impl_->commands},
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
