// SPDX-License-Identifier: Apache-2.0
// What a typed call costs on top of XRT: time, allocations, ioctls.
#include <chrono>
#include <cstdint>
#include <npurt/npurt.hpp>
#include <vector>

#include "bench/runtime/xrt_matmul.hpp"
#include "bench/subjects.hpp"
#include "bench/support/counted.hpp"
#include "runtime/overlay/matmul_code.hpp"

namespace npurt::bench {
namespace {

constexpr std::size_t extent = 256;

/// The largest time that a call may add, in ns.
constexpr double goal_added_ns = 1000;

constexpr auto deadline = std::chrono::seconds(10);

/// Both sides of every comparison, set up.
struct both_sides {
  std::vector<std::int8_t> a = std::vector<std::int8_t>(extent * extent, 1);
  std::vector<std::int8_t> b = std::vector<std::int8_t>(extent * extent, -2);
  std::vector<std::int32_t> c = std::vector<std::int32_t>(extent * extent);
  matrix_view<const std::int8_t> a_view{a, extent, extent};
  matrix_view<const std::int8_t> b_view{b, extent, extent};
  matrix_view<std::int32_t> c_view{c, extent, extent};

  npurt::device device;
  matmul_plan plan{device, {.m = extent, .n = extent, .k = extent}};
  std::vector<std::uint32_t> code =
      detail::overlay::matmul_code(detail::overlay::padded({.m = extent, .n = extent, .k = extent}));
  xrt_matmul by_hand{plan.report().xclbin, plan.report().kernel, extent, code};

  hw_context context{device, xclbin(plan.report().xclbin)};
  npurt::kernel kernel{context, plan.report().kernel};
  buffer<std::int8_t> a_buffer{kernel, extent* extent};
  buffer<std::int8_t> b_buffer{kernel, extent* extent};
  buffer<std::int32_t> c_buffer{kernel, extent* extent};
  npurt::run run{kernel, code, a_buffer, b_buffer, c_buffer};
};

/// Calls until there is enough; what each call asked of allocator and kernel goes with the times.
template <class Call>
void repeat(benchmark::State& state, Call&& call) {
  const calls_counted before = calls_so_far();
  for (auto _ : state) call();
  const calls_counted after = calls_so_far();
  const auto calls = static_cast<double>(state.iterations());
  state.counters["allocations"] = static_cast<double>(after.allocations - before.allocations) / calls;
  state.counters["ioctls"] = static_cast<double>(after.ioctls - before.ioctls) / calls;
}

using call = void(both_sides&);

void by_plan(both_sides& s) { s.plan(s.a_view, s.b_view, s.c_view); }
void by_function(both_sides& s) { matmul(s.device, s.a_view, s.b_view, s.c_view); }
void by_hand(both_sides& s) { s.by_hand(s.a.data(), s.b.data(), s.c.data()); }
void run_by_npurt(both_sides& s) {
  s.run.start();
  s.run.wait(deadline);
}
void run_by_hand(both_sides& s) { s.by_hand.start_and_wait(); }

row added(const std::string& name, const figures& npurt, const figures& xrt) {
  const auto extra = pairwise(npurt.cpu_ns, xrt.cpu_ns, [](double a, double b) { return a - b; });
  row made = compare(name + "-added", "ns added per call", extra, goal_added_ns, "goal: at most");
  made.goal = goal{.is = goal::side::at_most};
  return made;
}

std::vector<row> compare_calls(const std::string& name, call* npurt_call, call* xrt_call, const effort& how) {
  both_sides sides;
  npurt_call(sides);  // what only the first call makes is not part of a call
  xrt_call(sides);
  const auto of = [&](call* which) {
    return [&sides, which](benchmark::State& state) { repeat(state, [&] { which(sides); }); };
  };
  const auto result = measure({{.name = "npurt", .body = of(npurt_call)}, {.name = "xrt", .body = of(xrt_call)}}, how);
  const figures &npurt = result[0], &xrt = result[1];
  std::vector<row> rows = {compare(name, "ns per call", npurt.cpu_ns, xrt.cpu_ns, "hand-written XRT"),
                           added(name, npurt, xrt)};
  for (const std::string what : {"allocations", "ioctls"}) {
    rows.push_back(compare(name + "-" + what, what + " per call", npurt.counters.at(what), xrt.counters.at(what),
                           "hand-written XRT"));
  }
  return rows;
}

subject make_subject(const std::string& name, call* npurt_call, call* xrt_call) {
  return {.names = {name, name + "-added", name + "-allocations", name + "-ioctls"},
          .measure = [=](const effort& how) { return compare_calls(name, npurt_call, xrt_call, how); }};
}

}  // namespace

std::vector<subject> call_subjects() {
  return {make_subject("call-matmul-i8-256", by_plan, by_hand),
          make_subject("call-matmul-i8-256-free", by_function, by_hand),
          make_subject("call-run", run_by_npurt, run_by_hand)};
}

}  // namespace npurt::bench
