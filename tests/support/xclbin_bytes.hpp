// SPDX-License-Identifier: Apache-2.0
// The shipped XCLBIN as bytes, and damage done to it. Offsets: struct axlf in xrt/detail/xclbin.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace npurt::test {

using xclbin_bytes = std::vector<std::byte>;

inline constexpr std::size_t length_at = 0x130;
inline constexpr std::size_t section_count_at = 0x1C0;
inline constexpr std::size_t section_headers_at = 0x1C8;
inline constexpr std::size_t section_header_size = 40;

inline xclbin_bytes read_prebuilt(const std::string& name = "i8-matmul") {
  std::ifstream file(NPURT_SOURCE_DIR "/kernels/prebuilt/" + name + ".xclbin", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (text.empty()) throw std::runtime_error("the prebuilt " + name + ".xclbin cannot be read");
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

template <typename Integer>
Integer get(std::span<const std::byte> file, std::size_t at) {
  Integer value;
  std::memcpy(&value, file.subspan(at, sizeof value).data(), sizeof value);
  return value;
}

template <typename Integer>
void put(std::span<std::byte> file, std::size_t at, Integer value) {
  std::memcpy(file.subspan(at, sizeof value).data(), &value, sizeof value);
}

/// Where the header of the section of a kind lies.
inline std::size_t header_of(std::span<const std::byte> file, std::uint32_t kind) {
  for (std::uint32_t index = 0; index < get<std::uint32_t>(file, section_count_at); ++index) {
    const std::size_t at = section_headers_at + index * section_header_size;
    if (get<std::uint32_t>(file, at) == kind) return at;
  }
  throw std::runtime_error("no section of kind " + std::to_string(kind));
}

/// Where the section of a kind lies.
inline std::size_t section_of(std::span<const std::byte> file, std::uint32_t kind) {
  return static_cast<std::size_t>(get<std::uint64_t>(file, header_of(file, kind) + 24));
}

/// The file without the header of the section of a kind; the section's bytes stay as a gap.
inline xclbin_bytes without_section(xclbin_bytes file, std::uint32_t kind) {
  const std::size_t at = header_of(file, kind);
  const auto count = get<std::uint32_t>(file, section_count_at);
  const std::size_t end = section_headers_at + count * section_header_size;
  std::memmove(file.data() + at, file.data() + at + section_header_size, end - at - section_header_size);
  std::memset(file.data() + end - section_header_size, 0, section_header_size);
  put(file, section_count_at, count - 1);
  return file;
}

/// The file with other contents of the section of a kind, behind everything else; the old ones stay as a gap.
inline xclbin_bytes with_section(xclbin_bytes file, std::uint32_t kind, std::string_view contents) {
  file.resize((file.size() + 7) / 8 * 8);
  const std::size_t header = header_of(file, kind), at = file.size();
  const auto bytes = std::as_bytes(std::span(contents));
  file.insert(file.end(), bytes.begin(), bytes.end());
  put<std::uint64_t>(file, header + 24, at);
  put<std::uint64_t>(file, header + 32, contents.size());
  put<std::uint64_t>(file, length_at, file.size());
  return file;
}

inline xclbin_bytes with_flipped_bit(xclbin_bytes file, std::size_t bit) {
  file[bit / 8] ^= std::byte{1} << bit % 8;
  return file;
}

/// A part of the file, [begin, end).
struct byte_range {
  std::size_t begin, end;
};

/// Everything in the file that describes other parts of it: the header, the section headers, the tables, and in
/// AIE_PARTITION all but the PDI's commands.
inline std::vector<byte_range> header_ranges(std::span<const std::byte> file) {
  std::vector<byte_range> ranges;
  const std::size_t headers_end = section_headers_at + get<std::uint32_t>(file, section_count_at) * section_header_size;
  ranges.push_back({0, headers_end});
  constexpr std::array<std::uint32_t, 5> tables{6, 7, 8, 26, 27};
  for (const std::uint32_t kind : tables) {
    const std::size_t begin = section_of(file, kind);
    ranges.push_back({begin, begin + static_cast<std::size_t>(get<std::uint64_t>(file, header_of(file, kind) + 32))});
  }
  const std::size_t partition = section_of(file, 32);
  const std::size_t pdis = partition + get<std::uint32_t>(file, partition + 0x7C);
  const std::size_t image = partition + get<std::uint32_t>(file, pdis + 0x14);
  const std::size_t image_end = image + get<std::uint32_t>(file, pdis + 0x10);
  constexpr std::size_t pdi_headers = 0x10 + 0x80 + 0x40 + 0x80 + 0x80;  // bus width, tables, padding, CDO header
  const std::size_t end = partition + static_cast<std::size_t>(get<std::uint64_t>(file, header_of(file, 32) + 32));
  ranges.push_back({partition, image + pdi_headers});
  ranges.push_back({image_end, end});
  return ranges;
}

}  // namespace npurt::test
