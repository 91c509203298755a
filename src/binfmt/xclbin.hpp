// SPDX-License-Identifier: Apache-2.0
// XCLBIN containers (axlf): header, sections and the tables of an NPU design. Field names as in xrt/detail/xclbin.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "binfmt/format_error.hpp"

namespace npurt::binfmt {

enum class section_kind : std::uint32_t {
  embedded_metadata = 2,
  mem_topology = 6,
  connectivity = 7,
  ip_layout = 8,
  user_metadata = 16,
  ask_group_topology = 26,
  ask_group_connectivity = 27,
  aie_partition = 32,
};

struct xclbin_section {
  std::uint32_t kind = 0;
  std::string name;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

struct mem_data {
  std::uint8_t type = 0;  ///< 2 = MEM_DRAM
  bool used = false;
  std::uint64_t size_kb = 0;
  std::uint64_t base_address = 0;
  std::string tag;
};

struct ip_data {
  std::uint32_t type = 0;  ///< 7 = IP_PS_KERNEL
  std::uint32_t properties = 0;
  std::uint64_t base_address = 0;
  std::string name;  ///< "kernel:instance"
};

struct connection {
  std::int32_t argument = 0;
  std::int32_t ip = 0;
  std::int32_t memory = 0;
};

struct cdo_group {
  std::string name;
  std::uint8_t type = 0;  ///< 1 primary, 2 lite, 3 pre/post
  std::uint64_t pdi_id = 0;
  std::vector<std::uint64_t> dpu_kernel_ids;
  std::vector<std::uint32_t> pre_cdo_groups;
};

struct aie_pdi {
  std::array<std::byte, 16> uuid{};
  std::span<const std::byte> image;  ///< points into the input
  std::vector<cdo_group> cdo_groups;
};

struct aie_partition {
  std::string name;
  std::uint32_t operations_per_cycle = 0;
  std::uint64_t inference_fingerprint = 0;
  std::uint64_t pre_post_fingerprint = 0;
  std::uint16_t column_width = 0;
  std::vector<std::uint16_t> start_columns;
  std::vector<aie_pdi> pdis;
};

struct kernel_argument {
  std::string name;
  std::string type;
  std::uint32_t id = 0;
  std::uint32_t address_qualifier = 0;  ///< 0 scalar, 1 global (a buffer)
  std::uint64_t size = 0;               ///< bytes
  std::uint64_t offset = 0;             ///< bytes, in the command's payload
};

struct kernel_metadata {
  std::string name;
  std::uint64_t dpu_kernel_id = 0;
  std::uint32_t functional = 0;
  std::vector<kernel_argument> arguments;  ///< in the order of their ids
  std::vector<std::string> instances;
};

/// A checked XCLBIN. Tables whose section is absent are empty; `has()` tells an absent one from an empty one.
struct xclbin {
  std::uint64_t unique_id = 0;
  std::uint64_t length = 0;
  std::uint64_t timestamp = 0;
  std::array<std::byte, 16> uuid{};
  std::vector<xclbin_section> sections;
  std::vector<mem_data> mem_topology;
  std::vector<mem_data> group_topology;
  std::vector<ip_data> ip_layout;
  std::vector<connection> connectivity;
  std::vector<connection> group_connectivity;
  std::vector<kernel_metadata> kernels;
  aie_partition partition;

  bool has(section_kind kind) const;
  /// The PDI for a kernel id; nullptr if no cdo_group names it.
  const aie_pdi* find_pdi(std::uint64_t dpu_kernel_id) const;
};

/// Reads and checks every table of the sections above; others are only checked for their bounds.
/// @param bytes  the whole file; must outlive the PDI images of the result
/// @throws format_error naming section and offset
xclbin read_xclbin(std::span<const std::byte> bytes);

}  // namespace npurt::binfmt
