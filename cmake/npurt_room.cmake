# SPDX-License-Identifier: Apache-2.0
# npurt_add_room(<name> PATH <folder below src> [QUICK] SOURCES <files...> [LINK <targets...>])
#
# A room of src/ as the static library npurt_<name>. Its headers are included as "<folder>/<header>". A room sees its own
# headers and those of the rooms that it links, nothing else: each has an include directory of its own that holds one
# link to its folder, so that an include that the map of rooms does not allow fails to compile. QUICK: see npurt_quick_build.
function(npurt_add_room name)
  cmake_parse_arguments(room "QUICK" "PATH" "SOURCES;LINK" ${ARGN})
  add_library(npurt_${name} STATIC ${room_SOURCES})
  set(include_dir ${PROJECT_BINARY_DIR}/rooms/${name})
  cmake_path(GET room_PATH PARENT_PATH parent)
  file(MAKE_DIRECTORY ${include_dir}/${parent})
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/src/${room_PATH} ${include_dir}/${room_PATH} SYMBOLIC)
  target_include_directories(npurt_${name} PUBLIC ${include_dir})
  target_link_libraries(npurt_${name} PUBLIC ${room_LINK} PRIVATE npurt_flags)
  if(room_QUICK)
    target_compile_options(npurt_${name} PRIVATE ${npurt_quick_build})
    npurt_precompile(npurt_${name} quick_room)
  else()
    npurt_precompile(npurt_${name} room)
  endif()
endfunction()

# npurt_compile_apart(<files...>): sources whose own names another source of their target has, too. Where CMAKE_UNITY_BUILD
# is on (the presets release and asan: it halves their time), the others are compiled several at once; the preset dev
# compiles each alone.
function(npurt_compile_apart)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

# What runs for a moment is optimised less: two thirds of the time of a build from nothing would go into it.
set(npurt_quick_build $<$<NOT:$<CONFIG:Debug>>:-Og>)

include(npurt_precompiled)
npurt_add_precompiled(room library)
npurt_add_precompiled(quick_room library OPTIONS ${npurt_quick_build})
npurt_add_precompiled(runtime library HEADERS <fmt/format.h> <xrt/xrt_bo.h> <xrt/xrt_device.h> <xrt/xrt_kernel.h> LINK XRT::xrt_coreutil fmt::fmt)
if(NPURT_DEVELOPER)
  find_package(Catch2 3 REQUIRED)
  # CLI11 compiled once, which halves the time that a tool takes to compile.
  add_library(npurt_cli11 STATIC EXCLUDE_FROM_ALL ${PROJECT_SOURCE_DIR}/src/tools/cli11.cpp)
  target_compile_definitions(npurt_cli11 PUBLIC CLI11_COMPILE)
  target_compile_options(npurt_cli11 PRIVATE ${npurt_quick_build})
  target_link_libraries(npurt_cli11 PUBLIC CLI11::CLI11 PRIVATE npurt_flags)
  npurt_add_precompiled(tool program HEADERS <CLI/CLI.hpp> <nlohmann/json.hpp>
    LINK npurt_cli11 nlohmann_json::nlohmann_json OPTIONS ${npurt_quick_build})
  npurt_add_precompiled(test program HEADERS <catch2/catch_test_macros.hpp> LINK Catch2::Catch2 OPTIONS ${npurt_quick_build})
endif()

# npurt_add_tool(<name> SOURCES <files...> LINK <targets...>): an executable of that name in bin/, with CLI11.
function(npurt_add_tool name)
  cmake_parse_arguments(tool "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${tool_SOURCES})
  target_compile_options(${name} PRIVATE ${npurt_quick_build})
  target_link_libraries(${name} PRIVATE ${tool_LINK} npurt_cli11 npurt_flags)
  npurt_precompile(${name} tool)
endfunction()

# npurt_add_tests(<room> SOURCES <files...> LINK <targets...> [PROPERTIES <ctest properties...>])
#
# The Catch2 tests of a room as the executable <room>_tests; every test case becomes a ctest "<room>: <name>".
function(npurt_add_tests room)
  cmake_parse_arguments(tests "" "" "SOURCES;LINK;PROPERTIES" ${ARGN})
  add_executable(${room}_tests ${tests_SOURCES})
  target_include_directories(${room}_tests PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(${room}_tests PRIVATE
    NPURT_SOURCE_DIR="${PROJECT_SOURCE_DIR}" NPURT_BINARY_DIR="${PROJECT_BINARY_DIR}")
  target_compile_options(${room}_tests PRIVATE ${npurt_quick_build})
  target_link_libraries(${room}_tests PRIVATE ${tests_LINK} Catch2::Catch2WithMain npurt_flags)
  if(NPURT_COVERAGE)
    target_compile_definitions(${room}_tests PRIVATE NPURT_COVERAGE)  # tests/support/leave_child.hpp
  endif()
  npurt_precompile(${room}_tests test)
  set(timeout 300)
  if(NPURT_SANITIZE OR NPURT_COVERAGE)
    set(timeout 1200)
  endif()
  catch_discover_tests(${room}_tests TEST_PREFIX "${room}: " DISCOVERY_MODE PRE_TEST
    PROPERTIES TIMEOUT ${timeout} ${tests_PROPERTIES})
endfunction()
