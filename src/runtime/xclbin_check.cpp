// SPDX-License-Identifier: Apache-2.0
// Consistency of an XCLBIN whose tables have been read.
#include "runtime/xclbin_check.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <xrt/detail/xclbin.h>

#include "binfmt/cdo.hpp"
#include "binfmt/content_uuid.hpp"
#include "binfmt/pdi.hpp"
#include "binfmt/xclbin.hpp"
#include "npurt/error.hpp"

namespace npurt::detail {

namespace {

using binfmt::section_kind;

// XRT lays the arguments out in a command of one page, behind its header.
constexpr std::uint64_t largest_payload = 2048;
constexpr std::size_t most_arguments = 128;
constexpr std::uint64_t largest_argument = 8;
constexpr std::uint32_t last_address_qualifier = 4;

template <typename... T>
[[noreturn]] void fail(fmt::format_string<T...> text, T&&... values) {
  throw xclbin_error(fmt::format(text, std::forward<T>(values)...));
}

void check_sections(const binfmt::xclbin& file) {
  constexpr std::array<std::pair<section_kind, const char*>, 7> needed{{
      {section_kind::mem_topology, "MEM_TOPOLOGY"},
      {section_kind::ip_layout, "IP_LAYOUT"},
      {section_kind::connectivity, "CONNECTIVITY"},
      {section_kind::ask_group_topology, "ASK_GROUP_TOPOLOGY"},
      {section_kind::ask_group_connectivity, "ASK_GROUP_CONNECTIVITY"},
      {section_kind::embedded_metadata, "EMBEDDED_METADATA"},
      {section_kind::aie_partition, "AIE_PARTITION"},
  }};
  for (const auto& [kind, name] : needed) {
    if (!file.has(kind)) fail("it has no section {}", name);
  }
}

void check_pdi(const binfmt::aie_pdi& entry) {
  if (entry.image.empty()) fail("AIE_PARTITION: a PDI is empty");
  const binfmt::pdi image = binfmt::read_pdi(entry.image);
  binfmt::cdo_reader commands(image.cdo);
  while (commands.next()) {
  }
}

void check_partition(const binfmt::aie_partition& partition) {
  if (partition.column_width == 0) fail("AIE_PARTITION: a partition of 0 columns");
  if (partition.start_columns.empty()) fail("AIE_PARTITION: no start column");
  if (partition.pdis.empty()) fail("AIE_PARTITION: no PDI");
  std::ranges::for_each(partition.pdis, check_pdi);
}

void check_arguments(const binfmt::kernel_metadata& kernel) {
  if (kernel.arguments.size() > most_arguments) {
    fail("EMBEDDED_METADATA: kernel {} has {} arguments", kernel.name, kernel.arguments.size());
  }
  std::uint64_t end = 0;
  for (std::size_t index = 0; index < kernel.arguments.size(); ++index) {
    const binfmt::kernel_argument& argument = kernel.arguments[index];
    const auto place = [&] { return fmt::format("EMBEDDED_METADATA: argument {} of kernel {}", index, kernel.name); };
    if (argument.id != index) fail("{} has id {}", place(), argument.id);
    if (argument.address_qualifier > last_address_qualifier)
      fail("{} has address qualifier {}", place(), argument.address_qualifier);
    if (argument.size == 0 || argument.size > largest_argument) fail("{} has {} bytes", place(), argument.size);
    if (argument.offset < end || argument.offset > largest_payload) fail("{} is at {}", place(), argument.offset);
    end = argument.offset + argument.size;
  }
}

void check_kernel(const binfmt::xclbin& file, const binfmt::kernel_metadata& kernel) {
  check_arguments(kernel);
  if (file.find_pdi(kernel.dpu_kernel_id) == nullptr) {
    fail("AIE_PARTITION: no PDI is for kernel {} (id {:#x})", kernel.name, kernel.dpu_kernel_id);
  }
  const auto is_kernels = [&](const binfmt::ip_data& ip) { return ip.name.starts_with(kernel.name + ":"); };
  if (std::ranges::none_of(file.ip_layout, is_kernels)) fail("IP_LAYOUT: no instance of kernel {}", kernel.name);
}

void check_kernels(const binfmt::xclbin& file) {
  if (file.kernels.empty()) fail("EMBEDDED_METADATA: no kernel");
  std::set<std::string_view> names;
  for (const binfmt::kernel_metadata& kernel : file.kernels) {
    if (kernel.name.empty()) fail("EMBEDDED_METADATA: a kernel has no name");
    if (!names.insert(kernel.name).second) fail("EMBEDDED_METADATA: kernel {} is there twice", kernel.name);
    check_kernel(file, kernel);
  }
}

void check_connections(const char* section, const std::vector<binfmt::connection>& connections, std::size_t ips,
                       std::size_t memories) {
  const auto inside = [](std::int32_t index, std::size_t size) { return index >= 0 && std::cmp_less(index, size); };
  for (const auto& [argument, ip, memory] : connections) {
    if (!inside(argument, most_arguments)) fail("{}: argument {}", section, argument);
    if (!inside(ip, ips)) fail("{}: IP {} of {}", section, ip, ips);
    if (!inside(memory, memories)) fail("{}: memory {} of {}", section, memory, memories);
  }
}

/// NPU buffers live in DRAM; XRT takes some other types for streams, which have no buffers.
void check_group_topology(const binfmt::xclbin& file) {
  constexpr std::uint8_t dram = 2;
  for (const binfmt::connection& c : file.group_connectivity) {
    const binfmt::mem_data& memory = file.group_topology[static_cast<std::size_t>(c.memory)];
    if (memory.type != dram) fail("ASK_GROUP_TOPOLOGY: memory {} is of type {}", memory.tag, memory.type);
    if (!memory.used) fail("ASK_GROUP_TOPOLOGY: memory {} is connected but not used", memory.tag);
  }
}

/// XRT looks up the memory of every buffer here and does not expect to find none.
void check_memories(const binfmt::xclbin& file, const binfmt::kernel_metadata& kernel) {
  constexpr std::uint32_t global = 1;
  for (const binfmt::kernel_argument& argument : kernel.arguments) {
    const auto connects = [&](const binfmt::connection& c) {
      return std::cmp_equal(c.argument, argument.id) &&
             file.ip_layout[static_cast<std::size_t>(c.ip)].name.starts_with(kernel.name + ":");
    };
    if (argument.address_qualifier == global && std::ranges::none_of(file.group_connectivity, connects)) {
      fail("ASK_GROUP_CONNECTIVITY: no memory for argument {} of kernel {}", argument.id, kernel.name);
    }
  }
}

unsigned check(std::span<const std::byte> bytes) {
  const binfmt::xclbin file = binfmt::read_xclbin(bytes);
  check_sections(file);
  check_partition(file.partition);
  check_kernels(file);
  check_connections("CONNECTIVITY", file.connectivity, file.ip_layout.size(), file.mem_topology.size());
  check_connections("ASK_GROUP_CONNECTIVITY", file.group_connectivity, file.ip_layout.size(),
                    file.group_topology.size());
  check_group_topology(file);
  for (const binfmt::kernel_metadata& kernel : file.kernels) check_memories(file, kernel);
  return file.partition.column_width;
}

[[noreturn]] void fail_file(const std::string& origin, const char* reason) {
  throw xclbin_error(
      fmt::format("{}: {}. The file is damaged or is none for an NPU: copy or build it again", origin, reason));
}

}  // namespace

unsigned checked_columns(const std::string& origin, std::span<const std::byte> bytes) {
  try {
    return check(bytes);
  } catch (const xclbin_error& failure) {
    fail_file(origin, failure.what());
  } catch (const binfmt::format_error& failure) {
    fail_file(origin, failure.what());
  }
}

void check_pdi_uuids(const xclbin& image) {
  const axlf* file = image.native().get_axlf();
  const std::span bytes(reinterpret_cast<const std::byte*>(file), file->m_header.m_length);
  for (const binfmt::aie_pdi& entry : binfmt::read_xclbin(bytes).partition.pdis) {
    if (binfmt::uuid_of(entry.image) != entry.uuid) {
      fail_file(image.origin(), "AIE_PARTITION: a PDI is not the one that its uuid names");
    }
  }
}

}  // namespace npurt::detail
