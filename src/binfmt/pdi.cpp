// SPDX-License-Identifier: Apache-2.0
// Reads PDIs. Structures: bootgen imageheadertable-versal, partitionheadertable-versal; checked on 38 real files.
#include "binfmt/pdi.hpp"

#include <array>

#include "binfmt/byte_view.hpp"

namespace npurt::binfmt {

namespace {

constexpr std::array<std::uint32_t, 4> smap{0x000000DD, 0x11223344, 0x55667788, 0x99AABBCC};
constexpr std::size_t image_header_table_at = 0x10;
constexpr std::size_t image_header_table_size = 0x80;
constexpr std::size_t image_header_size = 0x40;
constexpr std::size_t partition_header_size = 0x80;
constexpr std::uint32_t identification = 0x50504449;
constexpr std::uint32_t cdo_partition_type = 2;
constexpr std::size_t cdo_header_words = 5;

void expect(const byte_view& view, std::size_t offset, std::uint32_t expected, const char* what) {
  const std::uint32_t found = view.u32(offset);
  if (found != expected) {
    view.fail(std::string(what) + " is " + std::to_string(found) + ", not " + std::to_string(expected), offset);
  }
}

/// The last word of a structure checks the words before it.
void check_sum(const byte_view& view) {
  const std::vector<std::uint32_t> words = words_of(view.bytes());
  const std::uint32_t sum = inverted_sum(std::span(words).first(words.size() - 1));
  if (words.back() != sum) {
    view.fail("checksum does not match", view.size() - 4);
  }
}

/// A structure whose place is given as a word offset from the start of the file.
byte_view at_words(const byte_view& file, std::uint32_t word_offset, std::size_t size, const char* name) {
  return file.part(std::uint64_t{word_offset} * 4, size, name);
}

}  // namespace

std::uint32_t inverted_sum(std::span<const std::uint32_t> words) {
  std::uint32_t sum = 0;
  for (const std::uint32_t word : words) {
    sum += word;
  }
  return ~sum;
}

pdi read_pdi(std::span<const std::byte> bytes) {
  const byte_view file(bytes, "PDI");
  for (std::size_t i = 0; i < smap.size(); ++i) {
    expect(file, 4 * i, smap[i], "bus width word");
  }

  const byte_view table = file.part(image_header_table_at, image_header_table_size, "PDI image header table");
  expect(table, 0x28, identification, "identification");
  check_sum(table);
  expect(table, 0x04, 1, "number of images");
  expect(table, 0x0C, 1, "number of partitions");

  const byte_view image = at_words(file, table.u32(0x08), image_header_size, "PDI image header");
  check_sum(image);
  expect(image, 0x04, 1, "number of partitions");
  expect(image, 0x00, table.u32(0x10), "first partition header");

  const byte_view header = at_words(file, table.u32(0x10), partition_header_size, "PDI partition header");
  check_sum(header);
  const std::uint32_t type = header.u32(0x24) >> 24 & 7;
  if (type != cdo_partition_type) {
    header.fail("describes a partition of type " + std::to_string(type) + ", not a CDO", 0x24);
  }
  const std::uint32_t used = header.u32(0x04);
  const std::uint32_t total = header.u32(0x08);
  expect(header, 0x00, total, "encrypted length");
  if (used > total || used < cdo_header_words) {
    header.fail("unencrypted length is " + std::to_string(used) + " of " + std::to_string(total) + " words", 0x04);
  }
  const std::uint64_t start = std::uint64_t{header.u32(0x20)} * 4;
  const byte_view partition = file.part(start, std::uint64_t{total} * 4, "PDI partition");
  if (start + partition.size() != file.size()) {
    file.fail("has " + std::to_string(file.size() - start - partition.size()) + " bytes after its partition",
              static_cast<std::size_t>(start) + partition.size());
  }
  expect(partition, 0x0C, used - static_cast<std::uint32_t>(cdo_header_words), "CDO length");
  return {.id_code = table.u32(0x18),
          .extended_id_code = table.u32(0x44),
          .image_id = image.u32(0x20),
          .image_name = image.text(0x10, 16),
          .cdo = words_of(partition.slice(0, std::uint64_t{used} * 4))};
}

}  // namespace npurt::binfmt
