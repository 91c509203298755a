# SPDX-License-Identifier: Apache-2.0
# timeline_of_host.py FILE COMMAND...: runs a command that calls the NPU with NPURT_TRACE=FILE and looks at what it wrote.
import collections
import json
import os
import pathlib
import subprocess
import sys

file, command = pathlib.Path(sys.argv[1]), sys.argv[2:]
file.unlink(missing_ok=True)
subprocess.run(command, check=True, env=os.environ | {"NPURT_TRACE": str(file)})
trace = json.loads(file.read_text())
assert trace["otherData"]["dropped_events"] == 0
events = trace["traceEvents"]
processes = {e["pid"]: e["args"]["name"] for e in events if e["ph"] == "M" and e["name"] == "process_name"}
host = next(pid for pid, name in processes.items() if name == "host")

# Spans of a thread nest: each ends within the one that it begins in.
threads = collections.defaultdict(list)
for e in events:
    if e["ph"] == "X" and e["pid"] == host:
        threads[e["tid"]].append(e)
deepest = 0
for spans in threads.values():
    outer = []
    for span in sorted(spans, key=lambda e: (e["ts"], -e["dur"])):
        end = span["ts"] + span["dur"]
        while outer and outer[-1] <= span["ts"]:
            outer.pop()
        assert not outer or end <= outer[-1] + 1e-6, span
        outer.append(end)
        deepest = max(deepest, len(outer))
assert deepest >= 3, deepest

spans = [e for each in threads.values() for e in each]
calls = [e for e in spans if e["name"] == "call"]
assert [e["args"]["of"] for e in sorted(calls, key=lambda e: e["ts"])] == ["relu_bf16", "gelu_bf16"], calls
named = collections.Counter(e["name"] for e in spans)
for name in ("make a plan", "operands", "to device", "start", "wait", "from device", "result", "open the overlay",
             "sequence::compile", "sequence::start", "sequence::wait", "sequence::write", "sequence::read"):
    assert named[name] >= 1, (name, named)
assert any(e["args"]["of"] == 'a "y"' for e in spans)
flights = collections.Counter((e["cat"], e["ph"]) for e in events if e["ph"] in "be")
assert flights["command", "b"] == flights["command", "e"] >= 2, flights

# The array works between the start and the end of the wait of each call, and afterwards for the sequence.
array = [e for e in events if e["ph"] == "X" and e["pid"] != host]
assert array and all("modelled" in processes[e["pid"]] for e in array)
for call in calls:
    inside = [e for e in array if call["ts"] <= e["ts"] <= call["ts"] + call["dur"]]
    assert any(e["name"] == "running" for e in inside), call
last = max(e["ts"] for e in array)
started = max(e["ts"] for e in spans if e["name"] == "sequence::start")
assert started <= last, (started, last)
first_call = min(e["ts"] for e in calls)
assert all(e["ts"] >= first_call for e in array if e["name"] == "running")
print(f"{len(spans)} spans on {len(threads)} threads, {len(array)} slices of the array")
