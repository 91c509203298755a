// SPDX-License-Identifier: Apache-2.0
// Operations whose code the cores do not hold at the same time, on the emulated NPU.
#include <array>
#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "npurt/npurt.hpp"
#include "ops/bf16_check.hpp"

using namespace npurt::test;
using npurt::matrix_view, npurt::tensor_view;

namespace {

/// Calls with their operands, from the resident code and from two pages.
class calls {
 public:
  calls() {
    std::mt19937 random(11);
    x_ = normal_bf16(rows * columns, 0, 1, random);
    std::uniform_int_distribution<int> any(-128, 127);
    for (auto& value : a_) value = static_cast<std::int8_t>(any(random));
  }

  static constexpr std::size_t count = 4;

  /// The result's bytes.
  std::vector<std::byte> operator()(npurt::device& device, std::size_t which) const {
    bf16s y = untouched(x_.size());
    switch (which) {
      case 0:
        npurt::gelu(device, tensor_view(x_, x_.size()), tensor_view(y, y.size()));
        break;
      case 1:
        npurt::attention(device, heads(x_), heads(x_), heads(x_), tensor_view(y, 1, rows, columns));
        break;
      case 2:
        npurt::softmax(device, matrix_view(x_, rows, columns), matrix_view(y, rows, columns));
        break;
      default:
        return product(device);
    }
    const auto bytes = std::as_bytes(std::span(y));
    return {bytes.begin(), bytes.end()};
  }

 private:
  static constexpr std::size_t rows = 37, columns = 64;

  static tensor_view<const std::bfloat16_t, 3> heads(const bf16s& values) {
    return tensor_view<const std::bfloat16_t, 3>(values, 1, rows, columns);
  }

  std::vector<std::byte> product(npurt::device& device) const {
    std::vector<std::int32_t> c(rows * rows);
    npurt::matmul(device, matrix_view<const std::int8_t>(a_, rows, columns),
                  matrix_view<const std::int8_t>(a_, columns, rows), matrix_view<std::int32_t>(c, rows, rows));
    const auto bytes = std::as_bytes(std::span(c));
    return {bytes.begin(), bytes.end()};
  }

  bf16s x_;
  std::array<std::int8_t, rows * columns> a_{};
};

std::array<std::vector<std::byte>, calls::count> each_alone(const calls& make) {
  std::array<std::vector<std::byte>, calls::count> results;
  for (std::size_t which = 0; which < calls::count; ++which) {
    npurt::device device;
    results[which] = make(device, which);
  }
  return results;
}

}  // namespace

TEST_CASE("operations of different pages take turns in any order", "[ops][pages]") {
  const calls make;
  const auto alone = each_alone(make);
  npurt::device device;
  std::mt19937 random(5);
  for (int i = 0; i < 40; ++i) {
    const std::size_t which = random() % calls::count;
    INFO("call " << i << " is operation " << which);
    REQUIRE(make(device, which) == alone[which]);
  }
}

TEST_CASE("every operation gives after a thousand calls what it gave first", "[ops][pages]") {
  const calls make;
  const auto alone = each_alone(make);
  npurt::device device;
  constexpr std::size_t turns = 5, calls_a_turn = 1000 / turns / calls::count;
  for (std::size_t turn = 0; turn < turns; ++turn) {
    for (std::size_t which = 0; which < calls::count; ++which) {
      for (std::size_t i = 0; i < calls_a_turn; ++i) REQUIRE(make(device, which) == alone[which]);
    }
  }
}

TEST_CASE("threads that need different pages get what they would get alone", "[ops][pages]") {
  const calls make;
  const auto alone = each_alone(make);
  npurt::device device;
  std::atomic<int> wrong = 0;
  std::vector<std::jthread> threads;
  for (std::size_t which = 0; which < calls::count; ++which) {
    threads.emplace_back([&, which] {
      for (int i = 0; i < 10; ++i) wrong += make(device, which) == alone[which] ? 0 : 1;
    });
  }
  threads.clear();
  CHECK(wrong == 0);
}
