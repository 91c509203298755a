// SPDX-License-Identifier: Apache-2.0
// Messages as bytes on a stream socket; a descriptor travels with the first of them.
#include "emu/driver/shared/message.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <span>

namespace npurt::emu::driver::shared {
namespace {

constexpr std::uint32_t magic = 0x7570'6e65;

struct header {
  std::uint32_t magic;
  request kind;
  std::int32_t result;
  std::uint32_t log_size;
  std::array<std::uint64_t, 3> values;
  std::uint64_t payload_size;
};

union control_buffer {
  cmsghdr align;
  char bytes[CMSG_SPACE(sizeof(int))];
};

msghdr one_part(iovec& part) {
  msghdr m{};
  m.msg_iov = &part;
  m.msg_iovlen = 1;
  return m;
}

void attach(msghdr& m, control_buffer& control, int fd) {
  m.msg_control = control.bytes;
  m.msg_controllen = sizeof(control.bytes);
  cmsghdr* entry = CMSG_FIRSTHDR(&m);
  entry->cmsg_level = SOL_SOCKET;
  entry->cmsg_type = SCM_RIGHTS;
  entry->cmsg_len = CMSG_LEN(sizeof(fd));
  std::memcpy(CMSG_DATA(entry), &fd, sizeof(fd));
}

/// The buffer has room for one; the kernel closes what is beyond it.
void take_descriptor(msghdr& m, descriptor& passed) {
  for (cmsghdr* entry = CMSG_FIRSTHDR(&m); entry != nullptr; entry = CMSG_NXTHDR(&m, entry)) {
    if (entry->cmsg_level != SOL_SOCKET || entry->cmsg_type != SCM_RIGHTS) continue;
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(entry), sizeof(fd));
    passed = descriptor(fd);
  }
}

bool send_all(int socket, std::span<const std::byte> bytes, int passed) {
  while (!bytes.empty()) {
    iovec part{const_cast<std::byte*>(bytes.data()), bytes.size()};
    msghdr m = one_part(part);
    control_buffer control{};
    if (passed >= 0) attach(m, control, passed);
    const auto sent = ::sendmsg(socket, &m, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    passed = -1;
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return true;
}

bool receive_all(int socket, std::span<std::byte> bytes, descriptor& passed) {
  while (!bytes.empty()) {
    iovec part{bytes.data(), bytes.size()};
    msghdr m = one_part(part);
    control_buffer control{};
    m.msg_control = control.bytes;
    m.msg_controllen = sizeof(control.bytes);
    const auto got = ::recvmsg(socket, &m, MSG_CMSG_CLOEXEC);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    take_descriptor(m, passed);
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

}  // namespace

bool send(int socket, const message& what) {
  const header head{.magic = magic,
                    .kind = what.kind,
                    .result = what.result,
                    .log_size = static_cast<std::uint32_t>(what.log.size()),
                    .values = what.values,
                    .payload_size = what.payload.size()};
  const auto* first = reinterpret_cast<const std::byte*>(&head);
  std::vector<std::byte> bytes(first, first + sizeof(head));
  bytes.insert(bytes.end(), what.payload.begin(), what.payload.end());
  const auto log = std::as_bytes(std::span(what.log));
  bytes.insert(bytes.end(), log.begin(), log.end());
  return send_all(socket, bytes, what.passed.get());
}

std::optional<message> receive(int socket) {
  header head{};
  message got;
  if (!receive_all(socket, std::as_writable_bytes(std::span(&head, 1)), got.passed)) return std::nullopt;
  if (head.magic != magic || head.payload_size > max_size || head.log_size > max_size) return std::nullopt;
  got.kind = head.kind;
  got.result = head.result;
  got.values = head.values;
  got.payload.resize(head.payload_size);
  got.log.resize(head.log_size);
  if (!receive_all(socket, got.payload, got.passed)) return std::nullopt;
  if (!receive_all(socket, std::as_writable_bytes(std::span(got.log)), got.passed)) return std::nullopt;
  return got;
}

}  // namespace npurt::emu::driver::shared
