// SPDX-License-Identifier: Apache-2.0
// Calls of every operation in turn on one device, whose cores do not hold the code of all at the same time: results do
// not depend on what ran before. NPURT_TEST_RUNS=1000 asks for so many calls of each, and prints figures.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <catch2/catch_test_macros.hpp>

#include "npurt/npurt.hpp"
#include "ops/bf16_check.hpp"

using namespace npurt::test;
using npurt::matrix_view, npurt::tensor_view;

namespace {

/// Every operation with its operands. Some have code on pages of their own: attention, mel.
class calls {
 public:
  calls() {
    std::mt19937 random(11);
    x_ = normal_bf16(elements, 0, 1, random);
    for (auto& value : q_) value = static_cast<std::int8_t>(random());
    for (std::size_t i = 0; i < pcm_.size(); ++i) pcm_[i] = static_cast<float>(i % 37) / 64 - 0.3F;
  }

  enum kind : std::size_t {
    copy,
    gelu,
    silu,
    relu,
    scale,
    add,
    gelu_i8,
    layernorm,
    softmax,
    matmul_i8_i32,
    matmul_i8,
    matmul_bf16,
    attention,
    attention_i8,
    mel,
    transpose,
    count
  };

  /// The result's bytes.
  std::vector<std::byte> operator()(npurt::device& device, std::size_t which) const {
    bf16s y = untouched(elements);
    const tensor_view flat(x_, elements);
    const tensor_view flat_y(y, elements);
    const matrix_view<const bf16> x(x_, rows, columns);
    const matrix_view<bf16> out(y, rows, columns);
    const matrix_view<const std::int8_t> a(q_, rows, columns), b(q_, columns, rows);
    const tensor_view<const bf16, 3> head(x_, 1, rows, columns);
    const tensor_view<const std::int8_t, 3> head_i8(q_, 1, rows, columns);
    const tensor_view<bf16, 3> head_out(y, 1, rows, columns);
    const tensor_view<const bf16, 1> weights{std::span<const bf16>(x_).first(columns), columns};
    switch (which) {
      case copy:
        return npurt::copy(device, flat, flat_y), bytes_of(y);
      case gelu:
        return npurt::gelu(device, flat, flat_y), bytes_of(y);
      case silu:
        return npurt::silu(device, flat, flat_y), bytes_of(y);
      case relu:
        return npurt::relu(device, flat, flat_y), bytes_of(y);
      case scale:
        return npurt::scale(device, flat, 0.3F, flat_y), bytes_of(y);
      case add:
        return npurt::add(device, flat, flat, flat_y), bytes_of(y);
      case gelu_i8: {
        std::vector<std::int8_t> z(elements);
        return npurt::gelu_i8(device, tensor_view(q_, elements), 0.1F, tensor_view(z, elements), 0.05F), bytes_of(z);
      }
      case layernorm:
        return npurt::layernorm(device, x, weights, weights, 1e-5F, out), bytes_of(y);
      case softmax:
        return npurt::softmax(device, x, out), bytes_of(y);
      case matmul_i8_i32: {
        std::vector<std::int32_t> c(rows * rows);
        return npurt::matmul(device, a, b, matrix_view<std::int32_t>(c, rows, rows)), bytes_of(c);
      }
      case matmul_i8: {
        std::vector<std::int8_t> c(rows * rows);
        const std::vector<npurt::column_scale> scales(rows, npurt::column_scale_of(0.01));
        return npurt::matmul(device, a, b, matrix_view<std::int8_t>(c, rows, rows), {.scales = scales}), bytes_of(c);
      }
      case matmul_bf16: {
        std::vector<float> c(rows * rows);
        return npurt::matmul(device, x, npurt::transposed(x), matrix_view<float>(c, rows, rows)), bytes_of(c);
      }
      case attention:
        return npurt::attention(device, head, head, head, head_out), bytes_of(y);
      case attention_i8:
        return npurt::attention_i8(device, head_i8, head_i8, head_i8, {0.1F, 0.1F, 0.1F}, head_out), bytes_of(y);
      case mel: {
        const std::size_t frames = npurt::mel_frames(pcm_.size());
        std::vector<float> bands(npurt::mel_bands * frames);
        return npurt::mel(device, tensor_view(pcm_, pcm_.size()), tensor_view(bands, npurt::mel_bands, frames)),
               bytes_of(bands);
      }
      case transpose:
        return npurt::transpose(device, x, matrix_view<bf16>(y, columns, rows)), bytes_of(y);
      default:
        FAIL("there is no operation " << which);
        return {};
    }
  }

 private:
  static constexpr std::size_t rows = 37, columns = 64, elements = rows * columns;

  template <typename T>
  static std::vector<std::byte> bytes_of(const std::vector<T>& values) {
    const auto all = std::as_bytes(std::span(values));
    return {all.begin(), all.end()};
  }

  bf16s x_;
  std::array<std::int8_t, elements> q_{};
  std::array<float, 320> pcm_{};
};

/// Of the resident code and of two pages.
constexpr std::array some_pages{calls::gelu, calls::attention, calls::softmax, calls::matmul_i8_i32};

using results = std::array<std::vector<std::byte>, calls::count>;

results each_alone(const calls& make, std::span<const calls::kind> some) {
  results alone;
  for (const calls::kind which : some) {
    npurt::device device;
    alone[which] = make(device, which);
  }
  return alone;
}

/// Calls of each operation that are asked for, or few.
std::size_t wanted_calls() {
  constexpr std::size_t few = 3;
  const char* const wanted = std::getenv("NPURT_TEST_RUNS");
  return wanted == nullptr ? few : std::max(few, std::size_t{std::stoul(wanted)});
}

}  // namespace

TEST_CASE("operations of different pages take turns in any order", "[ops][pages]") {
  const calls make;
  const results alone = each_alone(make, some_pages);
  npurt::device device;
  std::mt19937 random(5);
  for (int i = 0; i < 40; ++i) {
    const calls::kind which = some_pages[random() % some_pages.size()];
    INFO("call " << i << " is operation " << which);
    REQUIRE(make(device, which) == alone[which]);
  }
}

// One call each, all operations in turn; then the rest in a row, operation by operation; at the end in turn once more.
TEST_CASE("every operation gives after many calls what it gave first", "[ops][pages]") {
  const calls make;
  npurt::device device;
  results first;
  for (std::size_t which = 0; which < calls::count; ++which) first[which] = make(device, which);
  const std::size_t wanted = wanted_calls();
  std::array<std::size_t, calls::count> equal{};
  std::string figures;
  const auto again = [&](std::size_t which) { equal[which] += make(device, which) == first[which] ? 1 : 0; };
  for (std::size_t which = 0; which < calls::count; ++which) {
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t call = 2; call < wanted; ++call) again(which);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    figures += fmt::format("operation {}: {} calls in a row, {:.1f} s\n", which, wanted - 2, taken.count());
  }
  for (std::size_t which = 0; which < calls::count; ++which) again(which);
  if (std::getenv("NPURT_TEST_RUNS") != nullptr) fmt::print("{}", figures);
  for (std::size_t which = 0; which < calls::count; ++which) {
    INFO("operation " << which);
    CHECK(equal[which] == wanted - 1);
  }
}

TEST_CASE("threads that need different pages get what they would get alone", "[ops][pages]") {
  const calls make;
  const results alone = each_alone(make, some_pages);
  npurt::device device;
  std::atomic<int> wrong = 0;
  std::vector<std::jthread> threads;
  for (const calls::kind which : some_pages) {
    threads.emplace_back([&, which] {
      for (int i = 0; i < 10; ++i) wrong += make(device, which) == alone[which] ? 0 : 1;
    });
  }
  threads.clear();
  CHECK(wrong == 0);
}
