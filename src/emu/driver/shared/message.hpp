// SPDX-License-Identifier: Apache-2.0
// What a process and the server of a shared device say to each other over their sockets.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "emu/driver/shared/descriptor.hpp"

namespace npurt::emu::driver::shared {

/// The first message of a connection is `open` or `attach`. An opened connection is one open file of the device: it
/// says `close` at most, and the file ends with it. Connections that were attached to the file carry its calls, one at
/// a time each, so that a call that waits holds up no other.
enum class request : std::uint32_t {
  open = 1,      ///< values: protocol; reply: key of the file
  attach,        ///< values: key
  close,         ///< the reply comes when the file is gone
  ioctl,         ///< values: request; payload: ioctl_message.hpp, also of the reply
  map,           ///< values: offset, length; reply: offset in the descriptor that comes with it
  mapped,        ///< values: offset, address, length
  last_command,  ///< reply: cycles, macs, clock_hz; result: outcome; payload: command_costs, report
  set_faults     ///< payload: text
};

/// Changes with every change of the messages: server and processes may be of different installations.
inline constexpr std::uint64_t protocol = 3;

struct message {
  request kind{};           ///< of the request, also in its reply
  std::int32_t result = 0;  ///< of a reply: 0 or a negative errno
  std::array<std::uint64_t, 3> values{};
  std::vector<std::byte> payload = {};
  std::string log = {};    ///< of a reply: what the driver tells this process, whole lines
  descriptor passed = {};  ///< goes along
};

/// Of a payload, and of a log.
inline constexpr std::size_t max_size = 16 << 20;

/// @return false if the other side is gone
bool send(int socket, const message& what);

/// @return nothing if the other side is gone or does not speak this language
std::optional<message> receive(int socket);

}  // namespace npurt::emu::driver::shared
