// SPDX-License-Identifier: Apache-2.0
// op_softmax_bf16 against softmax in double.
#include <algorithm>
#include <limits>

#include "bf16-softmax/reference.hpp"
#include "kernels/rows.hpp"
#include "programs.hpp"

using namespace npurt;
using namespace npurt::test;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

const codegen::compiled_function& built() {
  static const auto function = kernels::op_softmax_bf16();
  return function;
}

struct outcome {
  std::vector<float> y;
  std::uint64_t cycles;
};

outcome softmax(const std::vector<float>& x, const row_layout& layout, bool second_buffers = false) {
  op_bench bench(built().text, true);  // values are read in the shadow of the next one's latency, on purpose
  if (second_buffers) {
    bench.start_with_second_buffers();
  }
  layout.feed(bench, x);
  bench.run();
  return {layout.results(bench, x.size() / layout.n), bench.cycles};
}

/// Of row r the first min(max(first + r, 0), most) count; rows_between more rows are other cores' behind each chunk.
struct visibility {
  int first;
  std::uint32_t most;
  std::uint32_t rows_between = 0;
};

std::vector<float> softmax(const std::vector<float>& x, const row_layout& layout, const visibility& seen,
                           const std::vector<float>& mask = {}) {
  op_bench bench(built().text, true);
  if (mask.empty()) {
    layout.feed(bench, x);
  } else {
    layout.feed(bench, x, mask);
  }
  bench.parameter(8, static_cast<std::uint32_t>(seen.first));
  bench.parameter(9, 1U);
  bench.parameter(10, seen.rows_between);
  bench.parameter(11, seen.most);
  bench.run();
  return layout.results(bench, x.size() / layout.n);
}

/// What is left of x: -inf where it is masked.
std::vector<float> masked(std::vector<float> x, const row_layout& layout, const visibility& seen) {
  const std::size_t rows_a_chunk = layout.rows_a_pair() / 2;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t row = i / layout.n, behind = row / rows_a_chunk * seen.rows_between;
    const long long visible = std::min<long long>(seen.first + static_cast<long long>(row + behind), seen.most);
    if (static_cast<long long>(i % layout.n) >= visible) x[i] = -infinity;
  }
  return x;
}

/// Errors of all rows, and the largest distance of a row's sum from 1.
std::pair<error_count, double> errors(const std::vector<float>& x, const std::vector<float>& y, std::size_t n) {
  const auto truth = kernels::reference::softmax(x, n);
  error_count count;
  double worst_sum = 0;
  for (std::size_t row = 0; row < x.size(); row += n) {
    double sum = 0;
    for (std::size_t i = row; i < row + n; ++i) {
      count.add(y[i], truth[i], 0x1p-10);
      sum += y[i];
    }
    const bool all_masked =
        std::all_of(x.begin() + static_cast<std::ptrdiff_t>(row), x.begin() + static_cast<std::ptrdiff_t>(row + n),
                    [](float v) { return v == -infinity; });
    worst_sum = std::max(worst_sum, std::abs(sum - (all_masked ? 0 : 1)));
  }
  return {count, worst_sum};
}

void check(const std::vector<float>& x, const std::vector<float>& y, const row_layout& layout,
           const std::string& what) {
  const auto [count, sum] = errors(x, y, layout.n);
  INFO(what << ", n = " << layout.n << ": over one step " << count.over_one << " of " << count.large << ", worst "
            << count.worst_steps << " steps, small results off by " << count.worst_small << ", sums by " << sum);
  CHECK(count.share_over_one() <= 0.01);
  CHECK(count.worst_steps <= 2);
  CHECK(count.worst_small <= 0x1p-18);
  CHECK(sum <= 0x1p-7);
}

void check(const std::vector<float>& x, const row_layout& layout, const std::string& what,
           bool second_buffers = false) {
  check(x, softmax(x, layout, second_buffers).y, layout, what);
}

}  // namespace

TEST_CASE("op_softmax_bf16 takes rows of any length", "[kernels][softmax]") {
  for (const std::size_t n : row_lengths) {
    const row_layout layout{n};
    const std::size_t rows = std::min<std::size_t>(layout.rows_a_pair() + 1, 70);
    check(normal(rows * n, 0, 3, static_cast<unsigned>(n)), layout, "normal", n % 2 == 1);
  }
}

TEST_CASE("op_softmax_bf16 is exact enough for large, tiny, constant and one-hot rows", "[kernels][softmax]") {
  constexpr std::size_t n = 600, rows = 12;
  for (const double size : {1e-30, 1e-3, 1.0, 30.0, 1e4, 1e30}) {
    check(normal(rows * n, 0, size, 1), {n}, "normal of size " + std::to_string(size));
  }
  for (const double mean : {-1e3, 300.0, 2e4, -3e8}) {
    check(normal(rows * n, mean, 4, 2), {n}, "normal around " + std::to_string(mean));
  }
  check(std::vector<float>(rows * n, -7.5F), {n}, "constant");
  std::vector<float> x(rows * n);
  for (std::size_t row = 0; row < rows; ++row) x[row * n + row * 53] = std::array{1.0F, 20.0F, 1e4F, -1e4F}[row % 4];
  check(x, {n}, "one hot");
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = rounded(-static_cast<double>(i % n) / 16);
  check(x, {n}, "ramp");
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = i % 3 == 0 ? -infinity : rounded(std::sin(static_cast<double>(i)));
  check(x, {n}, "a third masked");
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = i % n == i / n ? 2.0F : -infinity;
  check(x, {n}, "all but one masked");
}

TEST_CASE("op_softmax_bf16 gives 0 at -inf, for rows of nothing else too", "[kernels][softmax]") {
  for (const std::size_t n : {1, 5, 64, 1500, 3001}) {
    std::vector<float> x(4 * n, -infinity);
    std::fill_n(x.begin() + static_cast<std::ptrdiff_t>(2 * n), n, 1.0F);
    const auto y = softmax(x, {n}).y;
    for (std::size_t i = 0; i < y.size(); ++i) {
      CAPTURE(n, i);
      REQUIRE((i / n == 2 ? y[i] == rounded(1.0 / static_cast<double>(n)) : y[i] == 0));
    }
  }
}

TEST_CASE("op_softmax_bf16 masks columns, more of them in earlier rows", "[kernels][softmax]") {
  for (const std::size_t n : row_lengths) {
    const row_layout layout{n};
    const std::size_t rows = std::min<std::size_t>(layout.rows_a_pair() + 1, 70);
    const auto x = normal(rows * n, 0, 3, static_cast<unsigned>(n));
    const auto all = static_cast<std::uint32_t>(n);
    for (const visibility& seen : {visibility{1, all},
                                   {-3, all, 7},
                                   {static_cast<int>(n / 2), (all + 1) / 2 + 1},
                                   {1 << 20, all / 3},
                                   {1 << 20, all},
                                   {-(1 << 20), all}}) {
      const std::uint32_t most = std::min(seen.most, all);
      const visibility bounded{seen.first, most, seen.rows_between};
      const auto y = softmax(x, layout, bounded);
      const auto left = masked(x, layout, bounded);
      check(left, y, layout, "first row sees " + std::to_string(seen.first));
      std::size_t seen_masked = 0;
      for (std::size_t i = 0; i < y.size(); ++i) seen_masked += left[i] == -infinity && y[i] != 0 ? 1 : 0;
      CHECK(seen_masked == 0);
    }
  }
}

TEST_CASE("op_softmax_bf16 adds a mask, rounding the sum", "[kernels][softmax]") {
  for (const std::size_t n : row_lengths) {
    const row_layout layout{n};
    const std::size_t rows = std::min<std::size_t>(layout.rows_a_pair() + 1, 70);
    const auto x = normal(rows * n, 0, 3, static_cast<unsigned>(n));
    auto mask = normal(rows * n, 0, 2, static_cast<unsigned>(n) + 1);
    for (std::size_t i = 0; i < mask.size(); i += 3) mask[i] = i % 2 == 0 ? -infinity : 0.0F;
    std::fill_n(mask.begin(), n, -infinity);
    const auto all = static_cast<std::uint32_t>(n);
    const visibility seen{static_cast<int>(n) - 2, all};
    std::vector<float> sum(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) sum[i] = rounded(static_cast<double>(x[i]) + mask[i]);
    check(masked(sum, layout, seen), softmax(x, layout, seen, mask), layout, "mask");
  }
}

TEST_CASE("op_softmax_bf16 takes at most 8,900 cycles a chunk with two rows of 1500", "[kernels][softmax]") {
  const auto cycles = [](std::size_t n, std::size_t pairs) {
    const row_layout layout{n};
    return softmax(normal(layout.rows_a_pair() * pairs * n, 0, 1, 1), layout).cycles;
  };
  for (const std::size_t n : {1500, 512, 4096, 64}) {
    const auto a_chunk = (cycles(n, 3) - cycles(n, 1)) / 4;
    UNSCOPED_INFO("rows of " << n << ": " << a_chunk << " cycles a chunk, " << cycles(n, 1) - 2 * a_chunk
                             << " for the call");
    CHECK((n != 1500 || a_chunk <= 8900 * 3000 / 4096));
  }
  UNSCOPED_INFO(built().bundles << " bundles");
  CHECK(built().bundles > 0);
}

TEST_CASE("NaN and +inf in a row of op_softmax_bf16 leave the other rows alone", "[kernels][softmax]") {
  constexpr std::size_t n = 100, rows = 64;
  auto x = normal(rows * n, 0, 3, 9);
  const auto wanted = softmax(x, {n}).y;
  for (std::size_t row = 1; row < rows; row += 3) {
    x[row * n + row] = row % 2 == 0 ? std::numeric_limits<float>::quiet_NaN() : infinity;
  }
  const auto y = softmax(x, {n}).y;
  for (std::size_t i = 0; i < y.size(); ++i) {
    REQUIRE((i / n % 3 == 1 || y[i] == wanted[i]));
  }
}
