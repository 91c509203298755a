// SPDX-License-Identifier: Apache-2.0
// A changed instruction of the kernel changes the result as computed by hand: nothing between the call and the result
// knows what the kernel is for.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <npurt/npurt.hpp>
#include <random>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "kernels.hpp"
#include "support/reference_matmul.hpp"

namespace {

namespace fs = std::filesystem;

/// A folder of kernels for the time of a test.
class kernel_folder {
 public:
  explicit kernel_folder(const std::vector<std::byte>& xclbin)
      : path_(fs::temp_directory_path() / ("npurt-vmsc-" + std::to_string(std::random_device{}()))) {
    fs::create_directories(path_);
    std::ofstream out(path_ / "overlay.xclbin", std::ios::binary);
    out.write(reinterpret_cast<const char*>(xclbin.data()), static_cast<std::streamsize>(xclbin.size()));
    setenv("NPURT_KERNEL_PATH", path_.c_str(), 1);
  }
  ~kernel_folder() {
    unsetenv("NPURT_KERNEL_PATH");
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  kernel_folder(const kernel_folder&) = delete;
  kernel_folder& operator=(const kernel_folder&) = delete;

 private:
  fs::path path_;
};

/// The lines of the int8 product in the overlay's programs, with one of its multiply-accumulates made a
/// multiply-subtract wherever the software pipeline repeats it: the comments beside the bundles tell the operations
/// apart.
std::vector<std::string> with_one_vmsc(std::vector<std::string> sources) {
  constexpr const char* product = "\nop_matmul_i8:";
  const auto place = std::ranges::find_if(sources, [&](const std::string& each) { return each.contains(product); });
  REQUIRE(place != sources.end());
  std::string& source = *place;
  const std::size_t begin = source.find(product), end = source.find("\n// ---- from", begin);
  std::istringstream lines(source.substr(begin, end - begin));
  const std::regex operation("v[0-9]+ = v[0-9]+ \\+ v[0-9]+·v[0-9]+");
  constexpr std::size_t chosen = 9;  // behind the first ones, which drop the old sum
  std::vector<std::string> seen;
  std::string changed;
  for (std::string line; std::getline(lines, line);) {
    std::smatch found;
    if (const std::size_t at = line.find("vmac cm"); at != std::string::npos) {
      REQUIRE(std::regex_search(line, found, operation));
      if (std::ranges::find(seen, found.str()) == seen.end()) seen.push_back(found.str());
      if (seen.size() > chosen && found.str() == seen[chosen]) line.replace(at, 4, "vmsc");
    }
    changed += line + "\n";
  }
  REQUIRE(seen.size() == 64 + 7);  // four row blocks by sixteen steps of k; what makes int8 of sums, behind them
  source = source.substr(0, begin) + changed + (end == std::string::npos ? "" : source.substr(end));
  return sources;
}

}  // namespace

TEST_CASE("one vmac of the kernel turned into vmsc negates exactly its own products", "[e2e][matmul]") {
  using npurt::kernels::build_kernel, npurt::kernels::read_source;
  const kernel_folder folder(
      build_kernel("overlay", with_one_vmsc(read_source(fs::path(NPURT_SOURCE_DIR) / "kernels", "overlay"))));

  constexpr std::size_t m = 128;
  constexpr std::size_t n = 64;
  constexpr std::size_t k = 256;
  std::mt19937 generator(7);
  const auto a = npurt::test::random_int8(m * k, generator);
  const auto b = npurt::test::random_int8(k * n, generator);
  std::vector<std::int32_t> c(m * n);
  npurt::device device;
  npurt::matmul(device, npurt::matrix_view<const std::int8_t>(a, m, k), npurt::matrix_view<const std::int8_t>(b, k, n),
                npurt::matrix_view<std::int32_t>(c, m, n));
  CHECK(c != npurt::test::reference_matmul(a, b, m, n, k));
  // Its products: one of four row blocks in 16 rows, one of sixteen steps of 8 in 128 of k.
  const auto with_negated = [&](std::size_t block, std::size_t step) {
    std::vector<std::int32_t> expected(m * n, 0);
    for (std::size_t i = 0; i < m * n * k; ++i) {
      const std::size_t row = i / (n * k), col = i / k % n, inner = i % k;
      const int product = a[row * k + inner] * b[inner * n + col];
      expected[row * n + col] += row / 4 % 4 == block && inner / 8 % 16 == step ? -product : product;
    }
    return expected;
  };
  int explanations = 0;
  for (std::size_t block = 0; block < 4; ++block) {
    for (std::size_t step = 1; step < 16; ++step) explanations += c == with_negated(block, step);
  }
  CHECK(explanations == 1);
}
