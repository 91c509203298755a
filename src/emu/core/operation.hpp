// SPDX-License-Identifier: Apache-2.0
// A predecoded instruction (operation), its copy in flight (frame) and the vocabulary that semantics are written in.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>

#include "aie/isa/isa.hpp"
#include "emu/core/core.hpp"
#include "emu/core/state.hpp"

namespace npurt::emu {

struct frame;
struct operation;
class machine;

/// Ends the run with a core_fault; `what` is its cause.
struct core_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What an instruction computes: from frame::use to frame::def, run once, in the stage in which its last use is
/// sampled.
using semantic_function = void (*)(frame&);

/// Which unit outside the register file an instruction needs, and so which of its stages may stall the core.
enum class unit : std::uint8_t {
  compute,     ///< none
  branch,      ///< sets the next pc at E1
  load,        ///< reads memory at E5
  store,       ///< writes memory at the last memory stage of its schedule class
  part_store,  ///< reads the word at E5, writes it at E11
  gather,      ///< four reads at E5
  acquire,
  release,
  stream_in,
  stream_out,
  cascade_in,
  cascade_out,
  bus_in,   ///< reads a register of its tile over the processor bus
  bus_out,  ///< writes one
};

/// How the address unit forms the address at E1 and what it writes back.
enum class addressing : std::uint8_t {
  none,
  plain,       ///< [p]
  offset,      ///< [p, imm], [sp, imm]
  offset_reg,  ///< [p, dj]
  post,        ///< [p], imm
  post_reg,    ///< [p], m
  post_2d,     ///< [p], d
  post_3d,     ///< [p], d (3D)
};

struct use_operand {
  std::array<register_piece, 2> pieces{};
  std::uint8_t count = 0;  ///< pieces; 0: an immediate
  std::uint8_t stage = 1;
  char bypass = 0;
  std::uint16_t buffer = 0;  ///< offset in frame::sampled
  std::int32_t immediate = 0;
};

struct def_operand {
  std::array<register_piece, 2> pieces{};
  std::uint8_t count = 0;
  std::uint8_t stage = 1;
  char bypass = 0;
  bool sticky = false;
  std::uint16_t buffer = 0;  ///< offset in frame::result
  std::uint32_t mask = 0xFFFFFFFF;
};

/// What happens in a stage after E1.
enum class action : std::uint8_t { sample, read, run };

struct timed_action {
  action what;
  std::uint8_t stage;
  std::uint8_t use;  ///< for sample
};

struct operation {
  static constexpr unsigned max_uses = 9;
  static constexpr unsigned max_defs = 7;

  const aie::isa::instruction* row = nullptr;
  semantic_function run = nullptr;
  unit where = unit::compute;
  addressing mode = addressing::none;
  bool waits = true;        ///< false: a stream move that reports instead of waiting
  std::uint8_t access = 0;  ///< bytes of memory
  std::uint8_t run_stage = 1;
  std::uint8_t gate_stage = 0;   ///< stage that may stall the core, 0 if none
  std::uint8_t second_gate = 0;  ///< of a part-word store
  std::uint8_t last_stage = 1;
  std::uint8_t use_count = 0, def_count = 0, action_count = 0;
  std::uint8_t commit_count = 0;
  std::uint16_t pointer = 0, modifier = 0;  ///< offsets of the pointer (or sp) and of m, dj or d
  std::int32_t immediate = 0;
  std::array<use_operand, max_uses> uses{};
  std::array<def_operand, max_defs> defs{};      ///< data results, then those of the address unit
  std::array<timed_action, 4> actions{};         ///< after E1, in order
  std::array<std::uint8_t, max_defs> commits{};  ///< distinct stages in which results are written
  std::uint8_t first_address_def = 0;
};

/// An instruction in flight.
struct frame {
  const operation* op = nullptr;
  machine* core = nullptr;
  std::uint32_t pc = 0;
  std::uint32_t address = 0;
  std::uint32_t flags = 0;  ///< for use between the stages of one instruction
  std::array<const std::byte*, operation::max_uses> uses{};
  alignas(64) std::array<std::byte, 640> sampled;
  alignas(64) std::array<std::byte, 192> result;
  alignas(64) std::array<std::byte, 64> memory;

  /// Operand values by position: explicit uses without those of the address unit, then implicit ones.
  template <typename T = std::uint32_t>
  T use(unsigned i) const {
    T value;
    std::memcpy(&value, uses[i], sizeof value);
    return value;
  }
  /// Results by position: explicit definitions without those of the address unit, then implicit ones.
  template <typename T>
  void def(unsigned i, const T& value) {
    std::memcpy(result.data() + op->defs[i].buffer, &value, sizeof value);
  }
  /// Bytes that a load has read, or that a store will write.
  template <typename T>
  T loaded() const {
    T value;
    std::memcpy(&value, memory.data(), sizeof value);
    return value;
  }
  template <typename T>
  void store(const T& value) {
    std::memcpy(memory.data(), &value, sizeof value);
  }
  unsigned use_size(unsigned i) const { return op->uses[i].pieces[0].size + op->uses[i].pieces[1].size; }
  unsigned def_size(unsigned i) const { return op->defs[i].pieces[0].size + op->defs[i].pieces[1].size; }
};

/// What access `i` (0-3) of a vldb.4x instruction reads: from an entry on, what is left of a block of 16 bytes. A row
/// of a table holds its entries twice, in both halves of 32 bytes, so that two accesses of a pair need different banks:
/// odd ones take the second half, and an address counts two bytes for each of an entry. Words 0-3 (.lo) or 4-7 (.hi) of
/// the source are the addresses. (Rows VLDB_4x of golden/isa that read common bytes; tables of mlir-aie's
/// aie_runtime_lib.)
struct gather_place {
  std::uint32_t block, offset;
};
gather_place find_gather_place(const frame& f, unsigned i);

template <typename T, std::size_t N>
using lanes = std::array<T, N>;

/// One row of a semantics table.
struct semantics {
  std::string_view key;  ///< record name, or mnemonic without .2d / .3d for a whole addressing family
  semantic_function run;
  unit where = unit::compute;
  std::uint8_t access = 0;  ///< bytes; 0: the size of the data register
  bool waits = true;        ///< false: a stream move that reports in srSS0 or srMS0 instead of waiting
};

/// Instructions that are refused: what they do is not established.
struct refusal {
  std::string_view key;  ///< as in semantics
  std::string_view why;
};

/// The semantics of an instruction, nullptr if it is not built.
const semantics* find_semantics(const aie::isa::instruction& row);
/// Why it is not, nullptr if it is.
const refusal* find_refusal(const aie::isa::instruction& row);

/// Fills `op` from a decoded instruction. @return why the instruction is refused, empty if it is not
std::string build_operation(operation& op, const aie::isa::decoded_instruction& insn);

}  // namespace npurt::emu
