// SPDX-License-Identifier: Apache-2.0
// Operands that npurt::matmul does not take; CMakeLists.txt names the cases.
#include <cstdint>
#include <vector>

#include "npurt/npurt.hpp"

npurt::op_report call(npurt::device& device) {
  const std::vector<std::int8_t> a(6), b(12);
  std::vector<std::int32_t> c(8);
  const npurt::matrix_view<const std::int8_t> right_a(a, 2, 3), right_b(b, 3, 4);
  const npurt::matrix_view<std::int32_t> right_c(c, 2, 4);
#if defined(CASE_float_a)
  const std::vector<float> wrong(6);
  return npurt::matmul(device, npurt::matrix_view<const float>(wrong, 2, 3), right_b, right_c);
#elif defined(CASE_uint8_b)
  const std::vector<std::uint8_t> wrong(12);
  return npurt::matmul(device, right_a, npurt::matrix_view<const std::uint8_t>(wrong, 3, 4), right_c);
#elif defined(CASE_bf16_b)
  const std::vector<std::bfloat16_t> wrong(12);
  return npurt::matmul(device, right_a, npurt::matrix_view<const std::bfloat16_t>(wrong, 3, 4), right_c);
#elif defined(CASE_bf16_to_int32)
  const std::vector<std::bfloat16_t> bf16_a(6), bf16_b(12);
  return npurt::matmul(device, npurt::tensor_view(bf16_a, 2, 3), npurt::tensor_view(bf16_b, 3, 4), right_c);
#elif defined(CASE_plan_of_floats)
  npurt::basic_matmul_plan<float, float> plan(device, {.m = 2, .n = 4, .k = 3});
  return plan.report();
#elif defined(CASE_int64_c)
  std::vector<std::int64_t> wrong(8);
  return npurt::matmul(device, right_a, right_b, npurt::matrix_view<std::int64_t>(wrong, 2, 4));
#elif defined(CASE_const_c)
  return npurt::matmul(device, right_a, right_b, npurt::matrix_view<const std::int32_t>(right_c));
#elif defined(CASE_rank_3_a)
  return npurt::matmul(device, npurt::tensor_view<const std::int8_t, 3>(a, 1, 2, 3), right_b, right_c);
#elif defined(CASE_rank_3_b)
  return npurt::matmul(device, right_a, npurt::tensor_view<const std::int8_t, 3>(b, 1, 3, 4), right_c);
#elif defined(CASE_int8_without_scales)
  std::vector<std::int8_t> narrow(8);
  return npurt::matmul(device, right_a, right_b, npurt::tensor_view(narrow, 2, 4));
#elif defined(CASE_int32_with_bias)
  const std::vector<float> bias(4);
  return npurt::matmul(device, right_a, right_b, right_c, {.bias = bias});
#elif defined(CASE_float_residual)
  const std::vector<std::bfloat16_t> bf16_a(6), bf16_b(12);
  std::vector<std::bfloat16_t> narrow(8);
  const std::vector<float> wide(8);
  return npurt::matmul(device, npurt::tensor_view(bf16_a, 2, 3), npurt::tensor_view(bf16_b, 3, 4),
                       npurt::tensor_view(narrow, 2, 4), {.residual = npurt::tensor_view(wide, 2, 4)});
#elif defined(CASE_temporary_bias)
  const std::vector<std::bfloat16_t> bf16_a(6), bf16_b(12);
  std::vector<float> sums(8);
  return npurt::matmul(device, npurt::tensor_view(bf16_a, 2, 3), npurt::tensor_view(bf16_b, 3, 4),
                       npurt::tensor_view(sums, 2, 4), {.bias = std::vector<float>(4)});
#elif defined(CASE_int8_with_weights)
  const std::vector<std::bfloat16_t> values(12);
  const npurt::matmul_weights weights(device, npurt::tensor_view(values, 3, 4));
  return npurt::matmul(device, right_a, weights, right_c);
#elif defined(CASE_vector_b)
  return npurt::matmul(device, right_a, b, right_c);
#elif defined(CASE_plan_float_a)
  const std::vector<float> wrong(6);
  npurt::matmul_plan plan(device, {.m = 2, .n = 4, .k = 3});
  plan(npurt::matrix_view<const float>(wrong, 2, 3), right_b, right_c);
  return plan.report();
#elif defined(CASE_temporary_a)
  return npurt::matmul(device, npurt::matrix_view<const std::int8_t>(std::vector<std::int8_t>(6), 2, 3), right_b,
                       right_c);
#elif defined(CASE_right)
  npurt::matmul_plan plan(device, {.m = 2, .n = 4, .k = 3});
  plan(right_a, right_b, right_c);
  const std::vector<std::bfloat16_t> bf16_a(6), bf16_b(12);
  std::vector<float> sums(8);
  const npurt::tensor_view in_a(bf16_a, 2, 3), in_b(bf16_b, 3, 4);
  const npurt::tensor_view out(sums, 2, 4);
  npurt::matmul(device, in_a, in_b, out);
  npurt::matmul(device, in_a, in_b, out, {.bias = sums, .activation = npurt::activation::gelu, .residual = out});
  npurt::matmul(device, in_a, npurt::matmul_weights(device, in_b), out, {.residual = in_b});
  std::vector<std::int8_t> narrow(8);
  const std::vector<npurt::column_scale> scales(4);
  npurt::matmul(device, right_a, npurt::transposed(npurt::matrix_view<const std::int8_t>(b, 4, 3)),
                npurt::strided_view(narrow, 2, 4, 4), {.scales = scales, .zero_point = 3});
  return npurt::matmul(device, right_a, right_b, right_c);
#endif
}
