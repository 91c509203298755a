// SPDX-License-Identifier: Apache-2.0
// Putting regions behind each other, and writing them as text.
#include "codegen/layout.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <format>

namespace npurt::codegen {
namespace {

/// No instruction reads, writes or occupies anything later than this many cycles after its issue (st.s8: E11).
constexpr int pipeline_depth = 16;

struct register_access {
  isa::reg_id leaf;
  bool is_def;
  operand_time time;
};

std::vector<register_access> accesses_of(const placed& p) {
  std::vector<register_access> all;
  const auto& row = *p.insn.row;
  const auto add = [&](isa::reg_id reg, bool is_def, operand_time time) {
    for (const isa::reg_id leaf : leaves(reg)) {
      all.push_back({leaf, is_def, time});
    }
  };
  for (std::size_t i = 0; i < row.operands.size(); ++i) {
    if (row.operands[i].kind == isa::operand_kind::reg) {
      add(static_cast<isa::reg_id>(p.insn.values[i]), row.operands[i].role == isa::operand_role::def,
          {isa::operand_cycle(p.insn, i), isa::operand_bypass(p.insn, i)});
    }
  }
  for (const auto& implicit : row.implicit) {
    if (implicit.role == isa::operand_role::use) {  // flags that gather need no order
      add(implicit.reg, false, {implicit.cycle, 0});
    }
  }
  return all;
}

int distance_needed(const register_access& first, const register_access& second) {
  if (first.is_def) {
    return second.is_def ? write_after_write(first.time, second.time) : read_after_write(first.time, second.time);
  }
  return second.is_def ? write_after_read(first.time, second.time) : -pipeline_depth;
}

bool registers_allow(const placed& first, const placed& second, int distance) {
  const auto before = accesses_of(first), after = accesses_of(second);
  return std::ranges::all_of(before, [&](const register_access& a) {
    return std::ranges::all_of(
        after, [&](const register_access& b) { return a.leaf != b.leaf || distance >= distance_needed(a, b); });
  });
}

bool memory_allows(const placed& first, const placed& second, int distance) {
  const auto needed = memory_distance(first.order, memory_of(first.insn, first.order), second.order,
                                      memory_of(second.insn, second.order));
  return !may_meet(first.order, first.alias, second.order, second.alias) || !needed || distance >= *needed;
}

bool units_allow(const placed& first, const placed& second, int distance) {
  const auto before = resource_uses(first.insn, first.banks), after = resource_uses(second.insn, second.banks);
  return std::ranges::none_of(before, [&](const resource_use& a) {
    return std::ranges::any_of(after, [&](const resource_use& b) {
      return a.what == b.what && (a.take || b.take) && a.offset == distance + b.offset;
    });
  });
}

std::vector<placed> moved(std::vector<placed> code, int by) {
  for (placed& p : code) {
    p.cycle += by;
  }
  return code;
}

/// "add $mRx, $mRx0, $mRy" with the operands in place.
std::string instruction_text(const placed& p) {
  const auto& row = *p.insn.row;
  std::string text;
  for (std::size_t at = 0; at < row.syntax.size();) {
    if (row.syntax[at] != '$') {
      text += row.syntax[at++];
      continue;
    }
    std::size_t end = at + 1;
    while (end < row.syntax.size() &&
           (std::isalnum(static_cast<unsigned char>(row.syntax[end])) != 0 || row.syntax[end] == '_')) {
      ++end;
    }
    const auto name = row.syntax.substr(at + 1, end - at - 1);
    const auto found = std::ranges::find(row.operands, name, &isa::operand::name);
    const auto value = p.insn.values[static_cast<std::size_t>(found - row.operands.begin())];
    if (found->kind == isa::operand_kind::reg) {
      text += isa::registers()[static_cast<std::size_t>(value)].asm_name;
    } else {
      text += '#' + (p.label.empty() ? std::to_string(value) : p.label);
    }
    at = end;
  }
  return text;
}

bool writes_loop_register(const placed& p) {
  static const std::array<isa::reg_id, 3> loop{*isa::find_register("LS"), *isa::find_register("LE"),
                                               *isa::find_register("LC")};
  return std::ranges::any_of(accesses_of(p), [](const register_access& a) {
    return a.is_def && std::ranges::find(loop, a.leaf) != loop.end();
  });
}

}  // namespace

bool may_follow(const placed& first, const placed& second, int distance) {
  return distance >= pipeline_depth || (registers_allow(first, second, distance) &&
                                        memory_allows(first, second, distance) && units_allow(first, second, distance));
}

int code_layout::wait_between(const tail& before, const std::vector<placed>& after) {
  int wait = 0;
  for (const placed& b : before) {
    for (const placed& a : after) {
      while (!may_follow(b, a, wait + a.cycle - b.cycle)) {
        ++wait;
      }
    }
  }
  // A longer wait may bring two claims of one unit together again.
  for (bool settled = false; !settled;) {
    settled = std::ranges::all_of(before, [&](const placed& b) {
      return std::ranges::all_of(after, [&](const placed& a) { return may_follow(b, a, wait + a.cycle - b.cycle); });
    });
    wait += settled ? 0 : 1;
  }
  return wait;
}

code_layout::tail code_layout::last_bundles() const {
  tail last;
  for (const placed& p : code_) {
    if (p.cycle >= end_ - pipeline_depth) {
      last.push_back(p);
    }
  }
  for (const placed& p : repeated_) {
    if (p.cycle + repeated_end_ >= end_ - pipeline_depth) {
      last.push_back(p);
      last.back().cycle += repeated_end_;
    }
  }
  return moved(std::move(last), -end_);
}

void code_layout::append(std::vector<placed> code, int length, const std::string& label, bool falls_through,
                         int loop_start, int loop_end) {
  std::vector<placed> head;
  std::ranges::copy_if(code, std::back_inserter(head), [](const placed& p) { return p.cycle < pipeline_depth; });
  if (falls_through) {
    end_ += wait_between(last_bundles(), head);
  }
  if (!label.empty()) {
    labels_[label] = end_;
    int wait = 0;
    for (const tail& from : arrivals_[label]) {
      wait = std::max(wait, wait_between(from, head));
    }
    end_ += wait;
  }
  const int start = end_;
  for (placed& p : code) {
    p.cycle += start;
    code_.push_back(std::move(p));
  }
  end_ += length;
  if (loop_end > loop_start) {
    repeated_.clear();
    repeated_end_ = start + loop_end;
    for (const placed& p : code_) {
      for (int pass = 1; p.cycle >= start + loop_start && p.cycle < start + loop_end &&
                         p.cycle - repeated_end_ - pass * (loop_end - loop_start) >= -pipeline_depth;
           ++pass) {
        repeated_.push_back(p);
        repeated_.back().cycle += -repeated_end_ - pass * (loop_end - loop_start);
      }
    }
  }
}

void code_layout::branches_to(const std::string& label) { arrivals_[label].push_back(last_bundles()); }

int code_layout::wait_before_return(const std::string& label, const std::vector<placed>& last, int length) const {
  const int target = labels_.at(label);
  std::vector<placed> head;
  for (const placed& p : code_) {
    if (p.cycle >= target && p.cycle < target + pipeline_depth) {
      head.push_back(p);
      head.back().cycle -= target;
    }
  }
  tail before = moved(last_bundles(), -length);
  for (const placed& p : last) {
    before.push_back(p);
    before.back().cycle -= length;
    if (p.cycle + end_ - target < pipeline_depth) {
      head.push_back(p);
      head.back().cycle += end_ - target;
    }
  }
  return wait_between(before, head);
}

int code_layout::distance_to_loop_setup(int at) const {
  int last = at - 1000;
  for (const placed& p : code_) {
    if (p.cycle > last && writes_loop_register(p)) {
      last = p.cycle;
    }
  }
  return at - last;
}

std::string code_layout::text(const std::string& name) const {
  std::vector<std::string> bundles(static_cast<std::size_t>(end_)), notes(bundles.size());
  std::vector<const placed*> order;
  for (const placed& p : code_) {
    order.push_back(&p);
  }
  std::ranges::stable_sort(order, {}, [](const placed* p) { return std::pair(p->cycle, p->insn.row->where); });
  for (const placed* p : order) {
    auto& bundle = bundles[static_cast<std::size_t>(p->cycle)];
    auto& note = notes[static_cast<std::size_t>(p->cycle)];
    bundle += (bundle.empty() ? "" : " ; ") + instruction_text(*p);
    note += (note.empty() || p->note.empty() ? "" : "; ") + p->note;
  }
  std::multimap<int, std::string> at;
  for (const auto& [label, bundle] : labels_) {
    at.emplace(bundle, label);
  }
  std::string text = std::format("    .globl {0}\n{0}:\n", name);
  for (int i = 0; i < end_; ++i) {
    for (auto [label, last] = at.equal_range(i); label != last; ++label) {
      text += label->second + ":\n";
    }
    const auto& bundle = bundles[static_cast<std::size_t>(i)];
    const auto& note = notes[static_cast<std::size_t>(i)];
    text += "    " + (bundle.empty() ? "nop" : bundle);
    text += note.empty() ? "\n" : std::format("{:>{}}// {}\n", "", bundle.size() < 100 ? 100 - bundle.size() : 1, note);
  }
  return text;
}

}  // namespace npurt::codegen
