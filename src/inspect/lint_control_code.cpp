// SPDX-License-Identifier: Apache-2.0
// Mistakes in control code: the wrong chip or partition, addresses that are patched nowhere, waits that never end.
#include <algorithm>
#include <format>
#include <map>
#include <set>
#include <tuple>

#include "inspect/describe.hpp"
#include "inspect/lint.hpp"

namespace npurt::inspect {

namespace {

using binfmt::control_op;

constexpr std::uint8_t npu1_generation = 3;
constexpr std::uint32_t most_buffers =
    7;  // the driver copies 19 words of a command: opcode, stream, count, 7 addresses

class control_code_lint {
 public:
  control_code_lint(const binfmt::control_code& code, bool patched_by_xrt, std::vector<finding>& out)
      : code_(code), patched_by_xrt_(patched_by_xrt), out_(out) {}

  void run() {
    header();
    for (const binfmt::control_operation& o : code_.operations) {
      operation(o);
    }
    for (const auto& [op, at] : unusual_) {
      add("operation-not-established", severity::warning,
          "whether npu1's firmware takes this operation is not established",
          std::format("{} at byte {}", binfmt::to_string(op), at),
          "leave it out, or run it on the device that it is for");
    }
    configuration_reader reader;
    reader.apply(code_);
    const configuration array = reader.take();
    lint_array(array, code_.columns, false, "the control code", out_);
  }

 private:
  void add(const char* id, severity level, const std::string& cause, const std::string& evidence, const char* fix) {
    out_.push_back({id, level, cause, evidence, fix});
  }

  void header() {
    if (code_.generation != npu1_generation) {
      add("wrong-generation", severity::error, "the control code is for another generation of the NPU than Phoenix",
          std::format("generation {} in the header, npu1 is {}", code_.generation, npu1_generation),
          "build it for npu1");
    }
    lint_columns(code_.columns, "columns of the control code", out_);
    if (code_.major != 0) {
      add("stream-version", severity::warning,
          "whether npu1's firmware takes this version of the stream is not established",
          std::format("version {}.{} in the header, mlir-aie writes 0.1 for npu1", code_.major, code_.minor),
          "build it as version 0.1");
    }
  }

  void operation(const binfmt::control_operation& o) {
    switch (o.op) {
      case control_op::write:
        return task(o);
      case control_op::block_write:
        for (std::size_t i = 0; i < o.data.size(); ++i) {
          written_.insert(o.address + 4 * i);
        }
        return;
      case control_op::mask_write:
        return;
      case control_op::ddr_patch:
        return patch(o);
      case control_op::tct_sync:
        return wait(o);
      case control_op::preempt:
        if (o.id != 0) {
          add("preemption", severity::error, "npu1 has no preemption",
              std::format("PREEMPT of level {} at byte {}", o.id, o.offset), "build without preemption points");
        }
        return;
      default:
        unusual_.emplace(o.op, o.offset);
    }
  }

  void patch(const binfmt::control_operation& o) {
    const auto at = aie::unpack_address(static_cast<std::uint32_t>(o.address));
    const unsigned bds = aie::resources(aie::tile_kind::shim).bds;
    bool is_bd = false;
    for (unsigned bd = 0; bd < bds; ++bd) {
      is_bd = is_bd || (at.tile.row == 0 && aie::bd_offset(aie::tile_kind::shim, bd) + 4 == at.offset);
    }
    const std::string name = std::format("DDR_PATCH at byte {} of address {:#x}", o.offset, o.address);
    if (!is_bd) {
      add("patch-place", severity::error, "a buffer's address is written to something that is no shim BD's address",
          name, "patch word 1 of a BD at 0x1d000 + 0x20 * BD in row 0");
    } else if (!patched_by_xrt_ && !written_.contains(o.address)) {
      add("patch-without-bd", severity::error, "a buffer's address is written to a BD that was not written before",
          name, "write the BD's eight words before the patch");
    }
    if (o.argument >= most_buffers) {
      add("too-many-buffers", severity::error,
          "a command passes at most seven buffers: the address is whatever lies behind",
          std::format("{} takes bo{}", name, o.argument), "use fewer buffers, several parts of one at offsets");
    }
    if (o.argument_offset % 4 != 0) {
      add("patch-offset", severity::error, "a DMA begins at a word",
          std::format("{}: offset {}", name, o.argument_offset), "make the offset a multiple of 4");
    }
  }

  using channel = std::tuple<aie::tile_id, aie::dma_direction, std::uint8_t>;

  void task(const binfmt::control_operation& o) {
    const auto at = aie::unpack_address(static_cast<std::uint32_t>(o.address));
    if (at.tile.row >= aie::npu1.rows) {
      return;
    }
    const auto found = aie::find_dma_channel_register(aie::npu1.kind(at.tile), at.offset);
    if (found && found->what == aie::dma_channel_register::what::queue && aie::unpack_task(o.value).issue_token) {
      ++tokens_[{at.tile, found->direction, found->channel}];
    }
  }

  /// Tasks of the array's own configuration may give tokens of other tiles; a shim's all come from here.
  void wait(const binfmt::control_operation& o) {
    const auto direction = o.sync.direction == 0 ? aie::dma_direction::s2mm : aie::dma_direction::mm2s;
    for (unsigned col = o.sync.col; col < o.sync.col + o.sync.columns; ++col) {
      if (o.sync.row != 0) {
        return;
      }
      const aie::tile_id tile{static_cast<std::uint8_t>(col), 0};
      if (std::size_t& tokens = tokens_[{tile, direction, o.sync.channel}]; tokens > 0) {
        --tokens;
        continue;
      }
      add("wait-without-token", severity::error,
          "the firmware waits for a token that no task gives: the command times out",
          std::format("TCT_SYNC at byte {} for {} of tile {}", o.offset, channel_name(direction, o.sync.channel),
                      aie::to_string(tile)),
          "queue a task with its token bit set for every wait, and wait once for each");
    }
  }

  const binfmt::control_code& code_;
  bool patched_by_xrt_;
  std::vector<finding>& out_;
  std::set<std::uint64_t> written_;
  std::map<channel, std::size_t> tokens_;
  std::map<control_op, std::size_t> unusual_;  ///< first place of each
};

}  // namespace

void lint_control_code(const binfmt::control_code& code, bool patched_by_xrt, std::vector<finding>& out) {
  control_code_lint(code, patched_by_xrt, out).run();
}

}  // namespace npurt::inspect
