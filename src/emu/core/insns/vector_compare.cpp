// SPDX-License-Identifier: Apache-2.0
// Lane operations that also write a comparison mask, and pure comparisons. d forms take the sign from crVaddSign.
#include "emu/core/insns/tables.hpp"
#include "emu/core/insns/vector_lanes.hpp"

namespace npurt::emu::insns {
namespace {

/// A bf16 lane, ordered by sign and magnitude; both zeros are equal, a NaN stands beyond infinity.
struct bf16 {
  std::uint16_t bits;
  int key() const { return (bits & 0x8000) != 0 ? -(bits & 0x7FFF) : bits; }
  bool operator<(const bf16& other) const { return key() < other.key(); }
  bool operator>=(const bf16& other) const { return key() >= other.key(); }
};

template <typename T>
T negated(T a) {
  return static_cast<T>(0 - static_cast<std::make_unsigned_t<T>>(a));
}

template <typename T>
T difference(T a, T b) {
  return static_cast<T>(static_cast<std::make_unsigned_t<T>>(a) - static_cast<std::make_unsigned_t<T>>(b));
}

/// Value of a lane, and whether its mask bit is set.
template <typename T>
struct outcome {
  T value;
  bool bit;
};

struct abs_gtz {
  template <typename T>
  static outcome<T> of(T a) {
    return {a < 0 ? negated(a) : a, a > 0};
  }
};
struct neg_gtz {
  template <typename T>
  static outcome<T> of(T a) {
    return {negated(a), a > 0};
  }
};
struct bneg_ltz {
  template <typename T>
  static outcome<T> of(T a) {
    return {static_cast<T>(~a), a < 0};
  }
};
struct max_lt {
  template <typename T>
  static outcome<T> of(T a, T b) {
    return {a < b ? b : a, a < b};
  }
};
struct min_ge {
  template <typename T>
  static outcome<T> of(T a, T b) {
    return {a >= b ? b : a, a >= b};
  }
};
struct maxdiff_lt {
  template <typename T>
  static outcome<T> of(T a, T b) {
    return {a < b ? T{0} : difference(a, b), a < b};
  }
};
struct sub_lt {
  template <typename T>
  static outcome<T> of(T a, T b) {
    return {difference(a, b), a < b};
  }
};
struct sub_ge {
  template <typename T>
  static outcome<T> of(T a, T b) {
    return {difference(a, b), a >= b};
  }
};
struct eqz {
  template <typename T>
  static bool of(T a) {
    return a == 0;
  }
};
struct lt {
  template <typename T>
  static bool of(T a, T b) {
    return a < b;
  }
};
struct ge {
  template <typename T>
  static bool of(T a, T b) {
    return a >= b;
  }
};

template <typename T, typename Operation>
void value_and_mask_unary(frame& f) {
  const auto a = f.use<vector512<T>>(0);
  vector512<T> out;
  lane_mask<T> mask = 0;
  for (unsigned i = 0; i < out.size(); ++i) {
    const outcome<T> lane = Operation::of(a[i]);
    out[i] = lane.value;
    mask |= static_cast<lane_mask<T>>(lane.bit) << i;
  }
  f.def(0, out);
  f.def(1, mask);
}

template <typename T, typename Operation>
void value_and_mask(frame& f) {
  const auto a = f.use<vector512<T>>(0), b = f.use<vector512<T>>(1);
  vector512<T> out;
  lane_mask<T> mask = 0;
  for (unsigned i = 0; i < out.size(); ++i) {
    const outcome<T> lane = Operation::of(a[i], b[i]);
    out[i] = lane.value;
    mask |= static_cast<lane_mask<T>>(lane.bit) << i;
  }
  f.def(0, out);
  f.def(1, mask);
}

template <typename T, typename Operation>
void mask_unary(frame& f) {
  const auto a = f.use<vector512<T>>(0);
  lane_mask<T> mask = 0;
  for (unsigned i = 0; i < a.size(); ++i) {
    mask |= static_cast<lane_mask<T>>(Operation::of(a[i])) << i;
  }
  f.def(0, mask);
}

template <typename T, typename Operation>
void mask_only(frame& f) {
  const auto a = f.use<vector512<T>>(0), b = f.use<vector512<T>>(1);
  lane_mask<T> mask = 0;
  for (unsigned i = 0; i < a.size(); ++i) {
    mask |= static_cast<lane_mask<T>>(Operation::of(a[i], b[i])) << i;
  }
  f.def(0, mask);
}

/// d forms: signed if crVaddSign, the last use, is 1.
template <unsigned Sign, semantic_function Signed, semantic_function Unsigned>
void by_sign(frame& f) {
  (f.use(Sign) != 0 ? Signed : Unsigned)(f);
}

using i8 = std::int8_t;
using i16 = std::int16_t;
using i32 = std::int32_t;
using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;

// One row per width: the signed form, and the form that takes its sign from crVaddSign (after one or two vectors).
#define NPURT_SIGNED_ROWS(NAME, sign, function, op)                                            \
  semantics{NAME "_S8", function<i8, op>}, semantics{NAME "_S16", function<i16, op>},          \
      semantics{NAME "_S32", function<i32, op>},                                               \
      semantics{NAME "_D8", by_sign<sign, function<i8, op>, function<u8, op>>},                \
      semantics{NAME "_D16", by_sign<sign, function<i16, op>, function<u16, op>>}, semantics { \
    NAME "_D32", by_sign<sign, function<i32, op>, function<u32, op>>                           \
  }

constexpr std::array vector_compare_table = {
    NPURT_SIGNED_ROWS("VABS_GTZ", 1, value_and_mask_unary, abs_gtz),
    NPURT_SIGNED_ROWS("VMAX_LT", 2, value_and_mask, max_lt),
    NPURT_SIGNED_ROWS("VMIN_GE", 2, value_and_mask, min_ge),
    NPURT_SIGNED_ROWS("VMAXDIFF_LT", 2, value_and_mask, maxdiff_lt),
    NPURT_SIGNED_ROWS("VSUB_LT", 2, value_and_mask, sub_lt),
    NPURT_SIGNED_ROWS("VSUB_GE", 2, value_and_mask, sub_ge),
    NPURT_SIGNED_ROWS("VLT", 2, mask_only, lt),
    NPURT_SIGNED_ROWS("VGE", 2, mask_only, ge),
    semantics{"VNEG_GTZ8", value_and_mask_unary<i8, neg_gtz>},
    semantics{"VNEG_GTZ16", value_and_mask_unary<i16, neg_gtz>},
    semantics{"VNEG_GTZ32", value_and_mask_unary<i32, neg_gtz>},
    semantics{"VBNEG_LTZ_S8", value_and_mask_unary<i8, bneg_ltz>},
    semantics{"VBNEG_LTZ_S16", value_and_mask_unary<i16, bneg_ltz>},
    semantics{"VBNEG_LTZ_S32", value_and_mask_unary<i32, bneg_ltz>},
    semantics{"VEQZ_8", mask_unary<u8, eqz>},
    semantics{"VEQZ_16", mask_unary<u16, eqz>},
    semantics{"VEQZ_32", mask_unary<u32, eqz>},
    semantics{"VMAX_LT_BF16", value_and_mask<bf16, max_lt>},
    semantics{"VMIN_GE_BF16", value_and_mask<bf16, min_ge>},
    semantics{"VLT_BF16", mask_only<bf16, lt>},
    semantics{"VGE_BF16", mask_only<bf16, ge>},
};

}  // namespace

std::span<const semantics> vector_compare() { return vector_compare_table; }

}  // namespace npurt::emu::insns
