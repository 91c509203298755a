// SPDX-License-Identifier: Apache-2.0
// Zero compression of DMA streams: 256 bits become a mask, a bit for each byte that is not zero, and those bytes.
// Sources: AM020 chapter 1 "Sparsity"; order of mask bits and bytes as UG1603 "Sparse Matrix Multiplication", and as
// the bytes that Phoenix made of known data (sha256 sums in mlir-aie, programming_examples/basic/dma_compression).
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>

namespace npurt::emu {

/// Words of memory that one mask stands for.
inline constexpr unsigned chunk_words = 8;

/// A chunk as it stands in a stream, up to where a channel is with it.
struct packed_chunk {
  std::array<std::uint32_t, chunk_words + 1> words{};
  std::uint8_t count = 0;  ///< MM2S: all of them; S2MM: those that have come
  std::uint8_t sent = 0;   ///< MM2S
};

/// Words of a chunk with that mask, the mask and the bytes that fill up the last word included.
constexpr unsigned packed_words(std::uint32_t mask) { return 1 + (static_cast<unsigned>(std::popcount(mask)) + 3) / 4; }

packed_chunk compress(std::span<const std::uint32_t, chunk_words> words);
std::array<std::uint32_t, chunk_words> expand(const packed_chunk& chunk);

}  // namespace npurt::emu
