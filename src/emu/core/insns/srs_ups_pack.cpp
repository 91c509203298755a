// SPDX-License-Identifier: Apache-2.0
// Accumulator lanes to vector lanes (srs), back (ups), and vector lanes to half their width and back (pack, unpack).
#include <format>

#include "emu/core/insns/tables.hpp"
#include "emu/core/insns/vector_lanes.hpp"
#include "emu/core/numerics/rounding.hpp"

namespace npurt::emu::insns {
namespace {

using numerics::saturated;

__extension__ using i128 = __int128;

std::uint32_t rounding_mode(std::uint32_t mode) {
  if (!numerics::is_rounding_mode(mode)) {
    throw core_error(std::format("not established: rounding mode {}", mode));
  }
  return mode;
}

/// Shift-round-saturate of `count` lanes. @return whether a lane did not fit
template <typename Acc, typename Narrow>
bool srs_lanes(const std::byte* from, std::byte* to, unsigned count, unsigned shift, std::uint32_t sat,
               std::uint32_t rnd, bool is_signed) {
  constexpr unsigned shifts = 64, most_right = 59;  // six bits stand for -4 to 59 (UG1583, Shift-Round-Saturate)
  const unsigned left = shift > most_right ? shifts - shift : 0;
  bool overflow = false;
  for (unsigned i = 0; i < count; ++i) {
    Acc lane;
    std::memcpy(&lane, from + i * sizeof lane, sizeof lane);
    const i128 rounded = left != 0 ? i128{lane} * (1 << left) : i128{numerics::shift_right_rounded(lane, shift, rnd)};
    const auto narrow = static_cast<Narrow>(saturated(rounded, 8 * sizeof(Narrow), is_signed, sat, overflow));
    std::memcpy(to + i * sizeof narrow, &narrow, sizeof narrow);
  }
  return overflow;
}

/// Uses: src, shift, crSat, crRnd, and crSRSSign in d forms. Results: dst and srSRS_of, or srSRS_of alone for a store.
template <typename Acc, typename Narrow, bool BySign>
void srs(frame& f) {
  const bool to_memory = f.op->where == unit::store;
  const unsigned bytes = to_memory ? f.op->access : f.def_size(0);
  std::byte* to = to_memory ? f.memory.data() : f.result.data() + f.op->defs[0].buffer;
  const bool is_signed = !BySign || f.use(4) != 0;
  const bool overflow = srs_lanes<Acc, Narrow>(f.uses[0], to, bytes / sizeof(Narrow), f.use(1) & 0x3F, f.use(2),
                                               rounding_mode(f.use(3)), is_signed);
  f.def(to_memory ? 0 : 1, std::uint32_t{overflow});
}

/// Extends and shifts left. @return whether a lane did not fit
template <typename Narrow, typename Acc>
bool ups_lanes(const std::byte* from, std::byte* to, unsigned count, unsigned shift, std::uint32_t sat,
               bool is_signed) {
  bool overflow = false;
  for (unsigned i = 0; i < count; ++i) {
    Narrow lane;
    std::memcpy(&lane, from + i * sizeof lane, sizeof lane);
    const i128 value = is_signed ? i128{lane} : i128{static_cast<std::make_unsigned_t<Narrow>>(lane)};
    const auto wide = static_cast<Acc>(saturated(value * (i128{1} << shift), 8 * sizeof(Acc), true, sat, overflow));
    std::memcpy(to + i * sizeof wide, &wide, sizeof wide);
  }
  return overflow;
}

/// Uses: src (unless it was loaded), shift, crSat, and crUPSSign in d forms. Results: dst, srUPS_of.
template <typename Narrow, typename Acc, bool BySign>
void ups(frame& f) {
  const bool loaded = f.op->where == unit::load;
  const unsigned first = loaded ? 0 : 1;
  const std::byte* from = loaded ? f.memory.data() : f.uses[0];
  const bool is_signed = !BySign || f.use(first + 2) != 0;
  const bool overflow = ups_lanes<Narrow, Acc>(from, f.result.data() + f.op->defs[0].buffer,
                                               f.def_size(0) / static_cast<unsigned>(sizeof(Acc)), f.use(first),
                                               f.use(first + 1), is_signed);
  f.def(1, std::uint32_t{overflow});
}

/// 16 to 8 bits. Uses: src, crSat, and crPackSign in d forms.
template <bool BySign>
void pack_16(frame& f) {
  const auto from = f.use<lanes<std::int16_t, 32>>(0);
  const bool is_signed = !BySign || f.use(2) != 0;
  lanes<std::uint8_t, 32> out;
  bool overflow = false;
  for (unsigned i = 0; i < out.size(); ++i) {
    const std::int32_t value = is_signed ? from[i] : static_cast<std::uint16_t>(from[i]);
    out[i] = static_cast<std::uint8_t>(saturated(value, 8, is_signed, f.use(1), overflow));
  }
  f.op->where == unit::store ? f.store(out) : f.def(0, out);
}

/// 8 to 4 bits, low nibble first.
template <bool BySign>
void pack_8(frame& f) {
  const auto from = f.use<lanes<std::int8_t, 64>>(0);
  const bool is_signed = !BySign || f.use(2) != 0;
  lanes<std::uint8_t, 32> out{};
  bool overflow = false;
  for (unsigned i = 0; i < from.size(); ++i) {
    const std::int32_t value = is_signed ? from[i] : static_cast<std::uint8_t>(from[i]);
    const auto nibble = static_cast<unsigned>(saturated(value, 4, is_signed, f.use(1), overflow)) & 0xF;
    out[i / 2] = static_cast<std::uint8_t>(out[i / 2] | nibble << (i % 2 * 4));
  }
  f.op->where == unit::store ? f.store(out) : f.def(0, out);
}

/// The source of an unpack: loaded, or the first use; crUnpackSign follows in d forms.
struct unpack_source {
  lanes<std::uint8_t, 32> bytes;
  bool is_signed;
};

template <bool BySign>
unpack_source read_unpack(const frame& f) {
  const bool loaded = f.op->where == unit::load;
  return {loaded ? f.loaded<lanes<std::uint8_t, 32>>() : f.use<lanes<std::uint8_t, 32>>(0),
          !BySign || f.use(loaded ? 0 : 1) != 0};
}

template <bool BySign>
void unpack_16(frame& f) {
  const unpack_source from = read_unpack<BySign>(f);
  lanes<std::int16_t, 32> out;
  for (unsigned i = 0; i < out.size(); ++i) {
    out[i] = from.is_signed ? std::int16_t{static_cast<std::int8_t>(from.bytes[i])} : std::int16_t{from.bytes[i]};
  }
  f.def(0, out);
}

template <bool BySign>
void unpack_8(frame& f) {
  const unpack_source from = read_unpack<BySign>(f);
  lanes<std::uint8_t, 64> out;
  for (unsigned i = 0; i < out.size(); ++i) {
    const unsigned nibble = from.bytes[i / 2] >> (i % 2 * 4) & 0xFu;
    out[i] = static_cast<std::uint8_t>(from.is_signed && nibble >= 8 ? nibble | 0xF0 : nibble);
  }
  f.def(0, out);
}

using i8 = std::int8_t;
using i16 = std::int16_t;
using i32 = std::int32_t;
using i64 = std::int64_t;

// Register form (whole family by mnemonic), m-slot form and store; load and register form of ups.
#define NPURT_SRS_ROWS(name, Acc, Narrow, by_sign)                                                         \
  semantics{"vsrs." name, srs<Acc, Narrow, by_sign>}, semantics{"vsrsm." name, srs<Acc, Narrow, by_sign>}, \
      semantics{"vst.srs." name, srs<Acc, Narrow, by_sign>, unit::store, 32}
#define NPURT_UPS_ROWS(name, Narrow, Acc, by_sign)    \
  semantics{"vups." name, ups<Narrow, Acc, by_sign>}, \
      semantics{"vlda.ups." name, ups<Narrow, Acc, by_sign>, unit::load, 32}
#define NPURT_PACK_ROWS(name, function) \
  semantics{"vpack." name, function}, semantics{"vst.pack." name, function, unit::store, 32}
#define NPURT_UNPACK_ROWS(name, function) \
  semantics{"vunpack." name, function}, semantics{"vldb.unpack." name, function, unit::load, 32}

constexpr std::array srs_ups_pack_table = {
    NPURT_SRS_ROWS("s8.s32", i32, i8, false),      NPURT_SRS_ROWS("d8.s32", i32, i8, true),
    NPURT_SRS_ROWS("s16.s32", i32, i16, false),    NPURT_SRS_ROWS("d16.s32", i32, i16, true),
    NPURT_SRS_ROWS("s16.s64", i64, i16, false),    NPURT_SRS_ROWS("d16.s64", i64, i16, true),
    NPURT_SRS_ROWS("s32.s64", i64, i32, false),    NPURT_SRS_ROWS("d32.s64", i64, i32, true),
    NPURT_UPS_ROWS("s32.s8", i8, i32, false),      NPURT_UPS_ROWS("s32.d8", i8, i32, true),
    NPURT_UPS_ROWS("s32.s16", i16, i32, false),    NPURT_UPS_ROWS("s32.d16", i16, i32, true),
    NPURT_UPS_ROWS("s64.s16", i16, i64, false),    NPURT_UPS_ROWS("s64.d16", i16, i64, true),
    NPURT_UPS_ROWS("s64.s32", i32, i64, false),    NPURT_UPS_ROWS("s64.d32", i32, i64, true),
    NPURT_PACK_ROWS("s8.s16", pack_16<false>),     NPURT_PACK_ROWS("d8.d16", pack_16<true>),
    NPURT_PACK_ROWS("s4.s8", pack_8<false>),       NPURT_PACK_ROWS("d4.d8", pack_8<true>),
    NPURT_UNPACK_ROWS("s16.s8", unpack_16<false>), NPURT_UNPACK_ROWS("d16.d8", unpack_16<true>),
    NPURT_UNPACK_ROWS("s8.s4", unpack_8<false>),   NPURT_UNPACK_ROWS("d8.d4", unpack_8<true>),
};

}  // namespace

std::span<const semantics> srs_ups_pack() { return srs_ups_pack_table; }

}  // namespace npurt::emu::insns
