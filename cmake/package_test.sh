#!/bin/bash
# package_test.sh FOLDER: in a fresh Debian 13 whose apt knows backports, installs the packages in FOLDER/packages and builds and
# runs programs with them, from FOLDER/examples and FOLDER/kernels. Ends with "N passed, N failed".
set -u
folder=$1 passed=0 failed=0
export DEBIAN_FRONTEND=noninteractive HOME=/root LANG=C.UTF-8

# check NAME COMMAND...: one check; its output is shown if it fails.
check() {
  local name=$1 started=$SECONDS status=0
  shift
  "$@" >"$folder/output" 2>&1 || status=$?
  if (( status == 0 )); then
    passed=$((passed + 1))
    printf 'passed  %s (%d s)\n' "$name" $((SECONDS - started))
  else
    failed=$((failed + 1))
    printf 'failed  %s (exit %d)\n' "$name" "$status"
    tail -n 30 "$folder/output" | sed 's/^/    | /'
  fi
}

install_packages() { apt-get install -y --no-install-recommends "$@"; }
library_alone() { install_packages "$folder"/packages/libnpurt0*.deb "$folder"/packages/npurt-kernels_*.deb && ldconfig -p | grep libnpurt.so.0; }
# What src/emu/YOUR_DESIGN.md tells strangers to do, who have XRT programs and designs of their own.
emulator_and_xrt() { install_packages "$folder"/packages/npurt-emulator_*.deb libxrt-npu2 libxrt-dev uuid-dev g++ && ! dpkg -s libnpurt0.1; }
program_on_xrt() {
  cat >"$folder/test.cpp" <<'CPP'
#include <iostream>
#include <xrt/xrt_device.h>
int main() { std::cout << xrt::device(0).get_info<xrt::info::device::name>() << '\n'; }
CPP
  g++ -std=c++17 "$folder/test.cpp" -o "$folder/test.exe" -lxrt_coreutil -luuid && npurt-emu --stats "$folder/stats.json" "$folder/test.exe" | grep Phoenix
}
design_from_files() {
  local size=$((256 * 256))
  npurt-insts matmul-i8 256 256 256 -o "$folder/insts.bin" && head -c $size /dev/urandom >"$folder/a.bin" && head -c $size /dev/zero >"$folder/b.bin" &&
    npurt-emu npurt run "$folder/kernels/prebuilt/i8-matmul.xclbin" --insts "$folder/insts.bin" --in "$folder/a.bin" --in "$folder/b.bin" \
      --out "$folder/c.bin:$((4 * size))" && [[ $(stat -c %s "$folder/c.bin") == $((4 * size)) ]]
}

tools_needed=(g++ cmake make pkg-config libpng-dev libsndfile1-dev nlohmann-json3-dev man-db fish zsh)
all_packages() { install_packages "$folder"/packages/*.deb "${tools_needed[@]}"; }

build_examples() {
  cmake -S "$folder/examples" -B "$folder/build" -DCMAKE_BUILD_TYPE=Debug && cmake --build "$folder/build" -j "$(nproc)"
}
# run_example NAME PATTERN ARGUMENT...: under the emulated NPU.
run_example() {
  local name=$1 pattern=$2
  shift 2
  npurt-emu "$folder/build/$name/$name" "$@" | tee "$folder/example" && grep -qE "$pattern" "$folder/example"
}

with_pkg_config() {
  printf '#include <npurt/device.hpp>\nint main() { return npurt::device::enumerate().size() == 1 ? 0 : 1; }\n' >"$folder/devices.cpp"
  # shellcheck disable=SC2046
  g++ "$folder/devices.cpp" -o "$folder/devices" $(pkg-config --cflags --libs npurt-emulator npurt) && "$folder/devices"
}
without_an_npu() { ! "$folder/build/gelu/gelu" >"$folder/said" 2>&1 && cat "$folder/said" && grep -q 'npurt-emu' "$folder/said"; }
# There is no NPU here, and doctor says so.
doctor_finds() { npurt doctor >"$folder/said"; [[ $? == 1 ]] && cat "$folder/said" && grep -q 'no-npu' "$folder/said"; }
manual_pages() { local page; for page in npurt npurt-doctor npurt-run npurt-as npurt-emu; do man -w "$page" || return; done; }
fish_completes() { fish -c "complete -C 'npurt do'" | grep -q '^doctor' && fish -c "complete -C 'npurt run --ins'" | grep -q '^--insts' && fish -c "complete -C 'npurt-as --li'" | grep -q '^--listing'; }
bash_completes() {
  bash -c 'source /usr/share/bash-completion/completions/npurt; COMP_WORDS=(npurt do); COMP_CWORD=1; _npurt_complete; [[ ${COMPREPLY[*]} == doctor ]]' &&
    bash -c 'source /usr/share/bash-completion/completions/npurt-as; COMP_WORDS=(npurt-as --li); COMP_CWORD=1; _npurt_as_complete; [[ ${COMPREPLY[*]} == --listing ]]'
}
# What completion offers shows on a terminal only: one is made, and the key is pressed in it.
zsh_completes() {
  cat >"$folder/ask.zsh" <<'ZSH'
zmodload zsh/zpty
zpty shell 'PS1=; zsh -f -i'
ask() { zpty -w -n shell "$1"$'\t'; sleep 1; zpty -r -t shell answer; local more; while zpty -r -t shell more; do answer+=$more; done; print -r -- $answer; zpty -w -n shell $'\025' }
zpty -w shell 'autoload -U compinit; compinit -u -D; setopt no_beep'
sleep 3; while zpty -r -t shell answer; do :; done
ask 'npurt doct'; ask 'npurt run --ins'; ask 'npurt-as --li'
ZSH
  zsh -f "$folder/ask.zsh" | tee "$folder/said"
  grep -q 'npurt doctor' "$folder/said" && grep -q 'npurt run --insts' "$folder/said" && grep -q 'npurt-as --listing' "$folder/said"
}
removes() { apt-get remove -y libnpurt-dev npurt-tools npurt-emulator 'libnpurt0*' npurt-kernels && ! ls /usr/lib/*/libnpurt* 2>/dev/null; }

check "lists of packages" apt-get update
check "the emulator installs without the library" emulator_and_xrt
check "a program on XRT alone runs on the emulated NPU" program_on_xrt
check "the library installs alone" library_alone
check "all packages install" all_packages
check "nothing is missing of what they name" apt-get check
check "a design from files runs on the emulated NPU" design_from_files
check "the examples build" build_examples
check "a program without an NPU says what helps" without_an_npu
check "the spectrogram example turns speech into a picture" run_example spectrogram 'cycles' \
  "$folder/examples/spectrogram/speech.wav" "$folder/speech.png"
check "gelu runs on the emulated NPU" run_example gelu 'error against double'
check "encoder_layer runs on the emulated NPU" run_example encoder_layer 'cosine.*(0\.999|1\.0)' --rows 64
check "a program is built with what pkg-config says" with_pkg_config
check "npurt doctor finds that there is no NPU" doctor_finds
check "manual pages are found" manual_pages
check "bash completes" bash_completes
check "zsh completes" zsh_completes
check "fish completes" fish_completes
check "all packages go again" removes
printf '%d passed, %d failed\n' "$passed" "$failed"
(( failed == 0 ))
