// SPDX-License-Identifier: Apache-2.0
// Host time of recorded operations against calls one by one, and against the naive way. The device completes commands
// unexecuted and at once, so that a wait finds the command's packet in its last state and asks the driver nothing.
#include <xrt/experimental/xrt_kernel.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <npurt/npurt.hpp>
#include <utility>
#include <vector>

#include "bench/subjects.hpp"
#include "bench/support/counted.hpp"
#include "runtime/overlay/linear_code.hpp"

namespace npurt::bench {
namespace {

using bf16 = std::bfloat16_t;

constexpr std::size_t operations = 20;
constexpr std::size_t rows = 256, columns = 512;
constexpr std::size_t bytes = rows * columns * sizeof(bf16);

constexpr auto deadline = std::chrono::seconds(10);

sequence record(device& target) {
  sequence s(target);
  sequence_tensor t = s.input("x", rows, columns);
  for (std::size_t i = 0; i < operations; ++i) t = s.relu(t);
  s.output("y", t);
  s.compile();
  return s;
}

const std::vector<std::uint32_t>& relu_code() {
  const auto& relu = detail::overlay::linear_of(detail::overlay::operation::relu_bf16);
  static const auto made = detail::overlay::linear_code(relu, relu.pairs_of(bytes));
  return made;
}

/// XRT by hand.
class by_hand {
 public:
  explicit by_hand(const op_report& report)
      : context_(device_, device_.register_xclbin(xrt::xclbin(report.xclbin))), kernel_(context_, report.kernel) {
    for (auto& each : codes_) each = make_code();
    for (auto& each : tensors_) each = make_tensor();
    for (std::size_t i = 0; i < operations; ++i) list_.add(make_run(codes_[i], tensors_[i], tensors_[i + 1]));
  }

  /// The runs of a list that was made before.
  void replay() {
    list_.execute();
    list_.wait(deadline);
  }

  /// A relu as programs begin: everything made for the call.
  void naive_relu(const bf16* x, bf16* y) {
    const xrt::bo code = make_code();
    xrt::bo in = make_tensor(), out = make_tensor();
    std::memcpy(in.map(), x, bytes);
    in.sync(XCL_BO_SYNC_BO_TO_DEVICE);
    xrt::run run = make_run(code, in, out);
    run.start();
    run.wait2(deadline);
    out.sync(XCL_BO_SYNC_BO_FROM_DEVICE);
    std::memcpy(y, out.map(), bytes);
  }

 private:
  xrt::bo make_code() {
    const std::size_t size = relu_code().size() * sizeof(std::uint32_t);
    xrt::bo made(device_, size, xrt::bo::flags::cacheable, kernel_.group_id(1));
    std::memcpy(made.map(), relu_code().data(), size);
    made.sync(XCL_BO_SYNC_BO_TO_DEVICE);
    return made;
  }
  xrt::bo make_tensor() { return xrt::bo(device_, bytes, xrt::bo::flags::host_only, kernel_.group_id(3)); }
  xrt::run make_run(const xrt::bo& code, const xrt::bo& in, const xrt::bo& out) {
    xrt::run made(kernel_);
    made.set_arg(0, std::uint64_t{3});
    made.set_arg(1, code);
    made.set_arg(2, static_cast<std::uint32_t>(relu_code().size()));
    made.set_arg(3, in);
    made.set_arg(4, out);
    return made;
  }

  xrt::device device_{0};
  xrt::hw_context context_;
  xrt::kernel kernel_;
  std::array<xrt::bo, operations> codes_;
  std::array<xrt::bo, operations + 1> tensors_;
  xrt::runlist list_{context_};
};

/// All sides of the comparison, set up.
struct sides {
  std::vector<bf16> x = std::vector<bf16>(rows * columns, bf16(1));
  std::vector<bf16> y = x;
  npurt::device device;
  sequence recorded = record(device);
  elementwise_plan plan{device, elementwise::relu, rows* columns};
  hw_context context{device, xclbin(recorded.report().xclbin)};
  npurt::kernel kernel{context, recorded.report().kernel};
  buffer<bf16> in{kernel, rows* columns}, out{kernel, rows* columns};
  npurt::run run{kernel, relu_code(), in, out};
  by_hand xrt{recorded.report()};

  matrix_view<const bf16> x_view() const { return {x, rows, columns}; }
  matrix_view<bf16> y_view() { return {y, rows, columns}; }
};

using call = void(sides&);

/// Every iteration is a whole chain of `operations`.
void replayed(sides& s) { s.recorded.run(); }
void replayed_with_copies(sides& s) {
  s.recorded.write("x", s.x_view());
  s.recorded.run();
  s.recorded.read("y", s.y_view());
}
void planned(sides& s) {
  for (std::size_t i = 0; i < operations; ++i) s.plan(s.x_view(), s.y_view());
}
void launched(sides& s) {
  for (std::size_t i = 0; i < operations; ++i) {
    s.run.start();
    s.run.wait(deadline);
  }
}
void listed(sides& s) { s.xrt.replay(); }
void naively(sides& s) {
  for (std::size_t i = 0; i < operations; ++i) s.xrt.naive_relu(s.x.data(), s.y.data());
}

void repeat(benchmark::State& state, sides& s, call* what) {
  const calls_counted before = calls_so_far();
  for (auto _ : state) what(s);
  const calls_counted after = calls_so_far();
  const auto each = static_cast<double>(state.iterations() * operations);
  state.counters["allocations"] = static_cast<double>(after.allocations - before.allocations) / each;
  state.counters["ioctls"] = static_cast<double>(after.ioctls - before.ioctls) / each;
}

/// Times of one operation instead of a chain.
std::vector<double> of_one(std::vector<double> chain) {
  for (double& each : chain) each /= operations;
  return chain;
}

std::vector<row> measure_sequence(const effort& how) {
  sides s;
  const std::array<std::pair<const char*, call*>, 6> calls = {{{"sequence", replayed},
                                                               {"copies", replayed_with_copies},
                                                               {"plan", planned},
                                                               {"run", launched},
                                                               {"list", listed},
                                                               {"naive", naively}}};
  std::vector<side> compared;
  for (const auto& [name, what] : calls) {
    what(s);  // what only the first call makes is not part of a call
    compared.push_back({.name = name, .body = [&s, what](benchmark::State& state) { repeat(state, s, what); }});
  }
  const auto found = measure(compared, how);
  const auto ns = [&](std::size_t side) { return of_one(found[side].cpu_ns); };
  const char* const unit = "ns per operation, completed at once";
  std::vector<row> made = {
      compare("sequence-20-ops", unit, ns(1), ns(2), "calls of a plan, copies in and out on both sides; goal 0.33"),
      compare("sequence-20-ops-launch", unit, ns(0), ns(3), "npurt::run, start and wait, nothing else on both sides"),
      compare("sequence-20-ops-xrt", unit, ns(0), ns(4), "the same xrt::runlist by hand"),
      compare("sequence-20-ops-naive", unit, ns(1), ns(5), "XRT by hand, buffers and run made for each")};
  made.front().goal = goal{.is = goal::side::at_most, .ratio = 1.0 / 3};
  for (const std::string what : {"allocations", "ioctls"}) {
    made.push_back(compare("sequence-20-ops-" + what, what + " per operation", found[0].counters.at(what),
                           found[4].counters.at(what), "the same xrt::runlist by hand"));
  }
  return made;
}

}  // namespace

std::vector<subject> sequence_subjects() {
  return {{.names = {"sequence-20-ops", "sequence-20-ops-launch", "sequence-20-ops-xrt", "sequence-20-ops-naive",
                     "sequence-20-ops-allocations", "sequence-20-ops-ioctls"},
           .measure = measure_sequence}};
}

}  // namespace npurt::bench
