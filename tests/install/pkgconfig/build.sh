#!/bin/sh
# build.sh PREFIX LIBDIR OUTPUT COMPILER [FLAG...]: devices.cpp with what pkg-config says, alone and with the emulator linked.
set -eu
prefix=$1 libdir=$2 output=$3
shift 3
export PKG_CONFIG_PATH="$prefix/$libdir/pkgconfig"
source=$(dirname "$0")/devices.cpp
# Of several words each.
# shellcheck disable=SC2046
"$@" -c "$source" -o "$output.o" $(pkg-config --cflags npurt)
# shellcheck disable=SC2046
"$@" "$output.o" -o "$output" $(pkg-config --libs npurt) "-Wl,-rpath,$prefix/$libdir"
# shellcheck disable=SC2046
"$@" "$output.o" -o "$output-emulated" $(pkg-config --libs npurt-emulator npurt) "-Wl,-rpath,$prefix/$libdir"
test -f "$(pkg-config --variable=kernelsdir npurt)/overlay.xclbin"
"$(pkg-config --variable=emulator npurt-emulator)" "$output"
"$output-emulated"
