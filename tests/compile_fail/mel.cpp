// SPDX-License-Identifier: Apache-2.0
// Operands that npurt::mel does not take; CMakeLists.txt names the cases.
#include <cstdint>
#include <vector>

#include "npurt/npurt.hpp"

void call(npurt::device& device) {
  std::vector<float> pcm(320), out(160);
  const npurt::tensor_view<const float, 1> right_pcm(pcm, 320);
  const npurt::matrix_view<float> right_out(out, 80, 2);
#if defined(CASE_int16_pcm)
  std::vector<std::int16_t> wrong(320);
  npurt::mel(device, npurt::tensor_view(wrong, 320), right_out);
#elif defined(CASE_matrix_pcm)
  npurt::mel(device, npurt::tensor_view(pcm, 2, 160), right_out);
#elif defined(CASE_const_out)
  npurt::mel(device, right_pcm, npurt::matrix_view<const float>(out, 80, 2));
#elif defined(CASE_plan_vector_out)
  npurt::mel_plan plan(device, 320);
  plan(right_pcm, npurt::tensor_view(out, 160));
#elif defined(CASE_right)
  npurt::mel(device, right_pcm, right_out);
  npurt::mel_plan plan(device, 320);
  plan(npurt::tensor_view(pcm, 320), right_out);
#endif
}
