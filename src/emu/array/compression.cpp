// SPDX-License-Identifier: Apache-2.0
// Zero compression of DMA streams.
#include "emu/array/compression.hpp"

namespace npurt::emu {
namespace {

/// The byte of that number, counted from the least significant one of the first word.
std::uint32_t byte_of(std::span<const std::uint32_t> words, unsigned i) { return words[i / 4] >> (8 * (i % 4)) & 0xFF; }

}  // namespace

packed_chunk compress(std::span<const std::uint32_t, chunk_words> words) {
  packed_chunk chunk;
  unsigned next = 4;
  for (unsigned i = 0; i < 4 * chunk_words; ++i) {
    const std::uint32_t byte = byte_of(words, i);
    if (byte == 0) continue;
    chunk.words[0] |= 1u << i;
    chunk.words[next / 4] |= byte << (8 * (next % 4));
    ++next;
  }
  chunk.count = static_cast<std::uint8_t>(packed_words(chunk.words[0]));
  return chunk;
}

std::array<std::uint32_t, chunk_words> expand(const packed_chunk& chunk) {
  std::array<std::uint32_t, chunk_words> words{};
  unsigned next = 4;
  for (unsigned i = 0; i < 4 * chunk_words; ++i)
    if ((chunk.words[0] >> i & 1) != 0) words[i / 4] |= byte_of(chunk.words, next++) << (8 * (i % 4));
  return words;
}

}  // namespace npurt::emu
