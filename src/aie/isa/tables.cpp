// SPDX-License-Identifier: Apache-2.0
// Builds the tables from the rows: registers, classes, schedule, instructions, formats, and the index for decoding.
#include "aie/isa/tables.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "aie/isa/rows.hpp"

namespace npurt::aie::isa::detail {
namespace {

template <typename Map>
auto look_up(const Map& map, std::string_view name) {
  const auto found = map.find(name);
  if (found == map.end()) throw std::logic_error("the instruction tables name an unknown " + std::string(name));
  return found->second;
}

slot slot_named(std::string_view name) {
  for (std::size_t i = 0; i < slot_count; ++i)
    if (to_string(static_cast<slot>(i)) == name) return static_cast<slot>(i);
  throw std::logic_error("the instruction tables name an unknown slot " + std::string(name));
}

/// "r0 r1=4 r2": names with values that count on from the one before.
std::vector<class_member> members_of(const tables& t, std::string_view text) {
  std::vector<class_member> members;
  int next = 0;
  for (const auto word : words_of(text)) {
    const auto equals = word.find('=');
    if (equals != word.npos) next = number_of(word.substr(equals + 1));
    members.push_back({look_up(t.register_names, word.substr(0, equals)), static_cast<std::uint16_t>(next++)});
  }
  return members;
}

/// "LC=3,5,7 q0=6": every value listed.
std::vector<class_member> aliases_of(const tables& t, std::string_view text) {
  std::vector<class_member> members;
  for (const auto word : words_of(text)) {
    const auto equals = word.find('=');
    for (const auto value : words_of(word.substr(equals + 1), ','))
      members.push_back(
          {look_up(t.register_names, word.substr(0, equals)), static_cast<std::uint16_t>(number_of(value))});
  }
  return members;
}

std::vector<std::uint8_t> stages_of(std::string_view text) {
  std::vector<std::uint8_t> stages;
  for (const auto word : words_of(text)) stages.push_back(static_cast<std::uint8_t>(number_of(word)));
  return stages;
}

/// "UNIT@s", "UNIT@sxn", "~UNIT@s".
unit_claim claim_of(std::string_view word) {
  const bool take = !word.starts_with('~');
  if (!take) word.remove_prefix(1);
  const auto at = word.find('@');
  const auto stage = word.substr(at + 1);
  const auto times = stage.find('x');
  const int cycles = times == stage.npos ? 1 : number_of(stage.substr(times + 1));
  return {static_cast<std::uint8_t>(number_of(stage.substr(0, times))), static_cast<std::uint8_t>(cycles),
          word.substr(0, at), take};
}

/// "s7*4+64" after the colon of an immediate.
void read_immediate(operand& op, std::string_view text) {
  op.is_signed = text.front() == 's';
  const auto times = text.find('*');
  const auto sign = text.find_first_of("+-");
  op.width = static_cast<std::uint8_t>(number_of(text.substr(1, std::min(times, sign) - 1)));
  op.scale = times == text.npos ? 1 : number_of(text.substr(times + 1, sign == text.npos ? sign : sign - times - 1));
  op.offset = sign == text.npos ? 0 : number_of(text.substr(sign));
}

bool is_immediate(std::string_view type) {
  return type.size() > 1 && (type[0] == 's' || type[0] == 'u') && type[1] >= '0' && type[1] <= '9';
}

/// The words before and after "<-", with the role they stand for.
std::vector<std::pair<std::string_view, operand_role>> roles_of(std::string_view text) {
  std::vector<std::pair<std::string_view, operand_role>> items;
  auto role = text.find("<-") == text.npos ? operand_role::use : operand_role::def;
  for (const auto word : words_of(text)) {
    if (word == "<-")
      role = operand_role::use;
    else
      items.emplace_back(word, role);
  }
  return items;
}

std::uint8_t stage_at(const schedule_class& schedule, std::size_t i, std::string_view row) {
  if (i >= schedule.cycles.size()) throw std::logic_error("no stage for an operand of " + std::string(row));
  return schedule.cycles[i];
}

operand read_operand(const tables& t, std::string_view word, operand_role role) {
  operand op{};
  const auto colon = word.find(':');
  const auto type = word.substr(colon + 1);
  op.name = word.substr(0, colon);
  op.role = role;
  op.fixed = no_reg;
  op.tied = -1;
  op.scale = 1;
  op.kind = is_immediate(type) ? operand_kind::imm : operand_kind::reg;
  if (op.kind == operand_kind::imm) {
    read_immediate(op, type);
    return op;
  }
  op.cls = look_up(t.class_names, type.substr(0, type.find('=')));
  if (t.classes[op.cls].bits == 0) op.fixed = t.classes[op.cls].encode.front().reg;
  return op;
}

/// Ties definitions to their uses and gives every operand its bits.
void tie_and_place(tables& t, std::vector<operand>& operands, const instruction_row& row, const layout& word) {
  std::vector<std::span<const bit_piece>> placed;
  for (const auto& field : word.fields) placed.push_back(t.keep(field.pieces));
  const auto items = roles_of(row.operands);
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const auto equals = items[i].first.find('=');
    std::string_view name = operands[i].name;
    if (equals != std::string_view::npos) {
      name = items[i].first.substr(equals + 1);
      const auto use = std::ranges::find(operands, name, &operand::name);
      if (use == operands.end()) throw std::logic_error("tied to nothing: " + std::string(row.name));
      operands[i].tied = static_cast<std::int8_t>(use - operands.begin());
      if (operands[i].cls != use->cls) continue;  // a part of the use's register: no bits of its own
    }
    for (std::size_t f = 0; f < word.fields.size(); ++f)
      if (word.fields[f].name == name) operands[i].bits = placed[f];
    if (operands[i].bits.empty() && operands[i].fixed == no_reg)
      throw std::logic_error("operand without bits: " + std::string(row.name));
  }
}

}  // namespace

void tables::read_registers() {
  for (const auto& row : register_rows()) {
    std::vector<reg_id> parts;
    for (const auto part : words_of(row.parts)) parts.push_back(look_up(register_names, part));
    register_names.emplace(row.name, static_cast<reg_id>(registers.size()));
    registers.push_back({row.name, row.asm_name, row.width, keep(std::move(parts))});
  }
  if (registers.size() > max_registers) throw std::logic_error("more registers than register_set holds");
}

void tables::read_classes() {
  classes.reserve(class_rows().size());
  members.resize(class_rows().size());
  for (const auto& row : class_rows()) {
    const auto id = static_cast<class_id>(classes.size());
    classes.push_back(
        {row.name, row.bits, keep(members_of(*this, row.registers)), keep(aliases_of(*this, row.also_decodes))});
    auto& from_field = class_decode.emplace_back(std::size_t{1} << row.bits, no_reg);
    auto& to_field = class_encode.emplace_back(registers.size(), -1);
    for (const auto& member : classes.back().encode) {
      from_field.at(member.encoding) = member.reg;
      to_field[member.reg] = member.encoding;
      members[id].set(member.reg);
    }
    for (const auto& member : classes.back().also_decodes) from_field.at(member.encoding) = member.reg;
    class_names.emplace(row.name, id);
    set_names.emplace(row.name, &members[id]);
  }
  for (const auto& row : group_rows()) {
    auto& set = groups.emplace_back();
    for (const auto name : words_of(row.registers)) set.set(look_up(register_names, name));
    set_names.emplace(row.name, &set);
  }
}

void tables::read_schedule() {
  for (const auto& row : schedule_rows()) {
    std::vector<unit_claim> claims;
    for (const auto word : words_of(row.claims)) claims.push_back(claim_of(word));
    schedule_names.emplace(row.name, static_cast<std::uint16_t>(schedule.size()));
    schedule.push_back(
        {row.name, keep(stages_of(row.stages)), keep(std::move(claims)), row.bypass, keep(stages_of(row.memory))});
  }
}

void tables::read_variants() {
  refinements.resize(schedule.size());
  for (const auto& row : variant_rows()) {
    refinement next{{}, look_up(schedule_names, row.refined)};
    for (const auto word : words_of(row.condition)) {
      const auto colon = word.find(':');
      const auto which = static_cast<std::size_t>(number_of(word.substr(0, colon)));
      next.conditions.push_back({which, look_up(set_names, word.substr(colon + 1))});
    }
    refinements[look_up(schedule_names, row.schedule)].push_back(std::move(next));
  }
}

void tables::read_instructions() {
  instructions.reserve(instruction_rows().size());
  for (const auto& row : instruction_rows()) {
    const auto word = read_layout(row.layout);
    const auto where = slot_named(row.where);
    auto& width = slot_widths[static_cast<std::size_t>(where)];
    if (width != 0 && width != word.width)
      throw std::logic_error("wrong width of the slot word: " + std::string(row.name));
    width = static_cast<std::uint8_t>(word.width);

    const auto scheduled = look_up(schedule_names, row.schedule);
    const auto& stages = schedule[scheduled];
    std::vector<operand> operands;
    for (const auto& [text, role] : roles_of(row.operands)) {
      auto op = read_operand(*this, text, role);
      op.cycle = stage_at(stages, operands.size(), row.name);
      const char network = operands.size() < stages.bypass.size() ? stages.bypass[operands.size()] : '-';
      op.bypass = network == '-' ? '\0' : network;
      operands.push_back(op);
    }
    if (operands.size() > decoded_instruction{}.values.size())
      throw std::logic_error("too many operands: " + std::string(row.name));
    tie_and_place(*this, operands, row, word);
    std::vector<implicit_operand> implicit;
    for (const auto& [name, role] : roles_of(row.implicit))
      implicit.push_back(
          {look_up(register_names, name), role, stage_at(stages, operands.size() + implicit.size(), row.name)});

    instruction_names.emplace(row.name, static_cast<std::uint16_t>(instructions.size()));
    const bool delayed = row.flags.find("delay5") != row.flags.npos;
    instructions.push_back({row.name, row.syntax.substr(0, row.syntax.find(' ')), row.syntax, where, word.mask[0],
                            word.value[0], keep(std::move(operands)), keep(std::move(implicit)), scheduled,
                            row.flags.find("load") != row.flags.npos, row.flags.find("store") != row.flags.npos,
                            static_cast<std::uint8_t>(delayed ? 5 : 0), row.source});
  }
}

void tables::read_formats() {
  for (const auto& row : format_rows()) {
    const auto bundle = read_layout(row.layout);
    if (bundle.width != 8u * row.bytes) throw std::logic_error("wrong width of the format " + std::string(row.name));
    std::vector<format_slot> slots;
    for (const auto& field : bundle.fields) slots.push_back({slot_named(field.name), keep(field.pieces)});
    formats_by_length[row.bytes].push_back(static_cast<std::uint16_t>(formats.size()));
    formats.push_back({row.name, row.bytes, bundle.mask, bundle.value, keep(std::move(slots)), row.source});
  }
}

/// The key is made of the bits that split the slot's instructions best; an instruction that leaves a key bit open
/// stands in both halves.
void tables::make_index(slot where) {
  constexpr std::size_t key_bits = 8;
  std::vector<std::uint16_t> rows;
  for (std::size_t i = 0; i < instructions.size(); ++i)
    if (instructions[i].where == where) rows.push_back(static_cast<std::uint16_t>(i));
  std::vector<std::size_t> scores;
  for (unsigned bit = 0; bit < slot_widths[static_cast<std::size_t>(where)]; ++bit) {
    std::size_t zeros = 0, ones = 0;
    for (const auto row : rows)
      if (instructions[row].mask >> bit & 1) ++(instructions[row].value >> bit & 1 ? ones : zeros);
    scores.push_back(std::min(zeros, ones));
  }
  auto& made = index[static_cast<std::size_t>(where)];
  for (unsigned bit = 0; bit < slot_widths[static_cast<std::size_t>(where)]; ++bit)
    made.bits.push_back(static_cast<std::uint8_t>(bit));
  std::ranges::stable_sort(made.bits, std::ranges::greater{}, [&](std::uint8_t bit) { return scores[bit]; });
  made.bits.resize(std::min(made.bits.size(), key_bits));
  made.buckets.resize(std::size_t{1} << made.bits.size());
  for (std::size_t key = 0; key < made.buckets.size(); ++key) {
    std::uint64_t mask = 0, value = 0;
    for (std::size_t i = 0; i < made.bits.size(); ++i) {
      mask |= std::uint64_t{1} << made.bits[i];
      value |= std::uint64_t{key >> i & 1} << made.bits[i];
    }
    for (const auto row : rows)
      if (((instructions[row].value ^ value) & instructions[row].mask & mask) == 0) made.buckets[key].push_back(row);
  }
}

tables::tables() {
  read_registers();
  read_classes();
  read_schedule();
  read_variants();
  read_instructions();
  read_formats();
  for (std::size_t i = 0; i < slot_count; ++i) make_index(static_cast<slot>(i));
  constexpr std::array<std::string_view, slot_count> nop_names{"NOPA", "NOPB", "NOPX",  "NOPM",
                                                               "NOPS", "NOPV", "NOPXM", "NOP"};
  for (std::size_t i = 0; i < slot_count; ++i) nops[i] = &instructions[look_up(instruction_names, nop_names[i])];
  for (std::size_t i = 0; i < registers.size(); ++i)
    register_names.try_emplace(registers[i].asm_name, static_cast<reg_id>(i));
}

const tables& get() {
  // Never destroyed: a device may still be at work when the process ends.
  static const tables& built = *new tables;
  return built;
}

}  // namespace npurt::aie::isa::detail
