// SPDX-License-Identifier: Apache-2.0
// Operands that the elementwise operations do not take; CMakeLists.txt names the cases.
#include <cstdint>
#include <string>
#include <vector>

#include "npurt/npurt.hpp"

void call(npurt::device& device) {
  std::vector<std::bfloat16_t> x(6), y(6);
  const npurt::tensor_view right_x(x, 2, 3), right_y(y, 2, 3);
#if defined(CASE_float_x)
  std::vector<float> wrong(6);
  npurt::gelu(device, npurt::tensor_view(wrong, 2, 3), right_y);
#elif defined(CASE_const_y)
  npurt::silu(device, right_x, npurt::tensor_view<const std::bfloat16_t, 2>(right_y));
#elif defined(CASE_vector_x)
  npurt::relu(device, x, right_y);
#elif defined(CASE_other_rank)
  npurt::gelu(device, right_x, npurt::tensor_view(y, 6));
#elif defined(CASE_add_int8)
  std::vector<std::int8_t> wrong(6);
  npurt::add(device, right_x, npurt::tensor_view(wrong, 2, 3), right_y);
#elif defined(CASE_copy_other_type)
  std::vector<std::int16_t> wrong(6);
  npurt::copy(device, right_x, npurt::tensor_view(wrong, 2, 3));
#elif defined(CASE_copy_strings)
  std::vector<std::string> from(6), to(6);
  npurt::copy(device, npurt::tensor_view(from, 6), npurt::tensor_view(to, 6));
#elif defined(CASE_plan_float_x)
  std::vector<float> wrong(6);
  npurt::elementwise_plan plan(device, npurt::elementwise::gelu, 6);
  plan.start(npurt::tensor_view(wrong, 6));
#elif defined(CASE_copy_plan)
  npurt::elementwise_plan plan(device, npurt::elementwise::gelu, 6);
  const npurt::elementwise_plan copy(plan);
#elif defined(CASE_temporary_x)
  npurt::gelu(device, npurt::tensor_view(std::vector<std::bfloat16_t>(6), 6), npurt::tensor_view(y, 6));
#elif defined(CASE_right)
  npurt::elementwise_plan plan(device, npurt::elementwise::scale, 6, 0.5F);
  plan(right_x, right_y);
  npurt::add(device, right_x, npurt::tensor_view<const std::bfloat16_t, 2>(right_y), right_y);
  npurt::copy(device, right_x, right_y);
  npurt::gelu(device, right_x, right_x);
#endif
}
