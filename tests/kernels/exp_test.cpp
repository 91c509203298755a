// SPDX-License-Identifier: Apache-2.0
// math::exp_minus against the exponential function in double.
#include "math/exp.hpp"

#include <cmath>
#include <limits>
#include <random>

#include "codegen/bench.hpp"

using namespace npurt;
using namespace npurt::codegen;

namespace {

constexpr std::uint32_t x_at = 0x70000, y_at = 0x7C000;

compiled_function exp_of_an_array() {
  kernel k("exp_of_an_array");
  auto x = k.argument_pointer("x", k.memory("x", {0}));
  auto y = k.argument_pointer("y", k.memory("y", {3}));
  const auto groups = k.argument_scalar("groups");
  k.set_rounding(12);
  kernels::math::exp_minus exp_minus(k);
  k.loop(
      "two groups", groups,
      [&] {
        store(y, exp_minus(load_accum<accum<accfloat, 16>>(x, post(64))), post(64));
        store(y, exp_minus(load_accum<accum<accfloat, 16>>(x, post(64))), post(64));
      },
      loop_end::overrun);
  return k.compile();
}

std::vector<float> exp_minus(const std::vector<float>& x) {
  static const auto built = exp_of_an_array();
  INFO(to_string(built.loops.at(0)));
  std::vector<float> y;
  for (std::size_t from = 0; from < x.size(); from += 2048) {
    test::kernel_bench bench(built.text);
    bench.put(x_at, std::vector<float>(x.begin() + static_cast<std::ptrdiff_t>(from),
                                       x.begin() + static_cast<std::ptrdiff_t>(std::min(from + 2048, x.size()))));
    bench.set("p0", x_at);
    bench.set("p1", y_at);
    bench.set("r0", 64);
    const auto cycles = bench.run();
    CHECK(cycles < 128 * 12 + 150);
    const auto part = bench.get<float>(y_at, std::min<std::size_t>(2048, x.size() - from));
    y.insert(y.end(), part.begin(), part.end());
  }
  return y;
}

}  // namespace

TEST_CASE("exp_minus is within 2^-10 up to 20 and 2^-7 up to 86", "[kernels][math]") {
  std::mt19937 random(1);
  for (const auto& [from, to, bound] :
       {std::tuple{0.0F, 1.0F, 0x1p-10}, {0.0F, 20.0F, 0x1p-10}, {20.0F, 86.0F, 0x1p-7}}) {
    std::uniform_real_distribution<float> any(from, to);
    std::vector<float> x(8192);
    for (float& v : x) v = any(random);
    const auto y = exp_minus(x);
    double worst = 0, squares = 0, sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double error = y[i] / std::exp(-static_cast<double>(x[i])) - 1;
      worst = std::max(worst, std::abs(error));
      squares += error * error;
      sum += error;
    }
    const auto n = static_cast<double>(x.size());
    UNSCOPED_INFO(from << " to " << to << ": worst 2^" << std::log2(worst) << ", rms 2^" << std::log2(squares / n) / 2
                       << ", mean " << sum / n);
    CHECK(worst < bound);
  }
}

TEST_CASE("exp_minus is 1 at 0 and 0 far out, infinity included", "[kernels][math]") {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const auto y = exp_minus({0.0F, -0.0F, 1e-30F, -0.01F, 87.5F, 88.0F, 100.0F, 1000.0F, 1e30F, 3.4e38F, infinity});
  CHECK(std::abs(y[0] - 1) < 0x1p-20);
  CHECK(std::abs(y[1] - 1) < 0x1p-20);
  CHECK(std::abs(y[2] - 1) < 0x1p-16);
  CHECK(std::abs(y[3] - std::exp(0.01)) < 0x1p-12);
  for (std::size_t i = 4; i < y.size(); ++i) {
    CAPTURE(i);
    CHECK(std::bit_cast<std::uint32_t>(y[i]) == 0);
  }
}
