// SPDX-License-Identifier: Apache-2.0
// A changed instruction of the kernel changes the result as computed by hand: nothing between the call and the result
// knows what the kernel is for.
#include <catch2/catch_test_macros.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <npurt/npurt.hpp>
#include <random>
#include <string>
#include <vector>

#include "kernels.hpp"
#include "support/reference_matmul.hpp"

namespace {

namespace fs = std::filesystem;

std::string read_text(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A folder of kernels for the time of a test.
class kernel_folder {
 public:
  explicit kernel_folder(const std::vector<std::byte>& xclbin)
      : path_(fs::temp_directory_path() / ("npurt-vmsc-" + std::to_string(std::random_device{}()))) {
    fs::create_directories(path_);
    std::ofstream out(path_ / "i8-matmul.xclbin", std::ios::binary);
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

}  // namespace

TEST_CASE("one vmac of the kernel turned into vmsc negates exactly its own products", "[e2e][matmul]") {
  // The second k step (k = 8..15 in a tile) of block X (even column blocks) for the second row block.
  const std::string vmac = "vmac cm1, cm1, x1, x5, r0";
  std::string source = read_text(fs::path(NPURT_SOURCE_DIR) / "kernels/i8-matmul/i8-matmul.s");
  const std::size_t place = source.find(vmac);
  REQUIRE(place != std::string::npos);
  source.replace(place, 4, "vmsc");
  const kernel_folder folder(npurt::kernels::build_kernel("i8-matmul", source));

  constexpr std::size_t m = 128;
  constexpr std::size_t n = 64;
  constexpr std::size_t k = 128;
  std::mt19937 generator(7);
  const auto a = npurt::test::random_int8(m * k, generator);
  const auto b = npurt::test::random_int8(k * n, generator);
  std::vector<std::int32_t> expected(m * n, 0);
  for (std::size_t row = 0; row < m; ++row) {
    for (std::size_t col = 0; col < n; ++col) {
      for (std::size_t inner = 0; inner < k; ++inner) {
        const int product = a[row * k + inner] * b[inner * n + col];
        const bool negated = row / 4 % 4 == 1 && col / 8 % 2 == 0 && inner / 8 % 8 == 1;
        expected[row * n + col] += negated ? -product : product;
      }
    }
  }
  std::vector<std::int32_t> c(m * n);
  npurt::device device;
  npurt::matmul(device, npurt::matrix_view<const std::int8_t>(a, m, k), npurt::matrix_view<const std::int8_t>(b, k, n),
                npurt::matrix_view<std::int32_t>(c, m, n));
  CHECK(c == expected);
  CHECK(c != npurt::test::reference_matmul(a, b, m, n, k));
}
