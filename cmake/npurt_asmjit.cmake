# SPDX-License-Identifier: Apache-2.0
# npurt_asmjit: Debian's static asmjit in a form that can go into the emulator's shared library.
#
# Debian builds it without -fPIC. One relocation stands in the way, the one of `stderr`, an object of another library; a
# copy of the archive names a variable of ours there, which src/emu/core/translate/ defines, hidden and never used. Whoever
# links it keeps its other symbols to himself (--exclude-libs), so that they are addressed relative to the code.
find_package(asmjit CONFIG REQUIRED)
get_target_property(asmjit_archive asmjit::asmjit IMPORTED_LOCATION_NONE)
if(NOT asmjit_archive)
  message(FATAL_ERROR "asmjit: no static archive as Debian's libasmjit-dev has it")
endif()
get_target_property(asmjit_headers asmjit::asmjit INTERFACE_INCLUDE_DIRECTORIES)
set(asmjit_copy ${PROJECT_BINARY_DIR}/lib/libnpurt_asmjit.a)
add_custom_command(OUTPUT ${asmjit_copy} VERBATIM DEPENDS ${asmjit_archive}
  COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/lib
  COMMAND ${CMAKE_OBJCOPY} --redefine-sym stderr=npurt_asmjit_stderr ${asmjit_archive} ${asmjit_copy})
add_custom_target(npurt_asmjit_copy DEPENDS ${asmjit_copy})
add_library(npurt_asmjit INTERFACE)
add_dependencies(npurt_asmjit npurt_asmjit_copy)
target_include_directories(npurt_asmjit SYSTEM INTERFACE ${asmjit_headers})
target_compile_definitions(npurt_asmjit INTERFACE ASMJIT_STATIC)
target_link_libraries(npurt_asmjit INTERFACE ${asmjit_copy})
# -u: the archive that defines it comes first, when nothing names it yet.
target_link_options(npurt_asmjit INTERFACE LINKER:--exclude-libs,libnpurt_asmjit.a LINKER:-u,npurt_asmjit_stderr)
