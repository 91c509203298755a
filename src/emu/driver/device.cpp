// SPDX-License-Identifier: Apache-2.0
// The shared device.
#include "emu/driver/device.hpp"

#include <drm/amdxdna_accel.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <format>
#include <fstream>

#include "emu/driver/hwctx.hpp"
#include "emu/driver/log.hpp"

namespace npurt::emu::driver {

device::device(options settings) : settings_(std::move(settings)), npu_(window_) {
  if (!settings_.trace_path.empty()) npu_.record_timeline(settings_.trace_limit);
}

std::expected<std::uint32_t, int> device::reserve_context() {
  const std::lock_guard lock(mutex_);
  if (context_count_ >= model().max_contexts) return std::unexpected(ENOENT);
  ++context_count_;
  return next_context_++;
}

void device::lose() {
  log("the device is gone (a fault on demand)");
  for (const auto& context : contexts()) context->stop();
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
  const std::lock_guard execution(execution_);
  if (stopped_) return {.outcome = command_outcome::error, .report = "the process is ending"};
  {
    const std::lock_guard lock(mutex_);
    executing_ = true;
  }
  command_result result;
  try {
    result = run(space, context, command, blind, cancelled);
  } catch (const std::exception& error) {
    result = {.outcome = command_outcome::error, .report = error.what()};
  }
  window_.space = nullptr;
  std::vector<std::shared_ptr<memory>> unused;
  const std::lock_guard lock(mutex_);
  executing_ = false;
  unused.swap(retired_);
  return result;
}

command_result device::run(const address_space& space, context_id context, const kernel_command& command, bool blind,
                           const std::atomic<bool>& cancelled) {
  constexpr std::uint64_t transaction_mode = 3;
  const auto failed = [](std::string why) {
    return command_result{.outcome = command_outcome::error, .report = std::move(why)};
  };
  if (command.mode != transaction_mode)
    return failed(std::format("kernel argument opcode is {}; only 3, a transaction, is supported", command.mode));
  // Its own header says how long it is; mlir-aie's Python runtime passes bytes where the kernel wants words.
  auto code = space.rest(command.control_code);
  if (code.empty())
    return failed(std::format("control code: no buffer object holds address {:#x}", command.control_code));
  code = code.first(std::min<std::uint64_t>(code.size(), command.control_code_size));
  window_.space = blind ? nullptr : &space;
  return npu_.execute(context, {.cu = command.cu,
                                .control_code = code,
                                .arguments = command.arguments,
                                .apply_patches = command.opcode == packet_opcode::start_cu,
                                .cancelled = &cancelled});
}

void device::retire(std::shared_ptr<memory> contents) {
  const std::lock_guard lock(mutex_);
  if (executing_) retired_.push_back(std::move(contents));
}

void device::set_last_command(command_result result) {
  const auto hz = std::uint64_t{clock().h_clock} * 1'000'000;
  const std::lock_guard lock(mutex_);
  last_command_ = last_command{std::move(result), hz};
}

std::optional<last_command> device::get_last_command() const {
  const std::lock_guard lock(mutex_);
  return last_command_;
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

template <class Write>
void write_file(const std::string& path, const Write& write) {
  if (path.empty()) return;
  std::ofstream file(path);
  write(file);
  if (!file.flush()) log(std::format("cannot write {}", path));
}

}  // namespace

void device::write_statistics() const {
  write_file(settings_.stats_path, [this](std::ostream& out) { out << npu_.statistics() << '\n'; });
  write_file(settings_.trace_path, [this](std::ostream& out) { npu_.write_timeline(out); });
}

void device::shut_down() {
  stopped_ = true;
  const std::lock_guard execution(execution_);
}

}  // namespace npurt::emu::driver
