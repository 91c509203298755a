// SPDX-License-Identifier: Apache-2.0
// What memtile buffer descriptors do with a panel: words of 4 bytes in up to four dimensions.
#pragma once

#include <array>

#include "kernels/op_bench.hpp"

namespace npurt::test {

/// A dimension of a buffer descriptor, innermost first: `wrap` times on by `step` words.
struct dimension {
  std::size_t step, wrap;
};
using walk = std::array<dimension, 4>;

/// Word offsets in the order in which a descriptor visits them.
inline std::vector<std::size_t> offsets(const walk& w, std::size_t start = 0) {
  std::vector<std::size_t> all;
  for (std::size_t d = 0; d < w[3].wrap; ++d) {
    for (std::size_t c = 0; c < w[2].wrap; ++c) {
      for (std::size_t b = 0; b < w[1].wrap; ++b) {
        for (std::size_t a = 0; a < w[0].wrap; ++a) {
          all.push_back(start + a * w[0].step + b * w[1].step + c * w[2].step + d * w[3].step);
        }
      }
    }
  }
  return all;
}

/// MM2S: a chunk out of a row-major tensor, from byte `start`.
template <typename T>
chunk gather(const std::vector<T>& tensor, std::size_t start, const walk& w) {
  chunk bytes;
  const auto from = std::as_bytes(std::span(tensor));
  for (const std::size_t word : offsets(w)) {
    const auto part = from.subspan(start + 4 * word, 4);
    bytes.insert(bytes.end(), part.begin(), part.end());
  }
  return bytes;
}

/// S2MM: bytes of chunks into a row-major tensor, from byte `start`.
template <typename T>
void scatter(std::vector<T>& tensor, std::size_t start, const walk& w, std::span<const std::byte> bytes) {
  const auto to = std::as_writable_bytes(std::span(tensor));
  std::size_t at = 0;
  for (const std::size_t word : offsets(w)) {
    std::ranges::copy(bytes.subspan(at, 4), to.begin() + static_cast<std::ptrdiff_t>(start + 4 * word));
    at += 4;
  }
  CHECK(at == bytes.size());
}

}  // namespace npurt::test
