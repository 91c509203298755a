# SPDX-License-Identifier: Apache-2.0
# What the examples share, built once for all of them that are built together.
include_guard(GLOBAL)
add_library(npurt_example_support STATIC)
foreach(source bf16_example model_time npu_matmul npy)
  target_sources(npurt_example_support PRIVATE ${CMAKE_CURRENT_LIST_DIR}/${source}.cpp)
endforeach()
target_compile_features(npurt_example_support PUBLIC cxx_std_23)
target_include_directories(npurt_example_support PUBLIC ${CMAKE_CURRENT_LIST_DIR}/..)
target_link_libraries(npurt_example_support PUBLIC npurt::npurt PRIVATE $<TARGET_NAME_IF_EXISTS:npurt_flags>)
