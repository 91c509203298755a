#!/usr/bin/env bash
# The slower checks behind `./dev check`: formatting, static analysis, kernels rebuilt, sanitizers, fuzzing.
# Every check counts as one; a test suite under a sanitizer counts test by test. NPURT_FUZZ_SECONDS (60): time per target.
set -uo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
build_root=$1
logs=$build_root/logs
jobs=${NPURT_JOBS:-$(nproc)}
fuzz_seconds=${NPURT_FUZZ_SECONDS:-60}
passed=0 failed=0
mkdir -p "$logs"
cd "$top" || exit 1

# shellcheck source=cmake/steps.sh
source "$top/cmake/steps.sh"

# check NAME COMMAND...: one check.
check() {
  if try_step "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); return 1; fi
}

sources() { find include src kernels tests bench examples \( -name '*.hpp' -o -name '*.cpp' \) -not -path '*/compile_fail/*' | sort; }

formatting() { sources | xargs clang-format --dry-run -Werror; }
scripts() { shellcheck -S warning dev .ci/run cmake/check.sh cmake/steps.sh; }

static_analysis() {
  cmake --preset dev -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_EXPORT_COMPILE_COMMANDS=ON -B "$build_root/tidy" &&
    run-clang-tidy -quiet -j "$jobs" -p "$build_root/tidy" "$top/(include|src|kernels)/.*"
}

build() { # build PRESET
  cmake --preset "$1" -B "$build_root/$1" && cmake --build "$build_root/$1" -j "$jobs"
}

# suite PRESET: the preset's tests, each counted.
suite() {
  check "build-$1" build "$1" && run_suite "$1" "$build_root/$1"
}

# One fuzz target for its share of time, from the kept corpus; new finds stay in the build folder.
fuzz_one() {
  local name=$1 corpus=$build_root/fuzz-corpus/$1
  mkdir -p "$corpus" "$build_root/fuzz-artifacts/$name"
  "$build_root/fuzz/bin/fuzz_$name" -max_total_time="$fuzz_seconds" -timeout=10 -rss_limit_mb=2048 -verbosity=0 \
    -print_final_stats=1 -artifact_prefix="$build_root/fuzz-artifacts/$name/" "$corpus" "$top/tests/fuzz/corpus/$name"
}

fuzzing() {
  local target
  check build-fuzz build fuzz || return
  for target in "$build_root"/fuzz/bin/fuzz_*; do
    target=${target##*/fuzz_}
    check "fuzz-$target" fuzz_one "$target"
  done
}

check formatting formatting
check shell-scripts scripts
check build-release build release
check kernels-byte-for-byte "$build_root/release/bin/npurt-kernels" kernels --check
check static-analysis static_analysis
suite asan
suite ubsan
suite tsan
fuzzing
printf '%d passed, %d failed\n' "$passed" "$failed"
(( failed == 0 ))
