// SPDX-License-Identifier: Apache-2.0
// The .npy files of the examples; the bytes expected here are those that NumPy 2 reads and writes.
#include "support/npy.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fstream>
#include <iterator>
#include <string>

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;
using namespace std::string_literals;

namespace {

const std::string version_1 = "\x93NUMPY\x01\x00"s;
const std::string version_2 = "\x93NUMPY\x02\x00"s;
const std::string good_header = "{'descr': '|i1', 'fortran_order': False, 'shape': (2, 3), }";

std::filesystem::path write_file(const std::string& bytes) {
  const std::filesystem::path file = std::filesystem::temp_directory_path() / "npurt-examples.npy";
  std::ofstream(file, std::ios::binary) << bytes;
  return file;
}

std::string with_length(const std::string& header) {
  return {static_cast<char>(header.size() & 0xFF), static_cast<char>(header.size() >> 8)};
}

void check_refused(const std::string& bytes, const std::string& reason) {
  INFO("refused for: " << reason);
  CHECK_THROWS_MATCHES(examples::read_npy_int8(write_file(bytes)), examples::npy_error,
                       MessageMatches(ContainsSubstring("npurt-examples.npy: ") && ContainsSubstring(reason)));
}

void check_header_refused(const std::string& header, const std::string& reason) {
  check_refused(version_1 + with_length(header) + header + "abcdef", reason);
}

}  // namespace

TEST_CASE("an int8 matrix is read from .npy versions 1 and 2", "[e2e][npy]") {
  const std::string length = with_length(good_header);
  for (const std::string& bytes : {version_1 + length + good_header, version_2 + length + "\0\0"s + good_header}) {
    const auto values = examples::read_npy_int8(write_file(bytes + "\x01\x02\x03\x7F\x80\xFF"s));
    CHECK(values.rows == 2);
    CHECK(values.cols == 3);
    CHECK(values.data == std::vector<std::int8_t>{1, 2, 3, 127, -128, -1});
  }
}

TEST_CASE("a file that is no int8 matrix in C order is refused with the reason", "[e2e][npy]") {
  check_header_refused("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }",
                       "dtype int8 ('|i1') expected, not '<f4'");
  check_header_refused("{'descr': '|i1', 'fortran_order': True, 'shape': (2, 3), }", "C order expected");
  check_header_refused("{'descr': '|i1', 'fortran_order': False, 'shape': (6,), }",
                       "a matrix expected, not 1 dimension");
  check_header_refused("{'descr': '|i1', 'fortran_order': False, 'shape': (0, 3), }", "the matrix is empty");
  check_header_refused("{'descr': '|i1', 'fortran_order': False, 'shape': (2, -3), }", "a dimension is not a number");
  check_header_refused("{'descr': '|i1', 'fortran_order': False, 'shape': (2 3), }", "',' expected between dimensions");
  check_header_refused("{'descr': '|i1', 'fortran_order': False, 'shape': (2, 99999999999999999999), }",
                       "not a number");
  check_header_refused("{'descr': '|i1', 'fortran_order': False, 'shape': (4294967296, 4294967296), }",
                       "more than 2^30");
  check_header_refused("{'descr': '|i1', 'fortran_order': False, 'shape': (2, 4), }",
                       "6 bytes of elements, its shape asks for 8");
  check_header_refused("{'descr': '|i1', 'fortran_order': False, 'shape': (2, 2), }",
                       "6 bytes of elements, its shape asks for 4");
}

TEST_CASE("a broken .npy header is refused with the reason", "[e2e][npy]") {
  check_refused("", "cut off in its first bytes");
  check_refused("PK\x03\x04 a zip archive", "not a .npy file");
  check_refused("\x93NUMPY\x03\x00"s, "version 1.0 or 2.0 expected");
  check_refused(version_1 + "\x40", "cut off in its header length");
  check_refused(version_1 + "\x40\x00{"s, "cut off in its header");
  check_refused(version_2 + "\xFF\xFF\xFF\xFF", "too long");
  check_header_refused("", "'{' expected");
  check_header_refused("{'descr': '|i1'", "'}' expected");
  check_header_refused("{'descr", "''' is missing");
  check_header_refused("{'descr': '|i1', 'shape': (2, 3), }", "the keys descr, fortran_order and shape expected");
  check_header_refused("{'descr': '|i1', 'descr': '|i1', }", "stands twice");
  check_header_refused(good_header + "x", "text after the dictionary");
}

TEST_CASE("an int32 matrix is written as NumPy writes it", "[e2e][npy]") {
  examples::matrix<std::int32_t> values(1, 2);
  values.data = {1, -2};
  const std::filesystem::path file = write_file("");
  examples::write_npy(file, values);
  std::ifstream stream(file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  const std::string header = "{'descr': '<i4', 'fortran_order': False, 'shape': (1, 2), }";
  CHECK(bytes == version_1 + "\x76\x00"s + header + std::string(117 - header.size(), ' ') + "\n" +
                     "\x01\0\0\0\xFE\xFF\xFF\xFF"s);
}

TEST_CASE("a float32 tensor comes back from its file", "[e2e][npy]") {
  const std::filesystem::path file = write_file("");
  for (const std::vector<std::size_t>& shape : {std::vector<std::size_t>{6}, {2, 3}, {1, 3, 2}}) {
    const examples::tensor values{shape, {0, -1.5F, 3e38F, 1e-40F, 7, 8}};
    examples::write_npy(file, values);
    CHECK(examples::npy_dtype(file) == "<f4");
    const examples::tensor back = examples::read_npy_float(file);
    CHECK(back.shape == values.shape);
    CHECK(back.data == values.data);
  }
  CHECK_THROWS_MATCHES(examples::read_npy_int8(file), examples::npy_error,
                       MessageMatches(ContainsSubstring("dtype int8")));
}

TEST_CASE("a .npy file that cannot be opened or created is named", "[e2e][npy]") {
  const auto names_it = MessageMatches(ContainsSubstring("no-such-folder/x.npy: cannot be"));
  CHECK_THROWS_MATCHES(examples::read_npy_int8("no-such-folder/x.npy"), examples::npy_error, names_it);
  CHECK_THROWS_MATCHES(examples::write_npy("no-such-folder/x.npy", {1, 1}), examples::npy_error, names_it);
}
