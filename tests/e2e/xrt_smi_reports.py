# SPDX-License-Identifier: Apache-2.0
"""Every report and command of xrt-smi on the emulated device: xrt_smi_reports.py NPURT_EMU XRT_SMI."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

emulator, xrt_smi = sys.argv[1:3]
BDF = "0000:c4:00.1"
REPORTS = ["aie-partitions", "all", "host", "platform"]


def smi(*arguments, options=(), code=0):
    done = subprocess.run([emulator, *options, xrt_smi, "--batch", "--force", *arguments], capture_output=True,
                          text=True)
    assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


def examine(report, **more):
    return smi("examine", "-d", BDF, "-r", report, **more)


def examine_json(report, schema, folder):
    file = pathlib.Path(folder) / f"{report}-{schema}.json"
    smi("examine", "-d", BDF, "-r", report, "-f", schema, "-o", str(file))
    return json.loads(file.read_text())


def offered():
    """What the package's help says that there is: a report that is new to this test fails it."""
    lines = smi("examine", "--help").splitlines()
    first = next(i for i, line in enumerate(lines) if "Reports currently available" in line)
    names = []
    for line in lines[first + 1:]:
        if " - " not in line:
            break
        names.append(line.split(" - ")[0].split()[-1])
    return names


assert sorted(offered()) == REPORTS, offered()
assert "No hardware contexts running on device" in examine("aie-partitions")
host = examine("host")
assert f"|[{BDF}]" in host and "NPU Phoenix" in host and "aie2" in host and "6x5" in host, host
platform = examine("platform")
for line in ["Name                   : NPU Phoenix", "Power Mode             : default", "Total Columns          : 5"]:
    assert line in platform, platform
everything = examine("all")
assert "AIE Partitions" in everything and "Power Mode" in everything and "NPU Firmware Version : 1.5.5.391" in everything
assert "NPU Firmware Version : 9.8.7.6" in examine("host", options=["--fault", "firmware=9.8.7.6"])

with tempfile.TemporaryDirectory() as folder:
    for schema in ["JSON", "JSON-2020.2"]:
        for report in REPORTS:
            examine_json(report, schema, folder)
    tree = examine_json("all", "JSON", folder)
    device = tree["system"]["host"]["devices"][0]
    assert (device["bdf"], device["name"], device["aie_topology"]) == (BDF, "NPU Phoenix", "6x5"), device
    assert device["firmware_version"] == "1.5.5.391" and device["is_ready"] == "true", device
    details = tree["devices"][0]
    assert details["platforms"][0]["static_region"] == {"name": "NPU Phoenix", "total_columns": "5"}, details
    assert details["platforms"][0]["status"]["power_mode"] == "default", details

for mode in ["default", "powersaver", "balanced", "performance", "turbo"]:
    # SET_STATE is root's, as in the kernel; xrt-smi looks for that by itself.
    done = subprocess.run([emulator, xrt_smi, "--batch", "configure", "-d", BDF, "--pmode", mode],
                          capture_output=True, text=True)
    assert f"Power mode is set to {mode}" in done.stdout or done.returncode != 0, done
    assert done.returncode == 0 or os.geteuid() != 0, done
assert "Invalid pmode value" in smi("configure", "-d", BDF, "--pmode", "fastest", code=1)
assert "'0000:99:00.1' not found" in smi("examine", "-d", "0000:99:00.1", "-r", "platform", code=1)

# The package has no validation archive: validate stops at that, before the device.
for test in ["all", "latency", "throughput"]:
    assert "xrt_smi_phx.a" in smi("validate", "-d", BDF, "-r", test, code=1)
print("every report")
