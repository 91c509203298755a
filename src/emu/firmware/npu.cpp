// SPDX-License-Identifier: Apache-2.0
// Contexts, PDIs and commands of the emulated NPU.
#include "emu/firmware/npu.hpp"

#include <algorithm>
#include <format>
#include <map>
#include <mutex>

#include <nlohmann/json.hpp>

#include "binfmt/control_code.hpp"
#include "binfmt/pdi.hpp"
#include "emu/array/array.hpp"
#include "emu/array/timing.hpp"
#include "emu/firmware/cdo_loader.hpp"
#include "emu/firmware/firmware_error.hpp"
#include "emu/firmware/interpreter.hpp"
#include "emu/firmware/statistics.hpp"

namespace npurt::emu {
namespace {

constexpr std::size_t most_contexts = 6;  // xdna-driver npu1_regs.c
/// The driver's watchdog ends a command after 2 s (xdna-driver aie2_tdr.c).
constexpr std::uint64_t watchdog_cycles = 2'000'000ull * timing::clock_mhz;
/// Commands whose figures are kept one by one; the totals go on.
constexpr std::size_t most_records = 4096;

class memory_port final : public ddr_port {
 public:
  explicit memory_port(device_memory& memory) : memory_(memory) {}
  std::byte* translate(std::uint64_t address, std::uint64_t size) override { return memory_.translate(address, size); }

 private:
  device_memory& memory_;
};

struct context {
  unsigned start = 0;  ///< first column, 0 to 3 within the usable ones
  unsigned columns = 0;
  array tiles;
  std::map<std::uint32_t, std::vector<std::uint32_t>> cdos = {};  ///< by compute unit
  std::optional<std::uint32_t> loaded = std::nullopt;             ///< compute unit whose PDI the columns hold
  bool fresh = true;                                              ///< no command has run yet

  bool overlaps(const context& other) const {
    return start < other.start + other.columns && other.start < start + columns;
  }
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
  }
  return "";
}

}  // namespace

struct npu::impl {
  explicit impl(device_memory& host) : memory(host) {}

  unsigned find_start(unsigned columns) const;
  void load(context& c, std::uint32_t cu);
  command_result run(context& c, const npu_command& command);
  void record(context_id id, const npu_command& command, const command_result& result, const array_statistics& cost);

  mutable std::mutex mutex;
  memory_port memory;
  std::map<context_id, context> contexts;
  context_id next_id = 1;
  std::uint64_t cycle_budget = watchdog_cycles;
  std::uint64_t firmware_cycles = 0;  ///< of the command under way
  nlohmann::json records = nlohmann::json::array();
  std::uint64_t commands = 0, total_cycles = 0, total_firmware = 0, macs = 0, ddr_read = 0, ddr_written = 0;
  std::map<std::string, std::uint64_t, std::less<>> ignored;
};

npu::npu(device_memory& memory) : impl_(std::make_unique<impl>(memory)) {}
npu::~npu() = default;

/// The least used place among those that the driver knows for this width: 0, n, 2n, ...
unsigned npu::impl::find_start(unsigned columns) const {
  unsigned best = 0, fewest = most_contexts + 1;
  for (unsigned start = 0; start + columns <= aie::npu1.columns; start += columns) {
    const auto users = static_cast<unsigned>(std::ranges::count_if(contexts, [&](const auto& entry) {
      return start < entry.second.start + entry.second.columns && entry.second.start < start + columns;
    }));
    if (users < fewest) {
      fewest = users;
      best = start;
    }
  }
  return best;
}

void npu::limit_cycles(std::uint64_t cycles) {
  const std::lock_guard guard(impl_->mutex);
  impl_->cycle_budget = cycles;
}

std::optional<context_id> npu::create_context(unsigned columns) {
  const std::lock_guard guard(impl_->mutex);
  if (columns == 0 || columns > aie::npu1.columns || impl_->contexts.size() == most_contexts) return std::nullopt;
  const context_id id = impl_->next_id++;
  impl_->contexts.emplace(id, context{.start = impl_->find_start(columns),
                                      .columns = columns,
                                      .tiles = array(part_of_npu1(columns), impl_->memory)});
  return id;
}

void npu::destroy_context(context_id id) {
  const std::lock_guard guard(impl_->mutex);
  impl_->contexts.erase(id);
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
  c.tiles.reset();
  const std::uint64_t cycles = load_cdo(c.tiles, cdo->second) * timing::fw_pdi_tenths_per_word / 10;
  c.loaded = cu;
  firmware_cycles += cycles;
  c.tiles.run(c.tiles.now() + cycles, false, false);
}

command_result npu::impl::run(context& c, const npu_command& command) {
  command_result result;
  c.tiles.forget_translations();
  firmware_cycles = 0;
  try {
    load(c, command.cu);
    const binfmt::control_code code = binfmt::read_control_code(command.control_code);
    const std::uint64_t launch = c.fresh ? timing::fw_first_command : timing::fw_command;
    c.fresh = false;
    firmware_cycles += launch;
    c.tiles.run(c.tiles.now() + launch, false, false);
    interpreter firmware(c.tiles, command, cycle_budget);
    result = firmware.run(code);
    firmware_cycles += firmware.firmware_cycles();
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
  ddr_read += cost.ddr_read_bytes;
  ddr_written += cost.ddr_write_bytes;
  for (const auto& [what, times] : cost.ignored_writes)
    if (times != 0) ignored[what] += times;
  if (records.size() == most_records) return;
  nlohmann::json entry = to_json(cost);
  entry["context"] = id;
  entry["cu"] = command.cu;
  entry["outcome"] = name(result.outcome);
  entry["firmware_cycles"] = firmware_cycles;
  if (!result.report.empty()) entry["report"] = result.report;
  records.push_back(std::move(entry));
}

command_result npu::execute(context_id id, const npu_command& command) {
  const std::lock_guard guard(impl_->mutex);
  const auto found = impl_->contexts.find(id);
  if (found == impl_->contexts.end())
    return {.outcome = command_outcome::error, .report = std::format("no context {}", id)};
  context& c = found->second;
  const array_statistics before = c.tiles.statistics();
  command_result result = impl_->run(c, command);
  const array_statistics cost = difference(c.tiles.statistics(), before);
  result.cycles = cost.cycles;
  result.macs = total_macs(cost);
  impl_->record(id, command, result, cost);
  return result;
}

std::string npu::statistics() const {
  const std::lock_guard guard(impl_->mutex);
  const nlohmann::json all{{"note", "modelled figures, not hardware measurements; cycles of the array clock"},
                           {"clock_mhz", timing::clock_mhz},
                           {"totals",
                            {{"commands", impl_->commands},
                             {"cycles", impl_->total_cycles},
                             {"firmware_cycles", impl_->total_firmware},
                             {"macs", impl_->macs},
                             {"ddr_read_bytes", impl_->ddr_read},
                             {"ddr_write_bytes", impl_->ddr_written}}},
                           {"ignored_register_writes", impl_->ignored},
                           {"commands", impl_->records}};
  return all.dump(2);
}

}  // namespace npurt::emu
