// SPDX-License-Identifier: Apache-2.0
// Mistakes in the configuration of an array: what lies outside, BDs, tasks and streams that lead nowhere.
#include <algorithm>
#include <format>

#include "aie/registers.hpp"
#include "binfmt/pdi.hpp"
#include "inspect/describe.hpp"
#include "inspect/flows.hpp"
#include "inspect/lint.hpp"

namespace npurt::inspect {

namespace {

using aie::tile_kind;

constexpr std::uint32_t npu_id_code = 0x14CA8093;       // in all PDIs of mlir-aie
constexpr std::uint64_t memtile_windows = 3 * 0x80000;  // a memtile's BDs see the west, own and east memory
constexpr unsigned memtile_locks = 3 * 64;

class array_lint {
 public:
  array_lint(const configuration& array, unsigned columns, bool whole, const std::string& where,
             std::vector<finding>& out)
      : array_(array), columns_(columns), whole_(whole), where_(where), out_(out) {}

  void run() {
    places();
    for (const auto& [tile, t] : array_.tiles) {
      core(tile, t);
      bds(tile, t);
      tasks(tile, t);
    }
    if (whole_) {
      streams();
    }
  }

 private:
  void add(const char* id, severity level, const std::string& cause, const std::string& evidence, const char* fix) {
    out_.push_back({id, level, cause, where_ + ": " + evidence, fix});
  }

  void places() {
    for (const misplaced_write& w : array_.misplaced) {
      add("unknown-register", severity::error, "it writes where the array has nothing: the write is lost or an error",
          std::format("address {:#x}: {}", w.address, w.what),
          "check the tile and the offset that the design was built with");
    }
    if (array_.columns() > columns_) {
      add("outside-partition", severity::error,
          "it configures columns that the partition does not have: another context's columns, or an error of the "
          "firmware",
          std::format("column {} is written, the partition has {}", array_.columns() - 1, columns_),
          "state the number of columns that the design uses (column_width of AIE_PARTITION, cols of the control code)");
    }
    for (const auto& [name, count] : array_.unusual) {
      add("cdo-command", severity::warning, "whether npu1's firmware takes this CDO command is not established",
          std::format("{} {} command{}", count, name, count == 1 ? "" : "s"),
          "build with WRITE, MASK_WRITE and DMA_WRITE alone, as mlir-aie does");
    }
  }

  void core(aie::tile_id tile, const configured_tile& t) {
    if (whole_ && t.enabled && t.program_bytes == 0) {
      add("core-without-program", severity::error, "a core is started on whatever its program memory holds",
          std::format("core {} is enabled, nothing is written to its program memory", aie::to_string(tile)),
          "load its ELF before it is enabled, or do not enable it");
    }
  }

  static bool is_linear(const aie::dma_bd& bd) { return bd.dimensions[0].step == 1 && bd.dimensions[0].wrap == 0; }

  void bds(aie::tile_id tile, const configured_tile& t) {
    const auto name = [&](unsigned bd) {
      return std::format("BD {} of {} {}", bd, aie::to_string(t.kind), aie::to_string(tile));
    };
    for (const auto& [number, bd] : t.bds) {
      if (!bd.valid) {
        continue;
      }
      if (bd.use_next && whole_ && !is_valid(t, bd.next_bd)) {
        add("bd-chain", severity::error, "a chain of BDs leads to one that is not valid: its channel stops",
            std::format("{} is followed by BD {}", name(number), bd.next_bd), "write the next BD with Valid_BD set");
      }
      const std::uint64_t memory = t.kind == tile_kind::memtile ? memtile_windows : aie::resources(t.kind).data_memory;
      const std::uint64_t end = bd.address + (is_linear(bd) ? std::uint64_t{bd.length} * 4 : 0);
      if (t.kind != tile_kind::shim && end > memory) {
        add("bd-outside-memory", severity::error, "a BD reaches beyond its tile's memory",
            std::format("{}: {} bytes at {:#x} of {:#x}", name(number), bd.length * 4, bd.address, memory),
            "correct its address or length");
      }
      if (t.kind == tile_kind::memtile && (bd.acquire_lock >= memtile_locks || bd.release_lock >= memtile_locks)) {
        add("bd-lock", severity::error, "a BD names a lock that the tile does not reach", name(number),
            "a memtile's BDs see locks 0-63 of the west, 64-127 of their own and 128-191 of the east memtile");
      }
    }
  }

  static bool is_valid(const configured_tile& t, std::uint8_t bd) {
    const auto at = t.bds.find(bd);
    return at != t.bds.end() && at->second.valid;
  }

  /// Whether the switch takes or gives words of a channel; shims through their mux.
  static bool has_route(const configured_tile& t, const queued_task& task) {
    const bool sends = task.direction == aie::dma_direction::mm2s;
    const aie::port p = t.kind == tile_kind::shim ? aie::shim_dma_port(task.direction, task.channel)
                                                  : aie::port{aie::bundle::dma, task.channel};
    const auto number = sends ? aie::slave_number(t.kind, p) : aie::master_number(t.kind, p);
    return number && (sends ? t.routes.slaves.contains(*number) : t.routes.masters.contains(*number));
  }

  void tasks(aie::tile_id tile, const configured_tile& t) {
    for (const queued_task& task : t.tasks) {
      const std::string name = std::format("{} of {} {}, BD {}", channel_name(task.direction, task.channel),
                                           aie::to_string(t.kind), aie::to_string(tile), task.task.bd);
      if ((whole_ || t.kind == tile_kind::shim) && !is_valid(t, task.task.bd)) {
        add("task-without-bd", severity::error, "a task is queued with a BD that is not valid: its channel stops", name,
            "write the BD with Valid_BD set before its task");
      }
      if (!aie::bd_fits_channel(t.kind, task.task.bd, task.channel)) {
        add("bd-channel", severity::error, "a memtile's even channels use BDs 0-23, odd ones 24-47", name,
            "give the channel a BD of its own half");
      }
      if (whole_ && !has_route(t, task)) {
        add("channel-without-route", severity::error, "a task moves words that no stream carries: it never ends", name,
            "connect the channel's port in the tile's stream switch");
      }
    }
  }

  static bool is_token_end(const aie::tile_port& end) {
    return end.tile.row == 0 && end.p == aie::port{aie::bundle::south, 0};
  }

  /// A rule's mask takes ids, too, that nobody sends: of packets only those count that a BD of the tile sends, and
  /// those of a source that reaches nothing at all.
  bool carries_words(const flow& f, const std::vector<flow>& all) const {
    const auto sends = [&](const auto& entry) {
      const aie::dma_bd& bd = entry.second;
      return bd.valid && bd.packet_enable && std::ranges::contains(f.packet_ids, bd.packet_id);
    };
    const auto arrives = [&](const flow& other) { return other.from == f.from && other.problem.empty(); };
    return f.packet_ids.empty() || std::ranges::any_of(array_.tiles.at(f.from.tile).bds, sends) ||
           std::ranges::none_of(all, arrives);
  }

  void streams() {
    const std::vector<flow> flows = find_flows(array_);
    for (const flow& f : flows) {
      if (!f.problem.empty() && carries_words(f, flows)) {
        add("flow-broken", severity::error, "a stream does not arrive: its sender waits for ever",
            std::format("from {}: {}", end_name(f.from, false), f.problem), "route it to a DMA, core or control port");
      }
    }
    for (const auto& [tile, t] : array_.tiles) {
      const bool uses_dma = t.kind == tile_kind::shim && (t.mux != 0 || t.demux != 0);
      const bool tokens = std::ranges::any_of(flows, [&](const flow& f) {
        return f.from.tile == tile && f.from.p.side == aie::bundle::tile_control &&
               std::ranges::any_of(f.to, is_token_end);
      });
      if (uses_dma && !tokens) {
        add("no-token-route", severity::warning,
            "the shim's task-complete tokens do not reach the firmware: a control code that waits for one never ends",
            std::format("shim {} has no route from TileControl to South 0", aie::to_string(tile)),
            "route TileControl to South 0 for packets with the shim's controller id");
      }
    }
  }

  const configuration& array_;
  unsigned columns_;
  bool whole_;
  const std::string& where_;
  std::vector<finding>& out_;
};

}  // namespace

void lint_array(const configuration& array, unsigned columns, bool whole, const std::string& where,
                std::vector<finding>& out) {
  array_lint(array, columns, whole, where, out).run();
}

namespace {

// Of the partition header at 0xD0, reserved in what bootgen writes. AMD's own PDIs (RyzenAI's XCLBINs) have values
// there, a checksum of another kind and a body that is no plain CDO; hardware takes them.
constexpr std::size_t packed_words_at = 0xD0 + 0x70;
constexpr std::size_t packed_words_size = 12;

bool is_packed(std::span<const std::byte> image) {
  return image.size() >= packed_words_at + packed_words_size &&
         std::ranges::any_of(image.subspan(packed_words_at, packed_words_size),
                             [](std::byte b) { return b != std::byte{0}; });
}

}  // namespace

void lint_pdi_or_damage(std::span<const std::byte> image, unsigned columns, const std::string& where,
                        std::vector<finding>& out) {
  try {
    lint_pdi(image, columns, where, out);
  } catch (const binfmt::format_error& damage) {
    if (is_packed(image)) {
      out.push_back(
          {"pdi-packed", severity::warning,
           "the PDI is of the packed form of AMD's own XCLBINs: neither lint nor the emulated NPU can read it",
           where + ": reserved words of its partition header are set", "check it on an NPU"});
      return;
    }
    out.push_back({"pdi-damaged", severity::error,
                   "the firmware cannot load the PDI: creating a context or its first command fails",
                   where + ": " + damage.what(), "make it with bootgen -arch versal again"});
  }
}

void lint_pdi(std::span<const std::byte> image, unsigned columns, const std::string& where, std::vector<finding>& out) {
  const binfmt::pdi pdi = binfmt::read_pdi(image);
  if (pdi.id_code != npu_id_code) {
    out.push_back({"pdi-id-code", severity::error, "the PDI is for another device",
                   std::format("{}: id code {:#010x}, an NPU's is {:#010x}", where, pdi.id_code, npu_id_code),
                   "state id_code = 0x14ca8093 in the BIF file"});
  }
  lint_array(configuration_of_pdi(image), columns, true, where, out);
}

}  // namespace npurt::inspect
