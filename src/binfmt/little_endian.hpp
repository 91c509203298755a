// SPDX-License-Identifier: Apache-2.0
// Integers as files store them: little-endian on every host, and without alignment, so that a struct of them can lie
// anywhere in a buffer.
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace npurt::binfmt {

template <std::integral Integer>
class little_endian {
 public:
  little_endian() = default;
  little_endian(Integer value) { *this = value; }  // implicit: it stands for the integer
  little_endian& operator=(Integer value) {
    bytes_ = std::bit_cast<std::array<std::byte, sizeof(Integer)>>(in_order(value));
    return *this;
  }
  operator Integer() const { return in_order(std::bit_cast<Integer>(bytes_)); }

 private:
  static Integer in_order(Integer value) {
    if constexpr (std::endian::native == std::endian::big) {
      return std::byteswap(value);
    }
    return value;
  }
  std::array<std::byte, sizeof(Integer)> bytes_{};
};

using le16 = little_endian<std::uint16_t>;
using le32 = little_endian<std::uint32_t>;
using le64 = little_endian<std::uint64_t>;

/// The words of a byte string; a rest of less than four bytes is left out.
inline std::vector<std::uint32_t> words_of(std::span<const std::byte> bytes) {
  std::vector<std::uint32_t> words(bytes.size() / 4);
  for (std::size_t i = 0; i < words.size(); ++i) {
    le32 word;
    std::memcpy(&word, bytes.data() + 4 * i, 4);
    words[i] = word;
  }
  return words;
}

/// The bytes of words.
inline std::vector<std::byte> bytes_of(std::span<const std::uint32_t> words) {
  std::vector<std::byte> bytes(words.size() * 4);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const le32 word = words[i];
    std::memcpy(bytes.data() + 4 * i, &word, 4);
  }
  return bytes;
}

}  // namespace npurt::binfmt
