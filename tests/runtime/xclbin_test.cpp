// SPDX-License-Identifier: Apache-2.0
// XCLBINs that are none.
#include "npurt/xclbin.hpp"

#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "npurt/error.hpp"

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;

TEST_CASE("a file that is not there is a file error with its path", "[runtime][xclbin]") {
  CHECK_THROWS_MATCHES(npurt::xclbin(std::filesystem::path("/no/such/file.xclbin")), npurt::file_error,
                       MessageMatches(ContainsSubstring("/no/such/file.xclbin")));
}

TEST_CASE("a folder is a file error", "[runtime][xclbin]") {
  CHECK_THROWS_AS(npurt::xclbin(std::filesystem::path("/tmp")), npurt::file_error);
}

TEST_CASE("an empty file is an xclbin error that says what to do", "[runtime][xclbin]") {
  const auto file = std::filesystem::temp_directory_path() / ("npurt-empty-" + std::to_string(getpid()) + ".xclbin");
  std::ofstream(file).close();
  CHECK_THROWS_MATCHES(npurt::xclbin(file), npurt::xclbin_error,
                       MessageMatches(ContainsSubstring(file.string()) && ContainsSubstring("build it again")));
  std::filesystem::remove(file);
}

TEST_CASE("bytes that are no XCLBIN are an xclbin error", "[runtime][xclbin]") {
  CHECK_THROWS_AS(npurt::xclbin(std::span<const std::byte>{}), npurt::xclbin_error);
  const std::vector<std::byte> zeros(4096);
  CHECK_THROWS_MATCHES(npurt::xclbin(zeros), npurt::xclbin_error, MessageMatches(ContainsSubstring("xclbin2")));
}

TEST_CASE("a source file is an xclbin error", "[runtime][xclbin]") {
  CHECK_THROWS_AS(npurt::xclbin(std::filesystem::path(__FILE__)), npurt::xclbin_error);
}
