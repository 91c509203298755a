// SPDX-License-Identifier: Apache-2.0
// PDIs and control code for the firmware's tests, written word by word from the formats' description
// (bootgen -arch versal images; mlir-aie transaction binaries), not by the project's own writers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <numeric>
#include <span>
#include <vector>

#include "aie/dma.hpp"
#include "aie/registers.hpp"
#include "aie/stream_switch.hpp"
#include "emu/firmware/npu.hpp"
#include "emu/host_buffers.hpp"

namespace npurt::emu::testing {

using words = std::vector<std::uint32_t>;

inline std::vector<std::byte> bytes_of(const words& w) {
  const auto b = std::as_bytes(std::span(w));
  return {b.begin(), b.end()};
}

using host_memory = host_buffers<device_memory>;

/// A PDI under construction: commands of its CDO.
class pdi_builder {
 public:
  pdi_builder& write(aie::tile_id t, std::uint32_t offset, std::uint32_t value) {
    return append({0x00020103, aie::pack_address({t, offset}), value});
  }
  pdi_builder& block(aie::tile_id t, std::uint32_t offset, const words& data) {
    append({0x00FF0105, static_cast<std::uint32_t>(data.size() + 2), 0, aie::pack_address({t, offset})});
    return append(data);
  }
  pdi_builder& append(const words& w) {
    commands_.insert(commands_.end(), w.begin(), w.end());
    return *this;
  }
  std::vector<std::byte> build() const {
    words cdo{4, 0x004F4443, 0x200, static_cast<std::uint32_t>(commands_.size())};
    cdo.push_back(inverted_sum(cdo));
    cdo.insert(cdo.end(), commands_.begin(), commands_.end());
    const auto unpadded = static_cast<std::uint32_t>(cdo.size());
    while (cdo.size() % 4 != 0) cdo.push_back(0);
    const auto total = static_cast<std::uint32_t>(cdo.size());
    words file{0x000000DD, 0x11223344, 0x55667788, 0x99AABBCC};
    words table(31);
    const std::map<unsigned, std::uint32_t> table_words{
        {0, 0x00040000}, {1, 1},           {2, 0x24},        {3, 1},     {4, 0x34},
        {6, 0x14CA8093}, {10, 0x50504449}, {11, 0x00201020}, {12, 0x30}, {17, 1}};
    for (const auto& [i, w] : table_words) table[i] = w;
    append_checked(file, table);
    append_checked(file, {0x34, 1, 0, 0, 0x5F656961, 0x67616D69, 0x65, 0, 0x1C000000, 0, 0, 0, 0, 0, 0});
    words partition(31);
    const std::map<unsigned, std::uint32_t> partition_words{
        {0, total}, {1, unpadded}, {2, total}, {6, 0xFFFFFFFF}, {7, 0xFFFFFFFF}, {8, 0x54}, {9, 0x02000006}, {10, 1}};
    for (const auto& [i, w] : partition_words) partition[i] = w;
    append_checked(file, partition);
    file.insert(file.end(), cdo.begin(), cdo.end());
    return bytes_of(file);
  }

 private:
  static std::uint32_t inverted_sum(const words& w) { return ~std::accumulate(w.begin(), w.end(), 0u); }
  static void append_checked(words& file, const words& header) {
    file.insert(file.end(), header.begin(), header.end());
    file.push_back(inverted_sum(header));
  }
  words commands_;
};

/// Control code under construction, transaction form 0.1.
class code_builder {
 public:
  code_builder& write(std::uint32_t reg, std::uint32_t value) { return add({0, 0, reg, 0, value, 24}); }
  code_builder& mask_write(std::uint32_t reg, std::uint32_t value, std::uint32_t mask) {
    return add({3, 0, reg, 0, value, mask, 28});
  }
  code_builder& block(std::uint32_t reg, const words& data) {
    words op{1, 0, reg, static_cast<std::uint32_t>(16 + 4 * data.size())};
    op.insert(op.end(), data.begin(), data.end());
    return add(op);
  }
  code_builder& mask_poll(std::uint32_t reg, std::uint32_t value, std::uint32_t mask) {
    return add({4, 0, reg, 0, value, mask, 32, 0});
  }
  code_builder& patch(std::uint32_t reg, std::uint32_t argument, std::uint32_t offset) {
    return add({0x81, 48, 0, 0, 0, 0, reg, 0, argument, 0, offset, 0});
  }
  code_builder& sync(aie::tile_id t, std::uint32_t direction, std::uint32_t channel) {
    return add({0x80, 16, direction | std::uint32_t{t.row} << 8 | std::uint32_t{t.col} << 16,
                1u << 8 | 1u << 16 | channel << 24});
  }
  code_builder& add(const words& op) {
    ops_.insert(ops_.end(), op.begin(), op.end());
    ++count_;
    return *this;
  }
  std::vector<std::byte> build() const {
    words w{0x06030100, 0x00000104, count_, static_cast<std::uint32_t>(16 + 4 * ops_.size())};
    w.insert(w.end(), ops_.begin(), ops_.end());
    return bytes_of(w);
  }

 private:
  words ops_;
  std::uint32_t count_ = 0;
};

inline constexpr aie::tile_id shim{0, 0}, memtile{0, 1}, core2{0, 2};
inline constexpr std::uint64_t src_address = 0x100000, dst_address = 0x8000000;

inline words bd_words(aie::tile_kind kind, aie::dma_bd bd) {
  bd.valid = true;
  const auto w = aie::pack_bd(kind, bd);
  return {w.begin(), w.begin() + aie::resources(kind).bd_words};
}

/// Host -> memtile -> host over two buffers that the memtile hands over for ever; block words each.
inline pdi_builder relay(std::uint32_t block, std::uint32_t free_buffers = 2) {
  using aie::bundle;
  pdi_builder p;
  const auto circuit = [&](aie::tile_id t, aie::port in, aie::port out) {
    const auto kind = aie::npu1.kind(t);
    const auto s = *aie::slave_number(kind, in), m = *aie::master_number(kind, out);
    p.write(t, aie::slave_offset(kind, s), aie::pack_slave({.enable = true}));
    p.write(t, aie::master_offset(kind, m), aie::pack_master({.enable = true, .slave = s}));
  };
  p.write(memtile, 0xC0000, free_buffers);
  for (const auto& [id, bd] : relay_bds(block))
    p.block(memtile, 0xA0000 + 0x20 * id, bd_words(aie::tile_kind::memtile, bd));
  p.write(memtile, 0xA0604, 0).write(memtile, 0xA0634, 2);
  circuit(shim, {bundle::south, 3}, {bundle::north, 0});
  circuit(memtile, {bundle::south, 0}, {bundle::dma, 0});
  circuit(memtile, {bundle::dma, 0}, {bundle::south, 0});
  circuit(shim, {bundle::north, 0}, {bundle::south, 2});
  p.write(shim, 0x1F000, 1u << 10).write(shim, 0x1F004, 1u << 4);
  // Tokens: TileControl slave 0 -> South 0 master 2, id 15, header kept.
  p.write(shim, 0x3F100, 0xC0000000).write(shim, 0x3F200, 0x0F1F0100).write(shim, 0x3F008, 0xC0000008);
  return p;
}

/// One task of `count` words per direction, both patched; waits for the S2MM's token.
inline code_builder transfer(std::uint32_t count, bool wait = true) {
  code_builder c;
  c.block(0x1D000, bd_words(aie::tile_kind::shim, {.length = count})).patch(0x1D004, 1, 0);
  c.mask_write(0x1D200, 15u << 8, 0x1F00).write(0x1D204, 0x80000000);
  c.block(0x1D020, bd_words(aie::tile_kind::shim, {.length = count})).patch(0x1D024, 0, 0).write(0x1D214, 1);
  if (wait) c.sync(shim, 0, 0);
  return c;
}

}  // namespace npurt::emu::testing
