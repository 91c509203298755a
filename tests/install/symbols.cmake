# SPDX-License-Identifier: Apache-2.0
# cmake -DLIBRARY=<libnpurt.so> -DVERSION=<major.minor> -DNM=... -DREADELF=... -P symbols.cmake: what a program can link with is
# npurt's API, under its version.
execute_process(COMMAND ${READELF} -d ${LIBRARY} OUTPUT_VARIABLE dynamic COMMAND_ERROR_IS_FATAL ANY)
if(NOT dynamic MATCHES "SONAME[^\n]*libnpurt[.]so[.]${VERSION}\\]")
  message(FATAL_ERROR "no name of version ${VERSION}:\n${dynamic}")
endif()
execute_process(COMMAND ${NM} -DC --defined-only --with-symbol-versions ${LIBRARY} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
# Brackets and semicolons mean something in CMake's lists.
string(REGEX REPLACE "[][;]" " " symbols "${symbols}")
string(REGEX REPLACE "\n" ";" symbols "${symbols}")
set(strangers ${symbols})
list(FILTER strangers EXCLUDE REGEX "^[0-9a-f]+ [TVW] ((vtable|typeinfo|typeinfo name) for )?npurt::.*@@NPURT_${VERSION}$| A NPURT_${VERSION}|^$")
list(FILTER symbols INCLUDE REGEX " npurt::(binfmt|kernels|detail::overlay|detail::sequences)::|find_prebuilt")
if(strangers OR symbols)
  message(FATAL_ERROR "exported, but no API of npurt: ${strangers}\n${symbols}")
endif()
