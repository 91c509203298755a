// SPDX-License-Identifier: Apache-2.0
// npurt::gelu_i8 against values that were computed by hand and in double, on the emulated NPU.
#include "npurt/ops/gelu_i8.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "elementwise/reference.hpp"
#include "npurt/npurt.hpp"

using npurt::tensor_view;

namespace {

using int8s = std::vector<std::int8_t>;

int8s random_int8(std::size_t count, std::mt19937& random) {
  std::uniform_int_distribution<int> value(-128, 127);
  int8s all(count);
  std::ranges::generate(all, [&] { return static_cast<std::int8_t>(value(random)); });
  return all;
}

int8s exact(const int8s& x, float input_scale, float output_scale) {
  int8s y;
  for (const std::int8_t value : x) {
    const double steps = npurt::kernels::reference::gelu(double{input_scale} * value) / double{output_scale};
    y.push_back(static_cast<std::int8_t>(std::lrint(std::clamp(steps, -127.0, 127.0))));
  }
  return y;
}

int8s on_device(npurt::device& device, const int8s& x, float input_scale, float output_scale) {
  int8s y(x.size(), 0x5A);
  npurt::gelu_i8(device, tensor_view(x, x.size()), input_scale, tensor_view(y, y.size()), output_scale);
  return y;
}

}  // namespace

TEST_CASE("gelu_i8 is exact at every size", "[ops][elementwise]") {
  npurt::device device;
  std::mt19937 random(1);
  for (const std::size_t size :
       {1,   2,   3,   4,   5,   7,   8,    11,   13,   15,   16,   17,   19,   23,   29,    31,     32,     33,
        37,  41,  43,  47,  53,  59,  61,   63,   64,   65,   67,   71,   73,   79,   83,    89,     97,     127,
        128, 251, 255, 256, 257, 509, 1021, 2039, 4095, 4096, 4097, 8191, 8192, 8193, 65537, 262144, 262147, 600011}) {
    INFO(size << " elements");
    const int8s x = random_int8(size, random);
    CHECK(on_device(device, x, 0.05F, 0.04F) == exact(x, 0.05F, 0.04F));
  }
}

TEST_CASE("gelu_i8 is exact for every scale and value", "[ops][elementwise]") {
  npurt::device device;
  int8s x;
  for (int value = -128; value < 128; ++value) x.push_back(static_cast<std::int8_t>(value));
  for (const float input_scale : {1e-30F, 0.001F, 0.03125F, 0.1F, 1.0F, 1e30F}) {
    for (const float output_scale : {1e-6F, 0.01F, 0.5F, 1e20F}) {
      INFO("scales " << input_scale << " and " << output_scale);
      CHECK(on_device(device, x, input_scale, output_scale) == exact(x, input_scale, output_scale));
    }
  }
  // gelu(1) = 0.8413, gelu(-1) = -0.1587: 84.13 and -15.87 steps of 0.01.
  CHECK(on_device(device, {100, -100, 0}, 0.01F, 0.01F) == int8s{84, -16, 0});
}

TEST_CASE("a gelu_i8 plan is started and waited for, and may write where it reads", "[ops][elementwise]") {
  npurt::device device;
  std::mt19937 random(2);
  int8s x = random_int8(1000, random);
  const int8s wanted = exact(x, 0.02F, 0.02F);
  npurt::gelu_i8_plan plan(device, 1000, 0.02F, 0.02F);
  plan.start(tensor_view(x, 10, 100));
  CHECK(on_device(device, x, 1, 1) == exact(x, 1, 1));
  plan.wait(tensor_view(x, 1000));
  CHECK(x == wanted);
}

TEST_CASE("gelu_i8 refuses what does not fit", "[ops][elementwise]") {
  npurt::device device;
  const int8s x(6);
  int8s y(8);
  CHECK_THROWS_AS(npurt::gelu_i8(device, tensor_view(x, 6), 1, tensor_view(y, 8), 1), npurt::shape_error);
  CHECK_THROWS_AS(npurt::gelu_i8_plan(device, 0, 1, 1), npurt::shape_error);
  for (const float wrong : {0.0F, -1.0F, std::numeric_limits<float>::quiet_NaN()}) {
    CHECK_THROWS_AS(npurt::gelu_i8_plan(device, 6, wrong, 1), npurt::value_error);
    CHECK_THROWS_AS(npurt::gelu_i8_plan(device, 6, 1, wrong), npurt::value_error);
  }
}
