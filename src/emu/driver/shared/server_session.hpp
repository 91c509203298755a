// SPDX-License-Identifier: Apache-2.0
// An open file of a process at the server of a shared device.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>

#include "emu/driver/client.hpp"
#include "emu/driver/log.hpp"
#include "emu/driver/shared/message.hpp"

namespace npurt::emu::driver::shared {

/// Thread-safe.
class server_session {
 public:
  server_session(std::shared_ptr<device> device, std::int64_t pid);

  std::int64_t pid() const { return pid_; }

  /// Answers requests of a connection until it or the file ends.
  void serve(int connection);

  /// Ends calls that wait, the connections, then the file. Once.
  void end();

  std::string take_log() { return log_->take(); }

 private:
  /// A connection's time with the file, however it ends: end() waits for it.
  class visit {
   public:
    visit(server_session& file, int connection) : file_(file), connection_(connection) { log_to(file.log_); }
    ~visit();
    visit(const visit&) = delete;
    visit& operator=(const visit&) = delete;

   private:
    server_session& file_;
    const int connection_;
  };

  message answer(message what);
  message execute(message& what, client& file);
  message last_command() const;

  const std::shared_ptr<device> device_;
  const std::int64_t pid_;
  const std::shared_ptr<log_sink> log_ = std::make_shared<log_sink>();

  std::mutex mutex_;  // for what follows
  std::condition_variable left_;
  std::shared_ptr<client> file_;
  std::set<int> connections_;
  bool ending_ = false;
};

}  // namespace npurt::emu::driver::shared
