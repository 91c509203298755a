#!/usr/bin/env bash
# The slower checks behind `./dev check`: formatting, static analysis, kernels rebuilt, sanitizers, fuzzing.
# Every check counts as one; a test suite under a sanitizer counts test by test. NPURT_FUZZ_SECONDS (60): time per target;
# NPURT_FUZZ_SEED (1): another one makes another run.
# Coverage is not a check: ./dev coverage.
set -uo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
build_root=$1
logs=$build_root/logs
jobs=${NPURT_JOBS:-$(nproc)}
fuzz_seconds=${NPURT_FUZZ_SECONDS:-60}
fuzz_seed=${NPURT_FUZZ_SEED:-1}
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
scripts() { shellcheck -S warning dev .ci/run cmake/*.sh tests/install/pkgconfig/build.sh; }

# Several sources at a time, which takes half of the time and finds the same.
static_analysis() {
  cmake --preset dev -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_EXPORT_COMPILE_COMMANDS=ON \
    -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=6 -B "$build_root/tidy" &&
    run-clang-tidy -quiet -j "$jobs" -p "$build_root/tidy" -extra-arg=-include "-extra-arg=$top/cmake/clang_bfloat16.hpp" \
      "($top|$build_root/tidy)/(src|kernels)/.*"
}

build() { # build FOLDER PRESET [OPTION...]
  cmake --preset "$2" -B "$build_root/$1" "${@:3}" && cmake --build "$build_root/$1" -j "$jobs"
}

# Of the release build what is used here; after ./dev test it is there.
build_tools() {
  cmake --preset release -B "$build_root/release" &&
    cmake --build "$build_root/release" -j "$jobs" --target npurt-kernels npurt-core-fuzz npurt-bench \
      npurt_public_headers
}

# suite FOLDER PRESET [OPTION...]: the preset's tests, each counted.
suite() {
  check "build-$1" build "$@" && run_suite "$1" "$build_root/$1"
}

# ThreadSanitizer on what runs on several threads: the emulated array, of which no more is built than its tests of threads.
# -O1, since its tests take seconds and its build would take minutes.
build_threads() {
  cmake --preset tsan -B "$build_root/tsan" -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O1 -g1 -DNDEBUG" &&
    cmake --build "$build_root/tsan" -j "$jobs" --target emu_threads_tests
}

# Once as it is, and once with cores whose memory accesses are seen: translated code is not instrumented.
threads() {
  check build-tsan build_threads || return
  run_suite tsan "$build_root/tsan" '^emu_threads: '
  NPURT_EMU_CORE=reference run_suite tsan-reference "$build_root/tsan" '^emu_threads: '
}

# One fuzz target for its time, from the kept corpus; new finds stay in the build folder. Its output is closed, since the
# code under test may print; a replay of the artifact by build/release/bin/fuzz_replay_NAME shows it.
fuzz_one() {
  local name=$1 corpus=$build_root/fuzz-corpus/$1 artifacts=$build_root/fuzz-artifacts/$1
  mkdir -p "$corpus" "$artifacts"
  "$build_root/fuzz/bin/fuzz_$name" -seed="$fuzz_seed" -max_total_time="$fuzz_seconds" -timeout=20 -rss_limit_mb=2048 -close_fd_mask=3 \
    -print_final_stats=1 -artifact_prefix="$artifacts/" "$corpus" "$top/tests/fuzz/corpus/$name" >"$logs/fuzz-$name.log" 2>&1
  echo $? >"$logs/fuzz-$name.status"
}

# As many targets at a time as there are cores.
fuzz_all() {
  export -f fuzz_one
  export build_root top logs fuzz_seconds fuzz_seed
  rm -f "$logs"/fuzz-*.status
  printf '%s\n' "$@" | xargs -P "$jobs" -I{} bash -c 'fuzz_one {}'
}

fuzz_result() { tail -n 30 "$logs/fuzz-$1.log" && return "$(cat "$logs/fuzz-$1.status")"; }

fuzzing() {
  local target targets=()
  check build-fuzz build fuzz fuzz || return
  for target in "$build_root"/fuzz/bin/fuzz_*; do targets+=("${target##*/fuzz_}"); done
  try_step "fuzz-${#targets[@]}-targets" fuzz_all "${targets[@]}"
  for target in "${targets[@]}"; do check "fuzzed-$target" fuzz_result "$target"; done
}

# The two engines of the core against each other; seeds and bundles are in the last line.
core_engines() { "$build_root/release/bin/npurt-core-fuzz" --verbose --seconds "$fuzz_seconds" --seed "$fuzz_seed"; }

check formatting formatting
check shell-scripts scripts
check build-tools build_tools
check bench-rows python3 bench/check_rows.py "$build_root/release/bin/npurt-bench" "$build_root/bench-rows.json"
check kernels-byte-for-byte "$build_root/release/bin/npurt-kernels" kernels --check --assembly "$build_root/release/kernels"
check static-analysis static_analysis
# The presets asan and ubsan in one build, which finds the same in half the time.
suite asan-ubsan asan -DNPURT_SANITIZE=address,undefined
threads
fuzzing
check core-engines core_engines
tail -n 1 "$logs/core-engines.log" >&2
printf '%d passed, %d failed\n' "$passed" "$failed"
(( failed == 0 ))
