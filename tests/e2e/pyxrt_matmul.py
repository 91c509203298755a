# SPDX-License-Identifier: Apache-2.0
"""Runs our XCLBIN from Python, with control code that npurt-insts wrote: pyxrt_matmul.py XCLBIN NPURT_INSTS."""
import subprocess
import sys
import tempfile

import numpy as np
import pyxrt

TO_DEVICE = pyxrt.xclBOSyncDirection.XCL_BO_SYNC_BO_TO_DEVICE
FROM_DEVICE = pyxrt.xclBOSyncDirection.XCL_BO_SYNC_BO_FROM_DEVICE


def control_code(npurt_insts, m, n, k):
    with tempfile.NamedTemporaryFile(suffix=".bin") as file:
        subprocess.run([npurt_insts, "matmul-i8", str(m), str(n), str(k), "-o", file.name], check=True)
        return np.fromfile(file.name, dtype=np.uint32)


def upload(device, array, flags, group):
    bo = pyxrt.bo(device, array.nbytes, flags, group)
    bo.write(array.tobytes(), 0)
    bo.sync(TO_DEVICE, array.nbytes, 0)
    return bo


def multiply(device, kernel, insts, a, b):
    m, n = a.shape[0], b.shape[1]
    c = np.full((m, n), 0x55555555, dtype=np.int32)
    bo_insts = upload(device, insts, pyxrt.bo.cacheable, kernel.group_id(1))
    bo_a = upload(device, a, pyxrt.bo.host_only, kernel.group_id(3))
    bo_b = upload(device, b, pyxrt.bo.host_only, kernel.group_id(4))
    bo_c = upload(device, c, pyxrt.bo.host_only, kernel.group_id(5))
    run = kernel(3, bo_insts, len(insts), bo_a, bo_b, bo_c)
    state = run.wait(600000)
    if state != pyxrt.ert_cmd_state.ERT_CMD_STATE_COMPLETED:
        sys.exit(f"command ended in {state}")
    bo_c.sync(FROM_DEVICE, c.nbytes, 0)
    return np.frombuffer(bo_c.read(c.nbytes, 0), dtype=np.int32).reshape(m, n)


def main():
    xclbin_file, npurt_insts = sys.argv[1:3]
    device = pyxrt.device(0)
    xclbin = pyxrt.xclbin(xclbin_file)
    device.register_xclbin(xclbin)
    context = pyxrt.hw_context(device, xclbin.get_uuid())
    kernel = pyxrt.kernel(context, "i8_matmul")
    random = np.random.default_rng(1)
    # Without the typed stub nobody pads: sizes are multiples of what the sixteen cores take.
    for m, n, k in [(256, 256, 64), (512, 256, 192), (256, 1536, 64), (768, 512, 128), (256, 256, 1024)]:
        a = random.integers(-128, 128, (m, k), dtype=np.int8)
        b = random.integers(-128, 128, (k, n), dtype=np.int8)
        c = multiply(device, kernel, control_code(npurt_insts, m, n, k), a, b)
        expected = a.astype(np.int64) @ b.astype(np.int64)
        if not np.array_equal(c, expected):
            sys.exit(f"M N K = {m} {n} {k}: {np.count_nonzero(c != expected)} of {m * n} elements differ")
        print(f"M N K = {m} {n} {k}: equal")


if __name__ == "__main__":
    main()
