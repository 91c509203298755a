// SPDX-License-Identifier: Apache-2.0
// op_transpose: rows that share words, element by element.
#include <random>

#include "kernels/op_bench.hpp"
#include "programs.hpp"
#include "transpose/reference.hpp"

using namespace npurt;
using namespace npurt::test;

namespace {

std::vector<std::uint8_t> random_bytes(std::size_t count) {
  std::mt19937 random(1);
  std::vector<std::uint8_t> all(count);
  for (auto& each : all) each = static_cast<std::uint8_t>(random());
  return all;
}

/// Of each 64 bytes, as rows of 16 elements: 4, 2 or 1 of them.
std::vector<std::uint8_t> transposed(const std::vector<std::uint8_t>& x, std::size_t element_bytes) {
  std::vector<std::uint8_t> y;
  for (std::size_t at = 0; at < x.size(); at += 64) {
    const auto block = std::as_bytes(std::span(x).subspan(at, 64));
    for (const std::byte each : kernels::reference::transpose(block, 4 / element_bytes, 16, element_bytes)) {
      y.push_back(std::to_integer<std::uint8_t>(each));
    }
  }
  return y;
}

}  // namespace

TEST_CASE("op_transpose turns 16 columns of the rows that share words", "[kernels][transpose]") {
  static const auto built = kernels::op_transpose();
  for (const auto& [element_bytes, mode] : {std::pair{1u, 37u}, {2u, 45u}, {4u, 22u}}) {
    for (const bool second_buffers : {false, true}) {
      op_bench bench(built.text);
      if (second_buffers) bench.start_with_second_buffers();
      constexpr std::size_t pairs = 3;
      const auto x = random_bytes(pairs * 2 * in_bytes);
      bool to_a = true;
      for (const chunk& c : cut(x)) {
        (to_a ? bench.a : bench.b).push_back(c);
        to_a = !to_a;
      }
      bench.parameter(1, static_cast<std::uint32_t>(pairs));
      bench.parameter(2, mode);
      bench.run();
      INFO("elements of " << element_bytes << " bytes, " << bench.cycles / (2 * pairs) << " cycles a chunk");
      CHECK((join<std::uint8_t>(bench.out) == transposed(x, element_bytes)));
      CHECK(bench.cycles / (2 * pairs) < 4096);
    }
  }
}
