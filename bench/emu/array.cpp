// SPDX-License-Identifier: Apache-2.0
// Whole matmuls through the real XRT on the emulated device: how fast it emulates, and what its model says.
#include <cstdint>
#include <npurt/emulator.hpp>
#include <npurt/npurt.hpp>
#include <stdexcept>
#include <vector>

#include "bench/emu/reference.hpp"
#include "bench/subjects.hpp"

namespace npurt::bench {
namespace {

/// A plan with operands; a call gives the model's figures of it.
class emulated_matmul {
 public:
  explicit emulated_matmul(std::size_t extent)
      : extent_(extent),
        a_(extent * extent, 1),
        b_(extent * extent, -2),
        c_(extent * extent),
        plan_(device_, {.m = extent, .n = extent, .k = extent}) {}

  emulator::command_figures operator()() {
    plan_(matrix_view<const std::int8_t>(a_, extent_, extent_), matrix_view<const std::int8_t>(b_, extent_, extent_),
          matrix_view<std::int32_t>(c_, extent_, extent_));
    const auto figures = emulator::last_command();
    if (!figures) throw std::runtime_error("the emulator gives no figures of the last command");
    return *figures;
  }

  double macs() const { return static_cast<double>(extent_ * extent_ * extent_); }

 private:
  std::size_t extent_;
  std::vector<std::int8_t> a_, b_;
  std::vector<std::int32_t> c_;
  device device_;
  matmul_plan plan_;
};

row modelled(const std::string& name, double macs, const emulator::command_figures& figures) {
  const double value = macs / static_cast<double>(figures.cycles);
  return {.name = name,
          .value = value,
          .unit = "MAC/cycle, sixteen cores",
          .against = 16 * peak_macs_per_cycle,
          .reference = "peak of sixteen cores",
          .ratio = value / (16 * peak_macs_per_cycle),
          .model = emulator::time_model()};
}

std::vector<row> measure_array(const effort& how) {
  emulated_matmul matmul(256);
  matmul();  // loads the PDI, which later calls find loaded
  emulator::command_figures last;
  const auto body = [&](benchmark::State& state) {
    double cycles = 0;
    for (auto _ : state) {
      last = matmul();
      cycles += static_cast<double>(last.cycles);
    }
    state.counters["cycles"] = cycles / static_cast<double>(state.iterations());
  };
  // The emulator executes on threads of its own: their CPU times are added up.
  const figures result =
      measure({{.name = "array", .body = body, .whole_process = true, .iterations = 1}}, how).front();
  const auto speed =
      pairwise(result.counters.at("cycles"), result.cpu_ns, [](double cycles, double ns) { return cycles / ns * 1e9; });
  return {compare("array-speed", "cycles/CPU s, all threads", speed, reference_cycles_per_second, reference_name),
          modelled("matmul-i8-256", matmul.macs(), last)};
}

}  // namespace

std::vector<subject> array_subjects() {
  return {{.names = {"array-speed", "matmul-i8-256"}, .measure = measure_array}};
}

}  // namespace npurt::bench
