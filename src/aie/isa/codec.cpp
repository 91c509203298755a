// SPDX-License-Identifier: Apache-2.0
// Decoding and encoding of slot words and bundles by the tables.
#include "aie/isa/tables.hpp"

namespace npurt::aie::isa {
namespace {

using detail::get;
using bundle_bits = std::array<std::uint64_t, 2>;

std::uint64_t ones(unsigned count) { return count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1; }

std::uint64_t gather(std::uint64_t word, std::span<const bit_piece> pieces) {
  std::uint64_t field = 0;
  for (const auto& piece : pieces) field |= (word >> piece.lsb & ones(piece.length)) << piece.to;
  return field;
}

std::uint64_t scatter(std::uint64_t field, std::span<const bit_piece> pieces) {
  std::uint64_t word = 0;
  for (const auto& piece : pieces) word |= (field >> piece.to & ones(piece.length)) << piece.lsb;
  return word;
}

std::uint64_t slice(const bundle_bits& bundle, unsigned lsb, unsigned length) {
  if (lsb >= 64) return bundle[1] >> (lsb - 64) & ones(length);
  const auto low = bundle[0] >> lsb;
  return (lsb == 0 ? low : low | bundle[1] << (64 - lsb)) & ones(length);
}

void deposit(bundle_bits& bundle, unsigned lsb, std::uint64_t bits) {
  if (lsb >= 64) {
    bundle[1] |= bits << (lsb - 64);
    return;
  }
  bundle[0] |= bits << lsb;
  if (lsb != 0) bundle[1] |= bits >> (64 - lsb);
}

std::int64_t field_value(const operand& op, std::uint64_t field) {
  auto value = static_cast<std::int64_t>(field);
  if (op.is_signed && (field >> (op.width - 1) & 1)) value -= std::int64_t{1} << op.width;
  return value * op.scale + op.offset;
}

/// The field of an immediate, nothing if the value is out of range or not a multiple of the scale.
std::optional<std::uint64_t> immediate_field(const operand& op, std::int64_t value) {
  const std::int64_t scaled = value - op.offset;
  if (scaled % op.scale != 0) return std::nullopt;
  const std::int64_t field = scaled / op.scale;
  const std::int64_t span = std::int64_t{1} << op.width;
  const std::int64_t low = op.is_signed ? -span / 2 : 0;
  if (field < low || field >= low + span) return std::nullopt;
  return static_cast<std::uint64_t>(field) & ones(op.width);
}

/// Reads the operand fields; false if one names no register of its class.
bool read_operands(decoded_instruction& insn, std::uint64_t word) {
  const auto operands = insn.row->operands;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const auto& op = operands[i];
    if (op.bits.empty()) continue;
    const auto field = gather(word, op.bits);
    if (op.kind == operand_kind::imm) {
      insn.values[i] = static_cast<std::int32_t>(field_value(op, field));
      continue;
    }
    const auto reg = get().class_decode[op.cls][field];
    if (reg == no_reg) return false;
    insn.values[i] = reg;
  }
  return true;
}

void refine_schedule(decoded_instruction& insn) {
  const auto& t = get();
  auto chosen = insn.row->schedule;
  for (const auto& way : t.refinements[chosen]) {
    bool holds = true;
    for (const auto& [which, set] : way.conditions)
      holds = holds && which < insn.row->operands.size() && set->test(static_cast<std::size_t>(insn.values[which]));
    if (!holds) continue;
    chosen = way.refined;
    break;
  }
  insn.schedule = &t.schedule[chosen];
}

/// Parts of a register that belong to a class, in order from the low one; the n-th of them.
reg_id nth_part(reg_id whole, class_id cls, std::size_t& n) {
  for (const auto part : get().registers[whole].parts) {
    if (get().members[cls].test(part) && n-- == 0) return part;
    if (const auto inner = nth_part(part, cls, n); inner != no_reg) return inner;
  }
  return no_reg;
}

}  // namespace

reg_id detail::tied_register(const instruction& row, std::size_t definition, reg_id used) {
  const auto& def = row.operands[definition];
  if (def.cls == row.operands[static_cast<std::size_t>(def.tied)].cls) return used;
  std::size_t before = 0;  // earlier definitions that take a part of the same register
  for (std::size_t i = 0; i < definition; ++i)
    if (row.operands[i].tied == def.tied && row.operands[i].cls == def.cls) ++before;
  return nth_part(used, def.cls, before);
}

void complete(decoded_instruction& insn) {
  const auto operands = insn.row->operands;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (operands[i].fixed != no_reg) insn.values[i] = operands[i].fixed;
    if (operands[i].tied < 0) continue;
    const auto used = static_cast<reg_id>(insn.values[static_cast<std::size_t>(operands[i].tied)]);
    insn.values[i] = detail::tied_register(*insn.row, i, used);
  }
  refine_schedule(insn);
}

std::optional<decoded_instruction> decode(slot where, std::uint64_t word) {
  const auto& index = get().index[static_cast<std::size_t>(where)];
  std::size_t key = 0;
  for (std::size_t i = 0; i < index.bits.size(); ++i) key |= (word >> index.bits[i] & 1) << i;
  for (const auto candidate : index.buckets[key]) {
    const auto& row = get().instructions[candidate];
    if ((word & row.mask) != row.value) continue;
    decoded_instruction insn;
    insn.row = &row;
    if (!read_operands(insn, word)) continue;
    complete(insn);
    return insn;
  }
  return std::nullopt;
}

std::optional<decoded_bundle> decode(std::span<const std::uint8_t> bytes) {
  if (bytes.empty() || bytes.size() < bundle_length(bytes[0])) return std::nullopt;
  const unsigned length = bundle_length(bytes[0]);
  bundle_bits bits{};
  for (unsigned i = 0; i < length; ++i) bits[i / 8] |= std::uint64_t{bytes[i]} << (8 * (i % 8));
  for (const auto candidate : get().formats_by_length[length]) {
    const auto& format = get().formats[candidate];
    if ((bits[0] & format.mask[0]) != format.value[0] || (bits[1] & format.mask[1]) != format.value[1]) continue;
    decoded_bundle bundle;
    bundle.format = &format;
    bundle.bytes = static_cast<std::uint8_t>(length);
    for (const auto& part : format.slots) {
      std::uint64_t word = 0;
      for (const auto& piece : part.bits) word |= slice(bits, piece.lsb, piece.length) << piece.to;
      const auto insn = decode(part.where, word);
      if (!insn) return std::nullopt;
      bundle.slots[bundle.count++] = *insn;
    }
    return bundle;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> encode(const decoded_instruction& insn) {
  if (!insn.row) return std::nullopt;
  std::uint64_t word = insn.row->value;
  const auto operands = insn.row->operands;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const auto& op = operands[i];
    const auto value = insn.values[i];
    if (op.kind == operand_kind::imm) {
      const auto field = immediate_field(op, value);
      if (!field) return std::nullopt;
      word |= scatter(*field, op.bits);
      continue;
    }
    if (value < 0 || static_cast<std::size_t>(value) >= get().registers.size()) return std::nullopt;
    const auto field = get().class_encode[op.cls][static_cast<std::size_t>(value)];
    if (field < 0) return std::nullopt;
    word |= scatter(static_cast<std::uint64_t>(field), op.bits);
    if (op.tied < 0) continue;
    const auto used = insn.values[static_cast<std::size_t>(op.tied)];
    if (used < 0 || static_cast<std::size_t>(used) >= get().registers.size()) return std::nullopt;
    if (detail::tied_register(*insn.row, i, static_cast<reg_id>(used)) != value) return std::nullopt;
  }
  return word;
}

std::optional<std::array<std::uint8_t, 16>> encode(const decoded_bundle& bundle) {
  if (!bundle.format || bundle.count != bundle.format->slots.size()) return std::nullopt;
  bundle_bits bits = bundle.format->value;
  for (std::size_t i = 0; i < bundle.count; ++i) {
    const auto& part = bundle.format->slots[i];
    const auto word = encode(bundle.slots[i]);
    if (!word || bundle.slots[i].row->where != part.where) return std::nullopt;
    for (const auto& piece : part.bits) deposit(bits, piece.lsb, *word >> piece.to & ones(piece.length));
  }
  std::array<std::uint8_t, 16> bytes{};
  for (unsigned i = 0; i < bundle.format->bytes; ++i)
    bytes[i] = static_cast<std::uint8_t>(bits[i / 8] >> (8 * (i % 8)));
  return bytes;
}

}  // namespace npurt::aie::isa
