// SPDX-License-Identifier: Apache-2.0
// The shared device.
#include "emu/driver/device.hpp"

#include <drm/amdxdna_accel.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <format>
#include <fstream>
#include <iterator>

#include "emu/driver/hwctx.hpp"
#include "emu/driver/log.hpp"

namespace npurt::emu::driver {

bool set_faults(faults& target, std::string_view text) {
  auto plan = fault_plan::parse(text);
  if (plan && plan->firmware_too_old) plan = std::unexpected("firmware=old has no effect on a running driver");
  if (!plan) {
    log(std::format("npurt_emulator_set_faults: {}", plan.error()));
    return false;
  }
  target.set(std::move(*plan));
  return true;
}

device::device(options settings) : settings_(std::move(settings)), npu_(no_memory_) {
  if (!settings_.trace_path.empty() || settings_.keep_timeline) npu_.record_timeline(settings_.trace_limit);
}

std::expected<std::uint32_t, int> device::reserve_context() {
  const std::lock_guard lock(mutex_);
  if (context_count_ >= model().max_contexts) return std::unexpected(ENOENT);
  ++context_count_;
  return next_context_++;
}

void device::meet(device_event event) {
  switch (event) {
    case device_event::none:
      return;
    case device_event::gone:
      log("the device is gone (a fault on demand)");
      for (const auto& context : contexts()) context->stop();
      return;
    case device_event::reset:
      log("the device is reset (a fault on demand)");
      for (const auto& context : contexts()) context->kill();
      return;
    case device_event::suspend:
      log("the device is suspended and resumed (a fault on demand)");
      for (const auto& context : contexts()) context->suspend();
      npu_.forget_configurations();
      return;
  }
}

void device::release_context() {
  const std::lock_guard lock(mutex_);
  --context_count_;
}

void device::list_context(const std::shared_ptr<hwctx>& context) {
  const std::lock_guard lock(mutex_);
  std::erase_if(contexts_, [](const auto& entry) { return entry.expired(); });
  contexts_.push_back(context);
}

std::vector<std::shared_ptr<hwctx>> device::contexts() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<hwctx>> alive;
  for (const auto& entry : contexts_)
    if (auto context = entry.lock()) alive.push_back(std::move(context));
  return alive;
}

command_result device::execute(const address_space& space, context_id context, const kernel_command& command,
                               bool blind, const std::atomic<bool>& cancelled) {
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return {.outcome = command_outcome::error, .report = "the process is ending"};
    executing_.emplace(number = next_command_++, &space);
  }
  command_result result;
  try {
    result = run(number, space, context, command, blind, cancelled);
  } catch (const std::exception& error) {
    result = {.outcome = command_outcome::error, .report = error.what()};
  }
  space.end_command(number);
  std::vector<retired> unused;  // ends after the lock
  const std::lock_guard lock(mutex_);
  executing_.erase(number);
  unused = take_unused(space);
  ended_.notify_all();
  return result;
}

/// What commands of a client were using and its others cannot be.
std::vector<device::retired> device::take_unused(const address_space& space) {
  const auto oldest = std::ranges::find(executing_, &space, [](const auto& entry) { return entry.second; });
  const auto first = oldest == executing_.end() ? next_command_ : oldest->first;
  const auto is_used = [&](const retired& r) { return r.space != &space || r.before > first; };
  const auto unused = std::ranges::partition(retired_, is_used);
  std::vector<retired> taken(std::move_iterator(unused.begin()), std::move_iterator(unused.end()));
  retired_.erase(unused.begin(), unused.end());
  return taken;
}

command_result device::run(std::uint64_t number, const address_space& space, context_id context,
                           const kernel_command& command, bool blind, const std::atomic<bool>& cancelled) {
  constexpr std::uint64_t transaction_mode = 3;
  const auto failed = [](std::string why) {
    return command_result{.outcome = command_outcome::error, .report = std::move(why)};
  };
  if (command.mode != transaction_mode && !command.is_dpu_sequence)
    return failed(
        std::format("kernel argument opcode is {}; only 3, a transaction, and 1, a DPU sequence, are", command.mode));
  // Its own header says how long it is; mlir-aie's Python runtime passes bytes where the kernel wants words.
  const auto code = space.control_code(command.control_code, command.control_code_size);
  if (code.data() == nullptr)
    return failed(std::format("control code: no buffer object holds address {:#x}", command.control_code));
  window memory(blind ? nullptr : &space, number);
  return npu_.execute(context, {.cu = command.cu,
                                .control_code = code,
                                .arguments = command.arguments,
                                .apply_patches = command.opcode == packet_opcode::start_cu,
                                .is_dpu_sequence = command.is_dpu_sequence,
                                .cancelled = &cancelled,
                                .memory = &memory});
}

void device::retire(const address_space& space, std::shared_ptr<memory> contents) {
  const std::lock_guard lock(mutex_);
  const bool executes = std::ranges::any_of(executing_, [&](const auto& entry) { return entry.second == &space; });
  if (executes) retired_.push_back({next_command_, &space, std::move(contents)});
}

void device::set_last_command(std::int64_t pid, command_result result) {
  const auto hz = std::uint64_t{clock().h_clock} * 1'000'000;
  const std::lock_guard lock(mutex_);
  last_commands_.insert_or_assign(pid, last_command{std::move(result), hz});
}

std::optional<last_command> device::get_last_command(std::int64_t pid) const {
  const std::lock_guard lock(mutex_);
  const auto found = last_commands_.find(pid);
  return found == last_commands_.end() ? std::nullopt : std::optional(found->second);
}

void device::forget_last_command(std::int64_t pid) {
  const std::lock_guard lock(mutex_);
  last_commands_.erase(pid);
}

clock_level device::clock() const {
  clock_level level = mode_clock();
  level.h_clock = npu::clock_mhz(level.h_clock);
  return level;
}

clock_level device::mode_clock() const {
  const auto levels = model().clocks;
  switch (power_mode_) {
    case POWER_MODE_LOW:
      return levels.front();
    case POWER_MODE_MEDIUM:
      return levels[(levels.size() - 1) / 2];
    case POWER_MODE_HIGH:
    case POWER_MODE_TURBO:
      return levels.back();
    default:
      return model().default_clock;
  }
}

void device::export_syncobj(std::uint64_t inode, std::shared_ptr<syncobj> object) {
  const std::lock_guard lock(mutex_);
  std::erase_if(exports_, [&](const auto& entry) { return entry.first == inode; });  // of a descriptor that is closed
  exports_.emplace_back(inode, std::move(object));
}

std::shared_ptr<syncobj> device::import_syncobj(std::uint64_t inode) const {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(exports_, inode, [](const auto& entry) { return entry.first; });
  return found == exports_.end() ? nullptr : found->second;
}

namespace {

/// What is no file itself (a terminal, a pipe, a link to one) is written to, not replaced.
bool may_be_replaced(const std::string& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0 ? S_ISREG(status.st_mode) : errno == ENOENT;
}

/// Who reads the file meanwhile finds the one before, whole. In a directory that takes no files, it is written over.
template <class Write>
void write_file(const std::string& path, const Write& write) {
  if (path.empty()) return;
  const std::string next = std::format("{}.{}.new", path, ::getpid());
  std::ofstream file;
  if (may_be_replaced(path)) file.open(next);
  const bool replaces = file.is_open();
  if (!replaces) file.open(path);
  write(file);
  file.close();
  bool written = file.good();
  if (replaces) written = written && ::rename(next.c_str(), path.c_str()) == 0;
  if (replaces && !written) ::unlink(next.c_str());
  if (!written) log(std::format("cannot write {}", path));
}

}  // namespace

void device::write_statistics() const {
  const std::lock_guard lock(files_);
  write_file(settings_.stats_path, [this](std::ostream& out) { out << npu_.statistics() << '\n'; });
  write_file(settings_.trace_path, [this](std::ostream& out) { npu_.write_timeline(out); });
}

void device::shut_down() {
  std::unique_lock lock(mutex_);
  stopped_ = true;
  ended_.wait(lock, [this] { return executing_.empty(); });
}

}  // namespace npurt::emu::driver
