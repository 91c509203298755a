// SPDX-License-Identifier: Apache-2.0
// npurt::matmul of int8 to int8 against its formula in 64-bit integers.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "npurt/npurt.hpp"

using npurt::column_scale;
using npurt::matmul_shape;
using npurt::tensor_view;

namespace {

using bytes = std::vector<std::int8_t>;

const std::vector<matmul_shape> shapes{
    {1, 1, 1},      {2, 3, 5},      {7, 11, 13},     {17, 19, 23},   {29, 31, 37},   {41, 43, 47},    {53, 59, 61},
    {67, 71, 73},   {79, 83, 89},   {97, 101, 103},  {1, 1, 127},    {1, 64, 64},    {1, 509, 64},    {64, 1, 64},
    {64, 64, 1},    {63, 63, 63},   {64, 64, 64},    {65, 65, 65},   {1, 256, 1},    {256, 1, 1},     {255, 255, 63},
    {256, 256, 64}, {257, 257, 65}, {128, 128, 128}, {1, 1, 256},    {3, 5, 251},    {5, 3, 509},     {1, 7, 1021},
    {2, 2, 4096},   {300, 1, 100},  {1, 300, 100},   {13, 13, 192},  {64, 128, 320}, {31, 600, 31},   {600, 31, 31},
    {521, 3, 2},    {2, 521, 3},    {3, 2, 521},     {128, 64, 384}, {17, 17, 449},  {107, 109, 113}, {191, 193, 61},
    {100, 200, 30}, {30, 100, 200}, {200, 30, 100},  {1, 1031, 3},   {1031, 1, 3},   {9, 10, 640},    {12, 345, 67},
    {50, 50, 1500}, {1, 4096, 5},   {530, 270, 72}};

struct problem {
  matmul_shape shape;
  bytes a, b;
  std::vector<column_scale> scales;
  std::int32_t zero_point;

  problem(const matmul_shape& s, std::mt19937& random)
      : shape(s),
        a(elements(s.m * s.k, random)),
        b(elements(s.k * s.n, random)),
        scales(s.n),
        zero_point(static_cast<std::int32_t>(random() % 256) - 128) {
    const double spread = 128.0 * 74 * std::sqrt(static_cast<double>(s.k));  // sums of uniform bytes
    for (column_scale& each : scales) {
      const double factor = 60 / spread * std::exp2(static_cast<double>(random() % 5) - 2);
      each = npurt::column_scale_of(random() % 8 == 0 ? -factor : factor,
                                    static_cast<std::int32_t>(random() % 20001) - 10000);
    }
  }

  static bytes elements(std::size_t count, std::mt19937& random) {
    bytes all(count);
    std::ranges::generate(all, [&] { return static_cast<std::int8_t>(random() & 255); });
    return all;
  }

  std::int8_t expected(std::size_t row, std::size_t column) const {
    std::int64_t sum = scales[column].bias;
    for (std::size_t i = 0; i < shape.k; ++i) sum += std::int64_t{a[row * shape.k + i]} * b[i * shape.n + column];
    const std::int64_t product = sum * scales[column].multiplier, unit = std::int64_t{1} << scales[column].shift;
    std::int64_t quotient = product >> scales[column].shift;
    const std::int64_t twice = 2 * (product - quotient * unit);
    if (twice > unit || (twice == unit && quotient % 2 != 0)) ++quotient;
    return static_cast<std::int8_t>(std::clamp<std::int64_t>(quotient + zero_point, -128, 127));
  }
};

bytes on_device(npurt::device& device, const problem& p) {
  bytes c(p.shape.m * p.shape.n, 99);
  npurt::matmul(device, tensor_view(p.a, p.shape.m, p.shape.k), tensor_view(p.b, p.shape.k, p.shape.n),
                tensor_view(c, p.shape.m, p.shape.n), {.scales = p.scales, .zero_point = p.zero_point});
  return c;
}

bool right(const problem& p, const bytes& c) {
  for (std::size_t row = 0; row < p.shape.m; ++row) {
    for (std::size_t column = 0; column < p.shape.n; ++column) {
      if (c[row * p.shape.n + column] != p.expected(row, column)) return false;
    }
  }
  return true;
}

}  // namespace

TEST_CASE("the int8 result is exact at every shape", "[ops][matmul][i8]") {
  npurt::device device;
  std::mt19937 random(1);
  REQUIRE(shapes.size() >= 50);
  for (const matmul_shape& shape : shapes) {
    const problem p(shape, random);
    INFO("M " << shape.m << " N " << shape.n << " K " << shape.k);
    CHECK(right(p, on_device(device, p)));
  }
}

TEST_CASE("the int8 result is the same on a second call and after others", "[ops][matmul][i8]") {
  npurt::device device;
  std::mt19937 random(2);
  const problem p({90, 270, 200}, random);
  const bytes first = on_device(device, p);
  REQUIRE(right(p, first));
  CHECK((on_device(device, p) == first));
  std::vector<std::int32_t> sums(90 * 270);
  npurt::matmul(device, tensor_view(p.a, 90, 200), tensor_view(p.b, 200, 270), tensor_view(sums, 90, 270));
  std::vector<std::bfloat16_t> x(1000), y(1000);
  npurt::softmax(device, tensor_view(x, 10, 100), tensor_view(y, 10, 100));
  CHECK((on_device(device, p) == first));
}

TEST_CASE("an int8 result may be deep and wide", "[ops][matmul][i8]") {
  npurt::device device;
  std::mt19937 random(8);
  for (const matmul_shape& shape : {matmul_shape{3, 5, 4097}, {2, 300, 5000}, {2, 6000, 5}, {1, 16640, 3}}) {
    const problem p(shape, random);
    INFO("M " << shape.m << " N " << shape.n << " K " << shape.k);
    CHECK(right(p, on_device(device, p)));
  }
}

TEST_CASE("an int8 batch shares its b and its scales", "[ops][matmul][i8]") {
  npurt::device device;
  std::mt19937 random(3);
  const problem p({40, 20, 60}, random);
  bytes c(2 * 20 * 20);
  npurt::matmul(device, tensor_view(p.a, 2, 20, 60), tensor_view(p.b, 60, 20), tensor_view(c, 2, 20, 20),
                {.scales = p.scales, .zero_point = p.zero_point});
  CHECK(right(p, c));
}

TEST_CASE("each product of an int8 batch may have its own b", "[ops][matmul][i8]") {
  npurt::device device;
  std::mt19937 random(4);
  constexpr std::size_t batch = 3, m = 20, n = 300, k = 150;
  std::vector<problem> products;
  bytes a, b, c(batch * m * n);
  for (std::size_t i = 0; i < batch; ++i) {
    products.emplace_back(matmul_shape{m, n, k}, random);
    products[i].scales = products[0].scales;
    products[i].zero_point = products[0].zero_point;
    a.insert(a.end(), products[i].a.begin(), products[i].a.end());
    b.insert(b.end(), products[i].b.begin(), products[i].b.end());
  }
  npurt::matmul(device, tensor_view(a, batch, m, k), tensor_view(b, batch, k, n), tensor_view(c, batch, m, n),
                {.scales = products[0].scales, .zero_point = products[0].zero_point});
  for (std::size_t i = 0; i < batch; ++i) {
    const auto first = c.begin() + static_cast<std::ptrdiff_t>(i * m * n);
    CHECK(right(products[i], bytes(first, first + m * n)));
  }
}

TEST_CASE("a column's scale is near its factor", "[ops][matmul][i8]") {
  for (const double factor : {1.0, 0.5, 1.0 / 3, -0.001, 7.3e-6, 1.5e-9, 16383.5, 0.99999999}) {
    const column_scale scale = npurt::column_scale_of(factor);
    CHECK(std::abs(std::ldexp(scale.multiplier, -scale.shift) / factor - 1) <= 0x1p-15);
  }
  CHECK(npurt::column_scale_of(0).multiplier == 0);
  CHECK_THROWS_AS(npurt::column_scale_of(1e6), npurt::value_error);
  CHECK_THROWS_AS(npurt::column_scale_of(INFINITY), npurt::value_error);
}

TEST_CASE("scales that do not fit are named", "[ops][matmul][i8]") {
  npurt::device device;
  const bytes a(6), b(12);
  bytes c(8);
  const tensor_view view_a(a, 2, 3), view_b(b, 3, 4);
  const tensor_view view_c(c, 2, 4);
  const std::vector<column_scale> few(3), four(4), far{{0, 32767, 35}, {0, 32767, 20}, {}, {}};
  CHECK_THROWS_AS(npurt::matmul(device, view_a, view_b, view_c, {.scales = few}), npurt::shape_error);
  CHECK_THROWS_AS(npurt::matmul(device, view_a, view_b, view_c, {.scales = far}), npurt::value_error);
  CHECK_THROWS_AS(npurt::matmul(device, view_a, view_b, view_c, {.scales = four, .zero_point = 128}),
                  npurt::value_error);
  npurt::matmul(device, view_a, view_b, view_c, {.scales = four, .zero_point = 5});
  CHECK(std::ranges::count(c, 5) == 8);
}
