// SPDX-License-Identifier: Apache-2.0
// What control code for a part of the array is made of.
#pragma once

#include <cstdint>
#include <vector>

#include "bench/kernels/few_cores.hpp"
#include "runtime/overlay/call.hpp"

namespace npurt::bench {

/// Memtile BDs: what fills the memory of A or B and sends it on, and what takes results and gives them to the shim.
constexpr unsigned fill(unsigned n) { return detail::overlay::standard_bds::free(n); }
constexpr unsigned send(unsigned n) { return fill(n) + 1; }
constexpr unsigned take(unsigned i) { return fill(0) + 2 + i; }
constexpr unsigned give(unsigned n, unsigned i) { return fill(n) + 4 + i; }

/// So many chunks at once through the memory of A or B: in, and out to one core or to all of them.
detail::memtile_bd through(unsigned n, std::uint32_t chunks);
detail::memtile_bd out_of(unsigned n, std::uint32_t chunks, std::uint32_t packet_id);

/// Results of a core, so many chunks at once.
detail::memtile_bd results(unsigned core_row, std::uint32_t chunks);

/// A chunk for each of one or four cores, as often as it says.
/// @param in through(n, cores), in whatever order
void pass_units(detail::control_code& code, unsigned column, unsigned n, unsigned cores, const detail::memtile_bd& in,
                std::uint32_t pairs);

/// Waits for the results.
std::vector<std::uint32_t> finished(detail::control_code code, const core_share& share);

}  // namespace npurt::bench
