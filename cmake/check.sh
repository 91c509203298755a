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

# check NAME COMMAND...: runs the command; one line, and the end of its log when it fails.
check() {
  local name=$1 started=$SECONDS log=$logs/check-$1.log
  shift
  printf '%-34s' "$name ..." >&2
  if "$@" >"$log" 2>&1 </dev/null; then
    passed=$((passed + 1))
    printf ' ok, %d s\n' $((SECONDS - started)) >&2
  else
    failed=$((failed + 1))
    printf ' FAILED after %d s; the end of %s:\n' $((SECONDS - started)) "$log" >&2
    tail -n 40 "$log" >&2
    return 1
  fi
}

sources() { find include src kernels tests bench examples \( -name '*.hpp' -o -name '*.cpp' \) -not -path '*/compile_fail/*' | sort; }

formatting() { sources | xargs clang-format --dry-run -Werror; }
scripts() { shellcheck -S warning dev .ci/run cmake/check.sh; }

static_analysis() {
  cmake --preset dev -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_EXPORT_COMPILE_COMMANDS=ON -B "$build_root/tidy" &&
    run-clang-tidy -quiet -j "$jobs" -p "$build_root/tidy" "$top/(include|src|kernels)/.*"
}

build() { # build PRESET
  cmake --preset "$1" -B "$build_root/$1" && cmake --build "$build_root/$1" -j "$jobs"
}

# suite PRESET: the preset's tests, each counted.
suite() {
  local preset=$1 report=$build_root/$1/ctest.xml count bad skipped started=$SECONDS
  check "build-$preset" build "$preset" || return
  rm -f "$report"
  (cd "$build_root/$preset" && ctest -j "$jobs" --output-on-failure --output-junit "$report") >"$logs/check-$preset.log" 2>&1
  if [[ ! -f $report ]]; then
    failed=$((failed + 1))
    printf 'no report of the %s suite: %s\n' "$preset" "$logs/check-$preset.log" >&2
    return
  fi
  count=$(sed -nE 's/.*[^a-z]tests="([0-9]+)".*/\1/p' "$report" | head -n 1)
  bad=$(sed -nE 's/.*[^a-z]failures="([0-9]+)".*/\1/p' "$report" | head -n 1)
  skipped=$(sed -nE 's/.*[^a-z]skipped="([0-9]+)".*/\1/p' "$report" | head -n 1)
  passed=$((passed + count - bad - ${skipped:-0})) failed=$((failed + bad))
  printf '%-34s %d tests, %d failed, %d skipped, %d s\n' "$preset suite" "$count" "$bad" "${skipped:-0}" $((SECONDS - started)) >&2
  (( bad == 0 )) || grep -A 30 -E '\*\*\*(Failed|Exception|Timeout)' "$logs/check-$preset.log" | head -n 120 >&2
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
