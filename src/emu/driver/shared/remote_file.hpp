// SPDX-License-Identifier: Apache-2.0
// An open file of a shared device: every call goes to the server.
#pragma once

#include <atomic>
#include <expected>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "emu/driver/shared/message.hpp"
#include "emu/driver/shared/place.hpp"
#include "emu/shim/device_model.hpp"

namespace npurt::emu::driver::shared {

/// Starts a server; it need not be there when this returns. Null: somebody else does.
using server_starter = void (*)(std::string_view name);

/// The file as the server has it. Thread-safe.
class session {
 public:
  /// @return an errno: ETIMEDOUT if no server comes, EPROTO if it is of another version, EACCES if another user's
  static std::expected<std::shared_ptr<session>, int> open(std::string_view name, server_starter start);

  session(place where, descriptor control, std::uint64_t key);
  ~session();
  session(const session&) = delete;
  session& operator=(const session&) = delete;

  /// @return the reply, nothing once the server or the file is gone. What the driver tells goes to stderr.
  std::optional<message> call(const message& what);

  /// Ends the file, and calls that wait.
  void close();

 private:
  descriptor take_connection();
  void give_back(descriptor connection);

  const place where_;
  const std::uint64_t key_;
  std::atomic<bool> closed_ = false;
  std::mutex mutex_;  // for what follows; not held during calls
  descriptor control_;
  std::vector<descriptor> idle_;
};

class remote_file : public shim::device_file {
 public:
  explicit remote_file(std::shared_ptr<session> session) : session_(std::move(session)) {}
  ~remote_file() override;

  int ioctl(unsigned long request, void* argument) override;
  std::expected<shim::mapping, int> map(std::uint64_t offset, std::size_t length) override;
  void mapped(std::uint64_t offset, void* address, std::size_t length) override;

 private:
  const std::shared_ptr<session> session_;
};

}  // namespace npurt::emu::driver::shared
