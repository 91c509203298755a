// SPDX-License-Identifier: Apache-2.0
// The rules a description must keep: resources of tiles, buffers that do not overlap, transfers inside their buffers.
#include "config/description.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace npurt::config {

namespace {

constexpr unsigned most_host_buffers = 7;  // the driver copies at most 19 payload words
constexpr std::uint8_t highest_lock_value = 63;
constexpr unsigned most_repeats = 256;

[[noreturn]] void fail(aie::tile_id tile, const std::string& message) {
  throw config_error("tile " + aie::to_string(tile) + ": " + message);
}

class checker {
 public:
  explicit checker(const array_description& design) : design_(design), array_(aie::npu1) {
    array_.columns = design.columns;
  }

  void run() {
    check_header();
    for (const buffer& b : design_.memory) {
      check_buffer(b);
    }
    check_overlaps();
    for (const lock& l : design_.locks) {
      check_lock(l);
    }
    for (const transfer& t : design_.transfers) {
      check_transfer(t);
    }
    for (const start& s : design_.starts) {
      check_start(s);
    }
    for (const core_program& p : design_.programs) {
      check_program(p);
    }
  }

 private:
  void check_header() const {
    if (design_.name.empty()) {
      throw config_error("the description has no name");
    }
    if (design_.columns < 1 || design_.columns > aie::npu1.columns) {
      throw config_error(std::to_string(design_.columns) + " columns: a partition has 1 to " +
                         std::to_string(aie::npu1.columns));
    }
    if (design_.buffers < 1 || design_.buffers > most_host_buffers) {
      throw config_error(std::to_string(design_.buffers) + " host buffers: a call passes 1 to " +
                         std::to_string(most_host_buffers));
    }
  }

  const aie::tile_resources& resources_of(aie::tile_id tile) const {
    if (!array_.contains(tile)) {
      fail(tile, "lies outside the partition of " + std::to_string(design_.columns) + " columns");
    }
    return aie::resources(array_.kind(tile));
  }

  void check_buffer(const buffer& b) const {
    const std::uint32_t memory = resources_of(b.tile).data_memory;
    if (b.size == 0 || b.offset % 4 != 0 || b.size % 4 != 0) {
      fail(b.tile, "buffer '" + b.name + "': offset and size must be multiples of 4, size not 0");
    }
    if (b.offset > memory || b.size > memory - b.offset) {
      fail(b.tile, "buffer '" + b.name + "' lies outside the memory of " + std::to_string(memory) + " bytes");
    }
    if (b.initial.size() > b.size) {
      fail(b.tile, "buffer '" + b.name + "' is smaller than its initial contents");
    }
  }

  void check_overlaps() const {
    std::vector<const buffer*> sorted;
    for (const buffer& b : design_.memory) {
      sorted.push_back(&b);
    }
    std::ranges::sort(sorted, {}, [](const buffer* b) { return std::tuple(b->tile, b->offset); });
    for (std::size_t i = 1; i < sorted.size(); ++i) {
      const buffer& a = *sorted[i - 1];
      const buffer& b = *sorted[i];
      if (a.tile == b.tile && a.offset + a.size > b.offset) {
        fail(a.tile, "buffers '" + a.name + "' and '" + b.name + "' overlap");
      }
    }
    std::set<std::pair<aie::tile_id, std::string>> names;
    for (const buffer& b : design_.memory) {
      if (!names.emplace(b.tile, b.name).second) {
        fail(b.tile, "two buffers are named '" + b.name + "'");
      }
    }
  }

  void check_lock(const lock& l) {
    if (l.id >= resources_of(l.tile).locks) {
      fail(l.tile, "there is no lock " + std::to_string(l.id));
    }
    if (l.initial > highest_lock_value) {
      fail(l.tile, "lock " + std::to_string(l.id) + ": initial value " + std::to_string(l.initial) + " is above 63");
    }
    if (!locks_.emplace(l.tile, l.id).second) {
      fail(l.tile, "lock " + std::to_string(l.id) + " is described twice");
    }
  }

  const buffer& find_buffer(const transfer& t) const {
    const auto at =
        std::ranges::find_if(design_.memory, [&](const buffer& b) { return b.tile == t.tile && b.name == t.buffer; });
    if (at == design_.memory.end()) {
      fail(t.tile, "BD " + std::to_string(t.bd) + ": no buffer '" + t.buffer + "'");
    }
    return *at;
  }

  void check_transfer(const transfer& t) {
    const std::string where = "BD " + std::to_string(t.bd);
    if (t.bd >= resources_of(t.tile).bds) {
      fail(t.tile, "there is no " + where);
    }
    if (array_.kind(t.tile) == aie::tile_kind::shim) {
      fail(t.tile, where + ": BDs of shims belong to the control code");
    }
    if (!bds_.emplace(t.tile, t.bd).second) {
      fail(t.tile, where + " is described twice");
    }
    const aie::dma_bd& d = t.descriptor;
    if (d.length == 0) {
      fail(t.tile, where + ": length 0");
    }
    check_transfer_locks(t, where);
    check_reach(t, where);
    if (d.use_next && !std::ranges::any_of(design_.transfers,
                                           [&](const transfer& n) { return n.tile == t.tile && n.bd == d.next_bd; })) {
      fail(t.tile, where + ": next BD " + std::to_string(d.next_bd) + " is not described");
    }
  }

  void check_transfer_locks(const transfer& t, const std::string& where) const {
    const aie::dma_bd& d = t.descriptor;
    if (d.acquire_enable && !locks_.contains({t.tile, d.acquire_lock})) {
      fail(t.tile, where + ": acquires lock " + std::to_string(d.acquire_lock) + ", which is not described");
    }
    if (d.release_value != 0 && !locks_.contains({t.tile, d.release_lock})) {
      fail(t.tile, where + ": releases lock " + std::to_string(d.release_lock) + ", which is not described");
    }
  }

  /// The words that the transfer touches must lie in its buffer.
  void check_reach(const transfer& t, const std::string& where) const {
    const aie::dma_bd& d = t.descriptor;
    std::uint64_t left = d.length - 1;
    std::uint64_t farthest = d.address / 4;
    for (const aie::dma_dimension& dimension : d.dimensions) {
      const std::uint64_t last = dimension.wrap == 0 ? left : std::min<std::uint64_t>(left, dimension.wrap - 1);
      farthest += last * dimension.step;
      if (dimension.wrap == 0) {
        break;
      }
      left /= dimension.wrap;
    }
    farthest += std::uint64_t{d.iteration_wrap - 1U} * d.iteration_step;
    const buffer& b = find_buffer(t);
    if ((farthest + 1) * 4 > b.size) {
      fail(t.tile, where + " reaches byte " + std::to_string(farthest * 4 + 3) + " of buffer '" + b.name + "' of " +
                       std::to_string(b.size) + " bytes");
    }
  }

  void check_start(const start& s) {
    const aie::tile_kind kind = array_.kind(s.tile);
    const std::string channel =
        (s.direction == aie::dma_direction::s2mm ? "S2MM " : "MM2S ") + std::to_string(s.channel);
    if (s.channel >= resources_of(s.tile).dma_channels) {
      fail(s.tile, "there is no channel " + channel);
    }
    if (s.task.repeat < 1 || s.task.repeat > most_repeats) {
      fail(s.tile, channel + ": a task runs 1 to 256 times, not " + std::to_string(s.task.repeat));
    }
    unsigned& queued = queued_[{s.tile, s.direction, s.channel}];
    if (++queued > aie::dma_queue_depth) {
      fail(s.tile, channel + ": more than " + std::to_string(aie::dma_queue_depth) + " tasks");
    }
    std::set<std::uint8_t> chain;
    for (std::uint8_t bd = s.task.bd; chain.insert(bd).second;) {
      const auto at =
          std::ranges::find_if(design_.transfers, [&](const transfer& t) { return t.tile == s.tile && t.bd == bd; });
      if (at == design_.transfers.end()) {
        fail(s.tile, channel + ": BD " + std::to_string(bd) + " is not described");
      }
      if (!aie::bd_fits_channel(kind, bd, s.channel)) {
        fail(s.tile, channel + " cannot use BD " + std::to_string(bd));
      }
      if (!at->descriptor.use_next) {
        break;
      }
      bd = at->descriptor.next_bd;
    }
  }

  void check_program(const core_program& p) {
    resources_of(p.tile);
    if (array_.kind(p.tile) != aie::tile_kind::core) {
      fail(p.tile, "has no core for a program");
    }
    if (!programs_.insert(p.tile).second) {
      fail(p.tile, "has two programs");
    }
  }

  const array_description& design_;
  aie::geometry array_;
  std::set<std::pair<aie::tile_id, std::uint8_t>> locks_;
  std::set<std::pair<aie::tile_id, std::uint8_t>> bds_;
  std::map<std::tuple<aie::tile_id, aie::dma_direction, std::uint8_t>, unsigned> queued_;
  std::set<aie::tile_id> programs_;
};

}  // namespace

std::vector<packet_flow> token_flows(std::uint8_t columns) {
  std::vector<packet_flow> flows;
  for (std::uint8_t col = 0; col < columns; ++col) {
    flows.push_back({.from = {{col, 0}, {aie::bundle::tile_control, 0}},
                     .to = {{col, 0}, {aie::bundle::south, 0}},
                     .id = token_packet_id});
  }
  return flows;
}

void validate(const array_description& design) { checker(design).run(); }

}  // namespace npurt::config
