// SPDX-License-Identifier: Apache-2.0
// vshuffle, whose modes are transpositions named T<w>_<R>x<C>, vbcstshfl, vshift and vshift.align.
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
  // Six bits count: golden/isa VBCSTSHFL takes 0x1361b809 for mode 9.
  if ((mode & 0x3F) >= all.size()) {
    throw core_error(std::format("not established: vshuffle mode {}", mode & 0x3F));
  }
  return all[mode & 0x3F];
}

using bytes64 = lanes<std::byte, 64>;

lanes<std::byte, 128> both(const frame& f, unsigned low, unsigned high) {
  lanes<std::byte, 128> pair;
  std::memcpy(pair.data(), f.uses[low], 64);
  std::memcpy(pair.data() + 64, f.uses[high], 64);
  return pair;
}

bytes64 permuted(const lanes<std::byte, 128>& pair, std::uint32_t mode) {
  const permutation& from = permutation_of(mode);
  bytes64 out;
  for (unsigned i = 0; i < 64; ++i) {
    out[i] = pair[from[i]];
  }
  return out;
}

void shuffle_bytes(frame& f) { f.def(0, permuted(both(f, 0, 1), f.use(2))); }

/// A scalar broadcast to the first vector, with zeros as the second (golden/isa VBCSTSHFL_64).
template <typename T>
void shuffle_broadcast(frame& f) {
  lanes<std::byte, 128> pair{};
  for (unsigned i = 0; i < 64; i += sizeof(T)) {
    std::memcpy(pair.data() + i, f.uses[0], sizeof(T));
  }
  f.def(0, permuted(pair, f.use(1)));
}

/// Bytes r .. r+63 of s1 (low) : s2 (high); zero beyond them (golden/isa VSHIFT has only such rows).
void shift_bytes(frame& f) {
  bytes64 out{};
  const auto pair = both(f, 0, 1);
  const std::uint32_t by = std::min<std::uint32_t>(f.use(2), 128);
  std::memcpy(out.data(), pair.data() + by, std::min<std::size_t>(64, pair.size() - by));
  f.def(0, out);
}

/// vshift with s1 moved down by 4, 8, 16 or 32 bytes first, for 1 to 4 in the s register; zeros come in at its top
/// (aie2/README.md, Vector).
void shift_aligned_bytes(frame& f) {
  const std::uint32_t step = f.use(1);
  if (step > 4) {
    throw core_error(std::format("not established: vshift.align with step {}", step));
  }
  const std::size_t down = step == 0 ? 0 : std::size_t{2} << step;
  lanes<std::byte, 128> pair{};
  std::memcpy(pair.data(), f.uses[0] + down, 64 - down);
  std::memcpy(pair.data() + 64, f.uses[2], 64);
  bytes64 out{};
  const std::uint32_t by = std::min<std::uint32_t>(f.use(3), 128);
  std::memcpy(out.data(), pair.data() + by, std::min<std::size_t>(64, pair.size() - by));
  f.def(0, out);
}

constexpr std::array shuffle_table = {
    semantics{"VSHUFFLE", shuffle_bytes},
    semantics{"VSHIFT", shift_bytes},
    semantics{"VSHIFT_ALIGN", shift_aligned_bytes},
    semantics{"VBCSTSHFL_8", shuffle_broadcast<std::uint8_t>},
    semantics{"VBCSTSHFL_16", shuffle_broadcast<std::uint16_t>},
    semantics{"VBCSTSHFL_32", shuffle_broadcast<std::uint32_t>},
    semantics{"VBCSTSHFL_64", shuffle_broadcast<std::uint64_t>},
};

}  // namespace

std::span<const semantics> shuffle() { return shuffle_table; }

}  // namespace npurt::emu::insns
