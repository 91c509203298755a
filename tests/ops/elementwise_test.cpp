// SPDX-License-Identifier: Apache-2.0
// gelu, silu, relu, scale, add and copy against double, on the emulated NPU.
#include "npurt/ops/elementwise.hpp"

#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numbers>
#include <random>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "npurt/npurt.hpp"
#include "ops/bf16_check.hpp"
#include "support/refused_dimension.hpp"

using namespace npurt::test;
using npurt::tensor_view;

namespace {

/// 1, primes, both sides of what rows, chunks (4,096 elements) and pairs (131,072) hold, and more than one pair.
const std::vector<std::size_t> sizes{
    1,   2,   3,    5,    7,    11,   13,   17,   19,   23,   29,   31,    32,    33,    37,     41,     43,
    47,  53,  59,   61,   63,   64,   65,   67,   71,   73,   79,   83,    89,    97,    101,    127,    128,
    251, 509, 1021, 1024, 2039, 4093, 4095, 4096, 4097, 8191, 8193, 16381, 32771, 65537, 131071, 131072, 131101};

double gelu(double x) { return x / 2 * std::erfc(-x / std::numbers::sqrt2); }
double silu(double x) { return x / (1 + std::exp(-x)); }

using function = const npurt::op_report& (*)(npurt::device&, const tensor_view<const bf16, 1>&,
                                             const tensor_view<bf16, 1>&);

constexpr function on_npu_gelu = npurt::gelu<tensor_view<const bf16, 1>, tensor_view<bf16, 1>>;
constexpr function on_npu_silu = npurt::silu<tensor_view<const bf16, 1>, tensor_view<bf16, 1>>;
constexpr function on_npu_relu = npurt::relu<tensor_view<const bf16, 1>, tensor_view<bf16, 1>>;

bf16s result_of(npurt::device& device, function f, const bf16s& x) {
  bf16s y = untouched(x.size());
  f(device, tensor_view<const bf16, 1>(x, x.size()), tensor_view<bf16, 1>(y, y.size()));
  return y;
}

void check_accuracy(function f, double (*exact)(double), unsigned seed) {
  npurt::device device;
  std::mt19937 random(seed);
  accuracy all(0x1p-10, 0x1p-18);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const bf16s x = i % 2 == 0 ? uniform_bf16(sizes[i], -12, 12, random) : spread_bf16(sizes[i], -20, 7, random);
    const bf16s y = result_of(device, f, x);
    for (std::size_t j = 0; j < x.size(); ++j) all.add(y[j], exact(npurt::to_float(x[j])));
  }
  all.check();
}

std::vector<bf16> all_bf16() {
  std::vector<bf16> all;
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    const auto value = std::bit_cast<bf16>(static_cast<std::uint16_t>(bits));
    if (!std::isnan(npurt::to_float(value))) all.push_back(value);
  }
  return all;
}

}  // namespace

TEST_CASE("gelu is within its bounds at every size", "[ops][elementwise]") { check_accuracy(on_npu_gelu, gelu, 1); }

TEST_CASE("silu is within its bounds at every size", "[ops][elementwise]") { check_accuracy(on_npu_silu, silu, 2); }

TEST_CASE("relu is exact at every size", "[ops][elementwise]") {
  npurt::device device;
  std::mt19937 random(3);
  for (const std::size_t size : sizes) {
    INFO(size << " elements");
    const bf16s x = spread_bf16(size, -130, 127, random);
    bf16s wanted = x;
    for (bf16& value : wanted) value = npurt::to_float(value) > 0 ? value : std::bit_cast<bf16>(std::uint16_t{0});
    CHECK(same_bits(result_of(device, on_npu_relu, x), wanted));
  }
}

TEST_CASE("scale is the fp32 product rounded to nearest at every size", "[ops][elementwise]") {
  npurt::device device;
  std::mt19937 random(4);
  constexpr std::array factors{1.0F, -0.125F, 3.140625F};  // 16 bits of product: no second rounding
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const float factor = factors[i % factors.size()];
    INFO(sizes[i] << " elements by " << factor);
    const bf16s x = spread_bf16(sizes[i], -60, 60, random);
    bf16s wanted = x, y = untouched(x.size());
    for (bf16& value : wanted) value = npurt::to_bfloat16(npurt::to_float(value) * factor);
    npurt::scale(device, tensor_view(x, x.size()), factor, tensor_view(y, y.size()));
    CHECK(same_bits(y, wanted));
  }
}

TEST_CASE("add is the sum rounded once at every size", "[ops][elementwise]") {
  npurt::device device;
  std::mt19937 random(5);
  for (const std::size_t size : sizes) {
    INFO(size << " elements");
    const bf16s x = spread_bf16(size, -4, 4, random), y = spread_bf16(size, -4, 4, random);
    bf16s wanted = x, sum = untouched(size);
    for (std::size_t i = 0; i < size; ++i)
      wanted[i] = npurt::to_bfloat16(npurt::to_float(x[i]) + npurt::to_float(y[i]));
    npurt::add(device, tensor_view(x, size), tensor_view(y, size), tensor_view(sum, size));
    CHECK(same_bits(sum, wanted));
  }
}

TEST_CASE("copy keeps every byte of every type at every size", "[ops][elementwise]") {
  npurt::device device;
  std::mt19937 random(6);
  std::uniform_int_distribution<unsigned> byte(0, 255);
  for (const std::size_t size : sizes) {
    INFO(size << " elements");
    std::vector<std::uint8_t> x(size), y(size, 0x5A);
    std::ranges::generate(x, [&] { return static_cast<std::uint8_t>(byte(random)); });
    npurt::copy(device, tensor_view(x, size), tensor_view(y, size));
    CHECK(x == y);
  }
  struct rgb {
    std::uint8_t red, green, blue;
    bool operator==(const rgb&) const = default;
  };
  const std::vector<rgb> pixels{{1, 2, 3}, {4, 5, 6}, {7, 8, 9}, {10, 11, 12}};
  std::vector<rgb> copied(4);
  npurt::copy(device, tensor_view(pixels, 2, 2), tensor_view(copied, 2, 2));
  CHECK(pixels == copied);
  const std::vector<double> numbers{1.5, -0.0, 1e300};
  std::vector<double> same(3);
  npurt::copy(device, tensor_view(numbers, 3, 1, 1), tensor_view(same, 3, 1, 1));
  CHECK(numbers == same);
}

TEST_CASE("gelu is within its bounds for every bfloat16", "[ops][elementwise]") {
  npurt::device device;
  const bf16s x = all_bf16();
  const bf16s y = result_of(device, on_npu_gelu, x);
  accuracy all(0x1p-10, 0x1p-18);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double value = npurt::to_float(x[i]);
    if (std::isfinite(value)) all.add(y[i], gelu(value));
  }
  all.check();
}

TEST_CASE("elementwise operations give the same on a second call and after others", "[ops][elementwise]") {
  npurt::device device;
  std::mt19937 random(7);
  const bf16s x = uniform_bf16(10007, -8, 8, random);
  const bf16s first = result_of(device, on_npu_gelu, x);
  CHECK(same_bits(result_of(device, on_npu_gelu, x), first));
  result_of(device, on_npu_silu, x);
  bf16s sum = untouched(x.size());
  npurt::add(device, tensor_view(x, x.size()), tensor_view(first, x.size()), tensor_view(sum, x.size()));
  std::vector<std::uint8_t> bytes(300000, 7), copied(300000);
  npurt::copy(device, tensor_view(bytes, bytes.size()), tensor_view(copied, copied.size()));
  CHECK(same_bits(result_of(device, on_npu_gelu, x), first));
}

TEST_CASE("elementwise operations may write where they read", "[ops][elementwise]") {
  npurt::device device;
  std::mt19937 random(8);
  const bf16s x = uniform_bf16(1000, -3, 3, random);
  bf16s y = x;
  npurt::silu(device, tensor_view(y, 10, 100), tensor_view(y, 10, 100));
  CHECK(same_bits(y, result_of(device, on_npu_silu, x)));
  y = x;
  npurt::add(device, tensor_view(y, 1000), tensor_view(y, 1000), tensor_view(y, 1000));
  bf16s twice = untouched(1000);
  npurt::scale(device, tensor_view(x, 1000), 2, tensor_view(twice, 1000));
  CHECK(same_bits(y, twice));
}

TEST_CASE("elementwise operations name the extent that does not fit", "[ops][elementwise]") {
  npurt::device device;
  const bf16s x(6);
  bf16s y(12);
  CHECK(npurt::test::refused_dimension([&] { npurt::gelu(device, tensor_view(x, 2, 3), tensor_view(y, 4, 3)); }) ==
        "extent 0");
  CHECK(npurt::test::refused_dimension([&] { npurt::gelu(device, tensor_view(x, 2, 3), tensor_view(y, 2, 6)); }) ==
        "extent 1");
  CHECK(npurt::test::refused_dimension(
            [&] { npurt::add(device, tensor_view(x, 6), tensor_view(y, 12), tensor_view(y, 12)); }) == "extent 0");
  CHECK(npurt::test::refused_dimension([&] { npurt::copy(device, tensor_view(x, 6), tensor_view(y, 12)); }) ==
        "extent 0");
  bf16s none;
  CHECK(npurt::test::refused_dimension(
            [&] { npurt::relu(device, tensor_view(none, 0, 3), tensor_view(none, 0, 3)); }) == "size");
  CHECK(npurt::test::refused_dimension([&] { npurt::elementwise_plan(device, npurt::elementwise::gelu, 0); }) ==
        "size");
  CHECK(npurt::test::refused_dimension([&] { npurt::add_plan(device, (std::size_t{1} << 25) + 1); }) == "size");
  CHECK(npurt::test::refused_dimension([&] { npurt::copy_plan(device, npurt::elementwise_max_bytes + 1); }) == "size");
}

TEST_CASE("a plan works while the host does something else", "[ops][elementwise]") {
  npurt::device device;
  std::mt19937 random(9);
  const bf16s x = uniform_bf16(5000, -5, 5, random);
  npurt::elementwise_plan plan(device, npurt::elementwise::gelu, x.size());
  bf16s y = untouched(x.size());
  for (int round = 0; round < 2; ++round) {
    plan.start(tensor_view(x, x.size()));
    const bf16s meanwhile = result_of(device, on_npu_gelu, x);
    plan.wait(tensor_view(y, 50, 100));
    CHECK(same_bits(y, meanwhile));
  }
  CHECK(plan.elements() == 5000);
  CHECK(plan.report().kernel == "overlay");
}

TEST_CASE("a plan has one call in flight", "[ops][elementwise]") {
  npurt::device device;
  const bf16s x(100, npurt::to_bfloat16(1));
  bf16s y(100);
  npurt::elementwise_plan plan(device, npurt::elementwise::relu, 100);
  CHECK_THROWS_AS(plan.wait(tensor_view(y, 100)), npurt::command_error);
  plan.start(tensor_view(x, 100));
  CHECK_THROWS_AS(plan.start(tensor_view(x, 100)), npurt::command_error);
  CHECK_THROWS_AS(plan(tensor_view(x, 100), tensor_view(y, 100)), npurt::command_error);
  plan.wait(tensor_view(y, 100));
  CHECK(same_bits(y, x));
  plan(tensor_view(x, 100), tensor_view(y, 100));
}

TEST_CASE("a wait whose deadline passes can be repeated", "[ops][elementwise]") {
  using namespace std::chrono_literals;
  npurt::device device;
  std::mt19937 random(10);
  const bf16s x = uniform_bf16(std::size_t{1} << 20, -5, 5, random);
  npurt::elementwise_plan plan(device, npurt::elementwise::gelu, x.size());
  bf16s y = untouched(x.size());
  plan.start(tensor_view(x, x.size()));
  CHECK_THROWS_AS(plan.wait(tensor_view(y, y.size()), 1ms), npurt::timeout_error);
  CHECK(same_bits(y, untouched(x.size())));
  plan.wait(tensor_view(y, y.size()));
  CHECK(same_bits(y, result_of(device, on_npu_gelu, x)));
}

TEST_CASE("a plan that was moved from says so", "[ops][elementwise]") {
  npurt::device device;
  npurt::copy_plan plan(device, 4);
  const npurt::copy_plan other(std::move(plan));
  std::array<std::byte, 4> bytes{};
  CHECK_THROWS_AS(plan.start(bytes), npurt::moved_from_error);
  CHECK_THROWS_AS(plan.report(), npurt::moved_from_error);
  CHECK(other.bytes() == 4);
}

TEST_CASE("the report says which overlay a call ran on", "[ops][elementwise]") {
  npurt::device device;
  const bf16s x(4);
  bf16s y(4);
  const npurt::op_report& report = npurt::relu(device, tensor_view(x, 4), tensor_view(y, 4));
  CHECK(report.device_name == device.name());
  CHECK(report.emulated);
  CHECK(report.kernel == "overlay");
  CHECK(report.xclbin.ends_with("overlay.xclbin"));
}
