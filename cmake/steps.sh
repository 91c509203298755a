# shellcheck shell=bash
# Steps that show they are alive and keep a log, and test suites that are counted: for dev and cmake/check.sh.
# shellcheck disable=SC2154
# Uses $logs (folder of logs) and $jobs; adds to $passed and $failed.

die() { printf 'dev: %s\n' "$*" >&2; exit 1; }
say() { printf '%s\n' "$*" >&2; }

# A step runs in a process group of its own, which ends with this script.
step_group=
end_step() { [[ -z $step_group ]] || kill -- "-$step_group" 2>/dev/null || true; }
trap end_step EXIT
trap 'exit 130' INT TERM

# try_step NAME COMMAND...: runs a long command with its output in a log, a dot every ten seconds; on failure shows the end
# of the log and where it is, and returns the command's status.
try_step() {
  local name=$1 log=$logs/$1.log started=$SECONDS status=0
  shift
  mkdir -p "$logs"
  printf '%-34s' "$name ..." >&2
  set -m
  "$@" >"$log" 2>&1 </dev/null &
  step_group=$!
  set +m
  while kill -0 "$step_group" 2>/dev/null; do
    sleep 0.2
    (( (SECONDS - started) % 10 != 9 )) || { printf '.' >&2; sleep 1; }
  done
  wait "$step_group" || status=$?
  step_group=
  if (( status == 0 )); then
    printf ' %d s\n' $((SECONDS - started)) >&2
  else
    printf ' failed after %d s (exit %d); the end of %s:\n' $((SECONDS - started)) "$status" "$log" >&2
    tail -n 40 "$log" >&2
  fi
  return "$status"
}

run_step() { try_step "$@" || die "$1 failed; the whole log: $logs/$1.log"; }

# The first value of an attribute in a JUnit report.
junit_number() { grep -m 1 -oE "[[:space:]]$1=\"[0-9]+\"" "$2" | tr -dc '0-9'; }

# run_suite NAME BUILD_FOLDER [FILTER]: the ctest tests of a build whose names match FILTER, counted. There are as many at a
# time as cores: each emulated NPU has one thread, except where threads are what is tested.
run_suite() {
  local name=$1 folder=$2 report=$2/ctest.xml log=$logs/test-$1.log count bad skipped started=$SECONDS
  mkdir -p "$logs"
  rm -f "$report"
  say "testing $name"
  (cd "$folder" && NPURT_EMU_THREADS=1 ctest -j "$jobs" --output-on-failure --output-junit "$report" ${3:+-R "$3"}) >"$log" 2>&1 || true
  grep -vE '^ *(Start +[0-9]+:|[0-9]+/[0-9]+ Test .* Passed)|^(Test project|$)' "$log" >&2 || true
  if [[ ! -f $report ]]; then
    say "ctest made no report; the whole log: $log"
    failed=$((failed + 1))
    return
  fi
  count=$(junit_number tests "$report") bad=$(junit_number failures "$report") skipped=$(junit_number skipped "$report")
  if (( count == 0 )); then
    say "no test matches '${3:-}'"
    failed=$((failed + 1))
    return
  fi
  say "$name: $count tests, $bad failed, $skipped skipped, $((SECONDS - started)) s"
  passed=$((passed + count - bad - skipped)) failed=$((failed + bad))
}
