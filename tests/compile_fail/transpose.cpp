// SPDX-License-Identifier: Apache-2.0
// Operands that the transpose does not take; CMakeLists.txt names the cases.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "npurt/npurt.hpp"

void call(npurt::device& device) {
  std::vector<std::int16_t> x(6), y(6);
  const npurt::matrix_view<const std::int16_t> right_x(x, 2, 3);
  const npurt::matrix_view<std::int16_t> right_y(y, 3, 2);
#if defined(CASE_vector_x)
  npurt::transpose(device, npurt::tensor_view(x, 6), right_y);
#elif defined(CASE_vector_y)
  npurt::transpose(device, right_x, y);
#elif defined(CASE_double_x)
  std::vector<double> from(6), to(6);
  npurt::transpose(device, npurt::tensor_view(from, 2, 3), npurt::tensor_view(to, 3, 2));
#elif defined(CASE_strings)
  std::vector<std::string> from(6), to(6);
  npurt::transpose(device, npurt::tensor_view(from, 2, 3), npurt::tensor_view(to, 3, 2));
#elif defined(CASE_other_type)
  std::vector<std::int32_t> wrong(6);
  npurt::transpose(device, right_x, npurt::tensor_view(wrong, 3, 2));
#elif defined(CASE_const_y)
  npurt::transpose(device, right_x, npurt::matrix_view<const std::int16_t>(right_y));
#elif defined(CASE_plan_of_doubles)
  npurt::transpose_plan<double> plan(device, 2, 3);
#elif defined(CASE_plan_of_const)
  npurt::transpose_plan<const std::int16_t> plan(device, 2, 3);
#elif defined(CASE_plan_other_type)
  std::vector<std::int32_t> wrong(6);
  npurt::transpose_plan<std::int16_t> plan(device, 2, 3);
  plan(npurt::tensor_view(wrong, 2, 3), right_y);
#elif defined(CASE_plan_const_y)
  npurt::transpose_plan<std::int16_t> plan(device, 2, 3);
  plan.wait(npurt::matrix_view<const std::int16_t>(right_y));
#elif defined(CASE_copy_plan)
  npurt::transpose_plan<std::int16_t> plan(device, 2, 3);
  const npurt::transpose_plan<std::int16_t> copy(plan);
#elif defined(CASE_temporary_x)
  npurt::transpose(device, npurt::tensor_view(std::vector<std::int16_t>(6), 2, 3), right_y);
#elif defined(CASE_right)
  npurt::transpose(device, right_x, right_y);
  npurt::transpose_plan<std::int16_t> plan(device, 2, 3);
  plan(right_x, right_y);
  plan.start(npurt::matrix_view<std::int16_t>(x, 2, 3));
  plan.wait(right_y);
  npurt::transpose_plan<std::int16_t> moved(std::move(plan));
#endif
}
