// SPDX-License-Identifier: Apache-2.0
// Each set of vector units that this host has, in turn.
#pragma once

#include <hwy/targets.h>

#include <cstdint>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "npurt/npurt.hpp"

namespace npurt::test {

/// Those of src/cpu/CMakeLists.txt.
inline std::vector<std::int64_t> vector_sets() {
  std::vector<std::int64_t> all;
  for (const std::int64_t set : {HWY_SSE2, HWY_AVX2, HWY_AVX3}) {
    if ((hwy::SupportedTargets() & set) != 0) all.push_back(set);
  }
  return all;
}

/// Calls `what` with an executor on the CPU, once for each set.
template <typename What>
void on_every_vector_set(What&& what) {
  executor cpu(where::cpu);
  REQUIRE_FALSE(vector_sets().empty());
  for (const std::int64_t set : vector_sets()) {
    hwy::GetChosenTarget().Update(set);
    INFO("with " << hwy::TargetName(set));
    what(cpu);
  }
  hwy::GetChosenTarget().DeInit();
}

}  // namespace npurt::test
