// SPDX-License-Identifier: Apache-2.0
// Operands that the operations on rows do not take; CMakeLists.txt names the cases.
#include <vector>

#include "npurt/npurt.hpp"

void call(npurt::device& device) {
  std::vector<std::bfloat16_t> x(6), y(6), weights(3);
  const npurt::matrix_view<const std::bfloat16_t> right_x(x, 2, 3);
  const npurt::matrix_view<std::bfloat16_t> right_y(y, 2, 3);
  const npurt::tensor_view<const std::bfloat16_t, 1> right_weights(weights, 3);
#if defined(CASE_float_x)
  std::vector<float> wrong(6);
  npurt::softmax(device, npurt::tensor_view(wrong, 2, 3), right_y);
#elif defined(CASE_vector_x)
  npurt::softmax(device, npurt::tensor_view(x, 6), right_y);
#elif defined(CASE_const_y)
  npurt::softmax(device, right_x, right_x);
#elif defined(CASE_matrix_gamma)
  npurt::layernorm(device, right_x, right_x, right_weights, 1e-5F, right_y);
#elif defined(CASE_float_beta)
  std::vector<float> wrong(3);
  npurt::layernorm(device, right_x, right_weights, npurt::tensor_view(wrong, 3), 1e-5F, right_y);
#elif defined(CASE_plan_float_y)
  std::vector<float> wrong(6);
  npurt::layernorm_plan plan(device, 2, 3, 1e-5F);
  plan(right_x, right_weights, right_weights, npurt::tensor_view(wrong, 2, 3));
#elif defined(CASE_right)
  npurt::layernorm(device, right_x, right_weights, right_weights, 1e-5F, right_y);
  npurt::softmax_plan plan(device, 2, 3);
  plan(right_y, right_y);
#endif
}
