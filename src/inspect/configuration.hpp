// SPDX-License-Identifier: Apache-2.0
// What a PDI or a control code sets the array to, tile by tile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "aie/dma.hpp"
#include "aie/geometry.hpp"
#include "aie/stream_switch.hpp"
#include "binfmt/control_code.hpp"

namespace npurt::inspect {

/// Columns of a Phoenix. Contexts get at most four of them, or all: then from column 0, which has no shim DMA, and no
/// other context beside it (amdxdna aie2_ctx_runqueue.c).
inline constexpr unsigned physical_columns = 5;

struct queued_task {
  aie::dma_direction direction{};
  std::uint8_t channel = 0;
  aie::dma_task task;
};

struct switch_configuration {
  std::map<std::uint8_t, aie::master_config> masters;           ///< enabled ones by their number
  std::map<std::uint8_t, aie::slave_config> slaves;             ///< enabled ones by their number
  std::map<std::uint8_t, std::vector<aie::slot_config>> slots;  ///< enabled ones by slave
};

struct configured_tile {
  aie::tile_kind kind{};
  std::uint32_t program_bytes = 0;              ///< written to program memory
  std::uint64_t data_bytes = 0;                 ///< written to data memory
  bool enabled = false;                         ///< the core
  std::map<std::uint8_t, std::uint32_t> locks;  ///< values other than 0
  std::map<std::uint8_t, aie::dma_bd> bds;
  std::vector<queued_task> tasks;
  switch_configuration routes;
  std::uint32_t mux = 0, demux = 0;  ///< shims
};

/// A write that no tile takes.
struct misplaced_write {
  std::uint64_t address = 0;
  std::string what;
};

struct configuration {
  std::map<aie::tile_id, configured_tile> tiles;
  std::vector<misplaced_write> misplaced;  ///< the first ones
  std::size_t commands = 0;
  std::size_t words = 0;                       ///< of data
  std::map<std::string, std::size_t> unusual;  ///< commands that no npu1 PDI of mlir-aie has, by name

  /// The first column that is not used.
  unsigned columns() const;
};

/// The registers of the array, written one after the other.
class configuration_reader {
 public:
  /// Every command of a CDO.
  /// @throws binfmt::format_error
  void apply_cdo(std::span<const std::uint32_t> cdo);
  /// The writes of a control code.
  void apply(const binfmt::control_code& code);

  configuration take();

 private:
  struct registers {
    std::map<std::uint32_t, std::uint32_t> words;
    std::uint32_t program_bytes = 0;
    std::uint64_t data_bytes = 0;
    std::vector<queued_task> tasks;
  };

  void write(std::uint64_t address, std::span<const std::uint32_t> data);
  void mask_write(std::uint64_t address, std::uint32_t mask, std::uint32_t value);
  void write_word(aie::tile_id tile, registers& to, std::uint32_t offset, std::uint32_t value);
  void misplaced(std::uint64_t address, std::string what);

  std::map<aie::tile_id, registers> tiles_;
  configuration result_;
};

}  // namespace npurt::inspect
