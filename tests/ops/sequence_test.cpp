// SPDX-License-Identifier: Apache-2.0
// Sequences against the same operations called one by one: results are equal bit for bit.
#include "npurt/sequence.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <random>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "npurt/npurt.hpp"
#include "ops/bf16_check.hpp"

using namespace npurt::test;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;
using npurt::matrix_view;
using npurt::sequence_tensor;

namespace {

struct matrix {
  std::size_t rows, columns;
  bf16s data;

  matrix_view<const bf16> in() const { return {data, rows, columns}; }
  matrix_view<bf16> out() { return {data, rows, columns}; }
};

matrix random_matrix(std::size_t rows, std::size_t columns, std::mt19937& random, float deviation = 1) {
  return {rows, columns, normal_bf16(rows * columns, 0, deviation, random)};
}
matrix untouched_matrix(std::size_t rows, std::size_t columns) { return {rows, columns, untouched(rows * columns)}; }

matrix read(npurt::sequence& from, const char* name, std::size_t rows, std::size_t columns) {
  matrix read = untouched_matrix(rows, columns);
  from.read(name, read.out());
  return read;
}

/// Columns of a matrix as heads of 64, [heads, rows, 64].
bf16s heads_of(const matrix& from, std::size_t first, std::size_t heads) {
  bf16s all;
  for (std::size_t h = 0; h < heads; ++h) {
    for (std::size_t r = 0; r < from.rows; ++r) {
      const auto row = from.data.begin() + static_cast<std::ptrdiff_t>(r * from.columns + first + 64 * h);
      all.insert(all.end(), row, row + 64);
    }
  }
  return all;
}

/// The way back.
matrix joined(const bf16s& heads, std::size_t count, std::size_t rows) {
  matrix made = untouched_matrix(rows, 64 * count);
  for (std::size_t h = 0; h < count; ++h) {
    for (std::size_t r = 0; r < rows; ++r) {
      std::copy_n(heads.begin() + static_cast<std::ptrdiff_t>((h * rows + r) * 64), 64,
                  made.data.begin() + static_cast<std::ptrdiff_t>(r * made.columns + 64 * h));
    }
  }
  return made;
}

/// gelu of x, with an input "x" and an output "y".
npurt::sequence gelu_of(npurt::device& device, std::size_t rows, std::size_t columns) {
  npurt::sequence s(device);
  s.output("y", s.gelu(s.input("x", rows, columns)));
  s.compile();
  return s;
}

bf16s gelu(npurt::device& device, const matrix& x) {
  bf16s y = untouched(x.data.size());
  npurt::gelu(device, x.in(), matrix_view<bf16>(y, x.rows, x.columns));
  return y;
}

}  // namespace

TEST_CASE("element-wise operations in a sequence are those one by one", "[ops][sequence]") {
  std::mt19937 random(1);
  npurt::device device;
  const matrix x = random_matrix(37, 51, random), other = random_matrix(37, 51, random);
  npurt::sequence s(device);
  const sequence_tensor a = s.input("x", 37, 51), b = s.input("other", 37, 51);
  const sequence_tensor g = s.gelu(a);
  s.output("sum", s.add(s.silu(s.scale(g, 1.5F)), s.copy(b)));
  s.output("relu", s.relu(g));
  s.compile();
  s.write("x", x.in());
  s.write("other", other.in());
  s.run();

  matrix one = untouched_matrix(37, 51), two = one, sum = one, relu = one;
  npurt::gelu(device, x.in(), one.out());
  npurt::relu(device, one.in(), relu.out());
  npurt::scale(device, one.in(), 1.5F, two.out());
  npurt::silu(device, two.in(), one.out());
  npurt::add(device, one.in(), other.in(), sum.out());
  CHECK(same_bits(read(s, "sum", 37, 51).data, sum.data));
  CHECK(same_bits(read(s, "relu", 37, 51).data, relu.data));
}

TEST_CASE("a row-wise operation, a product and a product of it lie as each other's operands", "[ops][sequence]") {
  std::mt19937 random(2);
  npurt::device device;
  constexpr std::size_t rows = 100, c = 96, n = 200, last = 70;
  const matrix x = random_matrix(rows, c, random), w = random_matrix(c, n, random, 0.1F),
               v = random_matrix(n, last, random, 0.1F);
  const bf16s gamma = uniform_bf16(c, 0.5F, 1.5F, random), beta = uniform_bf16(c, -1, 1, random);

  npurt::sequence s(device);
  const npurt::layernorm_weights norm(device, gamma, beta);
  const npurt::matmul_weights first(device, w.in()), second(device, v.in());
  const sequence_tensor h = s.layernorm(s.input("x", rows, c), norm, 1e-5F);
  const sequence_tensor p = s.matmul(h, first);
  const sequence_tensor q = s.matmul(p, second);
  s.output("q", q);
  s.output("soft", s.softmax(q));
  s.compile();
  s.write("x", x.in());
  s.run();

  matrix normal = untouched_matrix(rows, c), product = untouched_matrix(rows, n), end = untouched_matrix(rows, last),
         soft = end;
  npurt::layernorm(device, x.in(), npurt::tensor_view(gamma, c), npurt::tensor_view(beta, c), 1e-5F, normal.out());
  npurt::matmul(device, normal.in(), w.in(), product.out());
  npurt::matmul(device, product.in(), v.in(), end.out());
  npurt::softmax(device, end.in(), soft.out());
  CHECK(same_bits(read(s, "q", rows, last).data, end.data));
  CHECK(same_bits(read(s, "soft", rows, last).data, soft.data));
}

TEST_CASE("attention reads the columns of one product as queries, keys and values", "[ops][sequence]") {
  std::mt19937 random(3);
  npurt::device device;
  constexpr std::size_t rows = 150, heads = 2, c = 64 * heads;
  const matrix x = random_matrix(rows, c, random), w = random_matrix(c, 3 * c, random, 0.1F);
  npurt::sequence s(device);
  const npurt::matmul_weights weights(device, w.in());
  const sequence_tensor qkv = s.matmul(s.input("x", rows, c), weights);
  s.output("out", s.attention(qkv.columns(0, c), qkv.columns(c, c), qkv.columns(2 * c, c)));
  s.compile();
  s.write("x", x.in());
  s.run();

  matrix product = untouched_matrix(rows, 3 * c);
  npurt::matmul(device, x.in(), w.in(), product.out());
  const bf16s q = heads_of(product, 0, heads), k = heads_of(product, c, heads), v = heads_of(product, 2 * c, heads);
  bf16s out = untouched(rows * c);
  npurt::attention(device, npurt::tensor_view(q, heads, rows, 64), npurt::tensor_view(k, heads, rows, 64),
                   npurt::tensor_view(v, heads, rows, 64), npurt::tensor_view(out, heads, rows, 64));
  CHECK(same_bits(read(s, "out", rows, c).data, joined(out, heads, rows).data));
}

TEST_CASE("bias, gelu and residual follow a product in this order", "[ops][sequence]") {
  std::mt19937 random(4);
  npurt::device device;
  constexpr std::size_t m = 70, n = 130, k = 90;
  const matrix a = random_matrix(m, k, random), b = random_matrix(n, k, random, 0.1F), r = random_matrix(m, n, random);
  const bf16s bias = uniform_bf16(n, -1, 1, random);
  npurt::sequence s(device);
  const npurt::matmul_weights weights(device, b.in(), bias, npurt::weights_order::outputs_by_inputs);
  s.output("c", s.matmul(s.input("a", m, k), weights, {.gelu = true, .residual = s.input("r", m, n)}));
  s.compile();
  s.write("a", a.in());
  s.write("r", r.in());
  s.run();
  const matrix c = read(s, "c", m, n);
  double worst = 0;
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      double sum = npurt::to_float(bias[j]);
      for (std::size_t l = 0; l < k; ++l) {
        sum += double{npurt::to_float(a.data[i * k + l])} * npurt::to_float(b.data[j * k + l]);
      }
      const double gelu = sum / 2 * std::erfc(-sum / std::sqrt(2.0)), residual = npurt::to_float(r.data[i * n + j]);
      const double error = std::abs(npurt::to_float(c.data[i * n + j]) - (gelu + residual));
      worst = std::max(worst, error / std::max(1.0, std::abs(gelu) + std::abs(residual)));
    }
  }
  CHECK(worst < 0x1p-7);
}

TEST_CASE("a sequence runs again with other inputs, and its duplicate beside it", "[ops][sequence]") {
  std::mt19937 random(5);
  npurt::device device;
  npurt::sequence s = gelu_of(device, 20, 30);
  npurt::sequence t = s.duplicate();
  const matrix x = random_matrix(20, 30, random), y = random_matrix(20, 30, random);
  s.write("x", x.in());
  t.write("x", y.in());
  s.start();
  t.start();
  t.wait();
  s.wait();
  CHECK_FALSE(s.busy());
  CHECK(same_bits(read(s, "y", 20, 30).data, gelu(device, x)));
  CHECK(same_bits(read(t, "y", 20, 30).data, gelu(device, y)));
  s.write("x", y.in());
  s.run();
  CHECK(same_bits(read(s, "y", 20, 30).data, gelu(device, y)));
}

TEST_CASE("bound buffers are worked in without copies, from one sequence to the next", "[ops][sequence]") {
  std::mt19937 random(6);
  npurt::device device;
  npurt::sequence s = gelu_of(device, 20, 30), t = gelu_of(device, 20, 30);
  REQUIRE(s.layout("y") == t.layout("x"));
  npurt::buffer<bf16> between = s.make_buffer("y");
  s.bind("y", between);
  t.bind("x", between);
  const matrix x = random_matrix(20, 30, random);
  s.write("x", x.in());
  s.start();
  t.start();
  t.wait();
  const bf16s once = gelu(device, x);
  CHECK(same_bits(read(t, "y", 20, 30).data, gelu(device, {20, 30, once})));
  between.from_device();
  const std::size_t pitch = s.layout("y").pitch;
  bf16s seen;
  for (std::size_t r = 0; r < 20; ++r) seen.insert(seen.end(), &between[r * pitch], &between[r * pitch] + 30);
  CHECK(same_bits(seen, once));
  const npurt::buffer<bf16> small(npurt::kernel(npurt::hw_context(device, npurt::xclbin(s.report().xclbin)), "overlay"),
                                  16);
  CHECK_THROWS_AS(s.bind("x", small), npurt::buffer_error);
}

TEST_CASE("a completion callback is told each end, and may start the next run", "[ops][sequence]") {
  npurt::device device;
  npurt::sequence s = gelu_of(device, 4, 4);
  std::mutex mutex;
  std::condition_variable changed;
  int ends = 0, failures = 0;
  s.on_completion([&](std::exception_ptr failure) {
    const std::lock_guard lock(mutex);
    failures += failure != nullptr;
    if (++ends < 3) s.start();
    changed.notify_all();
  });
  s.start();
  std::unique_lock lock(mutex);
  REQUIRE(changed.wait_for(lock, 60s, [&] { return ends == 3; }));
  CHECK(failures == 0);
}

TEST_CASE("step by step the result is the same, and each operation is told", "[ops][sequence]") {
  std::mt19937 random(7);
  npurt::device device;
  npurt::sequence s(device);
  s.output("y", s.relu(s.gelu(s.input("x", 9, 10))));
  s.compile();
  s.write("x", random_matrix(9, 10, random).in());
  std::vector<std::string> told;
  s.run_stepwise([&](std::size_t, const npurt::sequence_step& step) { told.push_back(step.name); }, 60s);
  CHECK(told == std::vector<std::string>{"gelu 9x10", "relu 9x10"});
  const matrix stepwise = read(s, "y", 9, 10);
  s.run();
  CHECK(same_bits(read(s, "y", 9, 10).data, stepwise.data));
}

TEST_CASE("more operations than a list of the driver's takes run in order", "[ops][sequence]") {
  npurt::device device;
  npurt::sequence s(device);
  sequence_tensor t = s.input("x", 1, 2);
  for (int i = 0; i < 50; ++i) t = s.scale(t, i % 2 == 0 ? 2.0F : 0.5F);
  s.output("y", s.scale(t, 4.0F));
  s.compile();
  const matrix x{1, 2, {bf16(1.25F), bf16(-3)}};
  s.write("x", x.in());
  s.run();
  CHECK(same_bits(read(s, "y", 1, 2).data, {bf16(5), bf16(-12)}));
}

TEST_CASE("a sequence that is used as it cannot be says so", "[ops][sequence]") {
  npurt::device device;
  npurt::sequence s(device), other(device);
  const sequence_tensor x = s.input("x", 8, 128), foreign = other.input("x", 8, 128);
  CHECK_THROWS_AS(s.input("x", 1, 1), npurt::sequence_error);
  CHECK_THROWS_AS(s.input("", 1, 1), npurt::sequence_error);
  CHECK_THROWS_MATCHES(s.gelu(foreign), npurt::sequence_error, MessageMatches(ContainsSubstring("another")));
  CHECK_THROWS_AS(s.gelu(x.columns(0, 64)), npurt::sequence_error);
  CHECK_THROWS_AS(x.columns(100, 29), npurt::shape_error);
  CHECK_THROWS_AS(s.run(), npurt::sequence_error);
  CHECK_THROWS_AS(s.compile(), npurt::sequence_error);
  CHECK_THROWS_AS(s.add(x, s.input("z", 8, 64)), npurt::shape_error);
  CHECK_THROWS_AS(s.softmax(s.input("odd", 8, 33)), npurt::shape_error);
  CHECK_THROWS_AS(s.attention(x.columns(0, 96), x, x), npurt::shape_error);
  CHECK_THROWS_AS(s.attention(x, x, x, {}, 32), npurt::shape_error);
  CHECK_THROWS_AS(s.output("y", x), npurt::sequence_error);
  s.output("y", s.gelu(x));
  s.compile();
  CHECK(s.steps().size() == 1);
  CHECK_THROWS_AS(s.gelu(x), npurt::sequence_error);
  matrix y = untouched_matrix(8, 128);
  CHECK_THROWS_AS(s.read("y", y.out()), npurt::sequence_error);
  CHECK_THROWS_AS(s.read("nothing", y.out()), npurt::sequence_error);
  CHECK_THROWS_AS(s.write("y", y.in()), npurt::sequence_error);
  CHECK_THROWS_AS(s.write("x", untouched_matrix(8, 127).in()), npurt::shape_error);
  CHECK_THROWS_AS(s.wait(1ms), npurt::command_error);
}

TEST_CASE("operations of different pages of code follow each other in one sequence", "[ops][sequence]") {
  std::mt19937 random(8);
  npurt::device device;
  constexpr std::size_t rows = 64, c = 64;
  const matrix x = random_matrix(rows, c, random);
  npurt::sequence s(device);
  const sequence_tensor in = s.input("x", rows, c);
  const sequence_tensor soft = s.softmax(in);
  const sequence_tensor seen = s.attention(soft, in, in);
  s.output("y", s.softmax(seen));
  s.compile();
  s.write("x", x.in());
  for (int i = 0; i < 2; ++i) s.run();
  matrix a = untouched_matrix(rows, c), b = a, y = a;
  npurt::softmax(device, x.in(), a.out());
  npurt::attention(device, npurt::tensor_view(a.data, 1, rows, c), npurt::tensor_view(x.data, 1, rows, c),
                   npurt::tensor_view(x.data, 1, rows, c), npurt::tensor_view(b.data, 1, rows, c));
  npurt::softmax(device, b.in(), y.out());
  CHECK(same_bits(read(s, "y", rows, c).data, y.data));
}
