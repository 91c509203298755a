// SPDX-License-Identifier: Apache-2.0
// npurt::matmul against an integer product computed on the host.
#include "npurt/ops/matmul.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "npurt/npurt.hpp"
#include "support/refused_dimension.hpp"

namespace {

using matrix_i8 = std::vector<std::int8_t>;
using matrix_i32 = std::vector<std::int32_t>;

struct problem {
  npurt::matmul_shape shape;
  matrix_i8 a, b;
};

matrix_i8 random_elements(std::size_t count, std::mt19937& random) {
  std::uniform_int_distribution<int> value(-128, 127);
  matrix_i8 elements(count);
  std::ranges::generate(elements, [&] { return static_cast<std::int8_t>(value(random)); });
  return elements;
}

problem random_problem(const npurt::matmul_shape& shape, std::mt19937& random) {
  return {shape, random_elements(shape.m * shape.k, random), random_elements(shape.k * shape.n, random)};
}

problem constant_problem(const npurt::matmul_shape& shape, std::int8_t a, std::int8_t b) {
  return {shape, matrix_i8(shape.m * shape.k, a), matrix_i8(shape.k * shape.n, b)};
}

matrix_i32 reference(const problem& p) {
  const auto& [m, n, k] = p.shape;
  matrix_i32 c(m * n);
  for (std::size_t row = 0; row < m; ++row) {
    for (std::size_t inner = 0; inner < k; ++inner) {
      for (std::size_t column = 0; column < n; ++column) {
        c[row * n + column] += std::int32_t{p.a[row * k + inner]} * p.b[inner * n + column];
      }
    }
  }
  return c;
}

// C of a call, from memory that held something else before.
matrix_i32 on_device(npurt::device& device, const problem& p) {
  const auto& [m, n, k] = p.shape;
  matrix_i32 c(m * n, 0x5A5A5A5A);
  npurt::matmul(device, npurt::tensor_view(p.a, m, k), npurt::tensor_view(p.b, k, n), npurt::tensor_view(c, m, n));
  return c;
}

void check(npurt::device& device, const problem& p) {
  INFO("M " << p.shape.m << " N " << p.shape.n << " K " << p.shape.k);
  CHECK((on_device(device, p) == reference(p)));
}

}  // namespace

TEST_CASE("matmul is the integer product without padding", "[ops][matmul]") {
  npurt::device device;
  std::mt19937 random(1);
  for (const npurt::matmul_shape& shape :
       {npurt::matmul_shape{256, 256, 64}, {256, 256, 256}, {768, 256, 64}, {256, 512, 64}, {512, 768, 128}}) {
    check(device, random_problem(shape, random));
  }
}

TEST_CASE("matmul pads every other size", "[ops][matmul]") {
  npurt::device device;
  std::mt19937 random(2);
  for (const npurt::matmul_shape& shape : {npurt::matmul_shape{1, 1, 1}, {255, 257, 64}, {65, 1, 127}, {3, 300, 5}}) {
    check(device, random_problem(shape, random));
  }
}

TEST_CASE("matmul takes random shapes", "[ops][matmul]") {
  npurt::device device;
  std::mt19937 random(3);
  std::uniform_int_distribution<std::size_t> extent(1, 200);
  for (int round = 0; round < 6; ++round) {
    const npurt::matmul_shape shape{extent(random), extent(random), extent(random)};
    check(device, random_problem(shape, random));
  }
}

TEST_CASE("matmul takes more panels of B than a queue holds", "[ops][matmul]") {
  npurt::device device;
  std::mt19937 random(4);
  check(device, random_problem({64, 10 * 256, 64}, random));
}

TEST_CASE("matmul takes deep and wide operands", "[ops][matmul]") {
  npurt::device device;
  std::mt19937 random(9);
  for (const npurt::matmul_shape& shape : {npurt::matmul_shape{2, 300, 4097}, {300, 2, 5000}, {257, 4100, 3}}) {
    check(device, random_problem(shape, random));
  }
  check(device, constant_problem({1, 1, 16384}, -128, -128));
}

TEST_CASE("matmul is exact at the ends of int8", "[ops][matmul]") {
  npurt::device device;
  check(device, constant_problem({64, 64, 4096}, -128, -128));
  check(device, constant_problem({64, 64, 256}, -128, 127));
  check(device, constant_problem({64, 64, 256}, 127, 127));
}

TEST_CASE("a plan repeats its shape with new operands", "[ops][matmul]") {
  npurt::device device;
  npurt::matmul_plan plan(device, {.m = 70, .n = 66, .k = 90});
  std::mt19937 random(5);
  for (int round = 0; round < 3; ++round) {
    const problem p = random_problem(plan.shape(), random);
    matrix_i32 c(p.shape.m * p.shape.n);
    plan(npurt::tensor_view(p.a, p.shape.m, p.shape.k), npurt::tensor_view(p.b, p.shape.k, p.shape.n),
         npurt::tensor_view(c, p.shape.m, p.shape.n));
    CHECK((c == reference(p)));
  }
}

TEST_CASE("shapes may alternate, also more of them than the device keeps plans for", "[ops][matmul]") {
  npurt::device device;
  std::mt19937 random(6);
  for (int pass = 0; pass < 2; ++pass) {
    for (std::size_t size = 1; size <= 34; ++size) check(device, random_problem({size, 36 - size, 7}, random));
  }
}

TEST_CASE("a plan outlives its device", "[ops][matmul]") {
  std::mt19937 random(7);
  auto device = std::make_unique<npurt::device>();
  npurt::matmul_plan plan(*device, {.m = 64, .n = 64, .k = 64});
  device.reset();
  const problem p = random_problem(plan.shape(), random);
  matrix_i32 c(64 * 64);
  plan(npurt::tensor_view(p.a, 64, 64), npurt::tensor_view(p.b, 64, 64), npurt::tensor_view(c, 64, 64));
  CHECK((c == reference(p)));
}

TEST_CASE("a deadline that passes is a timeout, and the device stays usable", "[ops][matmul]") {
  using namespace std::chrono_literals;
  npurt::device device;
  std::mt19937 random(8);
  const problem large = random_problem({512, 512, 512}, random);
  npurt::matmul_plan plan(device, large.shape);
  matrix_i32 c(512 * 512, 7);
  const auto call = [&](std::chrono::milliseconds deadline) {
    plan(npurt::tensor_view(large.a, 512, 512), npurt::tensor_view(large.b, 512, 512), npurt::tensor_view(c, 512, 512),
         deadline);
  };
  CHECK_THROWS_AS(call(1ms), npurt::timeout_error);
  CHECK(std::ranges::count(c, 7) == 512 * 512);
  call(60s);
  CHECK((c == reference(large)));
  check(device, random_problem({64, 64, 64}, random));
}

TEST_CASE("threads may share a device", "[ops][matmul]") {
  npurt::device device;
  std::vector<int> right(4);
  {
    std::vector<std::jthread> threads;
    for (std::size_t index = 0; index < right.size(); ++index) {
      threads.emplace_back([&, index] {
        std::mt19937 random(static_cast<unsigned>(100 + index));
        const problem p = random_problem({64, 64 + 64 * (index % 2), 64}, random);
        right[index] = on_device(device, p) == reference(p);
      });
    }
  }
  CHECK(right == std::vector<int>{1, 1, 1, 1});
}

TEST_CASE("the report says where a call ran", "[ops][matmul]") {
  npurt::device device;
  const matrix_i8 a(4), b(4);
  matrix_i32 c(4);
  const npurt::op_report report =
      npurt::matmul(device, npurt::tensor_view(a, 2, 2), npurt::tensor_view(b, 2, 2), npurt::tensor_view(c, 2, 2));
  CHECK(report.device_name == device.name());
  CHECK(report.emulated);
  CHECK(report.kernel == "overlay");
  CHECK(report.xclbin.ends_with("overlay.xclbin"));
}

TEST_CASE("matmul names the dimension that does not fit", "[ops][matmul]") {
  npurt::device device;
  const matrix_i8 a(6), b(12);
  matrix_i32 c(8);
  const auto dimension = [&](std::size_t k, std::size_t n, std::size_t c_rows) {
    return npurt::test::refused_dimension([&] {
      npurt::matmul(device, npurt::tensor_view(a, 2, 3), npurt::tensor_view(b, k, n),
                    npurt::tensor_view(c, c_rows, 8 / c_rows));
    });
  };
  CHECK(dimension(3, 4, 2) == "accepted");
  CHECK(dimension(4, 3, 2) == "K");
  CHECK(dimension(2, 6, 2) == "K");
  CHECK(dimension(3, 4, 4) == "M");
  const matrix_i8 none;
  CHECK_THROWS_AS(
      npurt::matmul(device, npurt::tensor_view(none, 0, 3), npurt::tensor_view(b, 3, 4), npurt::tensor_view(c, 2, 4)),
      npurt::shape_error);
}
