// SPDX-License-Identifier: Apache-2.0
// Walks the words of one buffer descriptor: dimensions, iteration offset, zero padding.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "aie/dma.hpp"

namespace npurt::emu {

/// Order and meaning: dimension 0 innermost, address = base + sum of i_k * step_k + iteration_current * iteration_step,
/// the top dimension never wraps, the walk ends after `length` words. Padding words count into the length (mlir-aie's
/// objectfifo padding test: 61 x 56 padded to 64 x 64 has length 4096).
class address_generator {
 public:
  /// @param pads  whether the channel inserts zeros (memtile MM2S); others take a BD's padding fields for nothing
  void load(const aie::dma_bd& bd, bool pads = true);
  /// Ends the walk before its length (finish on TLAST).
  void finish() { remaining_ = 0; }

  bool finished() const { return remaining_ == 0; }
  std::uint32_t remaining() const { return remaining_; }
  /// True: the current word is a zero that is not read from memory.
  bool padding() const { return padded_ && in_padding(); }
  /// Byte address of the current word; meaningless while padding() is true.
  std::int64_t address() const { return padded_ ? padded_address() : position_[0] * 4; }

  void advance() {
    --remaining_;
    ++index_[0];
    if (index_[0] != limit_[0]) {
      position_[0] += step_[0];
      return;
    }
    carry();
  }

  /// Words from the current one on, itself included, that lie side by side in memory; at least 1.
  std::uint32_t adjacent() const {
    if (padded_ || step_[0] != 1) return 1;
    return limit_[0] == 0 ? remaining_ : std::min(remaining_, limit_[0] - index_[0]);
  }
  /// As advance() so many times, not more than adjacent().
  void advance_adjacent(std::uint32_t words) {
    remaining_ -= words - 1;
    index_[0] += words - 1;
    position_[0] += words - 1;
    advance();
  }

  /// Bytes [first, end) that hold every address of the walk.
  struct extent {
    std::int64_t first, end;
  };
  extent bounds() const;

 private:
  void carry();
  bool in_padding() const;
  std::int64_t padded_address() const;

  std::uint32_t remaining_ = 0;
  bool padded_ = false;
  std::int64_t base_ = 0;                   // words
  std::array<std::int64_t, 4> step_{};      // words
  std::array<std::int64_t, 4> position_{};  // words; start of the current row, plane, ...
  std::array<std::uint32_t, 4> index_{};
  std::array<std::uint32_t, 4> limit_{};  // with padding; 0: never wraps
  std::array<std::uint32_t, 4> before_{}, wrap_{};
};

}  // namespace npurt::emu
