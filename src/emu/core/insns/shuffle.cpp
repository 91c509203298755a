// SPDX-License-Identifier: Apache-2.0
// vshuffle, whose modes are transpositions named T<w>_<R>x<C>, and vshift.
#include <algorithm>
#include <charconv>
#include <format>
#include <vector>

#include "aie/isa/modes.hpp"
#include "emu/core/insns/tables.hpp"
#include "emu/core/insns/vector_lanes.hpp"

namespace npurt::emu::insns {
namespace {

/// Source byte (0-63 first operand, 64-127 second) of each result byte.
using permutation = std::array<std::uint8_t, 64>;

/// Reads 128 bytes as consecutive rows x cols matrices of `bytes`-wide elements and transposes each.
permutation transposition(unsigned bytes, unsigned rows, unsigned cols, bool high) {
  permutation from{};
  const unsigned matrix = rows * cols;
  for (unsigned i = 0; i < 64; ++i) {
    const unsigned out = i + (high ? 64 : 0);
    const unsigned element = out / bytes, within = element % matrix;
    // Result matrix is cols x rows row-major: its element (c, r) is source (r, c).
    const unsigned c = within / rows, r = within % rows;
    from[i] = static_cast<std::uint8_t>((element / matrix * matrix + r * cols + c) * bytes + out % bytes);
  }
  return from;
}

permutation parse_mode(std::string_view name) {
  if (name == "T16_1x2_flip") {
    permutation from{};
    for (unsigned i = 0; i < 64; ++i) {
      from[i] = static_cast<std::uint8_t>(i ^ 2);
    }
    return from;
  }
  std::array<unsigned, 3> numbers{};
  const char* at = name.data() + 1;
  for (unsigned& number : numbers) {
    at = std::from_chars(at, name.data() + name.size(), number).ptr + 1;
  }
  return transposition(numbers[0] / 8, numbers[1], numbers[2], name.ends_with("_hi"));
}

const permutation& permutation_of(std::uint32_t mode) {
  // Never destroyed: a device may still be at work when the process ends.
  static const std::vector<permutation>& all = *new std::vector<permutation>([] {
    std::vector<permutation> result;
    for (const auto& row : aie::isa::shuffle_modes()) {
      result.push_back(parse_mode(row.name));
    }
    return result;
  }());
  if (mode >= all.size()) {
    throw core_error(std::format("not established: vshuffle mode {}", mode));
  }
  return all[mode];
}

using bytes64 = lanes<std::byte, 64>;

lanes<std::byte, 128> both(const frame& f, unsigned low, unsigned high) {
  lanes<std::byte, 128> pair;
  std::memcpy(pair.data(), f.uses[low], 64);
  std::memcpy(pair.data() + 64, f.uses[high], 64);
  return pair;
}

void shuffle_bytes(frame& f) {
  const permutation& from = permutation_of(f.use(2));
  const auto pair = both(f, 0, 1);
  bytes64 out;
  for (unsigned i = 0; i < 64; ++i) {
    out[i] = pair[from[i]];
  }
  f.def(0, out);
}

/// Bytes r .. r+63 of s1 (low) : s2 (high); zero beyond them (golden/isa VSHIFT has only such rows).
void shift_bytes(frame& f) {
  bytes64 out{};
  const auto pair = both(f, 0, 1);
  const std::uint32_t by = std::min<std::uint32_t>(f.use(2), 128);
  std::memcpy(out.data(), pair.data() + by, std::min<std::size_t>(64, pair.size() - by));
  f.def(0, out);
}

constexpr std::array table = {
    semantics{"VSHUFFLE", shuffle_bytes},
    semantics{"VSHIFT", shift_bytes},
};

}  // namespace

std::span<const semantics> shuffle() { return table; }

}  // namespace npurt::emu::insns
