// SPDX-License-Identifier: Apache-2.0
// Sequences with int8, mel and transposition, against the same operations called one by one and against the host.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "npurt/npurt.hpp"
#include "ops/bf16_check.hpp"

using namespace npurt::test;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;
using npurt::matrix_view;
using npurt::sequence_element;
using npurt::sequence_tensor;

namespace {

using int8s = std::vector<std::int8_t>;

int8s random_int8(std::size_t count, std::mt19937& random, int most = 127) {
  std::uniform_int_distribution<int> value(-most, most);
  int8s all(count);
  std::ranges::generate(all, [&] { return static_cast<std::int8_t>(value(random)); });
  return all;
}

template <typename T>
matrix_view<const T> in(const std::vector<T>& values, std::size_t rows, std::size_t columns) {
  return {values, rows, columns};
}

template <typename T>
std::vector<T> read(npurt::sequence& from, const char* name, std::size_t rows, std::size_t columns) {
  std::vector<T> values(rows * columns, T(77));
  from.read(name, matrix_view<T>(values, rows, columns));
  return values;
}

template <typename T>
std::vector<T> transposed(const std::vector<T>& x, std::size_t rows, std::size_t columns) {
  std::vector<T> y(x.size());
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) y[c * rows + r] = x[r * columns + c];
  }
  return y;
}

/// Columns of a matrix as heads of 64, [heads, rows, 64].
template <typename T>
std::vector<T> heads_of(const std::vector<T>& from, std::size_t rows, std::size_t columns, std::size_t first,
                        std::size_t heads) {
  std::vector<T> all;
  for (std::size_t h = 0; h < heads; ++h) {
    for (std::size_t r = 0; r < rows; ++r) {
      const auto row = from.begin() + static_cast<std::ptrdiff_t>(r * columns + first + 64 * h);
      all.insert(all.end(), row, row + 64);
    }
  }
  return all;
}

}  // namespace

TEST_CASE("int8 products and gelu in a sequence are exact", "[ops][sequence][i8]") {
  std::mt19937 random(1);
  npurt::device device;
  constexpr std::size_t m = 37, k = 51, n = 70, last = 33;
  constexpr int zero_point = 5;
  const int8s x = random_int8(m * k, random), w = random_int8(k * n, random), v = random_int8(last * n, random);
  std::vector<npurt::column_scale> scales(n);
  for (std::size_t i = 0; i < n; ++i) scales[i] = npurt::column_scale_of(0.004 + 1e-5 * double(i), 100);

  npurt::sequence s(device);
  const npurt::matmul_i8_weights first(device, in(w, k, n), scales, zero_point);
  const npurt::matmul_i8_weights second(device, in(v, last, n), {}, 0, npurt::weights_order::outputs_by_inputs);
  CHECK(first.has_scales());
  const sequence_tensor h = s.matmul(s.input<std::int8_t>("x", m, k), first);
  const sequence_tensor g = s.copy(s.gelu_i8(h, 0.05F, 0.04F));
  CHECK(h.element() == sequence_element::i8);
  s.output("h", h);
  s.output("sums", s.matmul(g, second));
  s.compile();
  s.write("x", in(x, m, k));
  s.run();

  int8s product(m * n), activated(m * n);
  npurt::matmul(device, in(x, m, k), in(w, k, n), matrix_view<std::int8_t>(product, m, n),
                {.scales = scales, .zero_point = zero_point});
  npurt::gelu_i8(device, in(product, m, n), 0.05F, matrix_view<std::int8_t>(activated, m, n), 0.04F);
  CHECK(read<std::int8_t>(s, "h", m, n) == product);
  std::vector<std::int32_t> sums(m * last);
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < last; ++j) {
      for (std::size_t l = 0; l < n; ++l) sums[i * last + j] += activated[i * n + l] * v[j * n + l];
    }
  }
  CHECK(read<std::int32_t>(s, "sums", m, last) == sums);
}

TEST_CASE("int8 attention reads the columns of one int8 product", "[ops][sequence][i8]") {
  std::mt19937 random(2);
  npurt::device device;
  constexpr std::size_t rows = 70, heads = 2, c = 64 * heads;
  const npurt::attention_scales scales{.q = 0.02F, .k = 0.03F, .v = 0.01F};
  const int8s x = random_int8(rows * c, random), w = random_int8(c * 3 * c, random);
  const std::vector<npurt::column_scale> factors(3 * c, npurt::column_scale_of(0.0007));
  npurt::sequence s(device);
  const npurt::matmul_i8_weights weights(device, in(w, c, 3 * c), factors);
  const sequence_tensor qkv = s.matmul(s.input<std::int8_t>("x", rows, c), weights);
  const sequence_tensor out =
      s.attention_i8(qkv.columns(0, c), qkv.columns(c, c), qkv.columns(2 * c, c), scales, {.causal = true});
  CHECK(out.element() == sequence_element::bf16);
  s.output("out", s.relu(out));
  s.compile();
  s.write("x", in(x, rows, c));
  s.run();

  int8s product(rows * 3 * c);
  npurt::matmul(device, in(x, rows, c), in(w, c, 3 * c), matrix_view<std::int8_t>(product, rows, 3 * c),
                {.scales = factors});
  const int8s q = heads_of(product, rows, 3 * c, 0, heads), k = heads_of(product, rows, 3 * c, c, heads),
              v = heads_of(product, rows, 3 * c, 2 * c, heads);
  bf16s one(rows * c);
  npurt::attention_i8(device, npurt::tensor_view(q, heads, rows, 64), npurt::tensor_view(k, heads, rows, 64),
                      npurt::tensor_view(v, heads, rows, 64), scales, npurt::tensor_view(one, heads, rows, 64),
                      {.causal = true});
  for (bf16& each : one) each = std::max(each, bf16(0));
  CHECK(same_bits(heads_of(read<bf16>(s, "out", rows, c), rows, c, 0, heads), one));
}

TEST_CASE("a transpose in a sequence is an operand like others", "[ops][sequence][transpose]") {
  std::mt19937 random(3);
  npurt::device device;
  constexpr std::size_t rows = 70, columns = 102, n = 40;
  const bf16s x = normal_bf16(rows * columns, 0, 1, random), w = normal_bf16(rows * n, 0, 0.1F, random);
  const bf16s gamma = uniform_bf16(columns, 0.5F, 1.5F, random), beta = uniform_bf16(columns, 1, 2, random);
  npurt::sequence s(device);
  const npurt::layernorm_weights norm(device, gamma, beta);
  const npurt::matmul_weights weights(device, in(w, rows, n));
  const sequence_tensor y = s.layernorm(s.input("x", rows, columns), norm, 1e-5F);
  const sequence_tensor t = s.transpose(y);
  REQUIRE(t.rows() == columns);
  REQUIRE(t.columns() == rows);
  s.output("t", t);
  s.output("back", s.transpose(t));
  s.output("product", s.matmul(t, weights));
  s.compile();
  const npurt::buffer<bf16> buffer = s.make_buffer("t");
  s.bind("t", buffer);
  s.write("x", in(x, rows, columns));
  for (int i = 0; i < 2; ++i) s.run();

  bf16s normal(rows * columns), product(columns * n);
  npurt::layernorm(device, in(x, rows, columns), npurt::tensor_view(gamma, columns), npurt::tensor_view(beta, columns),
                   1e-5F, matrix_view<bf16>(normal, rows, columns));
  const bf16s wanted = transposed(normal, rows, columns);
  npurt::matmul(device, in(wanted, columns, rows), in(w, rows, n), matrix_view<bf16>(product, columns, n));
  CHECK(same_bits(read<bf16>(s, "t", columns, rows), wanted));
  CHECK(same_bits(read<bf16>(s, "back", rows, columns), normal));
  CHECK(same_bits(read<bf16>(s, "product", columns, n), product));
  // Where x has padding of beta below its last row, y has zeros.
  const npurt::sequence_layout layout = s.layout("t");
  REQUIRE(layout.pitch > rows);
  int wrong = 0;
  for (std::size_t r = 0; r < columns; ++r) {
    for (std::size_t c = rows; c < layout.pitch; ++c) wrong += bits_of(buffer[r * layout.pitch + c]) != 0 ? 1 : 0;
  }
  CHECK(wrong == 0);
}

TEST_CASE("a transpose in a sequence goes in blocks where rows are long", "[ops][sequence][transpose]") {
  std::mt19937 random(4);
  npurt::device device;
  constexpr std::size_t rows = 8204, columns = 514;
  const int8s x = random_int8(rows * columns, random);
  npurt::sequence s(device);
  s.output("y", s.transpose(s.input<std::int8_t>("x", rows, columns)));
  s.compile();
  s.write("x", in(x, rows, columns));
  s.run();
  CHECK((read<std::int8_t>(s, "y", columns, rows) == transposed(x, rows, columns)));
}

TEST_CASE("mel in a sequence is mel, again with other samples, and beside other operations", "[ops][sequence][mel]") {
  std::mt19937 random(5);
  npurt::device device;
  constexpr std::size_t n = 5000, frames = npurt::mel_frames(n);
  npurt::sequence s(device);
  const sequence_tensor samples = s.samples("pcm", n);
  s.output("mel", s.mel(samples));
  s.output("y", s.relu(s.input("x", 1, 2)));
  s.compile();
  for (const float level : {0.5F, 0.001F}) {
    std::vector<float> pcm(n);
    for (std::size_t i = 0; i < n; ++i) {
      pcm[i] = level * std::sin(0.05F * float(i) * (1 + 1e-4F * float(i))) + 1e-4F * level * float(random() % 100);
    }
    std::vector<float> wanted(npurt::mel_bands * frames);
    npurt::mel(device, npurt::tensor_view(pcm, n), matrix_view<float>(wanted, npurt::mel_bands, frames));
    s.write("pcm", in(pcm, 1, n));
    s.run();
    CHECK((read<float>(s, "mel", npurt::mel_bands, frames) == wanted));
  }
}

TEST_CASE("a sequence refuses elements that an operation does not take", "[ops][sequence][i8]") {
  npurt::device device;
  npurt::sequence s(device);
  const sequence_tensor x = s.input<std::int8_t>("x", 8, 128), b = s.input("b", 8, 128), odd = s.input("odd", 9, 8),
                        pcm = s.samples("pcm", 800);
  CHECK_THROWS_MATCHES(s.gelu(x), npurt::sequence_error, MessageMatches(ContainsSubstring("std::int8_t")));
  CHECK_THROWS_AS(s.gelu_i8(b, 1, 1), npurt::sequence_error);
  CHECK_THROWS_AS(s.gelu_i8(x, 0, 1), npurt::value_error);
  CHECK_THROWS_AS(s.add(b, x), npurt::sequence_error);
  CHECK_THROWS_AS(s.attention_i8(b, b, b, {}), npurt::sequence_error);
  CHECK_THROWS_AS(s.attention_i8(x, x, x, {.q = -1}), npurt::value_error);
  CHECK_THROWS_AS(s.attention_i8(x.columns(1, 64), x.columns(64, 64), x.columns(64, 64), {}), npurt::shape_error);
  CHECK_THROWS_AS(s.transpose(odd), npurt::shape_error);
  CHECK_THROWS_AS(s.mel(b), npurt::sequence_error);
  CHECK_THROWS_AS(s.copy(pcm), npurt::sequence_error);
  CHECK_THROWS_AS(s.relu(s.mel(pcm)), npurt::sequence_error);
  CHECK_THROWS_AS(s.samples("short", 10), npurt::shape_error);
  const int8s values(128 * 4);
  CHECK_THROWS_AS(npurt::matmul_i8_weights(device, in(values, 128, 4), {}, 128), npurt::value_error);
  const npurt::matmul_i8_weights weights(device, in(values, 128, 4));
  CHECK_THROWS_AS(s.matmul(b, weights), npurt::sequence_error);
  s.output("y", s.matmul(x, weights));
  s.compile();
  const std::vector<float> wide(8 * 128);
  CHECK_THROWS_AS(s.write("x", in(wide, 8, 128)), npurt::sequence_error);
  CHECK_THROWS_AS(s.layout("pcm"), npurt::sequence_error);
  CHECK_THROWS_AS(s.make_buffer("x"), npurt::sequence_error);
  const std::vector<float> infinite(800, INFINITY);
  CHECK_THROWS_AS(s.write("pcm", in(infinite, 1, 800)), npurt::value_error);
}
