// SPDX-License-Identifier: Apache-2.0
// A server of a shared device and other processes, as children of the test.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "driver_fixture.hpp"
#include "emu/driver/shared/remote_file.hpp"
#include "emu/driver/shared/server.hpp"
#include "support/leave_child.hpp"

namespace npurt::tests {

namespace shared = emu::driver::shared;

/// A child process; killed with its owner.
class child {
 public:
  explicit child(const std::function<int()>& main) : pid_(::fork()) {
    if (pid_ == 0) test::leave_child(main());
  }
  ~child() { end(); }
  child(const child&) = delete;
  child& operator=(const child&) = delete;

  pid_t pid() const { return pid_; }
  void kill() { end(); }
  /// Asks it to end, and waits until it has.
  void terminate() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    wait();
  }
  /// @return its exit code, -1 if it was killed
  int wait() {
    int status = 0;
    if (pid_ <= 0 || ::waitpid(std::exchange(pid_, -1), &status, 0) < 0 || !WIFEXITED(status)) return -1;
    return WEXITSTATUS(status);
  }

 private:
  void end() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    wait();
  }
  pid_t pid_;
};

/// One byte that one process sends and others wait for.
class process_gate {
 public:
  process_gate() {
    if (::pipe(ends_.data()) != 0) throw std::runtime_error("pipe");
  }
  ~process_gate() {
    for (const int end : ends_) ::close(end);
  }
  void open() const {
    if (::write(ends_[1], "x", 1) != 1) throw std::runtime_error("gate");
  }
  void pass() const {
    char byte = 0;
    if (::read(ends_[0], &byte, 1) != 1) throw std::runtime_error("gate");
  }

 private:
  std::array<int, 2> ends_{};
};

/// A server in a directory of its own. `setup` is done in its process, for what commands do there.
struct shared_device {
  explicit shared_device(std::function<void()> setup = {}, std::chrono::milliseconds linger = std::chrono::seconds(10))
      : server([setup = std::move(setup), linger] {
          fake_npu::instance().reset();
          if (setup) setup();
          return shared::serve("test", {}, linger);
        }) {}
  ~shared_device() { server.terminate(); }
  shared_device(const shared_device&) = delete;
  shared_device& operator=(const shared_device&) = delete;

  static std::unique_ptr<emu::shim::device_file> open() {
    auto session = shared::session::open("test", nullptr);
    if (!session) throw std::runtime_error("open " + std::to_string(session.error()));
    return std::make_unique<shared::remote_file>(*session);
  }

  struct directory {
    directory() {
      std::string made = (std::filesystem::temp_directory_path() / "npurt-shared-XXXXXX").string();
      if (::mkdtemp(made.data()) == nullptr) throw std::runtime_error("mkdtemp");
      path = made;
      ::setenv("XDG_RUNTIME_DIR", made.c_str(), 1);
    }
    ~directory() {
      ::unsetenv("XDG_RUNTIME_DIR");
      std::filesystem::remove_all(path);
    }
    std::filesystem::path path;
  } runtime;
  child server;
};

}  // namespace npurt::tests
