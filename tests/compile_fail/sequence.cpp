// SPDX-License-Identifier: Apache-2.0
// Wrong operands of npurt::sequence and npurt::matmul_weights.
#include <vector>

#include "npurt/npurt.hpp"

using bf16 = std::bfloat16_t;

void use(npurt::device& device, npurt::sequence& s) {
  const std::vector<bf16> values(4);
  const std::vector<float> floats(4);
  const std::vector<double> doubles(4);
  std::vector<bf16> results(4);
  const npurt::matrix_view<const bf16> in(values, 2, 2);
  const npurt::matrix_view<bf16> out(results, 2, 2);
#if defined CASE_right
  const npurt::matmul_weights weights(device, in, values);
  s.write("x", in);
  s.read("y", out);
#elif defined CASE_double_input
  s.write("x", npurt::matrix_view<const double>(doubles, 2, 2));
#elif defined CASE_vector_input
  s.write("x", values);
#elif defined CASE_const_output
  s.read("y", in);
#elif defined CASE_float_weights
  const npurt::matmul_weights weights(device, npurt::matrix_view<const float>(floats, 2, 2));
#elif defined CASE_copy
  npurt::sequence other(s);
#endif
}
