// SPDX-License-Identifier: Apache-2.0
// The directory, socket and lock of a shared device.
#include "emu/driver/shared/place.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <format>

namespace npurt::emu::driver::shared {
namespace {

constexpr std::size_t longest_name = 48;

bool usable_as_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !name.empty() && name.size() <= longest_name && std::ranges::all_of(name, allowed);
}

std::string directory_path() {
  const char* runtime = ::secure_getenv("XDG_RUNTIME_DIR");
  if (runtime != nullptr && runtime[0] == '/') return std::string(runtime) + "/npurt-emu";
  return std::format("/tmp/npurt-emu-{}", ::geteuid());
}

/// Only this user may look into it: who can reach the socket can use the device, and who can make the directory can put
/// a server of his own there.
bool is_private(const std::string& path) {
  struct stat status{};
  const descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  return directory && ::fstat(directory.get(), &status) == 0 && status.st_uid == ::geteuid() &&
         (status.st_mode & 077) == 0;
}

sockaddr_un address_of(const place& where) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::ranges::copy(where.socket(), address.sun_path);
  return address;
}

descriptor make_socket() { return descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

}  // namespace

std::expected<place, std::string> find_place(std::string_view name) {
  if (!usable_as_name(name))
    return std::unexpected(
        std::format("NPURT_EMU_SHARED={} is no name: up to {} letters, digits, '-' and '_'", name, longest_name));
  place where{directory_path(), std::string(name)};
  if (where.socket().size() >= sizeof(sockaddr_un::sun_path))
    return std::unexpected(std::format("{} is too long for a socket", where.socket()));
  if (::mkdir(where.directory.c_str(), 0700) != 0 && errno != EEXIST)
    return std::unexpected(std::format("{}: {}", where.directory, std::strerror(errno)));
  if (!is_private(where.directory))
    return std::unexpected(std::format("{} is not a directory for this user alone (mode 700)", where.directory));
  return where;
}

std::expected<descriptor, int> connect_to(const place& where) {
  descriptor socket = make_socket();
  if (!socket) return std::unexpected(errno);
  const sockaddr_un address = address_of(where);
  int result = 0;
  do {
    result = ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  } while (result != 0 && errno == EINTR);
  if (result != 0) return std::unexpected(errno);
  if (!peer_of_this_user(socket.get())) return std::unexpected(EACCES);
  return socket;
}

std::optional<pid_t> peer_of_this_user(int socket) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.uid != ::geteuid()) return std::nullopt;
  return peer.pid;
}

std::optional<descriptor> lock(const place& where) {
  for (;;) {
    descriptor file(::open(where.lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return std::nullopt;
    // A server that ends removes the file: what was opened before is nobody's lock any more.
    struct stat ours{}, current{};
    const bool kept = ::fstat(file.get(), &ours) == 0 &&
                      ::fstatat(AT_FDCWD, where.lock().c_str(), &current, AT_SYMLINK_NOFOLLOW) == 0 &&
                      ours.st_ino == current.st_ino && ours.st_dev == current.st_dev;
    if (kept) return file;
  }
}

std::expected<descriptor, int> listen_at(const place& where) {
  constexpr int backlog = 64;
  descriptor socket = make_socket();
  if (!socket) return std::unexpected(errno);
  const sockaddr_un address = address_of(where);
  ::unlink(where.socket().c_str());  // of a server that was killed
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      ::listen(socket.get(), backlog) != 0)
    return std::unexpected(errno);
  return socket;
}

void leave(const place& where) {
  for (const auto& path : {where.socket(), where.log(), where.lock()}) ::unlink(path.c_str());
}

}  // namespace npurt::emu::driver::shared
