// SPDX-License-Identifier: Apache-2.0
// Command ioctls. Checks and errors as in amdxdna_ctx.c.
#include <cerrno>
#include <format>
#include <span>
#include <utility>
#include <vector>

#include "emu/driver/client.hpp"
#include "emu/driver/log.hpp"

namespace npurt::emu::driver {
namespace {

constexpr std::uint32_t max_arguments = 4096;  // amdxdna_ctx.c: MAX_ARG_BO

std::expected<std::vector<std::byte>, int> copy_packet(const std::shared_ptr<buffer_object>& bo) {
  if (!bo || bo->type != AMDXDNA_BO_CMD) return std::unexpected(EINVAL);
  auto* host = bo->host();
  if (host == nullptr) return std::unexpected(ENOMEM);
  return packet({host, bo->size}).copy();
}

std::expected<kernel_command, int> parse(const packet& contents) {
  auto command = contents.parse_kernel();
  if (!command)
    log(std::format("command packet with opcode {} is refused: {}", std::to_underlying(contents.opcode()),
                    command.error() == EOPNOTSUPP ? "Phoenix has no preemption" : "malformed"));
  return command;
}

}  // namespace

std::expected<job, int> client::read_job(std::uint32_t handle) {
  job job{.bo = find_bo(handle), .commands = {}};
  auto bytes = copy_packet(job.bo);
  if (!bytes) return std::unexpected(bytes.error());
  const packet contents(*bytes);
  job.chain = contents.opcode() == packet_opcode::cmd_chain;
  if (!job.chain) {
    auto command = parse(contents);
    if (!command) return std::unexpected(command.error());
    job.commands.push_back(std::move(*command));
    return job;
  }
  const auto handles = contents.parse_chain();
  if (!handles) return std::unexpected(handles.error());
  for (const auto part : *handles) {
    auto part_bytes = copy_packet(find_bo(part));
    if (!part_bytes) return std::unexpected(part_bytes.error());
    auto command = parse(packet(*part_bytes));
    if (!command) return std::unexpected(command.error());
    if (!job.commands.empty() && command->opcode != job.commands.front().opcode) return std::unexpected(EINVAL);
    job.commands.push_back(std::move(*command));
  }
  return job;
}

/// A program may close its buffers while a command is on its way: the driver has references (amdxdna_ctx.c).
std::shared_ptr<void> client::hold(std::span<const std::uint32_t> handles) {
  using held = std::vector<std::shared_ptr<buffer_object>>;
  const auto let_go = [this](const held* all) {
    release_arguments(*all);
    delete all;
  };
  const std::shared_ptr<held> all(new held, let_go);
  const std::lock_guard lock(mutex_);
  for (const auto handle : handles)
    if (!bos_.contains(handle)) return nullptr;
  for (const auto handle : handles) {
    all->push_back(bos_.at(handle));
    ++all->back()->in_flight;
  }
  return all;
}

void client::release_arguments(std::span<const std::shared_ptr<buffer_object>> held) {
  std::vector<std::shared_ptr<buffer_object>> ended;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& bo : held)
      if (--bo->in_flight == 0 && bo->closed) ended.push_back(bo);
  }
  for (const auto& bo : ended) release(bo);
}

int client::exec_cmd(amdxdna_drm_exec_cmd& args) {
  if (args.ext != 0 || args.ext_flags != 0) return -EINVAL;
  if (args.type != AMDXDNA_CMD_SUBMIT_EXEC_BUF || args.cmd_count != 1) return -EINVAL;
  if (args.arg_count > max_arguments) return -EINVAL;
  if (args.arg_count != 0 && args.args == 0) return -EFAULT;
  auto arguments = hold(std::span(reinterpret_cast<const std::uint32_t*>(args.args), args.arg_count));
  if (!arguments) return -ENOENT;
  const auto context = find_hwctx(args.hwctx);
  if (!context || args.cmd_handles > ~std::uint32_t{0}) return -EINVAL;
  auto job = read_job(static_cast<std::uint32_t>(args.cmd_handles));
  if (!job) return -job.error();
  job->arguments = std::move(arguments);
  const auto seq = context->submit(std::move(*job));
  if (!seq) return -seq.error();
  args.seq = *seq;
  return 0;
}

int client::wait_cmd(amdxdna_drm_wait_cmd& args) {
  const auto context = find_hwctx(args.hwctx);
  return context ? -context->wait(args.seq, args.timeout) : -EINVAL;
}

}  // namespace npurt::emu::driver
