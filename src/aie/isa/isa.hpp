// SPDX-License-Identifier: Apache-2.0
// The AIE2 instruction set as tables: bundle formats, instructions, registers, schedule.
// Rows live in the .inc files beside this header, one instruction, format, class or register a line.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace npurt::aie::isa {

enum class slot : std::uint8_t { lda, ldb, alu, mv, st, vec, lng, nop };
inline constexpr std::size_t slot_count = 8;
std::string_view to_string(slot s);

using reg_id = std::uint16_t;    ///< index into registers()
using class_id = std::uint16_t;  ///< index into register_classes()
inline constexpr reg_id no_reg = 0xFFFF;

/// Bits lsb..lsb+length-1 of the whole hold bits to..to+length-1 of the part.
struct bit_piece {
  std::uint8_t lsb, length, to;
};

struct register_info {
  std::string_view name;          ///< LLVM's record name
  std::string_view asm_name;      ///< as written in assembly
  std::uint16_t width;            ///< bits
  std::span<const reg_id> parts;  ///< low part first; empty for a leaf
};

struct class_member {
  reg_id reg;
  std::uint16_t encoding;
};
struct register_class {
  std::string_view name;
  std::uint8_t bits;
  std::span<const class_member> encode;        ///< what an assembler emits
  std::span<const class_member> also_decodes;  ///< further field values that read alike
};

enum class operand_kind : std::uint8_t { reg, imm };
enum class operand_role : std::uint8_t { def, use };

struct operand {
  std::string_view name;
  operand_role role;
  operand_kind kind;
  class_id cls;                     ///< kind reg
  reg_id fixed;                     ///< kind reg: always this register, no bits; else no_reg
  std::span<const bit_piece> bits;  ///< in the slot word
  std::uint8_t width;               ///< kind imm: bits of the field
  bool is_signed;                   ///< kind imm
  std::int32_t scale;               ///< kind imm: value = field * scale + offset
  std::int32_t offset;
  std::int8_t tied;    ///< index of the use that this definition repeats (or is a part of), -1 if none
  std::uint8_t cycle;  ///< pipeline stage of the sample (use) or write (def); 1 = issue
  char bypass;         ///< 'M' or 'V' forwarding network, 0 if none
};

struct implicit_operand {
  reg_id reg;
  operand_role role;
  std::uint8_t cycle;
};

/// A claim of a functional unit: `take` collides with take and avoid, `avoid` only with take.
struct unit_claim {
  std::uint8_t stage, cycles;
  std::string_view unit;
  bool take;
};
struct schedule_class {
  std::string_view name;
  std::span<const std::uint8_t> cycles;  ///< defs, uses, implicit defs, implicit uses
  std::span<const unit_claim> claims;
  std::string_view bypass;               ///< a character an operand, '-' for none; may be shorter than cycles
  std::span<const std::uint8_t> memory;  ///< stages that touch data memory
};

struct instruction {
  std::string_view name;  ///< LLVM's record name, unique
  std::string_view mnemonic;
  std::string_view syntax;  ///< e.g. "add $mRx, $mRx0, $mRy"
  slot where;
  std::uint64_t mask, value;          ///< a slot word with (word & mask) == value may be this instruction
  std::span<const operand> operands;  ///< definitions, then uses
  std::span<const implicit_operand> implicit;
  std::uint16_t schedule;  ///< index into schedule_classes(), before refinement by registers
  bool load, store;
  std::uint8_t delay_slots;
  std::string_view source;  ///< where the row comes from: tags explained in instructions.inc
};

struct format_slot {
  slot where;
  std::span<const bit_piece> bits;  ///< bundle bits -> slot bits
};
struct bundle_format {
  std::string_view name;
  std::uint8_t bytes;
  std::array<std::uint64_t, 2> mask, value;  ///< low, high half of the bundle
  std::span<const format_slot> slots;        ///< in the order objdump prints them
  std::string_view source;                   ///< tag explained in formats.inc
};

std::span<const register_info> registers();
std::span<const register_class> register_classes();
std::span<const schedule_class> schedule_classes();
std::span<const instruction> instructions();  ///< 607
std::span<const bundle_format> formats();     ///< 78

/// By record name or, failing that, by written name ("d0" is d0, not d0_3d; find_member() tells them apart).
std::optional<reg_id> find_register(std::string_view name_or_asm_name);
/// The register of a class with that written or record name.
std::optional<reg_id> find_member(class_id cls, std::string_view name);
/// Whether the class can name the register.
bool is_member(class_id cls, reg_id reg);
const instruction* find_instruction(std::string_view record_name);

unsigned slot_width(slot s);          ///< bits
const instruction& slot_nop(slot s);  ///< NOPA, NOPB, NOPX, NOPM, NOPS, NOPV, NOPXM, NOP

/// Bytes of the bundle that starts with this byte: 2..16 (every value of the low four bits names a length).
unsigned bundle_length(std::uint8_t first_byte);

/// One instruction with its operand values: register ids, or immediates after scale and offset.
struct decoded_instruction {
  const instruction* row = nullptr;
  std::array<std::int32_t, 12> values{};  ///< parallel to row->operands
  /// Schedule class with variants resolved by the registers used.
  const schedule_class* schedule = nullptr;
};
struct decoded_bundle {
  const bundle_format* format = nullptr;
  std::uint8_t bytes = 0;
  std::uint8_t count = 0;
  std::array<decoded_instruction, 7> slots{};  ///< `count` valid, in the order of format->slots
};

/// Nothing if no format matches, or a slot holds no instruction. `bytes` must hold at least bundle_length() bytes.
std::optional<decoded_bundle> decode(std::span<const std::uint8_t> bytes);

/// The instruction of one slot word.
std::optional<decoded_instruction> decode(slot where, std::uint64_t word);

/// The slot word of an instruction; nothing if an operand does not fit its field or class, or a tied definition
/// disagrees with the use that it repeats.
std::optional<std::uint64_t> encode(const decoded_instruction& insn);
/// The 2..16 bytes of a bundle, zero behind `format->bytes`; nothing if a slot does not encode or is not the format's.
std::optional<std::array<std::uint8_t, 16>> encode(const decoded_bundle& bundle);

/// Fills what the uses and the row imply: fixed registers, tied definitions and the refined schedule class.
void complete(decoded_instruction& insn);

/// Effective stage of operand i, from the refined schedule class.
std::uint8_t operand_cycle(const decoded_instruction& insn, std::size_t i);
char operand_bypass(const decoded_instruction& insn, std::size_t i);

}  // namespace npurt::aie::isa
