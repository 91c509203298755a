// SPDX-License-Identifier: Apache-2.0
// Operations on elements, rows and samples on the CPU, to the contract of those on the NPU, with every set of vector
// units.
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>
#include <random>
#include <vector>

#include "bf16-layernorm/reference.hpp"
#include "bf16-softmax/reference.hpp"
#include "cpu/vector_sets.hpp"
#include "i16-mel/reference.hpp"
#include "ops/bf16_check.hpp"

using namespace npurt::test;
using npurt::executor, npurt::tensor_view;

namespace {

/// Both sides of one vector of each set, and of several.
constexpr std::size_t sizes[]{1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 129, 1021, 4096};

constexpr struct {
  std::size_t rows, columns;
} shapes[]{{1, 1},   {3, 2},    {5, 3},   {2, 4},    {7, 5},    {4, 7},   {3, 8},  {2, 9},
           {5, 15},  {4, 16},   {6, 17},  {3, 31},   {2, 32},   {5, 33},  {4, 64}, {3, 100},
           {2, 257}, {33, 512}, {2, 513}, {3, 1500}, {1, 4096}, {2, 5000}};

bf16s all_finite_bf16() {
  bf16s all;
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    const auto value = std::bit_cast<bf16>(static_cast<std::uint16_t>(bits));
    if (std::isfinite(npurt::to_float(value))) all.push_back(value);
  }
  return all;
}

template <typename Call>
bf16s result_of(const bf16s& x, Call&& call) {
  bf16s y = untouched(x.size());
  call(tensor_view(x, x.size()), tensor_view(y, y.size()));
  return y;
}

}  // namespace

TEST_CASE("gelu and silu on the CPU are within their bounds for every bfloat16", "[cpu][elementwise]") {
  on_every_vector_set([](executor& cpu) {
    const bf16s x = all_finite_bf16();
    accuracy gelus(0x1p-10, 0x1p-18), silus(0x1p-10, 0x1p-18);
    const bf16s g = result_of(x, [&](auto from, auto to) { npurt::gelu(cpu, from, to); });
    const bf16s s = result_of(x, [&](auto from, auto to) { npurt::silu(cpu, from, to); });
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double value = npurt::to_float(x[i]);
      gelus.add(g[i], value / 2 * std::erfc(-value / std::numbers::sqrt2));
      silus.add(s[i], value / (1 + std::exp(-value)));
    }
    gelus.check();
    silus.check();
  });
}

TEST_CASE("gelu, silu and relu on the CPU of what is no number, and of infinities", "[cpu][elementwise]") {
  on_every_vector_set([](executor& cpu) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    const bf16s x{npurt::to_bfloat16(infinity), npurt::to_bfloat16(-infinity),
                  npurt::to_bfloat16(std::numeric_limits<float>::quiet_NaN())};
    for (const auto function : {npurt::elementwise::gelu, npurt::elementwise::silu, npurt::elementwise::relu}) {
      const bf16s y = result_of(x, [&](auto from, auto to) {
        if (function == npurt::elementwise::gelu) npurt::gelu(cpu, from, to);
        if (function == npurt::elementwise::silu) npurt::silu(cpu, from, to);
        if (function == npurt::elementwise::relu) npurt::relu(cpu, from, to);
      });
      CHECK(npurt::to_float(y[0]) == infinity);
      CHECK(npurt::to_float(y[1]) == 0);
      CHECK(std::isnan(npurt::to_float(y[2])));
    }
  });
}

TEST_CASE("relu, scale, add and copy on the CPU are exact at every size", "[cpu][elementwise]") {
  on_every_vector_set([](executor& cpu) {
    std::mt19937 random(1);
    for (const std::size_t size : sizes) {
      INFO(size << " elements");
      const bf16s x = spread_bf16(size, -20, 20, random), y = spread_bf16(size, -20, 20, random);
      bf16s positive = x, scaled = x, sum = x, added = untouched(size);
      for (std::size_t i = 0; i < size; ++i) {
        if (npurt::to_float(x[i]) < 0) positive[i] = bf16(0);
        scaled[i] = npurt::to_bfloat16(npurt::to_float(x[i]) * 3.140625F);
        sum[i] = npurt::to_bfloat16(npurt::to_float(x[i]) + npurt::to_float(y[i]));
      }
      CHECK(same_bits(result_of(x, [&](auto from, auto to) { npurt::relu(cpu, from, to); }), positive));
      CHECK(same_bits(result_of(x, [&](auto from, auto to) { npurt::scale(cpu, from, 3.140625F, to); }), scaled));
      CHECK(same_bits(result_of(x, [&](auto from, auto to) { npurt::copy(cpu, from, to); }), x));
      npurt::add(cpu, tensor_view(x, size), tensor_view(y, size), tensor_view(added, size));
      CHECK(same_bits(added, sum));
      bf16s in_place = x;
      npurt::add(cpu, tensor_view(in_place, size), tensor_view(y, size), tensor_view(in_place, size));
      CHECK(same_bits(in_place, sum));
    }
  });
}

TEST_CASE("gelu of int8 and transposition on the CPU are exact", "[cpu][elementwise]") {
  executor cpu(npurt::where::cpu);
  std::vector<std::int8_t> x(256), y(256);
  for (std::size_t i = 0; i < 256; ++i) x[i] = static_cast<std::int8_t>(i);
  npurt::gelu_i8(cpu, tensor_view(x, 256), 0.05F, tensor_view(y, 256), 0.04F);
  for (std::size_t i = 0; i < 256; ++i) {
    const double value = double{0.05F} * x[i];
    const double exact = value / 2 * std::erfc(-value / std::numbers::sqrt2) / double{0.04F};
    CHECK(y[i] == std::nearbyint(std::clamp(exact, -127.0, 127.0)));
  }
  for (const auto& shape : shapes) {
    std::vector<std::uint32_t> a(shape.rows * shape.columns), b(a.size());
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<std::uint32_t>(i * 2654435761u);
    npurt::transpose(cpu, tensor_view(a, shape.rows, shape.columns), tensor_view(b, shape.columns, shape.rows));
    bool same = true;
    for (std::size_t i = 0; i < a.size(); ++i) same &= b[i % shape.columns * shape.rows + i / shape.columns] == a[i];
    CHECK(same);
  }
}

TEST_CASE("layernorm on the CPU is within its bounds, and of rows of equal elements beta", "[cpu][layernorm]") {
  on_every_vector_set([](executor& cpu) {
    std::mt19937 random(2);
    accuracy all(0x1p-6, 0x1p-14);
    for (const auto& [rows, columns] : shapes) {
      const bf16s x = normal_bf16(rows * columns, 0.5F, 2, random), gamma = uniform_bf16(columns, 0.5F, 1, random),
                  beta = uniform_bf16(columns, -0.5F, 0.5F, random);
      const auto normalised = [&, r = rows, c = columns](const bf16s& of) {
        bf16s y = untouched(of.size());
        npurt::layernorm(cpu, tensor_view(of, r, c), tensor_view(gamma, c), tensor_view(beta, c), 1e-5F,
                         tensor_view(y, r, c));
        return y;
      };
      const std::vector<double> wanted =
          npurt::kernels::reference::layernorm(widened(x), widened(gamma), widened(beta), double{1e-5F});
      const bf16s y = normalised(x);
      float unit = 0;
      for (std::size_t i = 0; i < columns; ++i)
        unit = std::max({unit, npurt::to_float(gamma[i]), std::abs(npurt::to_float(beta[i]))});
      for (std::size_t i = 0; i < y.size(); ++i) all.add(y[i], wanted[i], unit);
      const bf16s equal = normalised(bf16s(x.size(), npurt::to_bfloat16(123.0F)));
      for (std::size_t i = 0; i < y.size(); ++i) REQUIRE(bits_of(equal[i]) == bits_of(beta[i % columns]));
    }
    all.check();
  });
}

TEST_CASE("softmax on the CPU is within its bounds under every mask", "[cpu][softmax]") {
  on_every_vector_set([](executor& cpu) {
    std::mt19937 random(3);
    accuracy all(0x1p-10, 0x1p-18);
    for (const auto& [rows, columns] : shapes) {
      const auto r = static_cast<std::ptrdiff_t>(rows), c = static_cast<std::ptrdiff_t>(columns);
      constexpr std::ptrdiff_t far = std::numeric_limits<std::ptrdiff_t>::max();
      for (const npurt::softmax_mask& mask : {npurt::softmax_mask{},
                                              {.length = columns / 2},
                                              {.causal = true},
                                              {.causal = true, .offset = c - r},
                                              {.length = columns / 3, .causal = true, .offset = -2},
                                              {.causal = true, .offset = far},
                                              {.causal = true, .offset = -far - 1}}) {
        const bf16s x = normal_bf16(rows * columns, 0, 3, random), more = normal_bf16(rows * columns, 0, 3, random);
        bf16s y = untouched(x.size());
        npurt::softmax(cpu, tensor_view(x, rows, columns), tensor_view(more, rows, columns),
                       tensor_view(y, rows, columns), mask);
        std::vector<float> seen(x.size());
        for (std::size_t i = 0; i < x.size(); ++i) {
          const auto row = static_cast<std::ptrdiff_t>(i / columns), column = static_cast<std::ptrdiff_t>(i % columns);
          const bool hidden = column >= static_cast<std::ptrdiff_t>(mask.length.value_or(columns)) ||
                              (mask.causal && column - row > mask.offset);
          seen[i] = hidden ? -std::numeric_limits<float>::infinity()
                           : npurt::to_float(npurt::to_bfloat16(npurt::to_float(x[i]) + npurt::to_float(more[i])));
        }
        const std::vector<double> wanted = npurt::kernels::reference::softmax(seen, columns);
        for (std::size_t i = 0; i < y.size(); ++i) {
          all.add(y[i], wanted[i]);
          REQUIRE((std::isfinite(seen[i]) || bits_of(y[i]) == 0));
        }
      }
    }
    all.check();
  });
}

TEST_CASE("mel on the CPU is within 0.02 in log10 units at every length", "[cpu][mel]") {
  on_every_vector_set([](executor& cpu) {
    std::mt19937 random(4);
    std::normal_distribution<> noise(0, 2e-4);
    for (const std::size_t size : {160, 161, 201, 399, 641, 997, 2003, 4801}) {
      std::vector<float> pcm(size);
      for (std::size_t i = 0; i < size; ++i) {
        const auto t = static_cast<double>(i) / 16000;
        pcm[i] = static_cast<float>(0.5 * std::sin(2 * std::numbers::pi * (300 + 2000 * t) * t) + noise(random));
      }
      const std::size_t frames = npurt::mel_frames(size);
      std::vector<float> out(80 * frames, std::numeric_limits<float>::quiet_NaN());
      npurt::mel(cpu, tensor_view(pcm, size), tensor_view(out, 80, frames));
      const std::vector<double> wanted = npurt::kernels::reference::mel(pcm);
      REQUIRE(wanted.size() == out.size());
      INFO(size << " samples");
      double worst = 0;
      for (std::size_t i = 0; i < out.size(); ++i) {
        const double off = std::abs(out[i] - wanted[i]);
        worst = std::isnan(off) ? INFINITY : std::max(worst, off);
      }
      CHECK(worst <= 0.02 / 4);
    }
  });
}
