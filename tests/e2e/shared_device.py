# SPDX-License-Identifier: Apache-2.0
"""Several XRT programs on one shared device: shared_device.py NPURT_EMU XRT_SMI XCLBIN NPURT_INSTS.

With --hold XCLBIN CONTEXTS NPURT_INSTS it is one of the programs: it keeps contexts, and multiplies when told to.
"""
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time


def hold(xclbin_file, count, npurt_insts):
    import numpy as np
    import pyxrt
    import pyxrt_matmul

    device = pyxrt.device(0)
    xclbin = pyxrt.xclbin(xclbin_file)
    device.register_xclbin(xclbin)
    try:
        contexts = [pyxrt.hw_context(device, xclbin.get_uuid()) for _ in range(int(count))]
    except Exception as error:
        print(f"refused: {error}", flush=True)
        return
    print(f"ready {os.getpid()}", flush=True)
    for line in sys.stdin:
        if line.strip() != "run":
            break
        kernel = pyxrt.kernel(contexts[0], "i8_matmul")
        random = np.random.default_rng(os.getpid())
        a = random.integers(-128, 128, (256, 64), dtype=np.int8)
        b = random.integers(-128, 128, (64, 256), dtype=np.int8)
        c = pyxrt_matmul.multiply(device, kernel, pyxrt_matmul.control_code(npurt_insts, 256, 256, 64), a, b)
        print("equal" if np.array_equal(c, a.astype(np.int64) @ b.astype(np.int64)) else "differs", flush=True)


class Program:
    def __init__(self, emulator, xclbin, contexts, npurt_insts):
        self.process = subprocess.Popen(
            [emulator, "--shared", "e2e", sys.executable, __file__, "--hold", xclbin, str(contexts), npurt_insts],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.first = self.line()

    def line(self, starts=("ready", "refused", "equal", "differs")):
        """What it says itself; npurt-insts tells what it writes."""
        for text in self.process.stdout:
            if text.startswith(starts):
                return text.strip()
        return ""

    def say(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def end(self):
        self.process.stdin.close()
        assert self.process.wait() == 0


def stop_server(path):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    os.kill(struct.unpack("3i", peer)[0], signal.SIGTERM)
    for _ in range(1000):
        if not path.exists():
            return
        time.sleep(0.01)
    sys.exit("the server stays")


def main():
    emulator, xrt_smi, xclbin, npurt_insts = sys.argv[1:5]
    with tempfile.TemporaryDirectory() as runtime:
        os.environ["XDG_RUNTIME_DIR"] = runtime
        one = Program(emulator, xclbin, 4, npurt_insts)  # its first open starts the server
        two = Program(emulator, xclbin, 2, npurt_insts)
        assert one.first.startswith("ready") and two.first.startswith("ready"), (one.first, two.first)
        seventh = Program(emulator, xclbin, 1, npurt_insts)
        assert "err=-2" in seventh.first, seventh.first
        seventh.end()

        report = subprocess.run([emulator, "--shared", "e2e", xrt_smi, "examine", "-d", "0000:c4:00.1",
                                 "-r", "aie-partitions"], capture_output=True, text=True, check=True).stdout
        for program in (one, two):
            assert program.first.split()[1] in report, report

        for program in (one, two):
            program.say("run")
        assert one.line() == "equal" and two.line() == "equal"

        one.process.kill()
        one.process.wait()
        again = Program(emulator, xclbin, 4, npurt_insts)
        for _ in range(100):  # the server hears of the end when the kernel tells it
            if again.first.startswith("ready"):
                break
            time.sleep(0.05)
            again = Program(emulator, xclbin, 4, npurt_insts)
        assert again.first.startswith("ready"), again.first
        again.end()
        two.end()
        stop_server(pathlib.Path(runtime) / "npurt-emu" / "e2e")
        assert not list((pathlib.Path(runtime) / "npurt-emu").iterdir())


if __name__ == "__main__":
    if sys.argv[1] == "--hold":
        hold(*sys.argv[2:5])
    else:
        main()
