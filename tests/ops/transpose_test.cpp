// SPDX-License-Identifier: Apache-2.0
// npurt::transpose, byte for byte.
#include "npurt/ops/transpose.hpp"

#include <random>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "npurt/npurt.hpp"
#include "ops/row_shapes.hpp"
#include "support/refused_dimension.hpp"

using namespace npurt::test;
using npurt::tensor_view;

namespace {

template <typename T>
std::vector<T> random_elements(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<T> all(count);
  for (T& each : all) each = static_cast<T>(random());
  return all;
}

template <typename T>
void check(npurt::device& device, std::size_t rows, std::size_t columns) {
  const auto x = random_elements<T>(rows * columns, static_cast<unsigned>(rows + columns));
  std::vector<T> y(x.size(), T{0x5A});
  npurt::transpose(device, tensor_view(x, rows, columns), tensor_view(y, columns, rows));
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < x.size(); ++i) wrong += x[i] != y[i % columns * rows + i / columns] ? 1 : 0;
  INFO(rows << " x " << columns << " of " << sizeof(T) << " bytes");
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("transpose is exact for elements of 1, 2 and 4 bytes, at every shape", "[ops][transpose]") {
  npurt::device device;
  for (const row_shape& shape : row_shapes) {
    check<std::uint8_t>(device, shape.rows, shape.columns);
    check<std::uint16_t>(device, shape.rows, shape.columns);
    check<std::uint32_t>(device, shape.rows, shape.columns);
  }
}

TEST_CASE("transpose goes in blocks where a matrix is larger than one", "[ops][transpose]") {
  npurt::device device;
  check<std::uint8_t>(device, 8200, 513);
  check<std::uint16_t>(device, 130, 8200);
  check<std::uint32_t>(device, 2049, 4097);
}

TEST_CASE("transpose twice is the matrix, on a second call and after others", "[ops][transpose]") {
  npurt::device device;
  const auto x = random_elements<std::uint16_t>(300 * 700, 1);
  std::vector<std::uint16_t> there(x.size()), back(x.size());
  const std::vector<std::bfloat16_t> other(5000);
  std::vector<std::bfloat16_t> result(5000);
  for (int i = 0; i < 2; ++i) {
    npurt::transpose(device, tensor_view(x, 300, 700), tensor_view(there, 700, 300));
    npurt::relu(device, tensor_view(other, 5000), tensor_view(result, 5000));
    npurt::softmax(device, tensor_view(other, 5, 1000), tensor_view(result, 5, 1000));
    npurt::transpose(device, tensor_view(there, 700, 300), tensor_view(back, 300, 700));
    CHECK(back == x);
  }
}

TEST_CASE("transpose takes any type of its sizes, and names what does not fit", "[ops][transpose]") {
  npurt::device device;
  const std::vector<float> x{1, 2, 3, 4, 5, 6};
  std::vector<float> y(6);
  npurt::transpose(device, tensor_view(x, 2, 3), tensor_view(y, 3, 2));
  CHECK(y == std::vector<float>{1, 4, 2, 5, 3, 6});
  const auto dimension = [&](std::size_t rows, std::size_t columns) {
    return npurt::test::refused_dimension([&] {
      npurt::transpose(device, tensor_view(x, 2, 3), tensor_view(std::span(y).first(rows * columns), rows, columns));
    });
  };
  CHECK(dimension(2, 3) == "C");
  CHECK(dimension(3, 1) == "R");
}

TEST_CASE("a transpose_plan gives what transpose gives, in one command, started and waited for or called",
          "[ops][transpose]") {
  npurt::device device;
  const auto check_plan = [&]<typename T>(std::size_t rows, std::size_t columns, T) {
    npurt::transpose_plan<T> plan(device, rows, columns);
    CHECK((plan.rows() == rows && plan.columns() == columns));
    for (const bool called : {false, true}) {
      const auto x = random_elements<T>(rows * columns, called ? 1 : 2);
      std::vector<T> y(x.size(), T{0x5A}), wanted(x.size());
      for (std::size_t i = 0; i < x.size(); ++i) wanted[i % columns * rows + i / columns] = x[i];
      if (called) {
        plan(tensor_view(x, rows, columns), tensor_view(y, columns, rows));
      } else {
        plan.start(tensor_view(x, rows, columns));
        plan.wait(tensor_view(y, columns, rows));
      }
      INFO(rows << " x " << columns << " of " << sizeof(T) << " bytes");
      CHECK((y == wanted));
    }
  };
  check_plan(3, 5, std::uint8_t{});
  check_plan(300, 700, std::uint16_t{});
  check_plan(7, 8192, std::uint32_t{});    // the longest row of x, in two blocks
  check_plan(16400, 9, std::uint8_t{});    // in three
  check_plan(2060, 520, std::uint32_t{});  // two blocks of both
}

TEST_CASE("a transpose_plan names what does not fit it", "[ops][transpose]") {
  npurt::device device;
  CHECK(npurt::test::refused_dimension([&] { npurt::transpose_plan<std::uint8_t>(device, 0, 1); }) == "R");
  CHECK(npurt::test::refused_dimension([&] { npurt::transpose_plan<std::uint8_t>(device, 1, 0); }) == "C");
  CHECK(npurt::test::refused_dimension([&] { npurt::transpose_plan<std::uint8_t>(device, 32769, 1); }) == "R");
  CHECK(npurt::test::refused_dimension([&] { npurt::transpose_plan<std::uint16_t>(device, 1, 16385); }) == "C");
  npurt::transpose_plan<float> plan(device, 2, 3);
  const std::vector<float> x{1, 2, 3, 4, 5, 6};
  std::vector<float> y(6);
  CHECK(npurt::test::refused_dimension([&] { plan.start(tensor_view(x, 3, 2)); }) == "R");
  CHECK(npurt::test::refused_dimension([&] { plan(tensor_view(x, 2, 3), tensor_view(y, 2, 3)); }) == "C");
  CHECK_THROWS_AS(plan.wait(tensor_view(y, 3, 2)), npurt::command_error);
  plan(tensor_view(x, 2, 3), tensor_view(y, 3, 2));
  CHECK(y == std::vector<float>{1, 4, 2, 5, 3, 6});
  const npurt::transpose_plan<float> other(std::move(plan));
  CHECK(other.rows() == 2);
  CHECK_THROWS_AS(plan.rows(), npurt::moved_from_error);
}
