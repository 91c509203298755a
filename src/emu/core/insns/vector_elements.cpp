// SPDX-License-Identifier: Apache-2.0
// Single elements of 512-bit vectors: insert, extract, broadcast, push. Indices wrap at the number of lanes.
#include <algorithm>

#include "emu/core/insns/tables.hpp"
#include "emu/core/insns/vector_lanes.hpp"

namespace npurt::emu::insns {
namespace {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

/// Scalars wider than a word come in an l pair.
template <typename T>
using scalar_of = std::conditional_t<sizeof(T) == 8, u64, u32>;

template <typename T>
void broadcast(frame& f) {
  vector512<T> out;
  out.fill(static_cast<T>(f.use<scalar_of<T>>(0)));
  f.def(0, out);
}

template <typename T>
void extract_broadcast(frame& f) {
  vector512<T> out;
  out.fill(f.use<vector512<T>>(0)[f.use(1) % out.size()]);
  f.def(0, out);
}

template <typename T>
void insert(frame& f) {
  auto out = f.use<vector512<T>>(0);
  out[f.use(1) % out.size()] = static_cast<T>(f.use<scalar_of<T>>(2));
  f.def(0, out);
}

template <typename T>
void extract(frame& f) {
  const auto vector = f.use<vector512<T>>(0);
  const T lane = vector[f.use(1) % vector.size()];
  if constexpr (sizeof(T) == 8) {
    f.def(0, lane);
  } else {
    f.def(0, static_cast<std::int32_t>(lane));
  }
}

/// d forms: sign-extended if crVaddSign is 1.
template <typename T>
void extract_by_sign(frame& f) {
  if (f.use(2) != 0) {
    extract<std::make_signed_t<T>>(f);
  } else {
    extract<T>(f);
  }
}

/// The scalar comes in at element 0, the others move up.
template <typename T>
void push_low(frame& f) {
  const auto vector = f.use<vector512<T>>(1);
  vector512<T> out;
  std::copy(vector.begin(), vector.end() - 1, out.begin() + 1);
  out.front() = static_cast<T>(f.use<scalar_of<T>>(0));
  f.def(0, out);
}

/// The scalar comes in at the top, the others move down.
template <typename T>
void push_high(frame& f) {
  const auto vector = f.use<vector512<T>>(0);
  vector512<T> out;
  std::copy(vector.begin() + 1, vector.end(), out.begin());
  out.back() = static_cast<T>(f.use<scalar_of<T>>(1));
  f.def(0, out);
}

constexpr std::array vector_elements_table = {
    semantics{"VBCST_8", broadcast<u8>},
    semantics{"VBCST_16", broadcast<u16>},
    semantics{"VBCST_32", broadcast<u32>},
    semantics{"VBCST_64", broadcast<u64>},
    semantics{"vextbcst.8", extract_broadcast<u8>},
    semantics{"vextbcst.16", extract_broadcast<u16>},
    semantics{"vextbcst.32", extract_broadcast<u32>},
    semantics{"vextbcst.64", extract_broadcast<u64>},
    semantics{"VINSERT_8", insert<u8>},
    semantics{"VINSERT_16", insert<u16>},
    semantics{"VINSERT_32", insert<u32>},
    semantics{"VINSERT_64", insert<u64>},
    semantics{"VEXTRACT_S8", extract<std::int8_t>},
    semantics{"VEXTRACT_S16", extract<std::int16_t>},
    semantics{"VEXTRACT_S32", extract<std::int32_t>},
    semantics{"VEXTRACT_S64", extract<std::int64_t>},
    semantics{"VEXTRACT_D8", extract_by_sign<u8>},
    semantics{"VEXTRACT_D16", extract_by_sign<u16>},
    semantics{"VEXTRACT_D32", extract_by_sign<u32>},
    semantics{"VEXTRACT_D64", extract_by_sign<u64>},
    semantics{"VPUSH_LO_8", push_low<u8>},
    semantics{"VPUSH_LO_16", push_low<u16>},
    semantics{"VPUSH_LO_32", push_low<u32>},
    semantics{"VPUSH_LO_64", push_low<u64>},
    semantics{"VPUSH_HI_8", push_high<u8>},
    semantics{"VPUSH_HI_16", push_high<u16>},
    semantics{"VPUSH_HI_32", push_high<u32>},
    semantics{"VPUSH_HI_64", push_high<u64>},
};

}  // namespace

std::span<const semantics> vector_elements() { return vector_elements_table; }

}  // namespace npurt::emu::insns
