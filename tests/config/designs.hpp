// SPDX-License-Identifier: Apache-2.0
// Small array descriptions for the tests.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "binfmt/little_endian.hpp"
#include "config/description.hpp"

namespace npurt::test {

/// An ELF file with one program segment of `words` at address 0 (System V ABI, ELF32, machine AIE).
inline std::vector<std::byte> program_elf(const std::vector<std::uint32_t>& words) {
  const auto size = static_cast<std::uint32_t>(4 * words.size());
  std::vector<std::uint32_t> file{0x464C457F,     0x00010101,    0, 0, 264U << 16 | 2, 1, 0, 52, 0, 2,
                                  32U << 16 | 52, 40U << 16 | 1, 0};
  const std::uint32_t header[]{1, 84, 0, 0, size, size, 5, 16};
  file.insert(file.end(), std::begin(header), std::end(header));
  file.insert(file.end(), words.begin(), words.end());
  return binfmt::bytes_of(file);
}

/// One core that takes 16 words from the shim, on lock 0 free and 1 full.
inline config::array_description one_core() {
  using enum aie::bundle;
  config::array_description d;
  d.name = "test";
  d.columns = 1;
  d.buffers = 1;
  d.memory = {{{0, 2}, "in", 0x400, 64}};
  d.locks = {{{0, 2}, 0, 1}, {{0, 2}, 1, 0}};
  d.transfers = {{{0, 2},
                  3,
                  "in",
                  {.length = 16,
                   .use_next = true,
                   .next_bd = 3,
                   .acquire_enable = true,
                   .acquire_lock = 0,
                   .acquire_value = -1,
                   .release_lock = 1,
                   .release_value = 1}}};
  d.starts = {{{0, 2}, aie::dma_direction::s2mm, 1, {.bd = 3}}};
  d.flows = {{{{0, 0}, {dma, 0}}, {{0, 2}, {dma, 1}}}};
  d.packet_flows = config::token_flows(1);
  d.programs = {{{0, 2}, program_elf({0x11, 0x22, 0x33, 0x44})}};
  return d;
}

/// The message of the config_error that a call throws; empty if it throws none.
template <typename Call>
std::string config_error_of(Call&& call) {
  try {
    call();
  } catch (const config::config_error& e) {
    return e.what();
  }
  return "";
}

}  // namespace npurt::test
