# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` copies. Component "npurt": the library, its headers, kernels and CMake package; component
# "emulator": the emulated NPU and the tools (developer builds only).
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/npurt)
install(TARGETS npurt EXPORT npurtTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT npurt
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY include/npurt DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT npurt)
install(DIRECTORY kernels/prebuilt/ DESTINATION ${CMAKE_INSTALL_DATADIR}/npurt/kernels COMPONENT npurt)
install(EXPORT npurtTargets NAMESPACE npurt:: DESTINATION ${package_dir} COMPONENT npurt)

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/npurtConfig.cmake.in ${PROJECT_BINARY_DIR}/npurtConfig.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/npurtConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/npurtConfig.cmake ${PROJECT_BINARY_DIR}/npurtConfigVersion.cmake
  DESTINATION ${package_dir} COMPONENT npurt)

if(TARGET npurt_emulator)
  set_target_properties(npurt_emulator PROPERTIES EXPORT_NAME emulator)
  install(TARGETS npurt_emulator EXPORT npurtEmulatorTargets
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT emulator)
  install(EXPORT npurtEmulatorTargets NAMESPACE npurt:: DESTINATION ${package_dir} COMPONENT emulator)
endif()
foreach(tool npurt-as npurt-dis npurt-core npurt-insts npurt-kernels npurt-emu)
  if(TARGET ${tool})
    set_target_properties(${tool} PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
    install(TARGETS ${tool} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT emulator)
  endif()
endforeach()
