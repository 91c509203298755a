// SPDX-License-Identifier: Apache-2.0
// Pages of code; the layout is written out by hand.
#include <catch2/catch_test_macros.hpp>

#include "binfmt/code_pages.hpp"
#include "binfmt/content_uuid.hpp"
#include "binfmt/damage.hpp"
#include "binfmt/little_endian.hpp"

using namespace npurt;
using namespace npurt::binfmt;
using test::accepted_prefixes, test::refused;

namespace {

const code_pages two{
    .code_offset = 0x2700,
    .table_offset = 0x6490,
    .absent = 0x40,
    .pages = {{.table = {0x100, 0x2700, 0x40}, .code = {1, 2, 3}}, {.table = {0x100, 0x40, 0x2710}, .code = {4, 5}}}};

const std::vector<std::uint32_t> two_words{0x2700, 0x6490, 0x40,   3,      2,        // places, operations, pages
                                           3,      0x100,  0x2700, 0x40,   1, 2, 3,  //
                                           2,      0x100,  0x40,   0x2710, 4, 5};

std::vector<std::byte> file_of(std::vector<std::uint32_t> words) {
  const auto content = bytes_of(words);
  std::vector<std::byte> file = bytes_of(std::vector<std::uint32_t>{0x4750504E, 1});
  const content_uuid uuid = uuid_of(content);
  file.insert(file.end(), uuid.begin(), uuid.end());
  file.insert(file.end(), content.begin(), content.end());
  return file;
}

/// The message of what is refused with one word changed.
std::string refusal(std::size_t word, std::uint32_t value) {
  auto words = two_words;
  words.at(word) = value;
  try {
    read_code_pages(file_of(words));
  } catch (const format_error& e) {
    return e.what();
  }
  return "accepted";
}

const auto reader = [](std::span<const std::byte> bytes) { return read_code_pages(bytes); };

}  // namespace

TEST_CASE("code pages are words behind a digest", "[binfmt][code_pages]") {
  CHECK(write_code_pages(two) == file_of(two_words));
  CHECK(read_code_pages(file_of(two_words)) == two);
}

TEST_CASE("code pages beyond a core's memories are refused", "[binfmt][code_pages]") {
  CHECK(refusal(0, 0x4000).contains("code of 3 words at 16384"));
  CHECK(refusal(0, 0x2702).contains("code of 3 words at 9986"));
  CHECK(refusal(1, 0xFFFC).contains("tables of 3 words at 65532"));
  CHECK(refusal(3, 0xFFFFFFFF).contains("tables of 4294967295 words"));
  CHECK(refusal(5, 0x40000000).contains("code of 1073741824 words"));
  CHECK(refusal(4, 1).contains("bytes after the last page"));
  CHECK(refusal(4, 3).contains("ends after"));
}

TEST_CASE("damaged code pages are refused", "[binfmt][code_pages]") {
  const auto file = file_of(two_words);
  CHECK(accepted_prefixes(reader, file) == 0);
  for (std::size_t bit = 0; bit < 8 * file.size(); ++bit) {
    auto flipped = file;
    flipped[bit / 8] ^= std::byte{1} << bit % 8;
    CHECK(refused(reader, flipped));
  }
}
