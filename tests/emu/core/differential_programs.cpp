// SPDX-License-Identifier: Apache-2.0
// Programs in three layers: instructions with operands that let a program go on, bundles of them, and control flow.
#include "emu/core/differential_programs.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <stdexcept>

#include "emu/core/differential_operands.hpp"

namespace npurt::test {
namespace {

namespace isa = aie::isa;

/// A bundle, and the operand that gets the address of another one once all have their places.
struct item {
  isa::decoded_bundle bundle;
  std::size_t slot = 0, operand = 0;
  std::size_t target = no_target;

  static constexpr std::size_t no_target = ~std::size_t{0};
};

std::span<const isa::bundle_format* const> formats_with(isa::slot where) {
  static const auto lists = [] {
    std::array<std::vector<const isa::bundle_format*>, isa::slot_count> result;
    for (const auto& format : isa::formats()) {
      for (const auto& part : format.slots) result[static_cast<std::size_t>(part.where)].push_back(&format);
    }
    return result;
  }();
  return lists[static_cast<std::size_t>(where)];
}

std::size_t operand_index(const isa::instruction& row, std::string_view name) {
  for (std::size_t i = 0; i < row.operands.size(); ++i) {
    if (row.operands[i].name == name) return i;
  }
  throw std::logic_error("no such operand");
}

isa::decoded_instruction instruction(std::string_view record) {
  isa::decoded_instruction insn;
  insn.row = isa::find_instruction(record);
  if (insn.row == nullptr) throw std::logic_error("no such instruction");
  return insn;
}

class program_maker {
 public:
  program_maker(random_source& random, const wildness& how) : random_(random), operands_(random), how_(how) {}

  random_program make() {
    const bool large = random_.one_in(16);
    const std::size_t wanted = static_cast<std::size_t>(random_.between(4, large ? 600 : 90));
    refresh();
    while (items_.size() < wanted) segment(0);
    if (random_.one_in(8)) {
      const auto done = instruction("DONE");
      append_with(isa::slot::alu, done);
      straight(random_.between(0, 12));
    }
    jump_to(0);
    functions();
    return finish();
  }

 private:
  // Bundles

  isa::decoded_instruction any(isa::slot where) {
    if (how_.one_in != 0 && random_.one_in(how_.one_in)) return operands_.wild(where);
    return random_.one_in(6) ? operands_.nop(where) : operands_.instruction(where);
  }

  /// A bundle of the format; `insn` takes the slot that is its own.
  item make_bundle(const isa::bundle_format& format, const isa::decoded_instruction* insn = nullptr) {
    item result;
    result.bundle.format = &format;
    result.bundle.bytes = format.bytes;
    for (const auto& part : format.slots) {
      const bool own = insn != nullptr && insn->row->where == part.where;
      if (own) result.slot = result.bundle.count;
      result.bundle.slots[result.bundle.count++] = own ? *insn : any(part.where);
    }
    return result;
  }

  void append_random() {
    items_.push_back(make_bundle(random_.pick(isa::formats())));
    if (random_.one_in(10)) {
      rewrites_.push_back({items_.size() - 1, encoded(make_bundle(*items_.back().bundle.format).bundle)});
    }
  }

  void append_with(isa::slot where, isa::decoded_instruction insn, std::size_t target = item::no_target,
                   std::size_t operand = 0) {
    complete(insn);
    items_.push_back(make_bundle(*random_.pick(formats_with(where)), &insn));
    items_.back().target = target;
    items_.back().operand = operand;
  }

  void straight(int count) {
    for (int i = 0; i < count; ++i) append_random();
  }

  /// movxm of a value, or of the address of the bundle `target`.
  std::size_t append_move(isa::reg_id reg, std::int32_t value, std::size_t target = item::no_target) {
    auto move = instruction("MOVXM_lng_cg");
    move.values[0] = reg;
    move.values[1] = value;
    append_with(isa::slot::lng, move, target, 1);
    return items_.size() - 1;
  }

  std::size_t append_move(std::string_view reg, std::int32_t value, std::size_t target = item::no_target) {
    return append_move(*isa::find_register(reg), value, target);
  }

  // Control flow

  /// New values in the registers that the other bundles rely on.
  void refresh() {
    for (const auto reg : operands_.relied_on()) {
      const bool drifts = operands_.drifts(reg);
      if (drifts ? !random_.one_in(8) : random_.one_in(6)) append_move(reg, operands_.legal_value(reg));
    }
  }

  void delay_slots() { straight(5); }

  /// Branch by register or by address.
  void jump_to(std::size_t target) {
    if (random_.one_in(3)) {
      append_move("p7", 0, target);
      auto jump = instruction("J_jump_ind");
      jump.values[0] = *isa::find_register("p7");
      append_with(isa::slot::alu, jump);
    } else {
      append_with(isa::slot::lng, instruction("J_jump_imm"), target, 0);
    }
    delay_slots();
  }

  void segment(int depth) {
    switch (random_.below(depth < 3 ? 12u : 5u)) {
      case 5:
      case 6:
        return hardware_loop(depth);
      case 7:
        return counted_loop(depth);
      case 8:
      case 9:
        return skip(depth);
      case 10:
        return call(depth);
      case 11:
        return append_move(random_.pick(operands_.relied_on()));
      default:
        return straight(random_.between(1, 12));
    }
  }

  void append_move(isa::reg_id reg) { append_move(reg, operands_.legal_value(reg)); }

  void body(int depth) {
    for (int i = random_.between(1, 3); i > 0; --i) segment(depth + 1);
  }

  void hardware_loop(int depth) {
    const auto start = append_move("LS", 0);
    if (random_.one_in(4)) straight(1);
    const auto end = append_move("LE", 0);
    append_move("LC", random_.one_in(8) ? random_.between(0, 1) : random_.between(2, 24));
    straight(random_.one_in(3) ? 0 : random_.between(0, 9));
    items_[start].target = items_.size();
    if (random_.one_in(2)) {
      straight(random_.between(0, 6));
    } else {
      body(depth);
    }
    if (random_.one_in(12)) append_move("LC", random_.between(0, 5));
    if (random_.one_in(4)) skip(3);
    if (random_.one_in(2)) append_random();
    // Now and then the loop ends in the delay slots of what its body ends with.
    const auto before = random_.one_in(3) ? random_.below(6) : 0;
    items_[end].target = items_.size() - 1 - before;
  }

  void counted_loop(int depth) {
    const auto count = *isa::find_register(random_.one_in(2) ? "r24" : "r25");
    append_move(count, random_.between(0, 12));
    const auto top = items_.size();
    body(depth);
    append_move("p7", 0, top);
    auto branch = instruction("JNZD");
    branch.values[operand_index(*branch.row, "mRx")] = count;
    branch.values[operand_index(*branch.row, "mRx0")] = count;
    branch.values[operand_index(*branch.row, "mPm")] = *isa::find_register("p7");
    append_with(isa::slot::alu, branch);
    delay_slots();
  }

  void skip(int depth) {
    auto branch = instruction(random_.one_in(2) ? "JZ" : "JNZ");
    branch.values[0] = operands_.any_scalar();
    append_with(isa::slot::lng, branch, 0, operand_index(*branch.row, "cpmaddr"));
    const auto at = items_.size() - 1;
    delay_slots();
    if (random_.one_in(3)) {
      body(depth);
    } else {
      straight(random_.between(0, 6));
    }
    items_[at].target = items_.size();
  }

  void call(int) {
    if (random_.one_in(3)) {
      calls_.push_back(append_move("p7", 0, 0));
      auto branch = instruction("JL_IND");
      branch.values[operand_index(*branch.row, "mPm")] = *isa::find_register("p7");
      append_with(isa::slot::alu, branch);
    } else {
      append_with(isa::slot::lng, instruction("JL"), 0, 0);
      items_.back().operand = operand_index(*items_.back().bundle.slots[items_.back().slot].row, "cpmaddr");
      calls_.push_back(items_.size() - 1);
    }
    delay_slots();
  }

  void functions() {
    if (calls_.empty()) return;
    std::vector<std::size_t> entries;
    for (int i = random_.between(1, 3); i > 0; --i) {
      entries.push_back(items_.size());
      segment(4);
      append_with(isa::slot::alu, instruction("RET"));
      delay_slots();
    }
    for (const auto at : calls_) items_[at].target = random_.pick(entries);
  }

  // Layout

  random_program finish() {
    random_program program;
    std::size_t bytes = 0;
    for (const auto& one : items_) bytes += one.bundle.bytes;
    if (bytes > emu::core::program_bytes) {
      items_.resize(items_.size() / 2);
      return finish();
    }
    const auto room = static_cast<std::uint32_t>(emu::core::program_bytes - bytes);
    program.start = random_.one_in(2) ? 0 : random_.below(room / 2 + 1) * 2;
    std::vector<std::uint32_t> addresses;
    for (std::uint32_t at = program.start; const auto& one : items_) {
      addresses.push_back(at);
      at += one.bundle.bytes;
    }
    for (auto& one : items_) {
      if (one.target != item::no_target) {
        const auto target = one.target < addresses.size() ? addresses[one.target] : addresses.front();
        one.bundle.slots[one.slot].values[one.operand] = static_cast<std::int32_t>(target);
      }
      program.bundles.push_back(encoded(one.bundle));
    }
    std::erase_if(rewrites_, [&](const rewrite& r) { return r.index >= items_.size(); });
    program.rewrites = std::move(rewrites_);
    return program;
  }

  random_source& random_;
  operand_maker operands_;
  wildness how_;
  std::vector<item> items_;
  std::vector<rewrite> rewrites_;
  std::vector<std::size_t> calls_;
};

}  // namespace

std::uint32_t random_program::address(std::size_t index) const {
  std::uint32_t at = start;
  for (std::size_t i = 0; i < index; ++i) at += bundles[i].length;
  return at;
}

std::vector<std::uint8_t> random_program::image() const {
  std::vector<std::uint8_t> result(emu::core::program_bytes);
  std::size_t at = start;
  for (const auto& bundle : bundles) {
    std::copy_n(bundle.bytes.begin(), bundle.length, result.begin() + static_cast<std::ptrdiff_t>(at));
    at += bundle.length;
  }
  return result;
}

random_program make_program(random_source& random, const wildness& how) { return program_maker(random, how).make(); }

}  // namespace npurt::test
