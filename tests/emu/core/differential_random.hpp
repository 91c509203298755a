// SPDX-License-Identifier: Apache-2.0
// Numbers from a seed, the same on every host, and operand bytes that reach the corners of the arithmetic.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <span>

namespace npurt::test {

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
class random_source {
 public:
  explicit random_source(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  /// 0 to count - 1.
  std::uint32_t below(std::uint64_t count) { return static_cast<std::uint32_t>((next() >> 32) * count >> 32); }
  /// low to high.
  std::int32_t between(std::int32_t low, std::int32_t high) {
    return low + static_cast<std::int32_t>(below(static_cast<std::uint64_t>(high - low + 1)));
  }
  bool one_in(std::uint32_t count) { return below(count) == 0; }

  template <typename List>
  const auto& pick(const List& list) {
    return list[below(std::size(list))];
  }

 private:
  std::uint64_t state_;
};

/// A lane of one kind: any bits, the edges of integers, and what a float format has besides ordinary numbers.
inline std::uint32_t special_word(random_source& random) {
  constexpr std::array<std::uint32_t, 24> words = {
      0,          1,          0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 0x80000001, 0x7F,       0x80,
      0x7FFF,     0x8000,     0xFFFF8000, 0x00010000, 0x7F800000, 0xFF800000, 0x7FC00000, 0x7F800001,
      0xFFFFFFFE, 0x00800000, 0x007FFFFF, 0x80000003, 0x3F800000, 0xBF800000, 0x7F7FFFFF, 0x33800000};
  return random.pick(words);
}

inline std::uint16_t special_half(random_source& random) {
  constexpr std::array<std::uint16_t, 20> halves = {0,      0x8000, 1,      0x8001, 0x007F, 0x0080, 0x7F80,
                                                    0xFF80, 0x7FC0, 0x7F81, 0xFFFF, 0x3F80, 0xBF80, 0x7F7F,
                                                    0xFF7F, 0x4000, 0x7FFF, 0x00FF, 0xFF00, 0x3C00};
  return random.pick(halves);
}

/// Fills blocks of up to 64 bytes, each with lanes of one kind.
inline void fill_lanes(random_source& random, std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const auto kind = random.below(8);
    std::array<std::byte, 64> block{};
    for (std::size_t at = 0; at < block.size(); at += 4) {
      auto word = static_cast<std::uint32_t>(random.next());
      if (kind == 0 || (kind == 1 && random.one_in(4))) word = special_word(random);
      if (kind == 2 || (kind == 3 && random.one_in(4)))
        word = special_half(random) | (std::uint32_t{special_half(random)} << 16);
      if (kind == 4) word = (word & 0x81FF81FF) | 0x3E003E00;  // bf16 and fp32 around one
      if (kind == 5) word = static_cast<std::uint32_t>(random.between(-100, 100));
      std::memcpy(block.data() + at, &word, sizeof word);
    }
    const auto count = bytes.size() < block.size() ? bytes.size() : block.size();
    std::memcpy(bytes.data(), block.data(), count);
    bytes = bytes.subspan(count);
  }
}

}  // namespace npurt::test
