// SPDX-License-Identifier: Apache-2.0
// Requests of a process, executed on its file.
#include "emu/driver/shared/server_session.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "emu/driver/shared/ioctl_message.hpp"

namespace npurt::emu::driver::shared {
namespace {

message result_of(int result) { return {.result = result}; }

/// What the kernel would have read and written in the caller's memory is in the message, but for memory that is to
/// become a buffer: for that the caller's descriptor comes along.
message execute_ioctl(client& file, message& what) {
  const auto number = static_cast<unsigned long>(what.values[0]);
  if (!client::emulates(number)) return result_of(-EINVAL);
  const auto argument = resolve_ioctl(number, what.payload);
  if (!argument) return result_of(-argument.error());
  std::shared_ptr<process_memory> user;
  if (user_memory_table(number, *argument) != 0) {
    user = process_memory::from(std::move(what.passed));
    if (!user) return result_of(-EOPNOTSUPP);
  }
  const calling_process caller(std::move(user));
  const auto use = descriptor_of(number);
  if (use != descriptor_use::none && !holds_descriptor(number)) return result_of(-EINVAL);
  if (use == descriptor_use::given) set_descriptor(number, *argument, what.passed.get());
  message reply = result_of(file.ioctl(number, *argument));
  if (use == descriptor_use::returned && reply.result == 0)
    reply.passed = descriptor(get_descriptor(number, *argument));
  reply.payload = std::move(what.payload);
  return reply;
}

message map(client& file, const message& what) {
  const auto memory = file.map(what.values[0], what.values[1]);
  if (!memory) return result_of(-memory.error());
  // A descriptor of its own: the buffer may be closed before this is sent.
  message reply{.values = {memory->offset}, .passed = descriptor(::fcntl(memory->fd, F_DUPFD_CLOEXEC, 0))};
  return reply.passed ? std::move(reply) : result_of(-errno);
}

message take_faults(device& device, const message& what) {
  const std::string text(reinterpret_cast<const char*>(what.payload.data()), what.payload.size());
  return result_of(set_faults(device.on_demand(), text) ? 0 : -EINVAL);
}

}  // namespace

server_session::server_session(std::shared_ptr<device> device, std::int64_t pid)
    : device_(std::move(device)), pid_(pid), file_(std::make_shared<client>(device_, pid)) {}

void server_session::serve(int connection) {
  {
    const std::lock_guard lock(mutex_);
    if (ending_) return;
    connections_.insert(connection);
  }
  const visit here(*this, connection);
  bool open = send(connection, {.kind = request::attach});
  while (open) {
    auto what = receive(connection);
    open = what && send(connection, answer(std::move(*what)));
  }
}

server_session::visit::~visit() {
  log_to(nullptr);
  const std::lock_guard lock(file_.mutex_);
  file_.connections_.erase(connection_);
  file_.left_.notify_all();
}

void server_session::end() {
  std::unique_lock lock(mutex_);
  if (std::exchange(ending_, true)) return;
  auto file = std::move(file_);
  for (const int connection : connections_) ::shutdown(connection, SHUT_RDWR);
  lock.unlock();
  log_to(log_);
  file->interrupt();
  lock.lock();
  left_.wait(lock, [this] { return connections_.empty(); });
  lock.unlock();
  file.reset();
  log_to(nullptr);
}

message server_session::answer(message what) {
  std::shared_ptr<client> file;
  {
    const std::lock_guard lock(mutex_);
    file = file_;
  }
  message reply = file ? execute(what, *file) : result_of(-ENODEV);
  reply.kind = what.kind;
  reply.log = log_->take();
  return reply;
}

message server_session::execute(message& what, client& file) {
  switch (what.kind) {
    case request::ioctl:
      return execute_ioctl(file, what);
    case request::map:
      return map(file, what);
    case request::mapped:
      file.mapped(what.values[0], reinterpret_cast<void*>(what.values[1]), what.values[2]);
      return {};
    case request::last_command:
      return last_command();
    case request::set_faults:
      return take_faults(*device_, what);
    case request::open:
    case request::attach:
    case request::close:
      break;
  }
  return result_of(-EINVAL);
}

message server_session::last_command() const {
  const auto last = device_->get_last_command(pid_);
  if (!last) return result_of(-ENOENT);
  const auto costs = std::as_bytes(std::span(&last->result.costs, 1));
  const auto report = std::as_bytes(std::span(last->result.report));
  std::vector<std::byte> payload(costs.begin(), costs.end());
  payload.insert(payload.end(), report.begin(), report.end());
  return {.result = static_cast<std::int32_t>(last->result.outcome),
          .values = {last->result.cycles, last->result.macs, last->clock_hz},
          .payload = std::move(payload)};
}

}  // namespace npurt::emu::driver::shared
