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
#include "support/xclbin_bytes.hpp"

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

TEST_CASE("a kernel with arguments that no call has is an xclbin error", "[runtime][xclbin]") {
  constexpr std::uint32_t embedded_metadata = 2;  // xclbin.h: EMBEDDED_METADATA
  const auto file = npurt::test::read_prebuilt();
  const std::size_t header = npurt::test::header_of(file, embedded_metadata);
  const std::string text(
      reinterpret_cast<const char*>(file.data()) + npurt::test::get<std::uint64_t>(file, header + 24),
      npurt::test::get<std::uint64_t>(file, header + 32));
  const auto with = [&](const std::string& part, const std::string& instead) {
    std::string changed = text;
    REQUIRE(changed.contains(part));
    return npurt::test::with_section(file, embedded_metadata,
                                     changed.replace(changed.find(part), part.size(), instead));
  };
  const auto refusal = [](const npurt::test::xclbin_bytes& bytes) {
    try {
      npurt::xclbin{bytes};
    } catch (const npurt::xclbin_error& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  CHECK(refusal(with("<kernel ", "<kernel ")) == "accepted");
  CHECK_THAT(refusal(with("addressQualifier=\"1\"", "addressQualifier=\"5\"")),
             ContainsSubstring("of kernel i8_matmul has address qualifier 5"));
  std::string more;
  for (int id = 6; id < 129; ++id)
    more += "<arg name=\"x\" addressQualifier=\"1\" id=\"" + std::to_string(id) +
            "\" size=\"0x8\" offset=\"0x24\" type=\"void*\"/>";
  CHECK_THAT(refusal(with("</kernel>", more + "</kernel>")), ContainsSubstring("kernel i8_matmul has 129 arguments"));
}
