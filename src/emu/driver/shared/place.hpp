// SPDX-License-Identifier: Apache-2.0
// Where the server of a shared device is found: a socket in a directory that only this user can enter.
#pragma once

#include <sys/types.h>

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "emu/driver/shared/descriptor.hpp"

namespace npurt::emu::driver::shared {

/// Files of the shared device NAME in $XDG_RUNTIME_DIR/npurt-emu, else in /tmp/npurt-emu-UID.
struct place {
  std::string directory;
  std::string name;

  std::string socket() const { return directory + "/" + name; }
  std::string lock() const { return directory + "/" + name + ".lock"; }
  std::string log() const { return directory + "/" + name + ".log"; }  ///< of a server that a program started
};

/// Makes the directory if it is missing. @return what is wrong with the name or the directory
std::expected<place, std::string> find_place(std::string_view name);

/// @return an errno: ENOENT or ECONNREFUSED if there is no server, EACCES if it is another user's
std::expected<descriptor, int> connect_to(const place& where);

/// The process at the other end of a connection, if it is of this user.
std::optional<pid_t> peer_of_this_user(int socket);

/// The right to serve; nothing while another server has it.
std::optional<descriptor> lock(const place& where);

/// @return an errno
std::expected<descriptor, int> listen_at(const place& where);

/// Removes the files. Needs the right to serve.
void leave(const place& where);

}  // namespace npurt::emu::driver::shared
