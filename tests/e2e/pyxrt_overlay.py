# SPDX-License-Identifier: Apache-2.0
"""Runs the overlay's operations from Python in one context, with control code that npurt-insts wrote:
pyxrt_overlay.py XCLBIN NPURT_INSTS. Each is compared with numpy in double."""
import re
import subprocess
import sys
import tempfile

import numpy as np
import pyxrt

TO_DEVICE = pyxrt.xclBOSyncDirection.XCL_BO_SYNC_BO_TO_DEVICE
FROM_DEVICE = pyxrt.xclBOSyncDirection.XCL_BO_SYNC_BO_FROM_DEVICE
TYPES = {"bf16": np.uint16, "int8": np.int8, "int32": np.int32, "float": np.float32}


def to_bf16(values):
    bits = np.asarray(values, dtype=np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def from_bf16(bits):
    return (bits.astype(np.uint32) << 16).view(np.float32).astype(np.float64)


class Overlay:
    def __init__(self, xclbin_file, npurt_insts):
        self.xclbin_file, self.npurt_insts = xclbin_file, npurt_insts
        self.device = pyxrt.device(0)
        xclbin = pyxrt.xclbin(xclbin_file)
        self.device.register_xclbin(xclbin)
        self.context = pyxrt.hw_context(self.device, xclbin.get_uuid())
        self.kernel = pyxrt.kernel(self.context, "overlay")

    def control_code(self, arguments):
        """The words, and for each buffer its extents and type, which npurt-insts prints."""
        with tempfile.NamedTemporaryFile(suffix=".bin") as file:
            command = [self.npurt_insts, *map(str, arguments), "--xclbin", self.xclbin_file, "-o", file.name]
            text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            words = np.fromfile(file.name, dtype=np.uint32)
        buffers = re.findall(r"bo\d+ = [^\[]*\[([\d, ]+)\] (\w+)", text)
        return words, [(tuple(map(int, extents.split(","))), TYPES[kind]) for extents, kind in buffers]

    def buffer(self, array, flags, group):
        bo = pyxrt.bo(self.device, array.nbytes, flags, group)
        bo.write(array.tobytes(), 0)
        bo.sync(TO_DEVICE, array.nbytes, 0)
        return bo

    def __call__(self, arguments, inputs, result):
        """inputs: bo number to array, written into the corner of the padded buffer; result: the bo to read."""
        words, buffers = self.control_code(arguments)
        bos = []
        for number, (extents, kind) in enumerate(buffers):
            padded = np.zeros(extents, dtype=kind)
            if number in inputs:
                padded[tuple(slice(0, n) for n in inputs[number].shape)] = inputs[number]
            bos.append(self.buffer(padded, pyxrt.bo.host_only, self.kernel.group_id(3 + number)))
        instructions = self.buffer(words, pyxrt.bo.cacheable, self.kernel.group_id(1))
        run = self.kernel(3, instructions, len(words), *bos)
        state = run.wait(600000)
        if state != pyxrt.ert_cmd_state.ERT_CMD_STATE_COMPLETED:
            sys.exit(f"{arguments}: command ended in {state}")
        extents, kind = buffers[result]
        size = int(np.prod(extents)) * np.dtype(kind).itemsize
        bos[result].sync(FROM_DEVICE, size, 0)
        return np.frombuffer(bos[result].read(size, 0), dtype=kind).reshape(extents)


def check(name, got, expected, tolerance):
    error = np.max(np.abs(got - expected) / (1 + np.abs(expected)))
    print(f"{name}: largest error {error:.2e}")
    if not error <= tolerance:
        sys.exit(f"{name}: error {error}, allowed {tolerance}")


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def run_all(overlay, random):
    x = to_bf16(random.normal(size=(37, 200)))
    exact = from_bf16(x)
    y = overlay(["softmax", 37, 200], {0: x}, 1)
    check("softmax", from_bf16(y[:37, :200]), softmax(exact), 2**-9)
    y = overlay(["silu", x.size], {0: x.reshape(-1)}, 1)
    check("silu", from_bf16(y[:x.size]), (exact / (1 + np.exp(-exact))).reshape(-1), 2**-8)
    y = overlay(["scale", x.size, 0.5], {0: x.reshape(-1)}, 1)
    check("scale", from_bf16(y[:x.size]), exact.reshape(-1) / 2, 0)
    weights = to_bf16(random.normal(size=(2, 200)))
    y = overlay(["layernorm", 37, 200, 1e-5], {0: x, 2: weights}, 1)
    gamma, beta = from_bf16(weights)
    centred = exact - exact.mean(axis=1, keepdims=True)
    check("layernorm", from_bf16(y[:37, :200]),
          centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5) * gamma + beta, 2**-7)
    a = random.integers(-128, 128, (100, 70), dtype=np.int8)
    b = random.integers(-128, 128, (70, 130), dtype=np.int8)
    c = overlay(["matmul-i8-i32", 100, 130, 70], {0: a, 1: b}, 2)
    check("matmul-i8-i32", c[:100, :130], a.astype(np.int64) @ b.astype(np.int64), 0)
    a, b = to_bf16(random.normal(size=(100, 70))), to_bf16(random.normal(size=(70, 130)))
    c = overlay(["matmul-bf16-f32", 100, 130, 70], {0: a, 1: b}, 2)
    check("matmul-bf16-f32", c[:100, :130], from_bf16(a) @ from_bf16(b), 1e-5)
    q, k, v = (to_bf16(random.normal(size=(2, 90, 40))) for _ in range(3))
    out = overlay(["attention", 2, 90, 90, 40], {0: q, 1: k, 2: v}, 3)
    scores = from_bf16(q) @ from_bf16(k).transpose(0, 2, 1) / np.sqrt(40)
    check("attention", from_bf16(out[:, :90, :40]), softmax(scores) @ from_bf16(v), 1e-2)


def main():
    overlay = Overlay(*sys.argv[1:3])
    random = np.random.default_rng(1)
    for _ in range(2):
        run_all(overlay, random)


if __name__ == "__main__":
    main()
