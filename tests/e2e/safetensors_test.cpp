// SPDX-License-Identifier: Apache-2.0
// The reader of .safetensors files that examples/encoder_layer has: right files, and ways in which files are wrong.
#include "encoder_layer/safetensors.hpp"

#include <bit>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;
using examples::safetensors;
using examples::safetensors_error;

namespace {

const std::filesystem::path file = std::filesystem::temp_directory_path() / "npurt_test.safetensors";

void write(const std::string& bytes) { std::ofstream(file, std::ios::binary) << bytes; }

std::string length_of(std::uint64_t length) {
  return std::string(reinterpret_cast<const char*>(&length), sizeof length);
}

void write(const std::string& header, const std::string& data) { write(length_of(header.size()) + header + data); }

/// "a" of that dtype and shape, `bytes` long.
std::string header_of(const std::string& dtype, const std::string& shape, int bytes) {
  return R"({"__metadata__":{"format":"pt"},"a":{"dtype":")" + dtype + R"(","shape":)" + shape +
         R"(,"data_offsets":[0,)" + std::to_string(bytes) + "]}}";
}

void check_refused(const std::string& reason) {
  CHECK_THROWS_MATCHES(safetensors(file).read("a", {2}), safetensors_error,
                       MessageMatches(ContainsSubstring(file.string()) && ContainsSubstring(reason)));
}

}  // namespace

TEST_CASE("safetensors of F32, F16 and BF16 are read as float", "[e2e][safetensors]") {
  // 1.5 and -2 in each format, by hand.
  write(header_of("F32", "[2]", 8), std::string("\x00\x00\xC0\x3F\x00\x00\x00\xC0", 8));
  CHECK(safetensors(file).read("a", {2}) == std::vector<float>{1.5F, -2});
  write(header_of("F16", "[2]", 4), std::string("\x00\x3E\x00\xC0", 4));
  CHECK(safetensors(file).read("a", {2}) == std::vector<float>{1.5F, -2});
  write(header_of("BF16", "[1,2]", 4), std::string("\xC0\x3F\x00\xC0", 4));
  CHECK(safetensors(file).read("a", {1, 2}) == std::vector<float>{1.5F, -2});
  CHECK(safetensors(file).contains("a"));
  CHECK_FALSE(safetensors(file).contains("__metadata__"));
}

TEST_CASE("files that are no safetensors are refused with their name and the reason", "[e2e][safetensors]") {
  std::filesystem::remove(file);
  check_refused("cannot be opened");
  write("short");
  check_refused("shorter than a header's length");
  write(length_of(1000) + "{}");
  check_refused("a header of 1000 bytes in a file of 10 bytes");
  write(length_of(~std::uint64_t{0}) + "{}");
  check_refused("a header of");
  write("{\"a\":", "");
  check_refused("no JSON object");
  write("[1]", "");
  check_refused("no JSON object");
  write(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", "12345678");
  check_refused("no dtype, shape and two data_offsets");
  write(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8]}})", "12345678");
  check_refused("no dtype, shape and two data_offsets");
  write(header_of("F32", "[2]", 8), "1234567");
  check_refused("bytes 0 to 8 of 7");
  write(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", "12345678");
  check_refused("bytes 8 to 0 of 8");
  write(header_of("F32", "[3]", 8), "12345678");
  check_refused("8 bytes of F32 are no [3]");
  write(header_of("F32", "[4294967296,4294967296,2]", 8), "12345678");
  check_refused("8 bytes of F32");
  write(header_of("F32", "[1,2]", 8), "12345678");
  check_refused("a is [1,2], it must be [2]");
  write(header_of("I64", "[2]", 8), "12345678");
  check_refused("dtype I64");
  write("{}", "");
  check_refused("there is no tensor a");
}
