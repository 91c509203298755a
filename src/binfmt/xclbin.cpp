// SPDX-License-Identifier: Apache-2.0
// Reads XCLBINs. Layouts: XRT xrt/detail/xclbin.h (struct axlf and its sections).
#include "binfmt/xclbin.hpp"

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <utility>

#include "binfmt/byte_view.hpp"
#include "binfmt/kernel_metadata.hpp"
#include "binfmt/partition.hpp"

namespace npurt::binfmt {

namespace {

constexpr std::size_t unique_id_at = 0x128;
constexpr std::size_t length_at = 0x130;
constexpr std::size_t timestamp_at = 0x138;
constexpr std::size_t uuid_at = 0x1A0;
constexpr std::size_t section_count_at = 0x1C0;
constexpr std::size_t section_headers_at = 0x1C8;
constexpr std::size_t section_header_size = 40;
constexpr std::uint32_t most_sections = 10000;  // XRT's own limit
constexpr std::size_t mem_data_size = 40;
constexpr std::size_t ip_data_size = 80;
constexpr std::size_t connection_size = 12;

std::string section_label(const xclbin_section& s) {
  constexpr std::pair<section_kind, const char*> names[]{
      {section_kind::embedded_metadata, "EMBEDDED_METADATA"},
      {section_kind::mem_topology, "MEM_TOPOLOGY"},
      {section_kind::connectivity, "CONNECTIVITY"},
      {section_kind::ip_layout, "IP_LAYOUT"},
      {section_kind::ask_group_topology, "ASK_GROUP_TOPOLOGY"},
      {section_kind::ask_group_connectivity, "ASK_GROUP_CONNECTIVITY"},
      {section_kind::aie_partition, "AIE_PARTITION"}};
  for (const auto& [kind, name] : names) {
    if (static_cast<std::uint32_t>(kind) == s.kind) {
      return std::string("xclbin section ") + name;
    }
  }
  return "xclbin section of kind " + std::to_string(s.kind);
}

/// The number of entries of a table "i32 count, entries from `first_at`", checked against its size.
std::size_t entry_count(const byte_view& section, std::size_t first_at, std::size_t entry_size) {
  const auto count = section.get<std::int32_t>(0);
  if (count < 0) {
    section.fail("has " + std::to_string(count) + " entries", 0);
  }
  if (count > 0) {
    section.slice(first_at, static_cast<std::uint64_t>(count) * entry_size);
  }
  return static_cast<std::size_t>(count);
}

/// A name in a field of fixed size; readers that expect its zero byte, as XRT does, must find it.
std::string name_at(const byte_view& section, std::size_t at, std::size_t size) {
  std::string name = section.text(at, size);
  if (name.size() == size) {
    section.fail("has a name without an end", at);
  }
  return name;
}

std::vector<mem_data> read_mem_topology(const byte_view& section) {
  std::vector<mem_data> result;
  const std::size_t count = entry_count(section, 8, mem_data_size);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = 8 + i * mem_data_size;
    result.push_back({.type = section.u8(at),
                      .used = section.u8(at + 1) != 0,
                      .size_kb = section.u64(at + 8),
                      .base_address = section.u64(at + 16),
                      .tag = name_at(section, at + 24, 16)});
  }
  return result;
}

std::vector<ip_data> read_ip_layout(const byte_view& section) {
  std::vector<ip_data> result;
  const std::size_t count = entry_count(section, 8, ip_data_size);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = 8 + i * ip_data_size;
    result.push_back({.type = section.u32(at),
                      .properties = section.u32(at + 4),
                      .base_address = section.u64(at + 8),
                      .name = name_at(section, at + 16, 64)});
  }
  return result;
}

std::vector<connection> read_connectivity(const byte_view& section) {
  std::vector<connection> result;
  const std::size_t count = entry_count(section, 4, connection_size);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = 4 + i * connection_size;
    result.push_back({.argument = section.get<std::int32_t>(at),
                      .ip = section.get<std::int32_t>(at + 4),
                      .memory = section.get<std::int32_t>(at + 8)});
  }
  return result;
}

void read_section(xclbin& result, const xclbin_section& header, const byte_view& section) {
  switch (static_cast<section_kind>(header.kind)) {
    case section_kind::mem_topology:
      result.mem_topology = read_mem_topology(section);
      break;
    case section_kind::ask_group_topology:
      result.group_topology = read_mem_topology(section);
      break;
    case section_kind::ip_layout:
      result.ip_layout = read_ip_layout(section);
      break;
    case section_kind::connectivity:
      result.connectivity = read_connectivity(section);
      break;
    case section_kind::ask_group_connectivity:
      result.group_connectivity = read_connectivity(section);
      break;
    case section_kind::embedded_metadata:
      result.kernels = read_kernel_metadata(section.text(0, section.size()), static_cast<std::size_t>(header.offset));
      break;
    case section_kind::aie_partition:
      result.partition = read_aie_partition(section);
      break;
    case section_kind::user_metadata:
      break;  // what is in it is a matter of the program that comes with the file
  }
}

void read_header(xclbin& result, const byte_view& file) {
  constexpr char magic[8] = {'x', 'c', 'l', 'b', 'i', 'n', '2', '\0'};
  if (std::memcmp(file.slice(0, sizeof magic).data(), magic, sizeof magic) != 0) {
    file.fail("does not begin with \"xclbin2\"", 0);
  }
  result.unique_id = file.u64(unique_id_at);
  result.length = file.u64(length_at);
  result.timestamp = file.u64(timestamp_at);
  std::ranges::copy(file.slice(uuid_at, 16), result.uuid.begin());
  if (result.length != file.size()) {
    file.fail("has " + std::to_string(file.size()) + " bytes, its header states " + std::to_string(result.length),
              length_at);
  }
}

std::vector<xclbin_section> read_section_headers(const byte_view& file) {
  const std::uint32_t count = file.u32(section_count_at);
  if (count > most_sections) {
    file.fail("has " + std::to_string(count) + " sections", section_count_at);
  }
  std::vector<xclbin_section> sections;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::size_t at = section_headers_at + i * section_header_size;
    sections.push_back(
        {.kind = file.u32(at), .name = file.text(at + 4, 16), .offset = file.u64(at + 24), .size = file.u64(at + 32)});
  }
  return sections;
}

}  // namespace

bool xclbin::has(section_kind kind) const {
  return std::ranges::any_of(sections, [&](const auto& s) { return s.kind == static_cast<std::uint32_t>(kind); });
}

const aie_pdi* xclbin::find_pdi(std::uint64_t dpu_kernel_id) const {
  for (const aie_pdi& pdi : partition.pdis) {
    for (const cdo_group& group : pdi.cdo_groups) {
      if (std::ranges::contains(group.dpu_kernel_ids, dpu_kernel_id)) {
        return &pdi;
      }
    }
  }
  return nullptr;
}

xclbin read_xclbin(std::span<const std::byte> bytes) {
  const byte_view file(bytes, "xclbin");
  xclbin result;
  read_header(result, file);
  result.sections = read_section_headers(file);
  std::vector<std::uint32_t> seen;
  for (const xclbin_section& header : result.sections) {
    if (header.offset > file.size() || header.size > file.size() - header.offset) {
      throw format_error(section_label(header) + " of " + std::to_string(header.size) + " bytes at " +
                             std::to_string(header.offset) + " lies outside the file",
                         file.size());
    }
    const byte_view section = file.part(header.offset, header.size, section_label(header));
    if (std::ranges::contains(seen, header.kind)) {
      section.fail("is there twice", 0);
    }
    seen.push_back(header.kind);
    read_section(result, header, section);
  }
  return result;
}

}  // namespace npurt::binfmt
