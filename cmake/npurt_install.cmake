# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` copies, by component; each can be installed alone (--component NAME):
#   runtime      libnpurt.so.<major.minor>
#   kernels      the XCLBINs that it loads, at run time and from share/ of its own prefix
#   development  headers, CMake package, npurt.pc, what a program is built with
#   tools        the npurt-... commands, manual pages, completion (developer builds only, as emulator is)
#   emulator     the emulated NPU: npurt-emu and the library that it preloads, its CMake targets, npurt-emulator.pc
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/npurt)
install(TARGETS npurt EXPORT npurtRuntimeTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime NAMELINK_COMPONENT development
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY kernels/prebuilt/ DESTINATION ${CMAKE_INSTALL_DATADIR}/npurt/kernels COMPONENT kernels)
install(DIRECTORY include/npurt DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development FILES_MATCHING PATTERN *.hpp)
install(EXPORT npurtRuntimeTargets NAMESPACE npurt:: DESTINATION ${package_dir} COMPONENT development)

configure_package_config_file(cmake/npurtConfig.cmake.in ${PROJECT_BINARY_DIR}/npurtConfig.cmake
  INSTALL_DESTINATION ${package_dir} PATH_VARS CMAKE_INSTALL_DATADIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/npurtConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/npurtConfig.cmake ${PROJECT_BINARY_DIR}/npurtConfigVersion.cmake
  DESTINATION ${package_dir} COMPONENT development)

# npurt_install_pc(<name> <component>): a pkg-config file; its prefix is where it lies, so that an installation can be moved.
function(npurt_install_pc name component)
  file(RELATIVE_PATH up /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
  configure_file(cmake/${name}.pc.in ${PROJECT_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT ${component})
endfunction()
npurt_install_pc(npurt development)

# npurt_install_programs(<component> <export> <targets...>)
function(npurt_install_programs component export)
  set_target_properties(${ARGN} PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
  install(TARGETS ${ARGN} EXPORT ${export} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT ${component})
  install(EXPORT ${export} NAMESPACE npurt:: DESTINATION ${package_dir} COMPONENT ${component})
endfunction()
if(NPURT_DEVELOPER)
  set_target_properties(npurt_emulator PROPERTIES EXPORT_NAME emulator)
  install(TARGETS npurt_emulator EXPORT npurtEmulatorTargets
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT emulator)
  npurt_install_programs(emulator npurtEmulatorTargets npurt-emu)
  npurt_install_pc(npurt-emulator emulator)
  npurt_install_programs(tools npurtToolsTargets npurt-command npurt-as npurt-dis npurt-core npurt-insts npurt-kernels)
endif()

# All that is installed, and no test, benchmark or example: what ./dev package builds.
add_custom_target(npurt_installed DEPENDS npurt)
if(NPURT_DEVELOPER)
  add_dependencies(npurt_installed npurt_emulator npurt-emu npurt-command npurt-command-pages npurt-device-tools npurt-as
    npurt-dis npurt-core npurt-insts npurt-kernels)
endif()
