// SPDX-License-Identifier: Apache-2.0
// Host memory as the shim DMAs reach it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace npurt::emu {

enum class memory_access : std::uint8_t { read, write };

class ddr_port {
 public:
  virtual ~ddr_port() = default;
  /// The host bytes of device addresses [address, address + size); nullptr if they are not all in one buffer.
  virtual std::byte* translate(std::uint64_t address, std::uint64_t size, memory_access access) = 0;
};

}  // namespace npurt::emu
