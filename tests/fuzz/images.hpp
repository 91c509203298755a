// SPDX-License-Identifier: Apache-2.0
// Oracles of the readers of PDIs and CDOs, and the repair of checksums, which mutation never gets right.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

#include "binfmt/cdo.hpp"
#include "binfmt/little_endian.hpp"
#include "binfmt/pdi.hpp"
#include "fuzz/input.hpp"

namespace npurt::fuzz {

/// A CDO ends in a format_error or after commands that lie in it one after the other.
inline void read_whole_cdo(std::span<const std::uint32_t> words) {
  try {
    binfmt::cdo_reader reader(words);
    std::size_t end = 0;
    while (const auto command = reader.next()) {
      require(command->offset >= end && command->offset < words.size_bytes(), "CDO commands lie one after the other");
      require(command->data.empty() || (command->data.data() >= words.data() &&
                                        command->data.data() + command->data.size() <= words.data() + words.size()),
              "the data of a CDO command lies in the CDO");
      end = command->offset + 4 + command->data.size_bytes();
    }
  } catch (const binfmt::format_error&) {
  }
}

inline void read_whole_pdi(std::span<const std::byte> bytes) {
  try {
    const auto image = binfmt::read_pdi(bytes);
    require(image.cdo.size() * 4 <= bytes.size(), "a CDO is not larger than its PDI");
    read_whole_cdo(image.cdo);
  } catch (const binfmt::format_error&) {
  }
}

/// Sets the sum behind the `count` words at `at`, if they are there.
inline void repair_sum(std::span<std::byte> bytes, std::size_t at, std::size_t count) {
  if (at > bytes.size() || bytes.size() - at < 4 * (count + 1)) return;
  const auto words = binfmt::words_of(bytes.subspan(at, 4 * count));
  const binfmt::le32 sum = binfmt::inverted_sum(words);
  std::memcpy(bytes.data() + at + 4 * count, &sum, sizeof sum);
}

inline std::uint32_t word_at(std::span<const std::byte> bytes, std::size_t at) {
  if (at > bytes.size() || bytes.size() - at < 4) return 0;
  return binfmt::words_of(bytes.subspan(at, 4))[0];
}

/// The sums of a PDI's tables and of its CDO, wherever its own fields say that they are.
inline void repair_pdi(std::span<std::byte> bytes) {
  constexpr std::size_t table = 0x10;
  const std::size_t image = std::size_t{word_at(bytes, table + 0x08)} * 4;
  const std::size_t header = std::size_t{word_at(bytes, table + 0x10)} * 4;
  repair_sum(bytes, table, 31);
  repair_sum(bytes, image, 15);
  repair_sum(bytes, header, 31);
  if (header < bytes.size()) repair_sum(bytes, std::size_t{word_at(bytes, header + 0x20)} * 4, 4);
}

}  // namespace npurt::fuzz
