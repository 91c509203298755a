// SPDX-License-Identifier: Apache-2.0
// Control code as JSON: operations by name, host buffers, waits, and what it writes to the array.
#include <format>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "inspect/describe.hpp"

namespace npurt::inspect {

namespace {

using json = nlohmann::ordered_json;
using binfmt::control_op;

struct argument_use {
  std::size_t patches = 0, reads = 0, writes = 0;
  std::uint64_t highest_offset = 0;
};

/// Which host buffer each BD holds the address of, and which channels its BDs were queued to.
class argument_reader {
 public:
  explicit argument_reader(const binfmt::control_code& code) {
    for (const binfmt::control_operation& o : code.operations) {
      if (o.op == control_op::ddr_patch) {
        patch(o);
      } else if (o.op == control_op::write) {
        queue(o);
      }
    }
  }

  json take() const {
    json out = json::array();
    for (const auto& [number, use] : arguments_) {
      out.push_back({{"argument", number},
                     {"patches", use.patches},
                     {"tasks_that_read", use.reads},
                     {"tasks_that_write", use.writes},
                     {"highest_offset", use.highest_offset}});
    }
    return out;
  }

 private:
  void patch(const binfmt::control_operation& o) {
    argument_use& use = arguments_[o.argument];
    ++use.patches;
    use.highest_offset = std::max(use.highest_offset, o.argument_offset);
    const auto at = aie::unpack_address(static_cast<std::uint32_t>(o.address));
    for (unsigned bd = 0; bd < aie::resources(aie::tile_kind::shim).bds; ++bd) {
      if (aie::bd_offset(aie::tile_kind::shim, bd) + 4 == at.offset) {
        holders_[{at.tile, bd}] = o.argument;
      }
    }
  }

  void queue(const binfmt::control_operation& o) {
    const auto at = aie::unpack_address(static_cast<std::uint32_t>(o.address));
    if (at.tile.row != 0) {
      return;
    }
    const auto channel = aie::find_dma_channel_register(aie::tile_kind::shim, at.offset);
    if (!channel || channel->what != aie::dma_channel_register::what::queue) {
      return;
    }
    const auto held = holders_.find({at.tile, aie::unpack_task(o.value).bd});
    if (held != holders_.end()) {
      argument_use& use = arguments_[held->second];
      ++(channel->direction == aie::dma_direction::mm2s ? use.reads : use.writes);
    }
  }

  std::map<std::uint32_t, argument_use> arguments_;
  std::map<std::pair<aie::tile_id, unsigned>, std::uint32_t> holders_;
};

}  // namespace

json describe(const binfmt::control_code& code) {
  std::map<std::string, std::size_t> counts;
  json waits = json::array();
  for (const binfmt::control_operation& o : code.operations) {
    ++counts[binfmt::to_string(o.op)];
    if (o.op == control_op::tct_sync) {
      const auto direction = o.sync.direction == 0 ? aie::dma_direction::s2mm : aie::dma_direction::mm2s;
      waits.push_back({{"tile", {o.sync.col, o.sync.row}},
                       {"columns", o.sync.columns},
                       {"rows", o.sync.rows},
                       {"channel", channel_name(direction, o.sync.channel)}});
    }
  }
  configuration_reader reader;
  reader.apply(code);
  return {{"version", std::format("{}.{}", code.major, code.minor)},
          {"generation", code.generation == 3   ? "npu1"
                         : code.generation == 4 ? "npu2"
                                                : "unknown"},
          {"columns", code.columns},
          {"rows", code.rows},
          {"memtile_rows", code.memtile_rows},
          {"stream_bytes", code.bytes},
          {"operations", code.operations.size()},
          {"operations_by_name", counts},
          {"arguments", argument_reader(code).take()},
          {"waits", waits},
          {"array", describe(reader.take())}};
}

}  // namespace npurt::inspect
