// SPDX-License-Identifier: Apache-2.0
// npurt::matmul of bfloat16 with all that it offers: bias, gelu, residual, transposed and strided operands, batches,
// weights. Against double, element by element through the same views.
#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <random>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "npurt/npurt.hpp"
#include "ops/bf16_check.hpp"
#include "ops/matmul_shapes.hpp"
#include "support/refused_dimension.hpp"

using namespace npurt::test;
using npurt::matmul_shape;
using npurt::strided_view;
using npurt::tensor_view;
using npurt::transposed;

namespace {

double gelu(double x) { return 0.5 * x * std::erfc(-x / std::sqrt(2.0)); }
double half_ulp(double x) { return std::ldexp(1.0, std::ilogb(std::max(std::abs(x), 0x1p-126)) - 8); }

struct options {
  bool bias = false, gelu = false, residual = false;
};

/// A product whose sums are about 1 in size, and what is done with it.
struct problem {
  matmul_shape shape;
  bf16s a, b;
  std::vector<float> bias;
  bf16s residual;

  problem(const matmul_shape& s, std::mt19937& random)
      : shape(s),
        a(normal_bf16(s.m * s.k, 0, 1, random)),
        b(normal_bf16(s.k * s.n, 0, 1 / std::sqrt(static_cast<float>(s.k)), random)),
        bias(widened(normal_bf16(s.n, 0, 1, random))),
        residual(normal_bf16(s.m * s.n, 0, 2, random)) {}

  auto view_a() const { return tensor_view(a, shape.m, shape.k); }
  auto view_b() const { return tensor_view(b, shape.k, shape.n); }

  /// Largest error in units of what is allowed.
  template <typename Result>
  double worst(const std::vector<Result>& c, const options& o) const {
    double most = 0;
    for (std::size_t row = 0; row < shape.m; ++row) {
      for (std::size_t column = 0; column < shape.n; ++column) {
        double sum = o.bias ? double{bias[column]} : 0, size = std::abs(sum);
        for (std::size_t i = 0; i < shape.k; ++i) {
          const double term = double{npurt::to_float(a[row * shape.k + i])} * npurt::to_float(b[i * shape.n + column]);
          sum += term;
          size += std::abs(term);
        }
        double bound = 16 * 0x1p-23 * static_cast<double>((shape.k + 63) / 64) * size;
        if (o.gelu) {
          const double exact = gelu(sum);
          bound = std::max(std::abs(gelu(sum + bound) - exact), std::abs(gelu(sum - bound) - exact)) +
                  0x1p-8 * std::abs(exact) + 0x1p-19;
          sum = exact;
        }
        if (o.residual) sum += npurt::to_float(residual[row * shape.n + column]);
        bound += 0x1p-22 * (std::abs(sum) + size) + 1e-38;
        if (std::same_as<Result, bf16>) bound += half_ulp(std::abs(sum) + bound);
        const double error = std::abs(static_cast<double>(static_cast<float>(c[row * shape.n + column])) - sum) / bound;
        most = std::isnan(error) ? INFINITY : std::max(most, error);
      }
    }
    return most;
  }
};

template <typename Result>
npurt::matmul_options<bf16, Result> call_options(const problem& p, const options& o) {
  npurt::matmul_options<bf16, Result> all;
  if (o.bias) all.bias = p.bias;
  if (o.gelu) all.activation = npurt::activation::gelu;
  if (o.residual) all.residual = tensor_view(p.residual, p.shape.m, p.shape.n);
  return all;
}

template <typename Result>
std::vector<Result> on_device(npurt::device& device, const problem& p, const options& o) {
  std::vector<Result> c(p.shape.m * p.shape.n, Result(12345));
  npurt::matmul(device, p.view_a(), p.view_b(), tensor_view(c, p.shape.m, p.shape.n), call_options<Result>(p, o));
  return c;
}

template <typename Result>
void check_all(const options& o, unsigned seed) {
  npurt::device device;
  std::mt19937 random(seed);
  for (const matmul_shape& shape : matmul_shapes) {
    const problem p(shape, random);
    INFO("M " << shape.m << " N " << shape.n << " K " << shape.k);
    CHECK(p.worst(on_device<Result>(device, p, o), o) <= 1);
  }
}

}  // namespace

TEST_CASE("the bfloat16 matmul adds a bias and a residual at every shape", "[ops][matmul][bf16][options]") {
  check_all<bf16>({.bias = true, .residual = true}, 1);
}

TEST_CASE("the bfloat16 matmul ends in gelu at every shape", "[ops][matmul][bf16][options]") {
  check_all<bf16>({.bias = true, .gelu = true}, 2);
}

TEST_CASE("gelu behind the bfloat16 matmul is within one ulp of the double result", "[ops][matmul][bf16][options]") {
  constexpr std::size_t m = 256, n = 64, parts = 3;
  std::mt19937 random(4);
  std::uniform_real_distribution<float> exponent(-13, 2.4F);
  bf16s a(m * parts * n), b(parts * n * n), c(m * n);
  std::vector<float> sums(m * n);
  for (std::size_t i = 0; i < b.size(); i += n) b[i + i / n % n] = bf16(1);
  for (std::size_t i = 0; i < sums.size(); ++i) {  // each of three products that have eight of its bits
    sums[i] = std::exp2(exponent(random)) * (i % 4 == 0 ? 1.0F : -1.0F);
    float rest = sums[i];
    for (std::size_t part = 0; part < parts; ++part) {
      const auto top = std::bit_cast<bf16>(static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(rest) >> 16));
      a[(i / n * parts + part) * n + i % n] = top;
      rest -= npurt::to_float(top);
    }
  }
  npurt::device device;
  npurt::matmul(device, tensor_view(a, m, parts * n), tensor_view(b, parts * n, n), tensor_view(c, m, n),
                npurt::matmul_options<bf16, bf16>{.activation = npurt::activation::gelu});
  for (std::size_t i = 0; i < c.size(); ++i) {
    const double exact = gelu(sums[i]);
    INFO("gelu(" << sums[i] << ") = " << npurt::to_float(c[i]));
    if (std::abs(exact) < 0x1p-10) {
      REQUIRE(std::abs(npurt::to_float(c[i]) - exact) <= 0x1.2p-18);
    } else {
      REQUIRE(ulps_between(c[i], npurt::to_bfloat16(static_cast<float>(exact))) <= 1);
    }
  }
}

TEST_CASE("the bfloat16 matmul takes every combination of its options", "[ops][matmul][bf16][options]") {
  npurt::device device;
  std::mt19937 random(3);
  for (const matmul_shape& shape : {matmul_shape{70, 300, 130}, {300, 70, 64}}) {
    const problem p(shape, random);
    for (unsigned i = 0; i < 8; ++i) {
      const options o{(i & 1) != 0, (i & 2) != 0, (i & 4) != 0};
      INFO("N " << shape.n << " bias " << o.bias << " gelu " << o.gelu << " residual " << o.residual);
      CHECK(p.worst(on_device<float>(device, p, o), o) <= 1);
      CHECK(p.worst(on_device<bf16>(device, p, o), o) <= 1);
    }
  }
}

TEST_CASE("the bfloat16 matmul with options gives the same on a second call and after others",
          "[ops][matmul][bf16][options]") {
  npurt::device device;
  std::mt19937 random(4);
  const problem p({90, 270, 200}, random), q({20, 40, 60}, random);
  const options all{true, true, true};
  const bf16s first = on_device<bf16>(device, p, all);
  CHECK(same_bits(on_device<bf16>(device, p, all), first));
  on_device<float>(device, q, {.residual = true});
  bf16s x(1000), y(1000);
  npurt::silu(device, tensor_view(x, 1000), tensor_view(y, 1000));
  CHECK(same_bits(on_device<bf16>(device, p, all), first));
}

TEST_CASE("a bias may be of bfloat16", "[ops][matmul][bf16][options]") {
  npurt::device device;
  std::mt19937 random(5);
  const problem p({10, 20, 30}, random);
  bf16s rounded(p.bias.size()), c(200);
  for (std::size_t i = 0; i < rounded.size(); ++i) rounded[i] = npurt::to_bfloat16(p.bias[i]);
  npurt::matmul(device, p.view_a(), p.view_b(), tensor_view(c, 10, 20), {.bias = rounded});
  CHECK(same_bits(c, on_device<bf16>(device, p, {.bias = true})));
}

TEST_CASE("c as the residual accumulates, in float and in bfloat16", "[ops][matmul][bf16][options]") {
  npurt::device device;
  std::mt19937 random(6);
  const problem p({130, 290, 70}, random);
  std::vector<float> c(130 * 290), before(c.size());
  for (std::size_t i = 0; i < c.size(); ++i) c[i] = before[i] = static_cast<float>(i % 1000) / 7;
  const tensor_view view(c, 130, 290);
  npurt::matmul(device, p.view_a(), p.view_b(), view, {.residual = view});
  const std::vector<float> product = on_device<float>(device, p, {});
  for (std::size_t i = 0; i < c.size(); ++i) {
    const double sum = double{product[i]} + before[i];
    if (std::abs(c[i] - sum) > 0x1p-22 * (std::abs(product[i]) + std::abs(before[i]))) {
      FAIL("element " << i << " is " << c[i] << ", not " << sum);
    }
  }
  bf16s d = p.residual;
  const tensor_view view_d(d, 130, 290);
  npurt::matmul(device, p.view_a(), p.view_b(), view_d, {.residual = view_d});
  CHECK(same_bits(d, on_device<bf16>(device, p, {.residual = true})));
}

TEST_CASE("operands may be transposed and strided", "[ops][matmul][bf16][options]") {
  npurt::device device;
  std::mt19937 random(7);
  for (const matmul_shape& shape : {matmul_shape{70, 300, 130}, {1, 5, 64}, {65, 3, 1}, {257, 65, 320}}) {
    const problem p(shape, random);
    const auto [m, n, k] = shape;
    INFO("M " << m << " N " << n << " K " << k);
    bf16s a_t(m * k), b_t(k * n), wide_a(m * (k + 5)), wide_b(k * (n + 3)), wide_c(m * (n + 7), bf16(77));
    for (std::size_t i = 0; i < m * k; ++i) {
      a_t[i % k * m + i / k] = p.a[i];
      wide_a[i / k * (k + 5) + i % k] = p.a[i];
    }
    for (std::size_t i = 0; i < k * n; ++i) {
      b_t[i % n * k + i / n] = p.b[i];
      wide_b[i / n * (n + 3) + i % n] = p.b[i];
    }
    for (const bool with_residual : {false, true}) {
      const options o{.residual = with_residual};
      const bf16s expected = on_device<bf16>(device, p, o);
      bf16s c(m * n);
      const tensor_view view_c(c, m, n);
      npurt::matmul(device, transposed(tensor_view(a_t, k, m)), transposed(tensor_view(b_t, n, k)), view_c,
                    call_options<bf16>(p, o));
      CHECK(same_bits(c, expected));
      npurt::matmul(device, strided_view(wide_a, m, k, k + 5), strided_view(wide_b, k, n, n + 3),
                    strided_view(wide_c, m, n, n + 7), call_options<bf16>(p, o));
      bool right = true;
      for (std::size_t i = 0; i < wide_c.size(); ++i) {
        const std::size_t row = i / (n + 7), column = i % (n + 7);
        right &= wide_c[i] == (column < n ? expected[row * n + column] : bf16(77));
      }
      CHECK(right);
      bf16s c_t(m * n);
      npurt::matmul(device, p.view_a(), p.view_b(), transposed(tensor_view(c_t, n, m)), call_options<bf16>(p, o));
      right = true;
      for (std::size_t i = 0; i < m * n; ++i) right &= c_t[i % n * m + i / n] == expected[i];
      CHECK(right);
    }
  }
}

TEST_CASE("a deep product, whose A is streamed, takes every option", "[ops][matmul][bf16][options]") {
  npurt::device device;
  std::mt19937 random(11);
  const problem odd({3, 5, 2049}, random), even({2, 7, 4096}, random), deep({5, 3, 5000}, random);
  for (const options& o : {options{}, {true, true, false}}) CHECK(odd.worst(on_device<float>(device, odd, o), o) <= 1);
  for (const options& o : {options{false, true, true}, {true, true, true}}) {
    CHECK(even.worst(on_device<bf16>(device, even, o), o) <= 1);
  }
  for (const options& o : {options{}, {true, false, true}})
    CHECK(deep.worst(on_device<float>(device, deep, o), o) <= 1);
  CHECK(deep.worst(on_device<bf16>(device, deep, {.gelu = true}), {.gelu = true}) <= 1);
}

TEST_CASE("a deep product may have several panels, transposed operands and weights", "[ops][matmul][bf16][options]") {
  npurt::device device;
  std::mt19937 random(12);
  const problem p({260, 270, 2100}, random);
  const auto [m, n, k] = p.shape;
  const std::vector<float> first = on_device<float>(device, p, {});
  CHECK(p.worst(first, {}) <= 1);
  bf16s b_t(n * k);
  for (std::size_t i = 0; i < n * k; ++i) b_t[i] = p.b[i % k * n + i / k];
  std::vector<float> c(m * n);
  npurt::matmul(device, p.view_a(), transposed(tensor_view(b_t, n, k)), tensor_view(c, m, n));
  CHECK((c == first));
  const npurt::matmul_weights weights(device, p.view_b());
  npurt::matmul(device, p.view_a(), weights, tensor_view(c, m, n));
  CHECK((c == first));
}

TEST_CASE("a wide product passes in parts, each with its share of bias and residual", "[ops][matmul][bf16][options]") {
  npurt::device device;
  std::mt19937 random(13);
  const problem p({2, 6000, 70}, random), rows({257, 4100, 3}, random);
  for (const options& o : {options{.bias = true}, {true, true, true}}) {
    CHECK(p.worst(on_device<float>(device, p, o), o) <= 1);
    CHECK(p.worst(on_device<bf16>(device, p, o), o) <= 1);
  }
  CHECK(rows.worst(on_device<float>(device, rows, {.residual = true}), {.residual = true}) <= 1);
  bf16s bias(6000);
  for (std::size_t i = 0; i < bias.size(); ++i) bias[i] = npurt::to_bfloat16(p.bias[i]);
  const npurt::matmul_weights weights(device, p.view_b(), bias);
  bf16s c(2 * 6000);
  npurt::matmul(device, p.view_a(), weights, tensor_view(c, 2, 6000));
  CHECK(same_bits(c, on_device<bf16>(device, p, {.bias = true})));
}

TEST_CASE("a high product goes beyond what a descriptor counts", "[ops][matmul][bf16][options]") {
  npurt::device device;
  std::mt19937 random(14);
  const problem p({16400, 2, 3}, random);
  CHECK(p.worst(on_device<bf16>(device, p, {.bias = true}), {.bias = true}) <= 1);
}

TEST_CASE("a batch is one product for each", "[ops][matmul][bf16][options]") {
  npurt::device device;
  std::mt19937 random(8);
  constexpr std::size_t batch = 3, m = 260, n = 70, k = 100;
  const bf16s a = normal_bf16(batch * m * k, 0, 1, random), b = normal_bf16(batch * k * n, 0, 0.1F, random),
              r = normal_bf16(batch * m * n, 0, 1, random);
  const std::vector<float> bias(n, 0.25F);
  const auto part = [](const bf16s& all, std::size_t i, std::size_t rows, std::size_t columns) {
    return tensor_view(std::span(all).subspan(i * rows * columns, rows * columns), rows, columns);
  };
  for (const bool shared : {false, true}) {
    bf16s c(batch * m * n), one(m * n);
    const tensor_view view_c(c, batch, m, n);
    const tensor_view residual(r, batch, m, n), view_a(a, batch, m, k);
    if (shared) {
      npurt::matmul(device, view_a, part(b, 1, k, n), view_c, {.bias = bias, .residual = residual});
    } else {
      npurt::matmul(device, view_a, tensor_view(b, batch, k, n), view_c, {.bias = bias, .residual = residual});
    }
    for (std::size_t i = 0; i < batch; ++i) {
      npurt::matmul(device, part(a, i, m, k), part(b, shared ? 1 : i, k, n), tensor_view(one, m, n),
                    {.bias = bias, .residual = part(r, i, m, n)});
      CHECK(same_bits(one, bf16s(c.begin() + static_cast<std::ptrdiff_t>(i * m * n),
                                 c.begin() + static_cast<std::ptrdiff_t>((i + 1) * m * n))));
    }
  }
}

TEST_CASE("a batch may be larger than a command, and transposed", "[ops][matmul][bf16][options]") {
  npurt::device device;
  std::mt19937 random(9);
  constexpr std::size_t batch = 70, m = 2, n = 3, k = 5;
  const bf16s a = normal_bf16(batch * m * k, 0, 1, random), b = normal_bf16(batch * k * n, 0, 1, random);
  std::vector<float> c(batch * m * n);
  npurt::matmul(device, tensor_view(a, batch, m, k), transposed(tensor_view(b, batch, n, k)),
                tensor_view(c, batch, m, n));
  for (std::size_t i = 0; i < c.size(); ++i) {
    const std::size_t g = i / (m * n), row = i / n % m, column = i % n;
    double sum = 0;
    for (std::size_t j = 0; j < k; ++j) {
      sum += double{npurt::to_float(a[(g * m + row) * k + j])} * npurt::to_float(b[(g * n + column) * k + j]);
    }
    if (std::abs(c[i] - sum) > 1e-5) FAIL("element " << i << " is " << c[i] << ", not " << sum);
  }
}

TEST_CASE("weights on the device give what the same matrix gives", "[ops][matmul][bf16][options]") {
  npurt::device device;
  std::mt19937 random(10);
  const problem p({77, 300, 130}, random);
  bf16s bias(300);
  for (std::size_t i = 0; i < bias.size(); ++i) bias[i] = npurt::to_bfloat16(p.bias[i]);
  const npurt::matmul_weights plain(device, p.view_b()), biased(device, p.view_b(), bias);
  bf16s c(77 * 300);
  const tensor_view view_c(c, 77, 300);
  for (int round = 0; round < 2; ++round) {
    npurt::matmul(device, p.view_a(), plain, view_c);
    CHECK(same_bits(c, on_device<bf16>(device, p, {})));
    npurt::matmul(device, p.view_a(), biased, view_c,
                  {.activation = npurt::activation::gelu, .residual = tensor_view(p.residual, 77, 300)});
    CHECK(same_bits(c, on_device<bf16>(device, p, {true, true, true})));
  }
}

TEST_CASE("options that do not fit are named", "[ops][matmul][bf16][options]") {
  npurt::device device;
  const bf16s a(6), b(12), residual(8);
  bf16s c(8);
  const std::vector<float> bias(5);
  const tensor_view view_a(a, 2, 3), view_b(b, 3, 4);
  const tensor_view view_c(c, 2, 4);
  CHECK(npurt::test::refused_dimension([&] { npurt::matmul(device, view_a, view_b, view_c, {.bias = bias}); }) == "N");
  CHECK(npurt::test::refused_dimension(
            [&] { npurt::matmul(device, view_a, view_b, view_c, {.residual = tensor_view(residual, 4, 2)}); }) == "M");
  CHECK(npurt::test::refused_dimension([&] {
          npurt::matmul(device, view_a, view_b, view_c, {.residual = tensor_view(residual, 1, 2, 4)});
        }) == "accepted");
  CHECK(npurt::test::refused_dimension([&] {
          npurt::matmul(device, tensor_view(a, 1, 2, 3), tensor_view(b, 1, 3, 4), tensor_view(c, 2, 1, 4));
        }) != "accepted");
  CHECK_THROWS_AS(strided_view(a, 3, 2, 3), npurt::shape_error);
  CHECK_THROWS_AS(strided_view(a, 2, 3, 2), npurt::shape_error);
}
