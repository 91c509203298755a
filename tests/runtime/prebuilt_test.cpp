// SPDX-License-Identifier: Apache-2.0
// The search for prebuilt XCLBINs.
#include "runtime/prebuilt.hpp"

#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "npurt/error.hpp"

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;

namespace {

/// A value of NPURT_KERNEL_PATH for the length of a test.
class kernel_path {
 public:
  explicit kernel_path(const std::string& value) { setenv("NPURT_KERNEL_PATH", value.c_str(), 1); }
  ~kernel_path() { unsetenv("NPURT_KERNEL_PATH"); }
  kernel_path(const kernel_path&) = delete;
  kernel_path& operator=(const kernel_path&) = delete;
};

}  // namespace

TEST_CASE("the folders of NPURT_KERNEL_PATH are searched in order", "[runtime][prebuilt]") {
  const auto folder = std::filesystem::temp_directory_path() / ("npurt-prebuilt-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder / "first");
  std::filesystem::create_directories(folder / "second");
  std::ofstream(folder / "second/one-of-mine.xclbin") << "x";
  const kernel_path path((folder / "first").string() + "::" + (folder / "second").string());
  CHECK(npurt::detail::find_prebuilt("one-of-mine") == folder / "second/one-of-mine.xclbin");
  std::filesystem::remove_all(folder);
}

TEST_CASE("an XCLBIN that is nowhere is a file error that lists the folders", "[runtime][prebuilt]") {
  const kernel_path path("/no/such/folder");
  CHECK_THROWS_MATCHES(
      npurt::detail::find_prebuilt("no-such-kernel"), npurt::file_error,
      MessageMatches(ContainsSubstring("/no/such/folder") && ContainsSubstring("share/npurt/kernels") &&
                     ContainsSubstring("NPURT_KERNEL_PATH")));
}
