// SPDX-License-Identifier: Apache-2.0
// Numbers at the ends of what bfloat16 has, infinities and NaN, as each stub's documentation says.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "bf16-layernorm/reference.hpp"
#include "elementwise/reference.hpp"
#include "npurt/npurt.hpp"
#include "ops/bf16_check.hpp"

using namespace npurt::test;
using npurt::tensor_view;

namespace {

constexpr float infinite = std::numeric_limits<float>::infinity(), no_number = std::numeric_limits<float>::quiet_NaN();
constexpr float largest_bf16 = 0x1.FEp127F, least_normal_bf16 = 0x1p-126F, denormal_bf16 = 0x1p-127F;

bf16 bf16_of(float value) { return npurt::to_bfloat16(value); }

/// "NaN", "inf", "-inf", "0" or "finite".
std::string kind_of(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return value == 0 ? "0" : "finite";
}

struct extreme_product {
  std::size_t m, n, k;
  bf16s a, b;

  template <typename Result>
  std::vector<double> on_device(npurt::device& device) const {
    std::vector<Result> c(m * n, Result(12345));
    npurt::matmul(device, tensor_view(a, m, k), tensor_view(b, k, n), tensor_view(c, m, n));
    std::vector<double> wide(c.size());
    std::ranges::transform(c, wide.begin(),
                           [](Result value) { return static_cast<double>(static_cast<float>(value)); });
    return wide;
  }

  double sum(std::size_t i) const {
    double all = 0;
    for (std::size_t j = 0; j < k; ++j) all += term(i, j);
    return all;
  }
  double size(std::size_t i) const {
    double all = 0;
    for (std::size_t j = 0; j < k; ++j) all += std::abs(term(i, j));
    return all;
  }
  double term(std::size_t i, std::size_t j) const {
    return double{npurt::to_float(a[i / n * k + j])} * npurt::to_float(b[j * n + i % n]);
  }
};

/// Inputs of an operation on elements, and what it is to give for each.
struct input_and_result {
  float x, y;
};

template <typename Call>
void check_elements(const char* name, const std::vector<input_and_result>& pairs, Call&& call) {
  bf16s x, y = untouched(pairs.size());
  for (const input_and_result& each : pairs) x.push_back(bf16_of(each.x));
  call(tensor_view(x, x.size()), tensor_view(y, y.size()));
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    INFO(name << " of " << pairs[i].x << " is " << npurt::to_float(y[i]) << ", not " << pairs[i].y);
    const float got = npurt::to_float(y[i]);
    CHECK((std::isnan(pairs[i].y) ? std::isnan(got) : got == pairs[i].y));
  }
}

}  // namespace

TEST_CASE("the bfloat16 matmul of large, tiny and mixed numbers", "[ops][matmul][bf16][extremes]") {
  npurt::device device;
  std::mt19937 random(1);
  struct range {
    float a_low, a_high, b_low, b_high;
  };
  // The last ones: products of up to 2^126, sums that fp32 holds; products below the least normal number.
  for (const range& r : {range{-60, 60, -60, 60},
                         {110, 120, -20, 0},
                         {-120, -100, 90, 110},
                         {-60, -50, -60, -50},
                         {60, 63, 55, 60},
                         {-64, -62, -64, -62}}) {
    const extreme_product p{20, 30, 70, spread_bf16(20 * 70, r.a_low, r.a_high, random),
                            spread_bf16(70 * 30, r.b_low, r.b_high, random)};
    const std::vector<double> f32 = p.on_device<float>(device), narrow = p.on_device<bf16>(device);
    double worst = 0, worst_narrow = 0;
    for (std::size_t i = 0; i < f32.size(); ++i) {
      const double bound = 32 * 0x1p-23 * p.size(i) + static_cast<double>(p.k) * 0x1p-126;
      worst = std::max(worst, std::abs(f32[i] - p.sum(i)) / bound);
      worst_narrow = std::max(worst_narrow, std::abs(narrow[i] - p.sum(i)) / (bound + 0x1p-8 * std::abs(p.sum(i))));
    }
    INFO("a 2^" << r.a_low << ", b 2^" << r.b_low);
    CHECK(worst <= 1);
    CHECK(worst_narrow <= 1);
  }
  extreme_product p{1, 3, 1, {bf16_of(1e38F)}, {bf16_of(1), bf16_of(-3), bf16_of(0.5F)}};
  CHECK(p.on_device<float>(device) == std::vector<double>{p.sum(0), p.sum(1), p.sum(2)});
  p.b = {bf16_of(4), bf16_of(-4), bf16_of(1e38F)};
  CHECK(p.on_device<float>(device) == std::vector<double>{infinite, -infinite, infinite});
  CHECK(p.on_device<bf16>(device) == std::vector<double>{infinite, -infinite, infinite});
}

TEST_CASE("the bfloat16 matmul takes denormal numbers as zero", "[ops][matmul][bf16][extremes]") {
  npurt::device device;
  const extreme_product p{
      1, 2, 2, {bf16_of(denormal_bf16), bf16_of(1)}, {bf16_of(1e30F), bf16_of(1), bf16_of(0), bf16_of(denormal_bf16)}};
  CHECK(p.on_device<float>(device) == std::vector<double>{0, 0});
}

TEST_CASE("what follows a bfloat16 matmul takes large numbers, infinities and NaN", "[ops][matmul][bf16][extremes]") {
  npurt::device device;
  const std::vector<float> sums{infinite, -infinite, no_number, 0x1p126F, -0x1p126F, largest_bf16, 3, 0};
  const std::size_t n = sums.size();
  const bf16s a{bf16_of(1)}, b(n, bf16_of(0));
  bf16s addend(n);
  std::ranges::transform(sums, addend.begin(), bf16_of);
  const auto result = [&](const npurt::matmul_options<bf16, bf16>& options) {
    bf16s c = untouched(n);
    npurt::matmul(device, tensor_view(a, 1, 1), tensor_view(b, 1, n), tensor_view(c, 1, n), options);
    return widened(c);
  };
  const auto biased = result({.bias = sums}), added = result({.residual = tensor_view(addend, 1, n)}),
             curved = result({.bias = sums, .activation = npurt::activation::gelu});
  for (std::size_t i = 0; i < n; ++i) {
    INFO("of " << sums[i] << ": with bias " << biased[i] << ", residual " << added[i] << ", gelu " << curved[i]);
    CHECK((std::isnan(sums[i]) ? std::isnan(biased[i]) : biased[i] == sums[i]));
    CHECK((std::isnan(sums[i]) ? std::isnan(added[i]) : added[i] == sums[i]));
    const double gelu = npurt::kernels::reference::gelu(static_cast<double>(sums[i]));
    CHECK((std::isnan(gelu)   ? std::isnan(curved[i])
           : std::isinf(gelu) ? static_cast<double>(curved[i]) == gelu
                              : std::abs(static_cast<double>(curved[i]) - gelu) <= 0x1p-7 * std::abs(gelu) + 0x1p-18));
  }
}

TEST_CASE("infinities and NaN in a bfloat16 matmul reach their row or column alone", "[ops][matmul][bf16][extremes]") {
  npurt::device device;
  std::mt19937 random(2);
  extreme_product p{70, 80, 100, uniform_bf16(70 * 100, 0.5F, 2, random), uniform_bf16(100 * 80, 0.5F, 2, random)};
  p.a[3 * 100 + 5] = bf16_of(infinite);
  p.a[7 * 100 + 99] = bf16_of(no_number);
  p.a[66 * 100 + 64] = bf16_of(-infinite);
  p.b[4 * 80 + 9] = bf16_of(-infinite);
  p.b[5 * 80 + 11] = bf16_of(0);  // times infinity
  p.b[70 * 80 + 79] = bf16_of(no_number);
  for (const auto& c : {p.on_device<float>(device), p.on_device<bf16>(device)}) {
    for (std::size_t i = 0; i < c.size(); ++i) {
      INFO("row " << i / 80 << ", column " << i % 80 << ": " << c[i]);
      REQUIRE(kind_of(c[i]) == kind_of(p.sum(i)));
    }
  }
}

TEST_CASE("elements at the ends of bfloat16, infinities and NaN", "[ops][elementwise][extremes]") {
  npurt::device device;
  const float huge = npurt::to_float(bf16_of(1e38F));
  const std::vector<input_and_result> curved{
      {no_number, no_number}, {infinite, infinite}, {-infinite, 0}, {largest_bf16, largest_bf16},
      {huge, huge},           {-largest_bf16, 0},   {-huge, 0},     {0, 0}};
  check_elements("gelu", curved, [&](auto x, auto y) { npurt::gelu(device, x, y); });
  check_elements("silu", curved, [&](auto x, auto y) { npurt::silu(device, x, y); });
  check_elements("relu",
                 {{no_number, no_number},
                  {infinite, infinite},
                  {-infinite, 0},
                  {largest_bf16, largest_bf16},
                  {-largest_bf16, 0},
                  {denormal_bf16, denormal_bf16},
                  {-denormal_bf16, 0},
                  {least_normal_bf16, least_normal_bf16}},
                 [&](auto x, auto y) { npurt::relu(device, x, y); });
  check_elements("scale by -2",
                 {{no_number, no_number},
                  {infinite, -infinite},
                  {-infinite, infinite},
                  {largest_bf16, -infinite},
                  {huge, -2 * huge},
                  {least_normal_bf16, -2 * least_normal_bf16},
                  {0, 0}},
                 [&](auto x, auto y) { npurt::scale(device, x, -2, y); });
  check_elements("scale by 0", {{no_number, no_number}, {infinite, no_number}, {largest_bf16, 0}},
                 [&](auto x, auto y) { npurt::scale(device, x, 0, y); });
  for (const float tiny : {denormal_bf16, -denormal_bf16, least_normal_bf16, -least_normal_bf16}) {
    bf16s y = untouched(1);
    const bf16s x{bf16_of(tiny)};
    npurt::gelu(device, tensor_view(x, 1), tensor_view(y, 1));
    CHECK(std::abs(npurt::to_float(y[0])) <= 0x1p-18F);
  }
  const std::vector<input_and_result> terms{{infinite, infinite},
                                            {infinite, -infinite},
                                            {no_number, 1},
                                            {1, -infinite},
                                            {largest_bf16, largest_bf16},
                                            {huge, -huge},
                                            {denormal_bf16, denormal_bf16},
                                            {largest_bf16, 1}};
  const float sums[]{infinite, no_number, no_number, -infinite, infinite, 0, 0, largest_bf16};
  bf16s x, y, sum = untouched(terms.size());
  for (const input_and_result& each : terms) x.push_back(bf16_of(each.x)), y.push_back(bf16_of(each.y));
  npurt::add(device, tensor_view(x, x.size()), tensor_view(y, y.size()), tensor_view(sum, sum.size()));
  for (std::size_t i = 0; i < terms.size(); ++i) {
    INFO(terms[i].x << " + " << terms[i].y << " is " << npurt::to_float(sum[i]));
    CHECK((std::isnan(sums[i]) ? std::isnan(npurt::to_float(sum[i])) : npurt::to_float(sum[i]) == sums[i]));
  }
}

TEST_CASE("a NaN or an infinity in a row of softmax or layernorm leaves the other rows alone", "[ops][extremes]") {
  npurt::device device;
  std::mt19937 random(3);
  constexpr std::size_t rows = 40, columns = 100;
  const bf16s clean = normal_bf16(rows * columns, 0, 2, random), weights = normal_bf16(columns, 0, 1, random);
  bf16s broken = clean;
  for (std::size_t row = 0; row < rows; row += 3) {
    broken[row * columns + row] = bf16_of(row % 2 == 0 ? no_number : infinite);
  }
  const auto softmax_of = [&](const bf16s& x) {
    bf16s y = untouched(x.size());
    npurt::softmax(device, tensor_view(x, rows, columns), tensor_view(y, rows, columns));
    return y;
  };
  const auto layernorm_of = [&](const bf16s& x) {
    bf16s y = untouched(x.size());
    npurt::layernorm(device, tensor_view(x, rows, columns), tensor_view(weights, columns),
                     tensor_view(weights, columns), 1e-5F, tensor_view(y, rows, columns));
    return y;
  };
  const bf16s y[]{softmax_of(broken), layernorm_of(broken)}, wanted[]{softmax_of(clean), layernorm_of(clean)};
  for (std::size_t i = 0; i < broken.size(); ++i) {
    if (i / columns % 3 == 0) continue;
    REQUIRE(bits_of(y[0][i]) == bits_of(wanted[0][i]));
    REQUIRE(bits_of(y[1][i]) == bits_of(wanted[1][i]));
  }
}

TEST_CASE("softmax of numbers as far apart as bfloat16 has them, and of denormal ones", "[ops][softmax][extremes]") {
  npurt::device device;
  const bf16s x{bf16_of(largest_bf16),  bf16_of(-largest_bf16),  bf16_of(-infinite), bf16_of(1e38F),  //
                bf16_of(denormal_bf16), bf16_of(-denormal_bf16), bf16_of(0),         bf16_of(least_normal_bf16),
                bf16_of(-infinite),     bf16_of(-1e38F),         bf16_of(-infinite), bf16_of(-largest_bf16)};
  bf16s y = untouched(x.size());
  npurt::softmax(device, tensor_view(x, 3, 4), tensor_view(y, 3, 4));
  const float wanted[]{1, 0, 0, 0, 0.25F, 0.25F, 0.25F, 0.25F, 0, 1, 0, 0};
  for (std::size_t i = 0; i < y.size(); ++i) {
    INFO(i);
    CHECK(npurt::to_float(y[i]) == wanted[i]);
  }
}

TEST_CASE("layernorm of rows that are 2^59 apart or tiny, and of large weights", "[ops][layernorm][extremes]") {
  npurt::device device;
  std::mt19937 random(4);
  constexpr std::size_t columns = 200;
  const bf16s usual = normal_bf16(columns, 0, 1, random);
  const bf16s gamma = normal_bf16(columns, 0, 1, random), beta = normal_bf16(columns, 0, 1, random);
  for (const float size : {0x1p57F, 0x1p-20F, 0x1p-57F, 0x1p-120F}) {
    for (const float weight : {1.0F, 1e30F, 1e-30F}) {
      bf16s x = usual, g = gamma, b = beta, y = untouched(columns);
      for (bf16& each : x) each = bf16_of(npurt::to_float(each) * size);
      for (bf16s* each : {&g, &b}) {
        for (bf16& number : *each) number = bf16_of(npurt::to_float(number) * weight);
      }
      npurt::layernorm(device, tensor_view(x, 1, columns), tensor_view(g, columns), tensor_view(b, columns), 1e-5F,
                       tensor_view(y, 1, columns));
      const auto wanted =
          npurt::kernels::reference::layernorm(widened(x), widened(g), widened(b), static_cast<double>(1e-5F));
      float unit = 0;
      for (const bf16s* each : {&g, &b}) {
        for (const bf16 number : *each) unit = std::max(unit, std::abs(npurt::to_float(number)));
      }
      accuracy all(0x1p-6, 0x1p-14);
      for (std::size_t i = 0; i < columns; ++i) all.add(y[i], wanted[i], static_cast<double>(unit));
      INFO("rows of size " << size << ", weights of " << weight);
      all.check();
    }
  }
}
