// SPDX-License-Identifier: Apache-2.0
// Fills an operation from a decoded instruction: register offsets, stages, gates and buffers.
#include "emu/core/operation.hpp"

#include <algorithm>
#include <array>
#include <format>
#include <span>

namespace npurt::emu {
namespace {

namespace isa = aie::isa;

// Masks of the floating-point exception events change no result (reference: only events are raised by them).
bool is_event_mask(std::string_view name) { return name == "crFPMask" || name == "crF2IMask" || name == "crF2FMask"; }

/// Fills one operation from a decoded instruction.
class operation_builder {
 public:
  operation_builder(operation& op, const isa::decoded_instruction& insn) : op_(op), insn_(insn), row_(*insn.row) {}

  /// @return why the instruction is refused, empty if it is not
  std::string build() {
    op_.row = &row_;
    const semantics* found = find_semantics(row_);
    if (found == nullptr) {
      const refusal* known = find_refusal(row_);
      return known != nullptr ? std::format("not established: {} ({})", row_.mnemonic, known->why)
                              : std::format("not built: instruction {}", row_.name);
    }
    op_.run = found->run;
    op_.where = found->where;
    op_.waits = found->waits;
    read_addressing();
    read_operands(isa::operand_role::def);
    op_.first_address_def = op_.def_count;
    add_address_results();
    read_operands(isa::operand_role::use);
    set_access(found->access);
    set_stages();
    place_buffers();
    return {};
  }

 private:
  bool has_operand(std::string_view name) const { return find_operand(name) >= 0; }

  int find_operand(std::string_view name) const {
    for (std::size_t i = 0; i < row_.operands.size(); ++i) {
      if (row_.operands[i].name == name) {
        return static_cast<int>(i);
      }
    }
    return -1;
  }

  isa::reg_id reg(std::size_t i) const {
    return row_.operands[i].fixed != isa::no_reg ? row_.operands[i].fixed : static_cast<isa::reg_id>(insn_.values[i]);
  }

  bool uses_stack() const {
    return std::ranges::any_of(row_.implicit, [](const auto& i) { return isa::registers()[i.reg].name == "SP"; });
  }

  std::uint16_t offset_of(std::string_view name) const {
    return place_of(reg(static_cast<std::size_t>(find_operand(name)))).pieces[0].offset;
  }

  void read_addressing() {
    if (!has_operand("ptr") && !uses_stack()) {
      return;
    }
    has_address_ = true;
    op_.pointer = uses_stack() ? word_offset("SP") : offset_of("ptr");
    const bool updates = has_operand("ptr_out") || row_.mnemonic.starts_with("padd");
    op_.mode = addressing::plain;
    if (has_operand("imm")) {
      op_.mode = updates ? addressing::post : addressing::offset;
      op_.immediate = insn_.values[static_cast<std::size_t>(find_operand("imm"))];
    } else if (has_operand("dj")) {
      op_.mode = addressing::offset_reg;
      op_.modifier = offset_of("dj");
    } else if (has_operand("mod")) {
      op_.modifier = offset_of("mod");
      op_.mode = has_operand("count_hi_out") ? addressing::post_3d
                 : has_operand("count_out")  ? addressing::post_2d
                                             : addressing::post_reg;
    }
  }

  bool is_address_operand(std::string_view name) const {
    return has_address_ && (name == "ptr" || name == "mod" || name == "dj" || name == "imm" || name == "ptr_out" ||
                            name.starts_with("count_"));
  }

  void read_operands(isa::operand_role role) {
    for (std::size_t i = 0; i < row_.operands.size(); ++i) {
      const isa::operand& operand = row_.operands[i];
      if (operand.role != role || is_address_operand(operand.name)) {
        continue;
      }
      const std::uint8_t stage = isa::operand_cycle(insn_, i);
      const char bypass = isa::operand_bypass(insn_, i);
      if (role == isa::operand_role::def) {
        add_def(reg(i), stage, bypass, false);
      } else if (operand.kind == isa::operand_kind::imm) {
        use_operand& use = op_.uses.at(op_.use_count++);
        use.immediate = insn_.values[i];
      } else {
        add_use(reg(i), stage, bypass);
      }
    }
    for (const isa::implicit_operand& implicit : row_.implicit) {
      const std::string_view name = isa::registers()[implicit.reg].name;
      if (implicit.role != role || name == "SP" || is_event_mask(name)) {
        continue;
      }
      if (role == isa::operand_role::def) {
        add_def(implicit.reg, implicit.cycle, 0, is_sticky(implicit.reg));
      } else {
        add_use(implicit.reg, implicit.cycle, 0);
      }
    }
  }

  void add_def(isa::reg_id id, std::uint8_t stage, char bypass, bool sticky) {
    const register_place& place = place_of(id);
    def_operand& def = op_.defs.at(op_.def_count++);
    def = {.pieces = place.pieces,
           .count = place.count,
           .stage = stage,
           .bypass = bypass,
           .sticky = sticky,
           .mask = place.mask};
  }

  void add_use(isa::reg_id id, std::uint8_t stage, char bypass) {
    const register_place& place = place_of(id);
    use_operand& use = op_.uses.at(op_.use_count++);
    use = {.pieces = place.pieces, .count = place.count, .stage = stage, .bypass = bypass};
  }

  void add_word(std::uint16_t offset) {
    def_operand& def = op_.defs.at(op_.def_count++);
    def = {.pieces = {register_piece{offset, 4}}, .count = 1, .mask = address_mask};
  }

  /// The address unit writes the pointer, then the counts, all at E1 (td/AIE2Schedule.td: ptr_out and count_out cycle
  /// 1).
  void add_address_results() {
    constexpr std::uint16_t dc = 12, high = 4 * 16;
    if (op_.mode >= addressing::post) {
      add_word(op_.pointer);
    }
    if (op_.mode == addressing::post_2d || op_.mode == addressing::post_3d) {
      add_word(static_cast<std::uint16_t>(op_.modifier + dc));
    }
    if (op_.mode == addressing::post_3d) {
      add_word(static_cast<std::uint16_t>(op_.modifier + high + dc));
    }
  }

  void set_access(std::uint8_t bytes) {
    op_.access = bytes;
    if (bytes == 0 && op_.where == unit::load) {
      op_.access = static_cast<std::uint8_t>(op_.defs[0].pieces[0].size + op_.defs[0].pieces[1].size);
    } else if (bytes == 0 && op_.where == unit::store) {
      op_.access = static_cast<std::uint8_t>(op_.uses[0].pieces[0].size + op_.uses[0].pieces[1].size);
    }
  }

  void set_gates() {
    const auto memory = insn_.schedule->memory;
    switch (op_.where) {
      case unit::compute:
      case unit::branch:
        break;
      case unit::load:
      case unit::gather:
      case unit::bus_in:
        op_.gate_stage = memory.front();
        break;
      case unit::store:
      case unit::bus_out:
        op_.gate_stage = memory.back();
        break;
      case unit::part_store:
        op_.gate_stage = memory.front();
        op_.second_gate = memory.back();
        break;
      // The units reserve SEMAPHORE from E2 (locks, stream and cascade writes); reads deliver at E7 like loads.
      case unit::acquire:
      case unit::release:
      case unit::stream_out:
      case unit::cascade_out:
        op_.gate_stage = 2;
        break;
      case unit::stream_in:
      case unit::cascade_in:
        op_.gate_stage = 5;
        break;
    }
  }

  bool delivers_late() const {
    return op_.where == unit::load || op_.where == unit::gather || op_.where == unit::stream_in ||
           op_.where == unit::cascade_in || op_.where == unit::bus_in;
  }

  void set_stages() {
    set_gates();
    op_.run_stage = delivers_late() ? op_.gate_stage : std::uint8_t{1};
    for (unsigned i = 0; i < op_.use_count; ++i) {
      op_.run_stage = std::max(op_.run_stage, op_.uses[i].stage);
    }
    for (unsigned i = 0; i < op_.use_count; ++i) {
      if (op_.uses[i].count > 0 && op_.uses[i].stage > 1 && op_.uses[i].stage < op_.run_stage) {
        add_action(action::sample, op_.uses[i].stage, static_cast<std::uint8_t>(i));
      }
    }
    if (op_.where == unit::load || op_.where == unit::gather || op_.where == unit::part_store) {
      add_action(action::read, op_.gate_stage, 0);
    }
    if (op_.run_stage > 1) {
      add_action(action::run, op_.run_stage, 0);
    }
    for (unsigned i = 0; i < op_.def_count; ++i) {
      // A result cannot be written before it is computed.
      if (i < op_.first_address_def) {
        op_.defs[i].stage = std::max(op_.defs[i].stage, op_.run_stage);
      }
      add_commit(op_.defs[i].stage);
    }
    const std::uint8_t written = op_.second_gate != 0 ? op_.second_gate : op_.gate_stage;
    if (written != 0) {
      add_commit(written);  // memory is written with the registers of that stage; other units only end there
    }
    add_commit(op_.run_stage);
    op_.last_stage = *std::max_element(op_.commits.begin(), op_.commits.begin() + op_.commit_count);
  }

  void add_action(action what, std::uint8_t stage, std::uint8_t use) {
    op_.actions.at(op_.action_count++) = {what, stage, use};
  }

  void add_commit(std::uint8_t stage) {
    const auto end = op_.commits.begin() + op_.commit_count;
    if (std::find(op_.commits.begin(), end, stage) == end) {
      op_.commits.at(op_.commit_count++) = stage;
    }
  }

  static std::uint16_t aligned(std::size_t offset, std::size_t size) {
    const std::size_t unit_size = size > 8 ? 64 : 8;
    return static_cast<std::uint16_t>((offset + unit_size - 1) / unit_size * unit_size);
  }

  /// One behind the other, the first at 0. @return the end of the last
  template <typename Operand, std::size_t Most>
  static std::size_t place(std::array<Operand, Most>& operands, unsigned count) {
    std::size_t next = 0;
    for (Operand& operand : std::span(operands).first(count)) {
      const std::size_t size = operand.pieces[0].size + operand.pieces[1].size;
      operand.buffer = aligned(next, size);
      next = operand.buffer + size;
    }
    return next;
  }

  void place_buffers() {
    if (place(op_.uses, op_.use_count) > sizeof(frame::sampled)) {
      throw std::logic_error("operands larger than a frame");
    }
    if (place(op_.defs, op_.def_count) > sizeof(frame::result)) {
      throw std::logic_error("results larger than a frame");
    }
  }

  operation& op_;
  const isa::decoded_instruction& insn_;
  const isa::instruction& row_;
  bool has_address_ = false;
};

}  // namespace

std::string build_operation(operation& op, const isa::decoded_instruction& insn) {
  return operation_builder(op, insn).build();
}

}  // namespace npurt::emu
