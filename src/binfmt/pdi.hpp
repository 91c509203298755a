// SPDX-License-Identifier: Apache-2.0
// Programmable device images: the container around the CDO that configures a partition of the array.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "binfmt/format_error.hpp"

namespace npurt::binfmt {

/// What a PDI says; layout as bootgen -arch versal writes it for one image with one CDO partition.
struct pdi {
  std::uint32_t id_code = 0;
  std::uint32_t extended_id_code = 0;
  std::uint32_t image_id = 0;
  std::string image_name;
  std::vector<std::uint32_t> cdo;  ///< header and commands, without the partition's padding
};

/// NOT of the sum of the words, as all PDI and CDO headers use it.
std::uint32_t inverted_sum(std::span<const std::uint32_t> words);

/// @throws format_error for a wrong magic, checksum, offset or size, and for PDIs with more than one partition
pdi read_pdi(std::span<const std::byte> bytes);

}  // namespace npurt::binfmt
