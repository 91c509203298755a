// SPDX-License-Identifier: Apache-2.0
// Calls of the public stubs whose modelled speed is measured.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <npurt/device.hpp>
#include <string>
#include <vector>

namespace npurt::bench {

/// What a call's speed is given in.
struct speed_unit {
  std::string name;
  double scale = 0;  ///< work per second in one unit; 0: the unit is a time, the microsecond
};

inline const speed_unit tops{"TOPS", 1e12}, tflops{"TFLOPS", 1e12}, gflops{"GFLOPS", 1e9}, gops{"GOPS", 1e9},
    each_way{"GB/s each way", 1e9}, reading{"GB/s read", 1e9}, frames_a_microsecond{"frames/us", 1e6},
    microseconds{"us"};

/// 16 cores, at 1028 MHz 256 MACs a cycle of int8 each or 128 of bf16; and what the DDR of a whole Phoenix gives each
/// way, in GB/s (ignite-xdna, docs/SILICON.md §1.6).
inline constexpr double peak_tops = 8.42, peak_tflops = 4.21, ddr_roof = 28;

struct stub_call {
  std::string name;
  double work = 0;  ///< of the true shape, without padding: operations, or bytes that are read (as many are written); 0
                    ///< where the unit is a time
  speed_unit unit{};
  double bar = 0;
  std::string reference{};                                  ///< which side of the bar is good; what is known of silicon
  std::function<std::function<void(device&)>()> prepare{};  ///< makes the operands; the result is one call

  double value(double seconds) const { return unit.scale == 0 ? seconds * 1e6 : work / seconds / unit.scale; }
};

/// Those with a bar, then the other operations, then those by size.
const std::vector<stub_call>& stub_calls();

/// Operations at small and large sizes, against what limits them; matrices beyond 2048³ against its bar.
std::vector<stub_call> calls_by_size();

/// What the cores that ran spent their time on, from a command's start to its end.
/// @param command of the emulator's statistics
std::string time_of_cores(const nlohmann::json& command);

/// One of scaling_subjects().
/// @throws std::runtime_error if there is no call of that name
std::function<void(device&)> find_scaled_call(const std::string& name);

}  // namespace npurt::bench
