// SPDX-License-Identifier: Apache-2.0
// Locks, stream words and the cascade: the semantics prepare or take what the gate (memory_unit.cpp) exchanges.
#include <bit>

#include "emu/core/insns/tables.hpp"

namespace npurt::emu::insns {
namespace {

void lock(frame& f) {
  f.store(std::array<std::int32_t, 2>{f.use<std::int32_t>(0), f.use<std::int32_t>(1)});
  f.flags = 1;
}

/// The .cond forms act if r26 is not zero.
void lock_if(frame& f) {
  lock(f);
  f.flags = f.use(2) != 0 ? 1 : 0;
}

/// The word that the gate took. srSS0: bit 0 tlast, bit 1 whether there was a word (aiev2_streams.h of llvm-aie, get_ss
/// and get_ss_nb).
void read_stream(frame& f) {
  f.def(0, f.loaded<std::uint32_t>());
  f.def(1, (f.flags >> 1 & 1) | (f.flags & 1) << 1);
}

/// The word of `Word` goes out; with tlast, or with bit 0 of r28 (the last use) as tlast.
enum class tlast { no, yes, r28 };

template <auto Word, tlast Last, unsigned R28>
void write_stream(frame& f) {
  f.store(Word(f));
  f.flags = Last == tlast::r28 ? f.use(R28) & 1 : Last == tlast::yes ? 1 : 0;
}

std::uint32_t plain_word(const frame& f) { return f.use(0); }

std::uint32_t with_odd_parity(std::uint32_t word) { return std::popcount(word) % 2 == 1 ? word : word | 0x80000000u; }

/// Packet header: odd parity [31], source column [27:21] and row [20:16], type [14:12], id [4:0] (AM020 chapter 2).
std::uint32_t packet_header(const frame& f) {
  const core_position at = f.core->ports().position();
  return with_odd_parity((at.col & 0x7F) << 21 | (at.row & 0x1F) << 16 | (f.use(1) & 7) << 12 | (f.use(0) & 0x1F));
}

/// Control packet word: odd parity [31], id of the answer [28:24], operation [23:22], words - 1 [21:20], address [19:0]
/// (reference/array.md; the operand is words - 1 already, aiev2_pckt_header.h).
std::uint32_t control_word(const frame& f) {
  return with_odd_parity((f.use(3) & 0x1F) << 24 | (f.use(2) & 3) << 22 | (f.use(1) & 3) << 20 |
                         (f.use(0) & address_mask));
}

/// The ports of the cascade are on after reset; what an access does with its port off is not established.
void require_enabled(const frame& f, unsigned use) {
  if (f.use(use) == 0) {
    throw core_error("not established: cascade access with its port disabled");
  }
}

void read_cascade(frame& f) {
  require_enabled(f, 0);
  f.def(0, f.memory);
}

void write_cascade(frame& f) {
  require_enabled(f, 1);
  std::memcpy(f.memory.data(), f.uses[0], f.memory.size());
}

// Without tlast, with it, and with it in r28, which follows the `uses` that make the word; waiting and not.
#define NPURT_STREAM_ROWS(what, word, uses)                                                                 \
  semantics{"MOV_mv_" what, write_stream<word, tlast::no, uses>, unit::stream_out},                         \
      semantics{"MOV_TLAST_mv_" what, write_stream<word, tlast::yes, uses>, unit::stream_out},              \
      semantics{"MOV_mv_" what "_doTlast_reg", write_stream<word, tlast::r28, uses>, unit::stream_out},     \
      semantics{"MOV_NB_mv_" what, write_stream<word, tlast::no, uses>, unit::stream_out, 0, false},        \
      semantics{"MOV_NB_TLAST_mv_" what, write_stream<word, tlast::yes, uses>, unit::stream_out, 0, false}, \
      semantics {                                                                                           \
    "MOV_NB_mv_" what "_doTlast_reg", write_stream<word, tlast::r28, uses>, unit::stream_out, 0, false      \
  }

constexpr std::array locks_streams_table = {
    semantics{"acq", lock, unit::acquire},
    semantics{"rel", lock, unit::release},
    semantics{"acq.cond", lock_if, unit::acquire},
    semantics{"rel.cond", lock_if, unit::release},
    semantics{"MOV_mv_ss2scl", read_stream, unit::stream_in},
    semantics{"MOV_NB_mv_ss2scl", read_stream, unit::stream_in, 0, false},
    NPURT_STREAM_ROWS("scl2ms", plain_word, 1),
    NPURT_STREAM_ROWS("ph2ms", packet_header, 2),
    NPURT_STREAM_ROWS("cph2ms", control_word, 4),
    semantics{"VMOV_mv_scd", read_cascade, unit::cascade_in},
    semantics{"VMOV_mv_mcd", write_cascade, unit::cascade_out},
};

}  // namespace

std::span<const semantics> locks_streams() { return locks_streams_table; }

}  // namespace npurt::emu::insns
