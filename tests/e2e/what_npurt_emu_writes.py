# SPDX-License-Identifier: Apache-2.0
# what_npurt_emu_writes.py FOLDER COMMAND...: runs a command that uses the device under npurt-emu (the first word of
# COMMAND) with --stats, --trace and --plot, and looks at the three files.
import json
import pathlib
import subprocess
import sys

folder = pathlib.Path(sys.argv[1])
emulator, command = sys.argv[2], sys.argv[3:]
stats, trace, plot = folder / "seen.json", folder / "seen.trace.json", folder / "seen.png"
for file in (stats, trace, plot):
    file.unlink(missing_ok=True)
subprocess.run([emulator, "--stats", stats, "--trace", trace, "--plot", plot, *command], check=True)

figures = json.loads(stats.read_text())
totals = figures["totals"]
assert totals["commands"] >= 1
assert totals["macs"] == sum(core["macs"] for core in totals["cores"])
assert totals["cycles"] == sum(entry["cycles"] for entry in figures["commands"])
for core in totals["cores"]:
    assert core["bundles"] + sum(core["stalls"].values()) <= core["cycles"], core
shim_words = sum(c["words"] for c in totals["channels"] if c["tile"][1] == 0)
assert 4 * shim_words == totals["ddr_read_bytes"] + totals["ddr_write_bytes"]

timeline = json.loads(trace.read_text())
assert "modelled" in timeline["otherData"]["note"]
events = timeline["traceEvents"]
names = {e["args"]["name"] for e in events if e["ph"] == "M" and e["name"] == "thread_name"}
assert "firmware" in names and any(name.startswith("core") for name in names), names
slices = [e for e in events if e["ph"] == "X"]
length = totals["cycles"] / figures["clock_mhz"]
assert all(0 <= e["ts"] and e["ts"] + e["dur"] <= length + 0.01 for e in slices)
running = sum(e["dur"] for e in slices if e["name"] == "running")
stalled = sum(e["dur"] for e in slices if e["name"].startswith("stalled"))
cycles = sum(core["cycles"] for core in totals["cores"]) / figures["clock_mhz"]
# What a core sleeps at the end of a command is counted when it wakes; the timeline shows it at once.
assert 0.98 * cycles <= running + stalled <= len(totals["cores"]) * length, (running, stalled, cycles)

assert plot.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
print(f"{len(slices)} slices, {plot.stat().st_size} bytes of picture")
