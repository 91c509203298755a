# SPDX-License-Identifier: Apache-2.0
# check_rows.py NPURT_BENCH FILE: every row that bench promises is there and complete, and what has a bar says whether it is
# met. Modelled rows, the same on every host, must meet theirs; times of this host are not judged.
import json
import math
import re
import subprocess
import sys

bench, file = sys.argv[1:]
calls = [name + part for name in ("call-matmul-i8-256", "call-matmul-i8-256-free", "call-run")
         for part in ("", "-added", "-allocations", "-ioctls")]
sequences = ["sequence-20-ops" + part for part in ("", "-launch", "-xrt", "-naive", "-allocations", "-ioctls")]
cores = ["core-" + loop + part for loop in ("scalar", "mac-bf16", "mac-i8", "softmax", "copy") for part in ("", "-outside")]
of_peak = ["kernel-i8-matmul-inner", "matmul-i8-256"]
of_bar = ["layernorm-bf16-1500x512", "matmul-bf16-whisper-qkv"]  # the shortest of the stubs' calls
modelled = of_peak + of_bar
arrays = ["array-speed", "array-1-core", "array-16-cores", "array-16-cores-dma", "array-16-cores-threads",
          "array-16-cores-dma-threads"]
wanted = calls + sequences + cores + arrays + modelled
table = subprocess.run([bench, "--quick", "--json", file, "--filter", f"^(call|sequence|core|kernel|array)-|^matmul-i8-256$|^({'|'.join(of_bar)})$"],
                       check=True, stdout=subprocess.PIPE, text=True).stdout
with open(file, encoding="utf-8") as text:
    rows = {row["name"]: row for row in json.load(text)}

assert sorted(rows) == sorted(wanted), f"rows {sorted(rows)}, wanted {sorted(wanted)}"
for name, row in rows.items():
    assert name in table, f"{name} is not in the table"
    assert row["unit"] and row["reference"], row
    assert all(math.isfinite(row[key]) for key in ("value", "against", "ratio")), row
    assert row["against"] > 0 or row["value"] == row["against"], row
    assert ("model" in row) == (name in modelled), row
    if name not in modelled:
        assert row["low"] <= row["ratio"] <= row["high"], row
    if not name.endswith("-added"):
        assert row["ratio"] > 0, row
for name in of_peak:
    assert 0 < rows[name]["ratio"] <= 1, rows[name]
for name in of_bar:
    assert re.fullmatch(r"modelled at \d+ MHz, time model [0-9a-f]{8}", rows[name]["model"]), rows[name]
    assert any(name in line and rows[name]["model"] in line for line in table.splitlines()), f"{name}: no clock in the table"
for name in (name for name in calls if name.endswith("-ioctls")):
    assert rows[name]["against"] >= 1, f"{name}: a start is an ioctl: {rows[name]}"

with_bar = of_bar + ["kernel-i8-matmul-inner", "sequence-20-ops"] + [name for name in calls if name.endswith("-added")]
assert sorted(with_bar) == sorted(name for name in rows if "met" in rows[name]), rows
for name in with_bar:
    (side, bound), = rows[name]["goal"].items()
    met = rows[name]["ratio"] >= bound if side == "at_least" else rows[name]["ratio"] <= bound
    assert side in ("at_least", "at_most") and met == rows[name]["met"], rows[name]
    line = next(line for line in table.splitlines() if line.startswith(name + " "))
    assert (", met" if met else ", NOT MET") in line, line
    assert met or name not in modelled, f"a bar is missed: {line}"
    print(line)

unmatched = subprocess.run([bench, "--filter", "^no-such-row$"], check=False, capture_output=True, text=True)
assert unmatched.returncode == 1 and "no name matches" in unmatched.stderr, unmatched
