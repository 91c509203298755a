// SPDX-License-Identifier: Apache-2.0
// Follows the shim tiles' BDs and task queues through a control code. Register layout: AM025, shim tile.
#include "runtime/argument_extents.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "binfmt/control_code.hpp"
#include "binfmt/little_endian.hpp"

namespace npurt::detail {

namespace {

constexpr std::uint64_t bytes_per_word = 4;
constexpr std::uint32_t row_mask = 0x1F << 20;
constexpr std::uint32_t offset_mask = 0xFFFFF;
constexpr std::uint32_t bd_base = 0x1D000;
constexpr std::uint32_t bd_size = 0x20;
constexpr std::uint32_t bd_count = 16;
constexpr std::uint32_t first_queue = 0x1D204;
constexpr std::uint32_t last_queue = 0x1D21C;
constexpr std::uint32_t queue_step = 8;
// Arguments of a kernel that control code can name; more is not a kernel of ours to check.
constexpr std::uint32_t most_arguments = 128;

std::uint64_t field(std::uint32_t word, unsigned low, unsigned bits) { return word >> low & ((1U << bits) - 1); }

struct binding {
  std::uint32_t argument;
  std::uint64_t offset;
};

struct descriptor {
  std::array<std::uint32_t, 8> words{};
  std::optional<binding> bound;
  std::uint64_t runs = 0;  ///< since its iteration was last written
};

/// The highest element of `length` that three nested steps reach, in words.
std::uint64_t highest_element(const descriptor& bd) {
  const std::uint64_t length = bd.words[0];
  if (length == 0) return 0;
  const std::uint64_t step0 = field(bd.words[3], 0, 20) + 1, wrap0 = field(bd.words[3], 20, 10);
  const std::uint64_t step1 = field(bd.words[4], 0, 20) + 1, wrap1 = field(bd.words[4], 20, 10);
  const std::uint64_t step2 = field(bd.words[5], 0, 20) + 1;
  const std::uint64_t inner = wrap0 == 0 ? length : wrap0;
  const std::uint64_t middle = wrap1 == 0 ? length : wrap1;
  const std::uint64_t last = length - 1;
  const std::uint64_t i0 = last % inner, i1 = last / inner % middle, i2 = last / inner / middle;
  std::uint64_t highest = i0 * step0 + i1 * step1 + i2 * step2;
  // A dimension that ends early may have been further out in the round before.
  if (i1 > 0) highest = std::max(highest, (inner - 1) * step0 + (i1 - 1) * step1 + i2 * step2);
  if (i2 > 0) highest = std::max(highest, (inner - 1) * step0 + (middle - 1) * step1 + (i2 - 1) * step2);
  return highest;
}

class shim_tiles {
 public:
  void write(std::uint64_t address, std::uint32_t value, std::uint32_t mask = ~0U) {
    if ((address & row_mask) != 0) return;
    const auto offset = static_cast<std::uint32_t>(address & offset_mask);
    if (offset >= bd_base && offset < bd_base + bd_count * bd_size) {
      write_bd(address, value, mask);
    } else if (offset >= first_queue && offset <= last_queue && (offset - first_queue) % queue_step == 0) {
      push(address & ~std::uint64_t{offset_mask}, value);
    }
  }

  void patch(std::uint64_t address, const binding& target) {
    descriptors_[address & ~std::uint64_t{bd_size - 1}].bound = target;
  }

  std::vector<std::uint64_t> extents() && { return std::move(extents_); }

 private:
  void write_bd(std::uint64_t address, std::uint32_t value, std::uint32_t mask) {
    constexpr std::size_t iteration_word = 6;
    descriptor& bd = descriptors_[address & ~std::uint64_t{bd_size - 1}];
    const auto index = static_cast<std::size_t>((address & (bd_size - 1)) / bytes_per_word);
    bd.words[index] = (bd.words[index] & ~mask) | (value & mask);
    if (index == iteration_word) bd.runs = field(value, 26, 6);
  }

  /// A task runs its BD and those chained to it, each `runs` times.
  void push(std::uint64_t tile, std::uint32_t task) {
    const std::uint64_t runs = field(task, 16, 8) + 1;
    std::uint64_t number = field(task, 0, 4);
    for (std::uint32_t chained = 0; chained < bd_count; ++chained) {
      descriptor& bd = descriptors_[tile + bd_base + number * bd_size];
      touch(bd, runs);
      if (field(bd.words[7], 26, 1) == 0) return;
      number = field(bd.words[7], 27, 4);
    }
  }

  void touch(descriptor& bd, std::uint64_t runs) {
    bd.runs += runs;
    if (!bd.bound || bd.bound->argument >= most_arguments || bd.words[0] == 0) return;
    const std::uint64_t wrap = field(bd.words[6], 20, 6) + 1, step = field(bd.words[6], 0, 20) + 1;
    const std::uint64_t words = highest_element(bd) + (std::min(bd.runs, wrap) - 1) * step + 1;
    if (extents_.size() <= bd.bound->argument) extents_.resize(bd.bound->argument + 1);
    std::uint64_t& extent = extents_[bd.bound->argument];
    extent = std::max(extent, bd.bound->offset + words * bytes_per_word);
  }

  std::map<std::uint64_t, descriptor> descriptors_;  // by address
  std::vector<std::uint64_t> extents_;
};

void follow(shim_tiles& tiles, const binfmt::control_operation& operation) {
  switch (operation.op) {
    case binfmt::control_op::write:
      return tiles.write(operation.address, operation.value);
    case binfmt::control_op::mask_write:
      return tiles.write(operation.address, operation.value, operation.mask);
    case binfmt::control_op::block_write:
      for (std::size_t index = 0; index < operation.data.size(); ++index) {
        tiles.write(operation.address + index * bytes_per_word, operation.data[index]);
      }
      return;
    case binfmt::control_op::ddr_patch:
      return tiles.patch(operation.address, {operation.argument, operation.argument_offset});
    default:
      return;
  }
}

}  // namespace

std::vector<std::uint64_t> argument_extents(std::span<const std::uint32_t> control_code) {
  shim_tiles tiles;
  try {
    for (const auto& operation : binfmt::read_control_code(binfmt::bytes_of(control_code)).operations) {
      follow(tiles, operation);
    }
  } catch (const binfmt::format_error&) {
    return {};
  }
  return std::move(tiles).extents();
}

}  // namespace npurt::detail
