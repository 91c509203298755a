// SPDX-License-Identifier: Apache-2.0
// What the driver's tests put in place of the NPU: commands do what the test says.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "emu/firmware/npu.hpp"

namespace npurt::tests {

/// A command as the fake got it; its control code is the memory's, so tests read it while it runs.
using fake_execute = std::function<emu::command_result(const emu::npu_command&, emu::device_memory&)>;

/// State of the fake that tests set and look at. Reset by each fixture.
struct fake_npu {
  std::mutex mutex;
  fake_execute execute;                     ///< completes at once if empty
  std::function<std::string()> statistics;  ///< a constant if empty
  std::string pdi_error;
  std::vector<std::vector<std::byte>> pdis;
  std::atomic<unsigned> partitions = 100;  ///< how many create_context grants
  emu::npu::column_range columns{0, 4};    ///< that every context is given
  std::atomic<unsigned> created = 0, destroyed = 0, executed = 0, forgotten = 0;

  static fake_npu& instance();
  void reset();
};

/// What commands do from now on.
void on_execute(fake_execute execute);

}  // namespace npurt::tests
