# SPDX-License-Identifier: Apache-2.0
"""What npurt-emu --strict tells of a program's syncs: pyxrt_sync.py NPURT_EMU XCLBIN NPURT_INSTS.

Started again under npurt-emu, each program below forgets something; what is told of it stands between its name and the
next one's on stderr.
"""
import gc
import os
import subprocess
import sys

import numpy as np

M, N, K = 256, 256, 64

OUTPUT = "the SHARE buffer object of 262144 bytes ends; commands wrote its bytes 0 to 262143, and it was never synced"

# By program: pieces of the one line that is told of it (none: nothing is told).
NOTHING = ()
EXPECTED = {
    "all syncs": NOTHING,
    "output as input": NOTHING,
    "second input": ("the SHARE buffer object of 16384 bytes; the program changed",),
    "one byte later": ("the SHARE buffer object of 16384 bytes; the program changed 4711 to 4711 and did not sync them",),
    "control code": ("DEV buffer object of", "and did not sync them"),
    "output": NOTHING,  # told when the buffer ends, which XRT may put off
    "sync of another part": ("the program changed 8192 to 8292 and did not sync them to the device",),
}


class program:
    def __init__(self, xclbin_file, npurt_insts):
        import pyxrt
        from pyxrt_matmul import control_code

        self.pyxrt = pyxrt
        self.to_device = pyxrt.xclBOSyncDirection.XCL_BO_SYNC_BO_TO_DEVICE
        self.from_device = pyxrt.xclBOSyncDirection.XCL_BO_SYNC_BO_FROM_DEVICE
        self.device = pyxrt.device(0)
        xclbin = pyxrt.xclbin(xclbin_file)
        self.device.register_xclbin(xclbin)
        self.context = pyxrt.hw_context(self.device, xclbin.get_uuid())
        self.kernel = pyxrt.kernel(self.context, "i8_matmul")
        self.code = control_code(npurt_insts, M, N, K)
        random = np.random.default_rng(1)
        self.a = random.integers(-128, 128, (M, K), dtype=np.int8)
        self.b = random.integers(-128, 128, (K, N), dtype=np.int8)

    def buffer(self, array, argument, synced=True):
        flags = self.pyxrt.bo.cacheable if argument == 1 else self.pyxrt.bo.host_only
        bo = self.pyxrt.bo(self.device, array.nbytes, flags, self.kernel.group_id(argument))
        bo.write(array.tobytes(), 0)
        if synced:
            bo.sync(self.to_device, array.nbytes, 0)
        return bo

    def multiply(self, forget=None, between=None):
        # At an address that no earlier program's control code had.
        elsewhere = self.buffer(self.code, 1) if forget == "control code" else None
        code = self.buffer(self.code, 1, forget != "control code")
        a, b = self.buffer(self.a, 3), self.buffer(self.b, 4, forget != "second input")
        # Outputs need no sync to the device.
        c = self.buffer(np.zeros((M, N), dtype=np.int32), 5, False)
        if between:
            between(b)
        run = self.kernel(3, code, len(self.code), a, b, c)
        del elsewhere
        assert run.wait(600000) == self.pyxrt.ert_cmd_state.ERT_CMD_STATE_COMPLETED
        if forget == "output":
            return
        if forget == "output as input":
            # A later command reads what an earlier one wrote; nobody else has to see it.
            again = self.buffer(np.zeros((M, N), dtype=np.int32), 5, False)
            assert self.kernel(3, code, len(self.code), c, b, again).wait(600000) is not None
            again.sync(self.from_device, M * N * 4, 0)
            return
        c.sync(self.from_device, M * N * 4, 0)
        found = np.frombuffer(c.read(M * N * 4, 0), dtype=np.int32).reshape(M, N)
        assert np.array_equal(found, self.a.astype(np.int64) @ self.b.astype(np.int64)) or between

    def change(self, offset, count, then=None):
        def between(bo):
            bo.write(bytes((self.b.view(np.uint8).reshape(-1)[offset:offset + count] ^ 0xFF).tobytes()), offset)
            if then:
                bo.sync(self.to_device, *then)

        return between


def run_all(xclbin_file, npurt_insts):
    p = program(xclbin_file, npurt_insts)
    between = {"one byte later": p.change(4711, 1), "sync of another part": p.change(8192, 101, (4096, 4096))}
    for name in EXPECTED:
        print(f"program: {name}", file=sys.stderr, flush=True)
        p.multiply(forget=name, between=between.get(name))
        gc.collect()


def main():
    emulator, xclbin_file, npurt_insts = sys.argv[1:4]
    if os.environ.get("NPURT_EMU_STRICT"):
        return run_all(xclbin_file, npurt_insts)
    done = subprocess.run([emulator, "--strict", sys.executable, *sys.argv], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    parts = done.stderr.split("program: ")[1:]
    assert len(parts) == len(EXPECTED), done.stderr
    assert done.stderr.count(OUTPUT) == 1 and OUTPUT in done.stderr.split("program: output\n")[1], done.stderr
    for (name, pieces), part in zip(EXPECTED.items(), parts):
        told = [line for line in part.splitlines() if "strict: " in line and OUTPUT not in line]
        assert part.startswith(name + "\n") and len(told) == bool(pieces), part
        assert all(piece in told[0] for piece in pieces), part


if __name__ == "__main__":
    main()
