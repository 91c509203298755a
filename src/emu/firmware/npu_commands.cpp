// SPDX-License-Identifier: Apache-2.0
// Commands of the emulated NPU: their turns, loading, the firmware's work, their figures.
#include <chrono>
#include <format>
#include <utility>

#include <nlohmann/json.hpp>

#include "binfmt/control_code.hpp"
#include "binfmt/pdi.hpp"
#include "emu/firmware/cdo_loader.hpp"
#include "emu/firmware/command_end.hpp"
#include "emu/firmware/firmware_error.hpp"
#include "emu/firmware/interpreter.hpp"
#include "emu/firmware/npu_impl.hpp"
#include "emu/firmware/statistics.hpp"

namespace npurt::emu {
namespace {

/// Commands whose figures are kept one by one; the totals go on.
constexpr std::size_t most_records = 4096;
/// Notes of all commands that are remembered as told.
constexpr std::size_t most_told = 1024;
/// Of XRT's buffers in the device's view; XRT adds it when it patches addresses into an ELF.
constexpr std::uint64_t ddr_offset = 0x80000000;

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

/// Whoever had the columns has lost what was in them. When contexts have moved since the command began, all have lost
/// it already, and nobody else has used these columns since; where this context is now it has loaded nothing.
void npu::impl::load(context& c, std::uint32_t cu) {
  const auto cdo = c.cdos.find(cu);
  {
    const std::lock_guard guard(mutex);
    if (c.loaded == cu) return;
    if (cdo == c.cdos.end()) throw firmware_error(std::format("compute unit {} has no PDI", cu));
    for (auto& [id, other] : contexts)
      if (!c.displaced && &other != &c && c.place.overlaps(other.place)) other.loaded.reset();
    c.loaded.reset();
  }
  configure(c, cdo->second);
  const std::lock_guard guard(mutex);
  if (!c.displaced) c.loaded = cu;
}

void npu::impl::unload(context& c) {
  const std::lock_guard guard(mutex);
  c.loaded.reset();
}

void npu::impl::configure(context& c, std::span<const std::uint32_t> cdo) {
  c.pdi.reset();
  c.tiles.reset();
  ++c.pdi_loads;
  spend(c, "load PDI", load_cycles(load_cdo(c.tiles, cdo, cycle_budget, c.cancelled)));
}

/// From control code. The firmware leaves out a PDI that is loaded already (mlir-aie AIEX.td, npu.load_pdi). Another
/// one may have come to its address meanwhile, under the same id.
bool npu::impl::load_pdi(context& c, const binfmt::control_operation& op) {
  const std::uint64_t address = op.pdi_address;
  const std::uint32_t bytes = op.pdi_size;
  const bool is_loaded = c.pdi == std::pair(op.id, address);
  const std::byte* pdi = c.memory->translate(address, bytes, memory_access::read);
  if (pdi == nullptr) pdi = c.memory->translate(address - ddr_offset, bytes, memory_access::read);
  if (pdi == nullptr && is_loaded) return false;
  if (pdi == nullptr)
    throw firmware_error(std::format("PDI of {} bytes at {:#x}: no buffer object holds it", bytes, address));
  std::vector<std::uint32_t> cdo = binfmt::read_pdi(std::span(pdi, bytes)).cdo;
  if (is_loaded && c.pdi_cdo == cdo) return false;
  check_cdo(cdo);
  configure(c, cdo);
  c.pdi = {op.id, address};
  c.pdi_cdo = std::move(cdo);
  return true;
}

/// Output that control code does not wait for arrives while the host is hearing of the command's end, which takes 90 us
/// (reference/array.md section 8). That time is no command's.
void npu::impl::go_on(context& c, std::vector<std::string>& notes) {
  if (!c.tiles.awaits_output()) return;
  try {
    c.tiles.run(c.tiles.now() + 90 * timing::clock_hz() / 1'000'000, false, true);
  } catch (const std::exception& error) {
    unload(c);
    add_note(notes, std::format("after a command's end: {}", error.what()));
  }
}

/// Those that were not told before.
void npu::impl::keep_new(std::vector<std::string>& notes) {
  std::erase_if(notes, [&](const std::string& note) { return told.size() >= most_told || !told.insert(note).second; });
  if (!notes.empty() && told.size() >= most_told) notes.push_back("further notes of this device are left out");
}

void npu::impl::spend(context& c, std::string_view what, std::uint64_t cycles) {
  const std::uint64_t start = c.tiles.now();
  c.firmware_cycles += cycles;
  let_pass(c.tiles, cycles, c.cancelled);
  c.log.add(what, start, start + cycles, cycles);
}

command_result npu::impl::run(context& c, const npu_command& command) {
  command_result result;
  c.tiles.forget_translations();
  c.firmware_cycles = c.pdi_loads = c.running_meanwhile = 0;
  try {
    load(c, command.cu);
    const binfmt::control_code code = command.is_dpu_sequence ? binfmt::read_dpu_sequence(command.control_code)
                                                              : binfmt::read_control_code(command.control_code);
    spend(c, "launch", timing::fw_command);
    interpreter firmware(c.tiles, command, cycle_budget, c.log, c.memory->memory(),
                         [&](const binfmt::control_operation& op) { return load_pdi(c, op); });
    result = firmware.run(code);
    c.firmware_cycles += firmware.firmware_cycles();
    c.running_meanwhile = firmware.running_meanwhile();
    // The event that stops a trace comes last in control code; the rest of the trace is on its way still.
    if (result.outcome == command_outcome::completed && c.tiles.traces())
      c.tiles.run(c.tiles.now() + timing::fw_completion, false, true);
  } catch (const command_end& end) {
    result.outcome = end.outcome;
    result.report = end.what();
  } catch (const std::exception& error) {
    result.outcome = command_outcome::error;
    result.report = error.what();
  }
  if (result.outcome != command_outcome::completed) unload(c);
  return result;
}

void npu::impl::record(context_id id, const context& c, const column_turns::turn& when, const npu_command& command,
                       const command_result& result, const array_statistics& cost) {
  ++commands;
  total_cycles += cost.cycles;
  total_firmware += c.firmware_cycles;
  total_pdi_loads += c.pdi_loads;
  macs += result.macs;
  add(total, cost, when.place.start);
  ddr_read += cost.ddr_read_bytes;
  ddr_written += cost.ddr_write_bytes;
  for (const auto& [what, times] : cost.ignored_writes)
    if (times != 0) ignored[what] += times;
  if (records.size() == most_records) return;
  nlohmann::json entry = to_json(cost);
  entry["context"] = id;
  entry["cu"] = command.cu;
  entry["outcome"] = name(result.outcome);
  entry["start_column"] = when.place.start;
  entry["start_cycle"] = when.start;
  entry["time"] = {
      {"compute", result.costs.compute}, {"launch", result.costs.launch}, {"transfer", result.costs.transfer}};
  entry["firmware_cycles"] = c.firmware_cycles;
  entry["pdi_loads"] = c.pdi_loads;
  entry["firmware_cycles_by_operation"] = c.log.busy_cycles;
  if (!result.report.empty()) entry["report"] = result.report;
  records.push_back(entry.dump());
}

/// Commands on different columns run at the same time, so each has a timeline of its own until it ends.
void npu::impl::begin_log(context_id id, context& c, std::uint64_t start) {
  c.line = line ? std::make_unique<timeline>(line->limit) : nullptr;
  c.log = {.busy_cycles = {},
           .line = c.line.get(),
           .base = start,
           .began = c.tiles.now(),
           .owner = static_cast<std::uint16_t>(id)};
  if (!c.line) return;
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  c.host_ns = static_cast<std::uint64_t>(std::chrono::nanoseconds(now).count());
  c.tiles.watch(&c.line->array, c.log.owner, start);
}

/// @return false if the command was cancelled meanwhile
bool npu::impl::wait_for_turn(std::unique_lock<std::mutex>& lock, column_turns::ticket turn,
                              const std::atomic<bool>* cancelled) {
  constexpr std::chrono::milliseconds look(5);  // nobody tells of a cancellation
  while (!turns.may_begin(turn)) {
    if (cancelled != nullptr && *cancelled) return false;
    turn_over.wait_for(lock, look);
  }
  turns.begin(turn);
  return true;
}

command_result npu::execute(context_id id, const npu_command& command) {
  std::unique_lock lock(impl_->mutex);
  const auto found = impl_->contexts.find(id);
  if (found == impl_->contexts.end())
    return {.outcome = command_outcome::error, .report = std::format("no context {}", id)};
  context& c = found->second;
  impl::held_turn held(*impl_, lock, c);
  if (!impl_->wait_for_turn(lock, held.turn, command.cancelled))
    return {.outcome = command_outcome::aborted, .report = "cancelled before its columns were free"};
  c.displaced = false;
  impl_->begin_log(id, c, held.turn->start);
  lock.unlock();
  array_statistics cost;
  command_result result = impl_->execute(c, command, cost);
  lock.lock();
  held.cycles = cost.cycles;
  impl_->keep_new(result.notes);
  impl_->record(id, c, *held.turn, command, result, cost);
  if (c.line) {
    const column_turns::turn& turn = *held.turn;
    impl_->line->append(std::move(*std::exchange(c.line, nullptr)));
    impl_->line->add({turn.start, cost.cycles, c.host_ns, c.log.owner, turn.place.start, turn.place.width});
  }
  return result;
}

/// What is done without the mutex.
command_result npu::impl::execute(context& c, const npu_command& command, array_statistics& cost) {
  c.memory->use(command.memory == nullptr ? memory : *command.memory);
  c.cancelled = command.cancelled;
  const array_statistics before = c.tiles.statistics();
  command_result result = run(c, command);
  c.tiles.watch(nullptr);
  cost = difference(c.tiles.statistics(), before);
  result.cycles = cost.cycles;
  result.macs = total_macs(cost);
  result.costs = costs_of(cost, c.firmware_cycles, c.running_meanwhile);
  if (result.outcome == command_outcome::completed) go_on(c, result.notes);
  for (const auto& [what, times] : cost.ignored_writes)
    if (times != 0) add_note(result.notes, "without effect here: " + what);
  c.memory->use(memory);
  c.cancelled = nullptr;
  return result;
}

}  // namespace npurt::emu
