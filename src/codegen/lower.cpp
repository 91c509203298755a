// SPDX-License-Identifier: Apache-2.0
// Blocks and loops to regions: loop set-up, counters, guards for trip counts that are known only at run time.
#include <algorithm>
#include <cctype>
#include <format>
#include <initializer_list>
#include <map>

#include "codegen/error.hpp"
#include "codegen/region.hpp"

namespace npurt::codegen {
namespace {

const isa::instruction* row(std::string_view name) { return isa::find_instruction(name); }

operand use_value(value_id v) { return {.kind = operand::type::value, .value = v, .leaves = 1}; }
operand use_register(std::string_view name) {
  return {.kind = operand::type::physical, .reg = *isa::find_register(name)};
}
operand use_immediate(std::int32_t i) { return {.immediate = i}; }
operand use_label(std::string label) { return {.kind = operand::type::label, .label = std::move(label)}; }
operand use_parameter(std::size_t loop, loop_parameter p) {
  return {.kind = operand::type::parameter, .parameter = p, .loop = loop};
}

operation make(std::initializer_list<std::string_view> names, std::vector<operand> operands, std::string note) {
  operation op{.ways = {}, .operands = std::move(operands), .note = std::move(note)};
  for (const auto name : names) {
    op.ways.push_back(row(name));
  }
  return op;
}

class lowering {
 public:
  lowering(const function& f, bool pipeline) : f_(f), pipeline_(pipeline) {
    out_.name = f.name;
    out_.values = f.values;
  }

  region_list run() {
    for (const node& n : f_.body) {
      add(n);
    }
    current().branch = make({"RET"}, {}, "return");
    current().falls_through = false;
    check_definitions(out_);
    while (drop_unread(out_)) {
    }
    return std::move(out_);
  }

 private:
  /// The block that is being filled; a new one behind a loop or a branch.
  region& current() {
    auto& all = out_.regions;
    if (all.empty() || all.back().loop || all.back().branch) {
      all.emplace_back();
    }
    return all.back();
  }
  void emit(operation op) { current().ops.push_back(std::move(op)); }

  void start(std::string label) { out_.regions.emplace_back().label = std::move(label); }

  value_id scalar(const std::string& name) {
    out_.values.push_back({name, register_kind::r, false, std::nullopt});
    return static_cast<value_id>(out_.values.size() - 1);
  }

  void add(const node& n) {
    if (const auto* ops = std::get_if<block>(&n)) {
      auto& to = current().ops;
      to.insert(to.end(), ops->begin(), ops->end());
      return;
    }
    const loop& l = *std::get<std::unique_ptr<loop>>(n);
    if (l.is_condition) {
      add_condition(l);
      return;
    }
    if (l.is_repeat) {
      add_repeat(l);
      return;
    }
    const bool innermost = l.body.size() == 1 && std::holds_alternative<block>(l.body[0]);
    if (l.trips == 0u || l.body.empty()) {
      return;
    }
    if (!innermost) {
      add_outer(l);
    } else if (l.trips) {
      add_counted(l);
    } else if (l.end != loop_end::exact) {
      add_overrunning(l);
    } else {
      add_guarded(l);
    }
  }

  std::string label(const std::string& name, std::string_view what) const {
    std::string text = ".L" + out_.name + "." + name;
    std::ranges::replace_if(
        text, [](char c) { return c != '.' && std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
    return std::format("{}_{}{}", text, labels_, what);
  }

  void add_condition(const loop& l) {
    if (l.body.empty()) {
      return;
    }
    ++labels_;
    const std::string end = label(l.name, "_skip");
    current().branch = make({"JZ"}, {use_value(l.trip_value), use_label(end)}, "not " + l.name);
    const std::size_t first = out_.regions.size();
    for (const node& n : l.body) {
      add(n);
    }
    out_.conditions.push_back({first, out_.regions.size() - 1});
    start(end);
  }

  void add_repeat(const loop& l) {
    ++labels_;
    const std::string top = label(l.name, "");
    start(top);
    const std::size_t first = out_.regions.size() - 1;
    for (const node& n : l.body) {
      add(n);
    }
    current().branch = make({"JNZ"}, {use_value(l.trip_value), use_label(top)}, l.name + " again");
    out_.loops.push_back({first, out_.regions.size() - 1});
    start(label(l.name, "_end"));
  }

  /// A loop around other loops: a counter in a register.
  void add_outer(const loop& l) {
    ++labels_;
    const std::string top = label(l.name, ""), end = label(l.name, "_skip");
    const value_id counter = scalar(l.name + " left");
    out_.values[counter].is_variable = true;
    if (l.trips) {
      emit(make({"MOVXM_lng_cg"}, {use_value(counter), use_immediate(static_cast<std::int32_t>(*l.trips))},
                l.name + " count"));
    } else {
      emit(make({"MOV_mv_scl"}, {use_value(counter), use_value(l.trip_value)}, l.name + " count"));
      current().branch = make({"JZ"}, {use_value(counter), use_label(end)}, "no " + l.name);
    }
    start(top);
    const std::size_t first = out_.regions.size() - 1;
    for (const node& n : l.body) {
      add(n);
    }
    emit(make({"ADD_add_r_ri"}, {use_value(counter), use_value(counter), use_immediate(-1)}, l.name + " done"));
    current().branch = make({"JNZ"}, {use_value(counter), use_label(top)}, "next " + l.name);
    out_.loops.push_back({first, out_.regions.size() - 1});
    start(end);
  }

  void set_up(const loop_form& form, operation count) {
    for (operation op :
         {make({"MOVXM_lng_cg"}, {use_register("LS"), use_label(form.first_label)}, form.name + " start"),
          make({"MOVXM_lng_cg"}, {use_register("LE"), use_label(form.last_label)}, form.name + " end"),
          std::move(count)}) {
      op.sets_up = form.loop;
      emit(std::move(op));
    }
  }

  loop_form new_form(const loop& l, std::size_t number, bool pipelined) {
    ++labels_;
    return {number, l.name, pipelined, l.end, l.trips, label(l.name, ""), label(l.name, "_last")};
  }

  void add_loop_region(loop_form form, std::vector<operation> body) {
    region r;
    r.ops = std::move(body);
    r.loop = std::move(form);
    out_.regions.push_back(std::move(r));
    out_.loops.push_back({out_.regions.size() - 1, out_.regions.size() - 1});
  }

  void add_counted(const loop& l) {
    const loop_form form = new_form(l, out_.innermost++, pipeline_ && l.end != loop_end::plain);
    set_up(form, make({"MOVA_lda_cg", "MOVX_alu_cg", "MOVXM_lng_cg"},
                      {use_register("LC"), use_parameter(form.loop, loop_parameter::passes)}, l.name + " passes"));
    add_loop_region(form, std::get<block>(l.body[0]));
  }

  /// n iterations, n in a register, as many passes of the repeated code.
  void add_overrunning(const loop& l) {
    const loop_form form = new_form(l, out_.innermost++, pipeline_ && l.end != loop_end::plain);
    const std::string end = label(l.name, "_skip");
    set_up(form, make({"MOV_mv_scl"}, {use_register("LC"), use_value(l.trip_value)}, l.name + " passes"));
    current().branch = make({"JZ"}, {use_value(l.trip_value), use_label(end)}, "no " + l.name);
    add_loop_region(form, std::get<block>(l.body[0]));
    start(end);
  }

  /// n iterations, n in a register: what the pipelined form cannot take (all of them if they are fewer than its ramp
  /// and one pass) goes through a plain loop first.
  void add_guarded(const loop& l) {
    const loop_form plain = new_form(l, out_.innermost++, false);
    const loop_form fast = new_form(l, out_.innermost++, pipeline_);
    const std::string no_rest = label(l.name, "_whole"), end = label(l.name, "_skip");
    const value_id passes = scalar(l.name + " passes"), rest = scalar(l.name + " rest");
    split_trips(l, fast.loop, passes, rest);
    set_up(plain, make({"MOV_mv_scl"}, {use_register("LC"), use_value(rest)}, l.name + " rest"));
    current().branch = make({"JZ"}, {use_value(rest), use_label(no_rest)}, "no rest");
    add_loop_region(plain, copy_of(std::get<block>(l.body[0])));
    start(no_rest);
    set_up(fast, make({"MOV_mv_scl"}, {use_register("LC"), use_value(passes)}, l.name + " passes"));
    current().branch = make({"JZ"}, {use_value(passes), use_label(end)}, "no pass");
    add_loop_region(fast, std::get<block>(l.body[0]));
    start(end);
  }

  void split_trips(const loop& l, std::size_t number, value_id passes, value_id rest) {
    const value_id n = l.trip_value;
    const auto constant = [&](const std::string& name, operand what) {
      const value_id v = scalar(name);
      emit(make({"MOVA_lda_cg", "MOVX_alu_cg", "MOV_mv_cg"}, {use_value(v), std::move(what)}, name));
      return v;
    };
    const auto binary = [&](std::string_view name, const std::string& note, value_id a, value_id b) {
      const value_id v = scalar(note);
      emit(make({name}, {use_value(v), use_value(a), use_value(b)}, note));
      return v;
    };
    const auto parameter = [&](loop_parameter p) { return use_parameter(number, p); };
    const value_id few = binary("LT", "too few", n, constant("least trips", parameter(loop_parameter::least_trips)));
    const value_id ready = binary("ADD", "behind the ramp", n, constant("ramp", parameter(loop_parameter::minus_ramp)));
    const value_id whole =
        binary("LSHL", "whole passes", ready, constant("log2 unroll", parameter(loop_parameter::minus_log2_unroll)));
    const value_id over =
        binary("AND", "over whole passes", ready, constant("unroll mask", parameter(loop_parameter::unroll_mask)));
    const value_id zero = constant("zero", use_immediate(0));
    emit(make({"SELNEZ"}, {use_value(passes), use_value(zero), use_value(whole), use_value(few)}, l.name + " passes"));
    emit(make({"SELNEZ"}, {use_value(rest), use_value(n), use_value(over), use_value(few)}, l.name + " rest"));
  }

  /// The body again with values of its own.
  std::vector<operation> copy_of(const block& body) {
    std::map<value_id, value_id> renamed;
    const auto copies = [&](std::vector<operation>& ops, auto visit) {
      for (operation& op : ops) {
        for (std::size_t i = 0; i < op.operands.size(); ++i) {
          if (op.operands[i].kind == operand::type::value) {
            visit(op, i);
          }
        }
      }
    };
    std::vector<operation> ops = body;
    copies(ops, [&](operation& op, std::size_t i) {
      const value_id v = op.operands[i].value;
      if (op.ways[0]->operands[i].role == isa::operand_role::def && !out_.values[v].is_variable &&
          !renamed.contains(v)) {
        out_.values.push_back(out_.values[v]);
        renamed[v] = static_cast<value_id>(out_.values.size() - 1);
      }
    });
    copies(ops, [&](operation& op, std::size_t i) {
      const auto found = renamed.find(op.operands[i].value);
      if (found != renamed.end()) {
        op.operands[i].value = found->second;
      }
    });
    return ops;
  }

  const function& f_;
  bool pipeline_;
  region_list out_;
  unsigned labels_ = 0;
};

}  // namespace

region_list lower(const function& f, bool pipeline) { return lowering(f, pipeline).run(); }

}  // namespace npurt::codegen
