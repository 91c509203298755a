// SPDX-License-Identifier: Apache-2.0
// What owners do not allow; CMakeLists.txt names the cases.
#include <string>

#include "npurt/npurt.hpp"

void use(npurt::device& device, npurt::kernel& kernel) {
#if defined(CASE_copy_device)
  const npurt::device copy(device);
#elif defined(CASE_copy_buffer)
  const npurt::buffer<int> first(kernel, 4);
  const npurt::buffer<int> copy(first);
#elif defined(CASE_buffer_of_const)
  const npurt::buffer<const int> wrong(kernel, 4);
#elif defined(CASE_buffer_of_strings)
  const npurt::buffer<std::string> wrong(kernel, 4);
#elif defined(CASE_right)
  const npurt::device moved(std::move(device));
  const npurt::buffer<int> first(kernel, 4);
#endif
}
