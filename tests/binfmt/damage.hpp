// SPDX-License-Identifier: Apache-2.0
// Damaged inputs for readers: every truncation, and flipped bits.
#pragma once

#include <cstddef>
#include <random>
#include <span>
#include <vector>

#include "binfmt/format_error.hpp"

namespace npurt::test {

/// True if the reader refuses the bytes with a format_error; other exceptions pass through.
template <typename Reader>
bool refused(Reader&& read, std::span<const std::byte> bytes) {
  // A copy of the exact size, so that a sanitizer sees a read beyond it.
  const std::vector<std::byte> copy(bytes.begin(), bytes.end());
  try {
    read(std::span<const std::byte>(copy));
  } catch (const binfmt::format_error&) {
    return true;
  }
  return false;
}

/// The number of proper prefixes that the reader accepts.
template <typename Reader>
std::size_t accepted_prefixes(Reader&& read, std::span<const std::byte> bytes, std::size_t step = 1) {
  std::size_t accepted = 0;
  for (std::size_t size = 0; size < bytes.size(); size += step) {
    accepted += refused(read, bytes.first(size)) ? 0 : 1;
  }
  return accepted;
}

/// Reads inputs with random bytes changed; what matters is that nothing but a format_error comes out.
template <typename Reader>
std::size_t refused_mutations(Reader&& read, std::span<const std::byte> bytes, int rounds, std::size_t first = 0) {
  std::mt19937 random(7);
  std::size_t count = 0;
  for (int round = 0; round < rounds; ++round) {
    std::vector<std::byte> damaged(bytes.begin(), bytes.end());
    for (int i = 0; i < 1 + round % 4; ++i) {
      damaged[first + random() % (damaged.size() - first)] = static_cast<std::byte>(random());
    }
    count += refused(read, damaged) ? 1 : 0;
  }
  return count;
}

}  // namespace npurt::test
