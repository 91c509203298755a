// SPDX-License-Identifier: Apache-2.0
// The process's side of a shared device.
#include "emu/driver/shared/remote_file.hpp"

#include <drm/amdxdna_accel.h>
#include <drm/drm.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <format>
#include <thread>
#include <utility>

#include "emu/driver/client.hpp"
#include "emu/driver/log.hpp"
#include "emu/driver/shared/ioctl_message.hpp"

namespace npurt::emu::driver::shared {
namespace {

using clock = std::chrono::steady_clock;

constexpr auto longest_start = std::chrono::seconds(20);  // with sanitizers on a busy machine
constexpr auto next_start = std::chrono::seconds(1);      // a server that was about to end may have kept the first out
constexpr auto next_look = std::chrono::milliseconds(5);
constexpr std::size_t most_idle = 8;

std::optional<message> exchange(int socket, const message& what) {
  return send(socket, what) ? receive(socket) : std::nullopt;
}

/// One attempt. @return the session, or an errno: ECONNRESET if the server ended meanwhile
std::expected<std::shared_ptr<session>, int> open_once(const place& where) {
  auto control = connect_to(where);
  if (!control) return std::unexpected(control.error());
  const auto reply = exchange(control->get(), {.kind = request::open, .values = {protocol}});
  if (!reply) return std::unexpected(ECONNRESET);
  log_lines(reply->log);
  if (reply->result != 0) return std::unexpected(-reply->result);
  return std::make_shared<session>(where, std::move(*control), reply->values[0]);
}

/// What the server reads and writes where a buffer is the program's own memory. It looks at the addresses only; that
/// they are mapped is seen here.
std::expected<descriptor, int> open_user_memory(const amdxdna_drm_va_tbl& table) {
  if (table.dmabuf_fd >= 0 || table.num_entries != 1) return std::unexpected(EOPNOTSUPP);
  const auto& range = table.va_entries[0];
  if (const auto mapped = memory::user(range.vaddr, range.len); !mapped) return std::unexpected(mapped.error());
  auto opened = process_memory::open();
  if (opened) return opened;
  log(std::format("a buffer of the program's own memory: the server gets no access to it: /proc/self/mem: {}",
                  std::strerror(errno)));
  return std::unexpected(EOPNOTSUPP);
}

bool may_come(int error) { return error == ENOENT || error == ECONNREFUSED || error == ECONNRESET || error == EAGAIN; }

}  // namespace

std::expected<std::shared_ptr<session>, int> session::open(std::string_view name, server_starter start) {
  const auto where = find_place(name);
  if (!where) {
    log(where.error());
    return std::unexpected(EACCES);
  }
  const auto begin = clock::now();
  for (auto start_at = begin;;) {
    auto opened = open_once(*where);
    if (opened || !may_come(opened.error())) return opened;
    const auto now = clock::now();
    if (now - begin > longest_start) break;
    if (start != nullptr && now >= start_at) {
      start(name);
      start_at = now + next_start;
    }
    std::this_thread::sleep_for(next_look);
  }
  log(std::format("no server for the shared device {} has come; its log would be {}", name, where->log()));
  return std::unexpected(ETIMEDOUT);
}

session::session(place where, descriptor control, std::uint64_t key)
    : where_(std::move(where)), key_(key), control_(std::move(control)) {}

session::~session() { close(); }

descriptor session::take_connection() {
  if (closed_) return {};
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      descriptor connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
  }
  auto connection = connect_to(where_);
  if (!connection) return {};
  const auto reply = exchange(connection->get(), {.kind = request::attach, .values = {key_}});
  return reply && reply->result == 0 ? std::move(*connection) : descriptor();
}

void session::give_back(descriptor connection) {
  const std::lock_guard lock(mutex_);
  if (!closed_ && idle_.size() < most_idle) idle_.push_back(std::move(connection));
}

std::optional<message> session::call(const message& what) {
  descriptor connection = take_connection();
  if (!connection) return std::nullopt;
  auto reply = exchange(connection.get(), what);
  if (!reply) return std::nullopt;
  log_lines(reply->log);
  give_back(std::move(connection));
  return reply;
}

void session::close() {
  if (closed_.exchange(true)) return;
  const std::lock_guard lock(mutex_);
  idle_.clear();
  if (const auto reply = exchange(control_.get(), {.kind = request::close})) log_lines(reply->log);
  control_ = {};
}

remote_file::~remote_file() { session_->close(); }

int remote_file::ioctl(unsigned long number, void* argument) {
  if (!client::emulates(number)) return -EINVAL;
  if (argument == nullptr) return -EFAULT;
  message call{.kind = request::ioctl, .values = {number}};
  if (const auto table = user_memory_table(number, argument); table != 0) {
    auto memory = open_user_memory(*reinterpret_cast<const amdxdna_drm_va_tbl*>(table));
    if (!memory) return -memory.error();
    call.passed = std::move(*memory);
  }
  const auto use = descriptor_of(number);
  if (use != descriptor_use::none && !holds_descriptor(number)) return -EINVAL;
  auto packed = pack_ioctl(number, argument);
  if (!packed) return -packed.error();
  call.payload = std::move(*packed);
  if (use == descriptor_use::given) {
    call.passed = descriptor(::fcntl(get_descriptor(number, argument), F_DUPFD_CLOEXEC, 0));
    if (!call.passed) return -EBADF;
  }
  auto reply = session_->call(call);
  if (!reply) return -ENODEV;
  const bool inherited = wants_inheritance(number, argument);
  unpack_ioctl(number, reply->payload, argument);
  if (use != descriptor_use::returned || reply->result != 0) return reply->result;
  if (!reply->passed) return -EMFILE;
  if (inherited) ::fcntl(reply->passed.get(), F_SETFD, 0);
  set_descriptor(number, argument, reply->passed.release());
  return 0;
}

std::expected<shim::mapping, int> remote_file::map(std::uint64_t offset, std::size_t length) {
  auto reply = session_->call({.kind = request::map, .values = {offset, length}});
  if (!reply) return std::unexpected(ENODEV);
  if (reply->result != 0) return std::unexpected(-reply->result);
  if (!reply->passed) return std::unexpected(EMFILE);
  const auto file = std::make_shared<descriptor>(std::move(reply->passed));
  return shim::mapping{.fd = file->get(), .offset = reply->values[0], .keeps = file};
}

void remote_file::mapped(std::uint64_t offset, void* address, std::size_t length) {
  session_->call({.kind = request::mapped, .values = {offset, reinterpret_cast<std::uint64_t>(address), length}});
}

}  // namespace npurt::emu::driver::shared
