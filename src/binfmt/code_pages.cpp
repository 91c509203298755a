// SPDX-License-Identifier: Apache-2.0
#include "binfmt/code_pages.hpp"

#include <algorithm>

#include "binfmt/byte_view.hpp"
#include "binfmt/content_uuid.hpp"

namespace npurt::binfmt {

namespace {

constexpr std::uint32_t magic = 0x4750504E;  // "NPPG"
constexpr std::uint32_t version = 1;
constexpr std::size_t content_offset = 8 + sizeof(content_uuid);
constexpr std::uint32_t program_memory_bytes = 0x4000, data_memory_bytes = 0x10000;  // AM020, AIE-ML core tile

/// Reads words one after the other.
class word_reader {
 public:
  explicit word_reader(byte_view bytes) : bytes_(std::move(bytes)) {}

  std::uint32_t next() {
    const std::uint32_t word = bytes_.u32(at_);
    at_ += 4;
    return word;
  }
  std::vector<std::uint32_t> next(std::uint32_t count) {
    const auto words = words_of(bytes_.slice(at_, std::uint64_t{4} * count));
    at_ += 4 * words.size();
    return words;
  }
  bool at_end() const { return at_ == bytes_.size(); }
  [[noreturn]] void fail(const std::string& message) const { bytes_.fail(message, at_); }

 private:
  byte_view bytes_;
  std::size_t at_ = 0;
};

void check_reach(const word_reader& from, const char* what, std::uint32_t offset, std::uint32_t words,
                 std::uint32_t memory) {
  if (offset % 4 != 0 || offset > memory || words > (memory - offset) / 4) {
    from.fail(std::string("has ") + what + " of " + std::to_string(words) + " words at " + std::to_string(offset) +
              ", outside the memory of " + std::to_string(memory) + " bytes");
  }
}

code_pages read_content(word_reader from) {
  code_pages result{.code_offset = from.next(), .table_offset = from.next(), .absent = from.next(), .pages = {}};
  const std::uint32_t operations = from.next();
  check_reach(from, "tables", result.table_offset, operations, data_memory_bytes);
  const std::uint32_t count = from.next();
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t words = from.next();
    check_reach(from, "code", result.code_offset, words, program_memory_bytes);
    auto table = from.next(operations);
    result.pages.push_back({.table = std::move(table), .code = from.next(words)});
  }
  if (!from.at_end()) from.fail("has bytes after the last page");
  return result;
}

}  // namespace

std::vector<std::byte> write_code_pages(const code_pages& from) {
  std::vector<std::uint32_t> words{from.code_offset, from.table_offset, from.absent,
                                   static_cast<std::uint32_t>(from.pages.empty() ? 0 : from.pages.front().table.size()),
                                   static_cast<std::uint32_t>(from.pages.size())};
  for (const code_pages::page& each : from.pages) {
    words.push_back(static_cast<std::uint32_t>(each.code.size()));
    words.insert(words.end(), each.table.begin(), each.table.end());
    words.insert(words.end(), each.code.begin(), each.code.end());
  }
  const std::vector<std::byte> content = bytes_of(words);
  std::vector<std::byte> bytes = bytes_of(std::to_array({magic, version}));
  std::ranges::copy(uuid_of(content), std::back_inserter(bytes));
  bytes.insert(bytes.end(), content.begin(), content.end());
  return bytes;
}

code_pages read_code_pages(std::span<const std::byte> bytes) {
  const byte_view file(bytes, "code pages");
  if (file.u32(0) != magic) file.fail("do not begin with NPPG", 0);
  if (file.u32(4) != version) file.fail("have version " + std::to_string(file.u32(4)) + ", not 1", 4);
  const byte_view content =
      file.part(content_offset, bytes.size() - std::min(bytes.size(), content_offset), "code pages");
  if (!std::ranges::equal(file.slice(8, sizeof(content_uuid)), uuid_of(content.bytes()))) {
    file.fail("are not those that their uuid names", 8);
  }
  return read_content(word_reader(content));
}

}  // namespace npurt::binfmt
