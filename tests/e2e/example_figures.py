# SPDX-License-Identifier: Apache-2.0
"""example_figures.py [--shared-too] PATTERN COMMAND...: an example on the emulated NPU prints what matches PATTERN, and where
its time went: the parts add up to the whole. Of a table with shares (encoder_layer) each row's do, too. A shared device says
the same."""
import os
import re
import subprocess
import sys


def output(command, **environment):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}).stdout


def only(matches):
    assert len(matches) == 1, matches
    return matches[0]


def check_parts(text):
    cycles = float(only(re.findall(r"^modelled at \d+ MHz, time model [0-9a-f]{8}: (\d+) cycles", text, re.MULTILINE)))
    compute, compute_share, launch, launch_share, transfers, transfers_share = map(float, only(re.findall(
        r"^where the time went: compute (\d+) cycles \(([\d.]+) %\), launch (\d+) \(([\d.]+) %\), "
        r"transfers (\d+) \(([\d.]+) %\)$", text, re.MULTILINE)))
    assert compute + launch + transfers == cycles, text
    assert compute > 0 and launch > 0 and transfers >= 0, text
    for part, share in ((compute, compute_share), (launch, launch_share), (transfers, transfers_share)):
        assert abs(100 * part / cycles - share) <= 0.051, text
    return compute_share


def check_cores(text, compute_share):
    running, banks, *waits, dram, rate = map(float, only(re.findall(
        r"^cores: running ([\d.]+) %, waiting for memory banks ([\d.]+) %, locks ([\d.]+) %, streams ([\d.]+) %, "
        r"cascade ([\d.]+) %; DDR: (\d+) bytes, ([\d.]+) GB/s$", text, re.MULTILINE)))
    roundings = 0.3
    assert abs(running + banks + sum(waits) - 100) <= roundings, text
    assert abs(running + banks - compute_share) <= roundings, text
    assert dram > 0 and 0 < rate <= 56, text  # 28 GB/s each way


def check_table(text):
    """A row ends in modelled us, host us, MB, the three shares, and TFLOPS if it multiplies."""
    rows = re.findall(r"^[a-z].*?((?: +\d+\.\d+){6,7})$", text, re.MULTILINE)
    assert len(rows) == 7 + 3, text  # operations and totals
    for row in rows:
        assert abs(sum(map(float, row.split()[3:6])) - 100) <= 0.16, row


def main(arguments):
    shared_too = arguments[0] == "--shared-too"
    pattern, *command = arguments[1 if shared_too else 0:]
    text = output(command)
    print(text)
    assert re.search(pattern, text), f"nothing matches {pattern}"
    check_cores(text, check_parts(text))
    if "launch %" in text:
        check_table(text)
    if shared_too:
        assert output(command, NPURT_EMU_SHARED=f"npurt-example-{os.getpid()}") == text


main(sys.argv[1:])
