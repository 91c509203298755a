// SPDX-License-Identifier: Apache-2.0
// Recording a kernel.
#include "codegen/kernel.hpp"

#include <algorithm>
#include <format>

#include "codegen/error.hpp"

namespace npurt::codegen {
namespace {

operand physical(std::string_view name) { return {.kind = operand::type::physical, .reg = *isa::find_register(name)}; }
operand immediate(std::int32_t value) { return {.immediate = value}; }

std::vector<const isa::instruction*> rows(std::initializer_list<std::string_view> names) {
  std::vector<const isa::instruction*> found;
  for (const auto name : names) {
    found.push_back(isa::find_instruction(name));
  }
  return found;
}

bool names(const operand& o, const value_ref& v) { return o.kind == operand::type::value && o.value == v.id; }
bool is_def(const operation& op, std::size_t i) { return op.ways[0]->operands[i].role == isa::operand_role::def; }

bool reads(const operation& op, const value_ref& v) {
  for (std::size_t i = 0; i < op.operands.size(); ++i) {
    if (names(op.operands[i], v) && !is_def(op, i)) {
      return true;
    }
  }
  return false;
}
bool writes(const operation& op, const value_ref& v) {
  for (std::size_t i = 0; i < op.operands.size(); ++i) {
    if (names(op.operands[i], v) && is_def(op, i)) {
      return true;
    }
  }
  return false;
}

std::vector<const isa::instruction*> move_rows(register_kind kind) {
  switch (kind) {
    case register_kind::x:
    case register_kind::bm:
      return rows({"VMOV_mv_x"});
    case register_kind::cm:
      return rows({"VMOV_mv_cm"});
    case register_kind::w:
    case register_kind::am:
      return rows({"VMOV_mv_w"});
    case register_kind::r:
    case register_kind::p:
    case register_kind::m:
    case register_kind::dj:
    case register_kind::s:
      return rows({"MOV_mv_scl"});
    default:
      return {};
  }
}

}  // namespace

operand use(const value_ref& v) {
  return {.kind = operand::type::value, .value = v.id, .first_leaf = v.first_leaf, .leaves = v.leaves};
}

kernel::kernel(std::string name) {
  function_.name = std::move(name);
  function_.body.emplace_back(block{});  // constants
  function_.body.emplace_back(block{});
  open_.push_back(&function_.body);
}

value_ref kernel::define(register_kind kind, std::string name, bool is_variable) {
  const auto id = static_cast<value_id>(function_.values.size());
  function_.values.push_back(
      {name.empty() ? std::format("v{}", id) : std::move(name), kind, is_variable, std::nullopt});
  return {this, id, 0, static_cast<std::uint8_t>(leaf_count(kind))};
}

std::string kernel::name_of(const value_ref& v) const { return function_.values[v.id].name; }
register_kind kernel::kind_of(const value_ref& v) const { return function_.values[v.id].kind; }

block& kernel::current() {
  auto& body = *open_.back();
  if (body.empty() || !std::holds_alternative<block>(body.back())) {
    body.emplace_back(block{});
  }
  return std::get<block>(body.back());
}

void kernel::emit(operation op) {
  for (const operand& o : op.operands) {
    const auto found = o.kind == operand::type::value ? became_.find(o.value) : became_.end();
    if (found != became_.end()) {
      throw undefined_value_error(std::format("{}: {} was assigned to {}: read that", op.note,
                                              function_.values[o.value].name, function_.values[found->second].name));
    }
  }
  current().push_back(std::move(op));
}

memory_area kernel::memory(std::string name, std::initializer_list<unsigned> banks) {
  memory_area area{.alias = ++areas_, .banks = 0, .name = std::move(name)};
  for (const unsigned bank : banks) {
    if (bank >= memory_banks) {
      throw operand_error(std::format("memory {}: there is no bank {}", area.name, bank));
    }
    area.banks = static_cast<std::uint8_t>(area.banks | 1u << bank);
  }
  return area;
}

value_ref kernel::pinned(register_kind kind, std::string name, std::string_view reg) {
  const value_ref v = define(kind, std::move(name), true);
  function_.values[v.id].pinned = isa::find_register(reg);
  if (!function_.values[v.id].pinned) {
    throw codegen_error(std::format("{}: no register is left for argument {}", function_.name, name_of(v)));
  }
  return v;
}

pointer kernel::argument_pointer(std::string name, memory_area area) {
  auto p = typed<pointer>(pinned(register_kind::p, std::move(name), std::format("p{}", pointers_++)));
  p.area = std::move(area);
  return p;
}

scalar kernel::argument_scalar(std::string name) {
  return typed<scalar>(pinned(register_kind::r, std::move(name), std::format("r{}", scalars_++)));
}

pointer kernel::pointer_to(std::string name, std::uint32_t address, memory_area area) {
  auto p = typed<pointer>(define(register_kind::p, std::move(name), true));
  p.area = std::move(area);
  emit({.ways = rows({"MOVXM_lng_cg"}),
        .operands = {use(p), immediate(static_cast<std::int32_t>(address))},
        .note = name_of(p)});
  return p;
}

pointer kernel::pointer_from(std::string name, const pointer& from, memory_area area) {
  auto p = typed<pointer>(define(register_kind::p, std::move(name), true));
  p.area = std::move(area);
  emit({.ways = rows({"MOV_mv_scl"}), .operands = {use(p), use(from)}, .note = name_of(p)});
  return p;
}

pointer kernel::pointer_from(std::string name, const scalar& address, memory_area area) {
  auto p = typed<pointer>(define(register_kind::p, std::move(name), true));
  p.area = std::move(area);
  assign(p, address);
  return p;
}

void kernel::set_part(const value_ref& whole, unsigned leaf, std::int32_t value) {
  value_ref part = whole;
  part.first_leaf = static_cast<std::uint8_t>(leaf);
  part.leaves = 1;
  emit({.ways = rows({"MOVA_lda_cg", "MOV_mv_cg", "MOVXM_lng_cg"}),
        .operands = {use(part), immediate(value)},
        .note = name_of(whole)});
}

stride kernel::make_stride(std::string name, std::int32_t bytes) {
  const auto s = typed<stride>(define(register_kind::m, std::move(name), true));
  set_part(s, 0, bytes);
  return s;
}

namespace {
enum d_leaf : std::uint8_t { m, dn, dj, dc, high };  // a 3D register is two of these
}

/// What dn holds for a count.
std::int32_t kernel::last_count(const std::string& stride, std::int32_t count) const {
  if (count < 1) {
    throw operand_error(std::format("{}: stride {} cannot count to {}", function_.name, stride, count));
  }
  return count - 1;
}

stride_2d kernel::make_stride(std::string name, std::int32_t step, std::int32_t count, std::int32_t next) {
  const auto s = typed<stride_2d>(define(register_kind::d2, std::move(name), true));
  set_part(s, m, next);
  set_part(s, dn, last_count(name_of(s), count));
  set_part(s, dj, step);
  set_part(s, dc, 0);
  return s;
}

stride_3d kernel::make_stride(std::string name, std::int32_t step, std::int32_t count, std::int32_t step2,
                              std::int32_t count2, std::int32_t next) {
  const auto s = typed<stride_3d>(define(register_kind::d3, std::move(name), true));
  set_part(s, m, next);
  set_part(s, dn, last_count(name_of(s), count));
  set_part(s, dj, step);
  set_part(s, dc, 0);
  set_part(s, high + dn, last_count(name_of(s), count2));
  set_part(s, high + dj, step2);
  set_part(s, high + dc, 0);
  return s;
}

void kernel::restart(const stride_2d& s) { set_part(s, dc, 0); }
void kernel::restart(const stride_3d& s) {
  set_part(s, dc, 0);
  set_part(s, high + dc, 0);
}

scalar kernel::constant(std::int32_t value) {
  if (const auto found = known_.find(value); found != known_.end()) {
    return found->second;
  }
  const auto s = typed<scalar>(define(register_kind::r, std::to_string(value)));
  constants().push_back({.ways = rows({"MOVA_lda_cg", "MOVX_alu_cg", "MOV_mv_cg", "MOVXM_lng_cg"}),
                         .operands = {use(s), immediate(value)},
                         .note = "constant"});
  return known_[value] = s;
}

shift_amount kernel::shift(std::int32_t amount) {
  if (const auto found = known_shifts_.find(amount); found != known_shifts_.end()) {
    return found->second;
  }
  const auto s = typed<shift_amount>(define(register_kind::s, std::format("shift {}", amount)));
  constants().push_back(
      {.ways = rows({"MOV_mv_cg", "MOVXM_lng_cg"}), .operands = {use(s), immediate(amount)}, .note = "shift"});
  return known_shifts_[amount] = s;
}

void kernel::add_loop(std::unique_ptr<codegen::loop> l, const std::function<void()>& body) {
  codegen::loop& added = *l;
  open_.back()->emplace_back(std::move(l));
  open_.push_back(&added.body);
  body();
  open_.pop_back();
}

void kernel::loop(std::string name, std::uint32_t count, const std::function<void()>& body, loop_end end) {
  add_loop(std::make_unique<codegen::loop>(codegen::loop{std::move(name), count, 0, {}, end}), body);
}

void kernel::loop(std::string name, const scalar& count, const std::function<void()>& body, loop_end end) {
  add_loop(std::make_unique<codegen::loop>(codegen::loop{std::move(name), std::nullopt, count.id, {}, end}), body);
}

void kernel::when(std::string name, const scalar& condition, const std::function<void()>& body) {
  add_loop(std::make_unique<codegen::loop>(
               codegen::loop{std::move(name), std::nullopt, condition.id, {}, loop_end::exact, true}),
           body);
}

void kernel::repeat(std::string name, const variable<scalar>& again, const std::function<void()>& body) {
  auto l = std::make_unique<codegen::loop>(codegen::loop{std::move(name), std::nullopt, again.id, {}});
  l->is_repeat = true;
  add_loop(std::move(l), body);
}

void kernel::set_control(std::string_view reg, unsigned value) {
  emit({.ways = rows({"MOV_mv_cg"}),
        .operands = {physical(reg), immediate(static_cast<std::int32_t>(value))},
        .note = std::string(reg)});
}
void kernel::set_rounding(unsigned mode) { set_control("crRnd", mode); }
void kernel::set_saturation(unsigned mode) { set_control("crSat", mode); }

void kernel::lock_operation(std::string_view row, unsigned id, std::int32_t value, ordering order) {
  emit({.ways = rows({row}),
        .operands = {immediate(static_cast<std::int32_t>(id)), use(constant(value))},
        .note = std::format("lock {}", id),
        .order = order});
}
void kernel::acquire(unsigned id, std::int32_t value) {
  lock_operation("ACQ_mLockId_imm", id, value, ordering::acquire);
}
void kernel::release(unsigned id, std::int32_t value) {
  lock_operation("REL_mLockId_imm", id, value, ordering::release);
}

/// Lets the operation that made the value write the variable instead, if nothing else has seen either in between.
bool kernel::retarget(const value_ref& target, const value_ref& source) {
  block& ops = current();
  const auto first = std::ranges::find_if(ops, [&](const operation& op) { return writes(op, source); });
  if (function_.values[source.id].is_variable || kind_of(source) != kind_of(target) || first == ops.end() ||
      std::ranges::any_of(ops, [&](const operation& op) { return reads(op, source); })) {
    return false;
  }
  for (auto op = first; op != ops.end(); ++op) {
    if (writes(*op, target) || (op != first && reads(*op, target))) {
      return false;
    }
  }
  for (auto op = first; op != ops.end(); ++op) {
    for (operand& o : op->operands) {
      if (names(o, source)) {
        o.value = target.id;
      }
    }
  }
  became_[source.id] = target.id;
  return true;
}

void kernel::assign(const value_ref& target, const value_ref& source) {
  if (target.id == source.id || retarget(target, source)) {
    return;
  }
  auto ways = move_rows(function_.values[target.id].kind);
  if (ways.empty()) {
    throw operand_error(std::format("{}: no instruction moves registers of kind {}", name_of(target),
                                    to_string(function_.values[target.id].kind)));
  }
  emit({.ways = std::move(ways),
        .operands = {use(target), use(source)},
        .note = std::format("{} = {}", name_of(target), name_of(source))});
}

compiled_function kernel::compile(const compile_options& options) const { return codegen::compile(function_, options); }

}  // namespace npurt::codegen
