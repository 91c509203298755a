// SPDX-License-Identifier: Apache-2.0
// Reads AIE_PARTITION. Layout: struct aie_partition in xrt/detail/xclbin.h; offsets count from the section's start.
#include "binfmt/partition.hpp"

#include <algorithm>

namespace npurt::binfmt {

namespace {

constexpr std::size_t header_size = 184;
constexpr std::size_t pdi_size = 96;
constexpr std::size_t group_size = 96;
// Entries overlapping each other could make the result larger than the file by any factor.
constexpr std::size_t most_entries = 256;
constexpr std::size_t longest_name = 255;

/// An array_offset (u32 count, u32 offset) with elements of `size` bytes; checked to lie in the section.
byte_view array_at(const byte_view& section, std::size_t at, std::size_t size, const char* what) {
  const std::uint32_t count = section.u32(at);
  if (size > 1 && count > most_entries) {
    section.fail(std::string(what) + ": " + std::to_string(count) + " entries", at);
  }
  return count == 0 ? section.part(0, 0, section.name())
                    : section.part(section.u32(at + 4), std::uint64_t{count} * size, section.name() + " " + what);
}

/// A zero-terminated string at an offset stated at `at`.
std::string string_at(const byte_view& section, std::size_t at, const char* what) {
  const std::uint32_t offset = section.u32(at);
  if (offset >= section.size()) {
    section.fail(std::string(what) + ": string at " + std::to_string(offset) + " lies outside", at);
  }
  const auto rest = section.slice(offset, std::min(section.size() - offset, longest_name + 1));
  if (std::ranges::find(rest, std::byte{0}) == rest.end()) {
    section.fail(std::string(what) + ": string does not end", at);
  }
  return section.text(offset, rest.size());
}

cdo_group read_group(const byte_view& section, const byte_view& groups, std::size_t at) {
  const byte_view entry(groups.slice(at, group_size), "cdo_group");
  const auto begin = static_cast<std::size_t>(entry.bytes().data() - section.bytes().data());
  cdo_group group{.name = string_at(section, begin, "cdo_group name"),
                  .type = entry.u8(4),
                  .pdi_id = entry.u64(8),
                  .dpu_kernel_ids = {},
                  .pre_cdo_groups = {}};
  const byte_view ids = array_at(section, begin + 0x10, 8, "dpu_kernel_ids");
  for (std::size_t i = 0; i < ids.size(); i += 8) {
    group.dpu_kernel_ids.push_back(ids.u64(i));
  }
  const byte_view pre = array_at(section, begin + 0x18, 4, "pre_cdo_groups");
  for (std::size_t i = 0; i < pre.size(); i += 4) {
    group.pre_cdo_groups.push_back(pre.u32(i));
  }
  return group;
}

aie_pdi read_pdi_entry(const byte_view& section, const byte_view& pdis, std::size_t at) {
  const auto entry = pdis.slice(at, pdi_size);
  const auto begin = static_cast<std::size_t>(entry.data() - section.bytes().data());
  aie_pdi pdi{.image = array_at(section, begin + 0x10, 1, "PDI image").bytes(), .cdo_groups = {}};
  std::ranges::copy(entry.first(16), pdi.uuid.begin());
  const byte_view groups = array_at(section, begin + 0x18, group_size, "cdo_groups");
  for (std::size_t i = 0; i < groups.size(); i += group_size) {
    pdi.cdo_groups.push_back(read_group(section, groups, i));
  }
  return pdi;
}

}  // namespace

aie_partition read_aie_partition(const byte_view& section) {
  section.slice(0, header_size);
  aie_partition partition{.name = string_at(section, 0x04, "name"),
                          .operations_per_cycle = section.u32(0x08),
                          .inference_fingerprint = section.u64(0x10),
                          .pre_post_fingerprint = section.u64(0x18),
                          .column_width = section.u16(0x20),
                          .start_columns = {},
                          .pdis = {}};
  const byte_view starts = array_at(section, 0x28, 2, "start_columns");
  for (std::size_t i = 0; i < starts.size(); i += 2) {
    partition.start_columns.push_back(starts.u16(i));
  }
  string_at(section, 0x80, "kernel_commit_id");
  const byte_view pdis = array_at(section, 0x78, pdi_size, "aie_pdi");
  std::size_t entries = 0;
  for (std::size_t i = 0; i < pdis.size(); i += pdi_size) {
    partition.pdis.push_back(read_pdi_entry(section, pdis, i));
    for (const cdo_group& group : partition.pdis.back().cdo_groups) {
      entries += 1 + group.dpu_kernel_ids.size() + group.pre_cdo_groups.size();
    }
    if (entries > 64 * most_entries) {
      section.fail("has too many cdo_group entries", 0x78);
    }
  }
  return partition;
}

}  // namespace npurt::binfmt
