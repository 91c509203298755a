# SPDX-License-Identifier: Apache-2.0
# Debian packages of what npurt_install.cmake installs, one per component: cpack in a build folder of the preset package, as
# ./dev package does.
set(library_package libnpurt${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})

# npurt_package(<component> NAME <package> SECTION <section> SUMMARY <line> TEXT <more> [DEPENDS <components...>]
#   [WITH <other packages...>] [RECOMMENDS <packages...>])
#
# Depends on the components of the same version, on the other packages, and on what dpkg-shlibdeps finds.
function(npurt_package component)
  cmake_parse_arguments(deb "" "NAME;SECTION;SUMMARY;TEXT" "DEPENDS;WITH;RECOMMENDS" ${ARGN})
  install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${deb_NAME} RENAME copyright COMPONENT ${component})
  string(TOUPPER ${component} key)
  list(JOIN deb_WITH ", " with)
  list(JOIN deb_RECOMMENDS ", " recommends)
  set(CPACK_DEBIAN_${key}_PACKAGE_NAME ${deb_NAME} PARENT_SCOPE)
  set(CPACK_DEBIAN_${key}_PACKAGE_SECTION ${deb_SECTION} PARENT_SCOPE)
  set(CPACK_DEBIAN_${key}_PACKAGE_DEPENDS "${with}" PARENT_SCOPE)
  set(CPACK_DEBIAN_${key}_PACKAGE_RECOMMENDS "${recommends}" PARENT_SCOPE)
  set(CPACK_COMPONENT_${key}_DEPENDS "${deb_DEPENDS}" PARENT_SCOPE)
  set(CPACK_DEBIAN_${key}_DESCRIPTION "${deb_SUMMARY}\n${deb_TEXT}" PARENT_SCOPE)
endfunction()

npurt_package(runtime NAME ${library_package} SECTION libs DEPENDS kernels WITH libxrt-npu2
  SUMMARY "calls on AMD XDNA NPUs, as easy as a BLAS"
  TEXT "The library that programs are linked with. It reaches the NPU through XRT and its plug-in for XDNA.")
npurt_package(kernels NAME npurt-kernels SECTION libs
  SUMMARY "programs of npurt for the cores of AMD XDNA NPUs"
  TEXT "XCLBINs for the NPU of Phoenix and Hawk Point, which npurt's library loads.")
npurt_package(development NAME libnpurt-dev SECTION libdevel DEPENDS runtime WITH libxrt-dev libfmt-dev
  SUMMARY "calls on AMD XDNA NPUs, as easy as a BLAS (headers)"
  TEXT "C++23 headers, a CMake package and npurt.pc.")
npurt_package(tools NAME npurt-tools SECTION devel DEPENDS runtime RECOMMENDS libxrt-utils
  SUMMARY "tools for AMD XDNA NPUs"
  TEXT "The commands npurt (doctor, inspect, lint, pack, run, hw-check), npurt-as, npurt-dis, npurt-core, npurt-insts.")
npurt_package(emulator NAME npurt-emulator SECTION devel RECOMMENDS libxrt-npu2
  SUMMARY "an emulated AMD XDNA NPU under the unmodified XRT"
  TEXT "npurt-emu runs any XRT program without an NPU: it executes XCLBIN, control code and the cores' machine code.")

# All of them, whichever component.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME npurt)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # each package has its own
set(CPACK_PACKAGE_CONTACT "The npurt maintainers <maintainers@npurt.invalid>")
set(CPACK_COMPONENTS_ALL runtime kernels development tools emulator)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_ENABLE_COMPONENT_DEPENDS ON)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/${CMAKE_INSTALL_LIBDIR})
set(CPACK_DEBIAN_RUNTIME_PACKAGE_GENERATE_SHLIBS ON)
file(WRITE ${PROJECT_BINARY_DIR}/debian/triggers "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA ${PROJECT_BINARY_DIR}/debian/triggers)
set(CPACK_DEBIAN_EMULATOR_PACKAGE_CONTROL_EXTRA ${PROJECT_BINARY_DIR}/debian/triggers)
set(CPACK_DEBIAN_KERNELS_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_KERNELS_PACKAGE_SHLIBDEPS OFF)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SHLIBDEPS OFF)
include(CPack)
