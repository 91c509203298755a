// SPDX-License-Identifier: Apache-2.0
// Connections of a shared device's server: each has a thread, which may wait.
#include "emu/driver/shared/server.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <format>
#include <list>
#include <map>
#include <random>
#include <thread>

#include "emu/driver/log.hpp"
#include "emu/driver/shared/place.hpp"
#include "emu/driver/shared/server_session.hpp"

namespace npurt::emu::driver::shared {
namespace {

constexpr std::size_t most_connections = 1024;

class server {
 public:
  server(const options& settings, descriptor listener, descriptor signals, std::chrono::milliseconds linger)
      : device_(std::make_shared<device>(settings)),
        listener_(std::move(listener)),
        signals_(std::move(signals)),
        linger_(linger) {}

  void run();

 private:
  struct connection {
    descriptor socket;
    pid_t pid = 0;
    std::atomic<bool> done = false;
    std::thread thread = {};
  };

  bool wait();
  void accept();
  void reap();
  void talk(connection& with);
  void open_file(connection& with);
  static void watch(const connection& with);
  void end(std::uint64_t key);
  std::uint64_t add(const std::shared_ptr<server_session>& file);
  std::shared_ptr<server_session> find(std::uint64_t key);

  const std::shared_ptr<device> device_;
  const descriptor listener_, signals_;
  const descriptor ended_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};  ///< readable when a connection has ended
  const std::chrono::milliseconds linger_;
  std::list<connection> connections_;  // the main thread's

  std::mutex mutex_;  // for what follows
  std::map<std::uint64_t, std::shared_ptr<server_session>> files_;
  std::random_device keys_;
};

void server::run() {
  while (wait()) {
  }
  for (auto& c : connections_) ::shutdown(c.socket.get(), SHUT_RDWR);
  for (auto& c : connections_) c.thread.join();
  device_->shut_down();
  device_->write_statistics();
}

/// For one event. @return false if the server has to end
bool server::wait() {
  reap();
  std::array<pollfd, 3> events{{{.fd = listener_.get(), .events = POLLIN, .revents = 0},
                                {.fd = ended_.get(), .events = POLLIN, .revents = 0},
                                {.fd = signals_.get(), .events = POLLIN, .revents = 0}}};
  const int timeout = connections_.empty() ? static_cast<int>(linger_.count()) : -1;
  const int count = ::poll(events.data(), events.size(), timeout);
  if (count < 0) return errno == EINTR;
  if (count == 0 || events[2].revents != 0) return false;
  if (events[0].revents != 0) accept();
  return true;
}

void server::accept() {
  descriptor socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!socket) {
    // There are no descriptors left; until there are, the caller waits.
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return;
  }
  const auto pid = peer_of_this_user(socket.get());
  if (!pid || connections_.size() >= most_connections) return;
  const auto before = connections_.size();
  try {
    auto& made = connections_.emplace_back(std::move(socket), *pid);
    made.thread = std::thread([this, &made] {
      talk(made);
      made.done = true;
      ::eventfd_write(ended_.get(), 1);
    });
  } catch (const std::exception& error) {
    log(std::format("a call is not answered: {}", error.what()));
    connections_.resize(before);
  }
}

void server::reap() {
  eventfd_t ignored = 0;
  ::eventfd_read(ended_.get(), &ignored);
  for (auto c = connections_.begin(); c != connections_.end();) {
    if (!c->done) {
      ++c;
      continue;
    }
    c->thread.join();
    c = connections_.erase(c);
  }
}

void server::talk(connection& with) {
  try {
    const auto first = receive(with.socket.get());
    if (!first) return;
    if (first->kind == request::open && first->values[0] != protocol) {
      send(with.socket.get(), {.kind = request::open, .result = -EPROTO});
    } else if (first->kind == request::open) {
      open_file(with);
    } else if (first->kind == request::attach) {
      if (const auto file = find(first->values[0])) file->serve(with.socket.get());
    }
  } catch (const std::exception& error) {
    log(std::format("a connection of process {}: {}", with.pid, error.what()));
  }
}

void server::open_file(connection& with) {
  message reply{.kind = request::open};
  if (const int error = device_->on_demand().on_open(); error != 0) {
    reply.result = -error;
    send(with.socket.get(), reply);
    return;
  }
  const auto file = std::make_shared<server_session>(device_, with.pid);
  const auto key = reply.values[0] = add(file);
  try {
    if (send(with.socket.get(), reply)) watch(with);
  } catch (const std::exception& error) {
    log(std::format("the file of process {} ends: {}", with.pid, error.what()));
  }
  end(key);
  send(with.socket.get(), {.kind = request::close, .log = file->take_log()});
}

/// Until the process closes the file or ends. A child that it has forked may keep its sockets open longer.
void server::watch(const connection& with) {
  const descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, with.pid, 0)));
  std::array<pollfd, 2> events{{{.fd = with.socket.get(), .events = POLLIN, .revents = 0},
                                {.fd = process.get(), .events = POLLIN, .revents = 0}}};
  while (::poll(events.data(), events.size(), -1) < 0 && errno == EINTR) {
  }
  if (events[0].revents != 0) receive(with.socket.get());
}

std::uint64_t server::add(const std::shared_ptr<server_session>& file) {
  const std::lock_guard lock(mutex_);
  for (;;) {
    const std::uint64_t key = std::uint64_t{keys_()} << 32 | keys_();
    if (files_.emplace(key, file).second) return key;
  }
}

std::shared_ptr<server_session> server::find(std::uint64_t key) {
  const std::lock_guard lock(mutex_);
  const auto found = files_.find(key);
  return found == files_.end() ? nullptr : found->second;
}

void server::end(std::uint64_t key) {
  const auto file = find(key);
  file->end();
  const std::lock_guard lock(mutex_);
  files_.erase(key);
  for (const auto& [other, entry] : files_)
    if (entry->pid() == file->pid()) return;
  device_->forget_last_command(file->pid());
}

/// Blocked in all threads, so that they come by the descriptor.
descriptor take_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGTERM);
  ::sigaddset(&set, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return descriptor(::signalfd(-1, &set, SFD_CLOEXEC));
}

}  // namespace

int serve(std::string_view name, const options& settings, std::chrono::milliseconds linger) {
  const auto where = find_place(name);
  if (!where) return log(where.error()), 1;
  const auto right = lock(*where);
  if (!right) return log(std::format("the shared device {} has a server already", name)), 0;
  auto listener = listen_at(*where);
  if (!listener) return log(std::format("{}: {}", where->socket(), std::strerror(listener.error()))), 1;
  server(settings, std::move(*listener), take_signals(), linger).run();
  leave(*where);
  return 0;
}

}  // namespace npurt::emu::driver::shared
