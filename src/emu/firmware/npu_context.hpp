// SPDX-License-Identifier: Apache-2.0
// A context of the emulated NPU: its place among the columns, its array, its compute units, the command under way.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "emu/array/array.hpp"
#include "emu/array/ddr_port.hpp"
#include "emu/firmware/firmware_log.hpp"
#include "emu/firmware/npu.hpp"

namespace npurt::emu {

/// The array's way to the memory of the command under way.
class memory_port final : public ddr_port {
 public:
  explicit memory_port(device_memory& memory) : memory_(&memory) {}
  std::byte* translate(std::uint64_t address, std::uint64_t size, memory_access access) override {
    return memory_->translate(address, size, access);
  }
  device_memory& memory() { return *memory_; }
  void use(device_memory& memory) { memory_ = &memory; }

 private:
  device_memory* memory_;
};

/// Columns within the usable ones.
struct column_place {
  unsigned start = 0, width = 0;
  bool overlaps(const column_place& other) const {
    return start < other.start + other.width && other.start < start + width;
  }
};

struct context {
  /// It loses what its columns hold, now and when the command under way ends.
  void displace() {
    loaded.reset();
    displaced = true;
  }

  unsigned columns = 0;
  std::unique_ptr<memory_port> memory;
  array tiles;
  column_place place = {};                                        ///< its partition
  std::map<std::uint32_t, std::vector<std::uint32_t>> cdos = {};  ///< by compute unit
  std::optional<std::uint32_t> loaded = std::nullopt;             ///< compute unit whose PDI the columns hold
  std::optional<std::pair<std::uint32_t, std::uint64_t>> pdi = std::nullopt;  ///< loaded over it: id and address
  std::vector<std::uint32_t> pdi_cdo = {};                                    ///< and what it held

  // Of the command under way.
  std::uint64_t firmware_cycles = 0, pdi_loads = 0;
  std::uint64_t running_meanwhile = 0;  ///< what cores ran while the firmware waited
  const std::atomic<bool>* cancelled = nullptr;
  bool displaced = false;  ///< what its columns hold will be lost when it ends: it moved, or the device was off
  firmware_log log = {};
  std::unique_ptr<timeline> line = nullptr;
  std::uint64_t host_ns = 0;  ///< when it began, if there is a timeline
};

}  // namespace npurt::emu
