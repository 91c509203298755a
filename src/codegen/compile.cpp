// SPDX-License-Identifier: Apache-2.0
// Regions to code: loops first, because the blocks before them count their passes.
#include "codegen/compile.hpp"

#include <algorithm>
#include <bit>
#include <format>
#include <map>
#include <set>

#include "codegen/error.hpp"
#include "codegen/layout.hpp"
#include "codegen/plan.hpp"
#include "codegen/reservation.hpp"

namespace npurt::codegen {
namespace {

constexpr int delay_slots = 5;
/// The last write of ls, le or lc lies 112 bytes before the bundle at le: seven full bundles (aie2/README.md).
constexpr int loop_setup_distance = 7;

class compiler {
 public:
  compiler(const function& f, const compile_options& options)
      : list_(lower(f, options.pipeline)),
        globals_(allocate_globals(list_)),
        planner_(list_, globals_, options),
        plans_(list_.innermost) {}

  compiled_function run() {
    for (std::size_t r = 0; r < list_.regions.size(); ++r) {
      if (auto& loop = list_.regions[r].loop) {
        loop_report report;
        loop_plan& p = plans_[loop->loop] = planner_.plan_loop(r, report);
        loop->pipelined = report.pipelined;
        if (p.overruns) {
          check_overrun(list_, r, p);
        }
        result_.loops.push_back(std::move(report));
      }
    }
    for (std::size_t r = 0; r < list_.regions.size(); ++r) {
      falls_through_ = r == 0 || list_.regions[r - 1].falls_through;
      if (list_.regions[r].loop) {
        emit_loop(list_.regions[r]);
      } else {
        emit_block(r);
      }
    }
    result_.text = header() + layout_.text(list_.name);
    result_.bundles = layout_.end();
    return std::move(result_);
  }

 private:
  // ---- loops

  void emit_loop(const region& r) {
    const loop_plan& p = plans_[r.loop->loop];
    if (r.ops.empty()) {
      return;
    }
    if (!r.loop->pipelined) {
      emit_plain_loop(r, p);
      return;
    }
    if (p.overruns) {
      emit_overrunning_loop(r, p);
      return;
    }
    const std::uint32_t iterations =
        p.repeats ? p.ramp + static_cast<std::uint32_t>(p.copies) : r.loop->trips.value_or(0);
    std::vector<placed> code;
    for (std::uint32_t i = 0; i < iterations; ++i) {
      for (std::size_t op = 0; op < r.ops.size(); ++op) {
        code.push_back(place(r.ops[op], p, op, i % static_cast<std::uint32_t>(p.copies)));
        code.back().cycle += static_cast<int>(i) * p.interval;
      }
    }
    const int first = static_cast<int>(p.ramp) * p.interval, last = first + p.copies * p.interval;
    const int length = static_cast<int>(iterations - 1) * p.interval + p.length();
    if (!p.repeats) {
      layout_.append(std::move(code), length, r.label, falls_through_);
      return;
    }
    keep_setup_distance(last - 1);
    layout_.append(std::move(code), std::max(length, last), r.label, falls_through_, first, last);
    set_loop_labels(*r.loop, layout_.end() - std::max(length, last), first, last);
  }

  /// All passes in full; those that begin too much of an iteration are the last.
  void emit_overrunning_loop(const region& r, const loop_plan& p) {
    const int last = p.head + p.copies * p.interval;
    std::vector<placed> code;
    for (int i = 0; i * p.interval < last; ++i) {
      for (std::size_t op = 0; op < r.ops.size(); ++op) {
        if (p.chosen[op].cycle + i * p.interval < last) {
          code.push_back(place(r.ops[op], p, op, static_cast<std::size_t>(i % p.copies)));
          code.back().cycle += i * p.interval;
        }
      }
    }
    keep_setup_distance(last - 1);
    layout_.append(std::move(code), last, r.label, falls_through_, p.head, last);
    set_loop_labels(*r.loop, layout_.end() - last, p.head, last);
  }

  void emit_plain_loop(const region& r, const loop_plan& p) {
    std::vector<placed> code;
    for (std::size_t op = 0; op < r.ops.size(); ++op) {
      code.push_back(place(r.ops[op], p, op, 0));
    }
    code_layout alone;  // the wait from one iteration to the next
    alone.append(code, p.length(), "top", false, 0, p.length());
    const int length = p.length() + alone.wait_before_return("top", {}, 0);
    keep_setup_distance(length - 1);
    layout_.append(std::move(code), length, r.label, falls_through_, 0, length);
    set_loop_labels(*r.loop, layout_.end() - length, 0, length);
  }

  void keep_setup_distance(int last) {
    const int distance = layout_.distance_to_loop_setup(layout_.end() + last);
    if (distance < loop_setup_distance) {
      layout_.wait(loop_setup_distance - distance);
    }
  }

  void set_loop_labels(const loop_form& form, int start, int first, int last) {
    layout_.set_label(form.first_label, start + first);
    layout_.set_label(form.last_label, start + last - 1);
  }

  // ---- blocks

  void emit_block(std::size_t at) {
    region& r = list_.regions[at];
    std::erase_if(r.ops, [&](const operation& op) { return op.sets_up && !plans_[*op.sets_up].repeats; });
    for (operation& op : r.ops) {
      std::ranges::for_each(op.operands, [&](operand& o) { resolve(o); });
    }
    loop_plan p = planner_.plan_block(at);
    int length = p.length();
    std::vector<placed> code;
    if (r.branch) {
      r.ops.push_back(*r.branch);
      length = schedule_branch(r.ops, p);
      planner_.give_registers(at, p);
    }
    for (std::size_t op = 0; op < r.ops.size(); ++op) {
      code.push_back(place(r.ops[op], p, op, 0));
    }
    append_block(r, std::move(code), length);
  }

  void append_block(const region& r, std::vector<placed> code, int length) {
    const std::string target = r.branch && !r.branch->operands.empty() ? r.branch->operands.back().label : "";
    const bool back = !target.empty() && known_.contains(target);
    if (!r.label.empty()) {
      known_.insert(r.label);
    }
    if (back) {
      int wait = target == r.label ? wait_for_itself(code, length) : layout_.wait_before_return(target, code, length);
      while (!is_free_for_last(code, wait)) {
        ++wait;
      }
      code.back().cycle += wait;
      length += wait;
    }
    layout_.append(std::move(code), length, r.label, falls_through_);
    if (!target.empty() && !back) {
      layout_.branches_to(target);
    }
  }

  /// Whether the last instruction, a branch, may be issued so much later.
  static bool is_free_for_last(const std::vector<placed>& code, int later) {
    const placed& branch = code.back();
    return std::all_of(code.begin(), code.end() - 1,
                       [&](const placed& p) { return may_follow(p, branch, branch.cycle + later - p.cycle); });
  }

  static int wait_for_itself(const std::vector<placed>& code, int length) {
    code_layout alone;
    alone.append(code, length, "top", false, 0, length);
    return alone.wait_before_return("top", {}, 0);
  }

  /// Puts the branch, the last operation, as early as the rest of the block lets its delay slots be filled.
  int schedule_branch(const std::vector<operation>& ops, loop_plan& p) {
    const int length = p.length();
    p.graph = build_graph(ops, list_.values, false);
    const std::size_t branch = ops.size() - 1;
    int cycle = std::max(0, length - delay_slots - 1);
    for (const dependence& e : p.graph.edges) {
      if (e.to == branch) {
        cycle = std::max(cycle, p.chosen[e.from].cycle + e.latency);
      }
    }
    reservation_table table(0);
    for (std::size_t op = 0; op < branch; ++op) {
      table.take(p.graph.timings[op].ways[p.chosen[op].way].uses, p.chosen[op].cycle, op);
    }
    while (!table.is_free(p.graph.timings[branch].ways[0].uses, cycle)) {
      ++cycle;
    }
    p.chosen.push_back({cycle, 0});
    return std::max(length, cycle + 1 + delay_slots);
  }

  void resolve(operand& o) const {
    if (o.kind != operand::type::parameter) {
      return;
    }
    const loop_plan& p = plans_[o.loop];
    o.kind = operand::type::immediate;
    switch (o.parameter) {
      case loop_parameter::least_trips:
        o.immediate = static_cast<std::int32_t>(p.ramp) + p.copies;
        break;
      case loop_parameter::minus_ramp:
        o.immediate = -static_cast<std::int32_t>(p.ramp);
        break;
      case loop_parameter::minus_log2_unroll:
        o.immediate = -std::countr_zero(static_cast<unsigned>(p.copies));
        break;
      case loop_parameter::unroll_mask:
        o.immediate = p.copies - 1;
        break;
      case loop_parameter::passes:
        o.immediate = static_cast<std::int32_t>(p.passes);
        break;
    }
  }

  // ---- instructions

  placed place(const operation& op, const loop_plan& p, std::size_t index, std::size_t copy) const {
    const slot_choice chosen = p.chosen[index];
    placed result{.cycle = chosen.cycle,
                  .insn = {.row = p.graph.timings[index].ways[chosen.way].row},
                  .label = {},
                  .note = op.note,
                  .order = op.order,
                  .alias = op.alias,
                  .banks = op.banks};
    for (std::size_t i = 0; i < op.operands.size(); ++i) {
      const operand& o = op.operands[i];
      if (o.kind == operand::type::value) {
        result.insn.values[i] = part_of(register_of(o.value, p, copy), o.first_leaf, o.leaves);
      } else if (o.kind == operand::type::physical) {
        result.insn.values[i] = o.reg;
      } else if (o.kind == operand::type::label) {
        result.label = o.label;
      } else {
        result.insn.values[i] = o.immediate;
      }
    }
    isa::complete(result.insn);
    if (!isa::encode(result.insn)) {
      throw operand_error(std::format("{}: {} does not take these operands", op.note, result.insn.row->syntax));
    }
    return result;
  }

  isa::reg_id register_of(value_id v, const loop_plan& p, std::size_t copy) const {
    if (const auto global = globals_.registers.find(v); global != globals_.registers.end()) {
      return global->second[0];
    }
    const auto local = p.registers.find(v);
    if (local == p.registers.end()) {
      throw undefined_value_error(list_.values[v].name + " is read before anything writes it");
    }
    return local->second[copy];
  }

  std::string header() const {
    std::string text =
        "// SPDX-License-Identifier: Apache-2.0\n// " + list_.name + ", written by npurt's code generator.\n";
    for (const loop_report& report : result_.loops) {
      text += "// " + to_string(report) + "\n";
    }
    return text + "\n";
  }

  region_list list_;
  global_registers globals_;
  planner planner_;
  std::vector<loop_plan> plans_;
  code_layout layout_;
  std::set<std::string> known_;  ///< labels behind
  bool falls_through_ = true;
  compiled_function result_;
};

}  // namespace

std::string to_string(const loop_report& report) {
  std::string text = std::format("loop {}: {} operations, ", report.name, report.operations);
  if (!report.pipelined) {
    return text + std::format("{} cycles an iteration, not pipelined{}{}", report.interval,
                              report.obstacle.empty() ? "" : ": ", report.obstacle);
  }
  text += std::format("a new iteration every {} cycles, {} in flight, {} a pass; bounds:", report.interval,
                      report.stages, report.copies);
  for (std::size_t i = 0; i < std::min<std::size_t>(report.bounds.size(), 6); ++i) {
    text += std::format("{} {} {}", i == 0 ? "" : ",", report.bounds[i].cycles, report.bounds[i].reason);
  }
  return text;
}

compiled_function compile(const function& f, const compile_options& options) { return compiler(f, options).run(); }

}  // namespace npurt::codegen
