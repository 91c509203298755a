# SPDX-License-Identifier: Apache-2.0
# npurt_precompile(<target> <kind>): the headers that most files of a kind include are read once for all of its targets,
# which saves a quarter of a build from nothing. Sources include what they use all the same: clang-tidy reads them without this.
option(NPURT_PRECOMPILE_HEADERS "Precompile common headers (GCC)" OFF)

set(npurt_standard_headers algorithm array bit chrono cstddef cstdint cstring filesystem format fstream functional map
  memory mutex numeric optional random ranges set span stdexcept string string_view thread tuple utility variant vector)
list(TRANSFORM npurt_standard_headers REPLACE "(.+)" "<\\1>")

# npurt_add_precompiled(<kind> library|program HEADERS <headers...> LINK <targets...> OPTIONS <compile options...>)
function(npurt_add_precompiled kind type)
  if(NOT NPURT_PRECOMPILE_HEADERS OR NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    return()
  endif()
  cmake_parse_arguments(of "" "" "HEADERS;LINK;OPTIONS" ${ARGN})
  set(source ${PROJECT_BINARY_DIR}/precompiled/${kind}.cpp)
  file(CONFIGURE OUTPUT ${source} CONTENT "int main() {}\n")
  if(type STREQUAL "program")
    add_executable(npurt_precompiled_${kind} ${source})
  else()
    add_library(npurt_precompiled_${kind} OBJECT ${source})
  endif()
  target_compile_options(npurt_precompiled_${kind} PRIVATE ${of_OPTIONS})
  target_link_libraries(npurt_precompiled_${kind} PRIVATE ${of_LINK} npurt_flags)
  target_precompile_headers(npurt_precompiled_${kind} PRIVATE ${npurt_standard_headers} ${of_HEADERS})
endfunction()

function(npurt_precompile target kind)
  if(TARGET npurt_precompiled_${kind})
    target_precompile_headers(${target} REUSE_FROM npurt_precompiled_${kind})
  endif()
endfunction()
