# SPDX-License-Identifier: Apache-2.0
"""Runs all of the overlay's operations from Python in one context, with control code that npurt-insts wrote:
pyxrt_overlay.py XCLBIN NPURT_INSTS. Each is compared with numpy in double."""
import math
import re
import subprocess
import sys
import tempfile

import numpy as np
import pyxrt

TO_DEVICE = pyxrt.xclBOSyncDirection.XCL_BO_SYNC_BO_TO_DEVICE
FROM_DEVICE = pyxrt.xclBOSyncDirection.XCL_BO_SYNC_BO_FROM_DEVICE
TYPES = {"bf16": np.uint16, "int8": np.int8, "int32": np.int32, "float": np.float32, "2": np.uint16}


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
        self.called = set()

    def subcommands(self):
        """All that npurt-insts has for the overlay."""
        text = subprocess.run([self.npurt_insts, "--help"], check=True, capture_output=True, text=True).stdout
        listed = text.split("\nSubcommands:\n", 1)[1].split("\n\n", 1)[0]
        return set(re.findall(r"^  (\S+)", listed, re.MULTILINE)) - {"matmul-i8"}  # of i8-matmul.xclbin

    def control_code(self, arguments, has_tables):
        """The words, the contents of a buffer of tables, and for each buffer its extents and type, which npurt-insts
        prints."""
        with tempfile.NamedTemporaryFile(suffix=".bin") as file, tempfile.NamedTemporaryFile() as tables:
            command = [self.npurt_insts, *map(str, arguments), "--xclbin", self.xclbin_file, "-o", file.name]
            command += ["--tables", tables.name] if has_tables else []
            text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            words, contents = np.fromfile(file.name, dtype=np.uint32), np.fromfile(tables.name, dtype=np.int8)
        buffers = re.findall(r"bo\d+ = [^\[]*\[([\d, ]+)\] (\w+)", text)
        return words, contents, [(tuple(map(int, extents.split(","))), TYPES[kind]) for extents, kind in buffers]

    def buffer(self, array, flags, group):
        bo = pyxrt.bo(self.device, array.nbytes, flags, group)
        bo.write(array.tobytes(), 0)
        bo.sync(TO_DEVICE, array.nbytes, 0)
        return bo

    def __call__(self, arguments, inputs, result, tables=None):
        """inputs: bo number to array, written into the corner of the padded buffer; result: the bo to read; tables: the
        bo whose contents npurt-insts writes."""
        self.called.add(arguments[0])
        words, contents, buffers = self.control_code(arguments, tables is not None)
        bos = []
        for number, (extents, kind) in enumerate(buffers):
            padded = np.zeros(extents, dtype=kind)
            if number in inputs:
                padded[tuple(slice(0, n) for n in inputs[number].shape)] = inputs[number]
            elif number == tables:
                padded[:] = contents
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


def gelu(x):
    return x / 2 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def check_elementwise(overlay, random):
    x, y = (to_bf16(random.normal(size=4321)) for _ in range(2))
    exact, other = from_bf16(x), from_bf16(y)
    for name, function, tolerance in (
            ("copy", lambda v: v, 0), ("relu", lambda v: np.maximum(v, 0), 0), ("gelu", gelu, 2**-8),
            ("silu", lambda v: v / (1 + np.exp(-v)), 2**-8), ("scale", lambda v: v / 2, 0)):
        factor = [0.5] if name == "scale" else []
        result = overlay([name, x.size, *factor], {0: x}, 1)
        check(name, from_bf16(result[:x.size]), function(exact), tolerance)
    result = overlay(["add", x.size], {0: x, 1: y}, 2)
    check("add", from_bf16(result[:x.size]), from_bf16(to_bf16(exact + other)), 0)
    table = np.clip(np.rint(gelu(np.arange(256).astype(np.int8) * 0.0625) / 0.03125), -127, 127).astype(np.int8)
    integers = random.integers(-128, 128, 4321).astype(np.int8)
    result = overlay(["gelu_i8", integers.size], {0: integers, 2: table}, 1)
    check("gelu_i8", result[:integers.size].astype(int), table[integers.view(np.uint8)].astype(int), 0)


def check_rows(overlay, random):
    x, added = (to_bf16(random.normal(size=(37, 200))) for _ in range(2))
    exact = from_bf16(x)
    y = overlay(["softmax", 37, 200], {0: x}, 1)
    check("softmax", from_bf16(y[:37, :200]), softmax(exact), 2**-9)
    y = overlay(["softmax", 37, 200, "--causal", "--offset", 100, "--length", 130], {0: x}, 1)
    row, column = np.indices(exact.shape)
    masked = np.where((column <= row + 100) & (column < 130), exact, -np.inf)
    check("softmax --causal --offset --length", from_bf16(y[:37, :200]), softmax(masked), 2**-9)
    y = overlay(["softmax", 37, 200, "--added"], {0: x, 2: added}, 1)
    check("softmax --added", from_bf16(y[:37, :200]), softmax(from_bf16(to_bf16(exact + from_bf16(added)))), 2**-9)
    weights = to_bf16(random.normal(size=(2, 200)))
    y = overlay(["layernorm", 37, 200, 1e-5], {0: x, 2: weights}, 1)
    gamma, beta = from_bf16(weights)
    centred = exact - exact.mean(axis=1, keepdims=True)
    check("layernorm", from_bf16(y[:37, :200]),
          centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5) * gamma + beta, 2**-7)
    y = overlay(["transpose", 37, 200, 2], {0: x}, 1)
    check("transpose", y[:200, :37].astype(int), x.T.astype(int), 0)


def check_products(overlay, random):
    a = random.integers(-128, 128, (100, 70), dtype=np.int8)
    b = random.integers(-128, 128, (70, 130), dtype=np.int8)
    c = overlay(["matmul-i8-i32", 100, 130, 70], {0: a, 1: b}, 2)
    exact = a.astype(np.int64) @ b.astype(np.int64)
    check("matmul-i8-i32", c[:100, :130], exact, 0)
    c = overlay(["matmul-i8-i8", 100, 130, 70, 2**-9, "--zero-point", -3], {0: a, 1: b}, 2, tables=3)
    check("matmul-i8-i8", c[:100, :130].astype(int), np.clip(np.rint(exact / 2**9) - 3, -128, 127), 0)
    a, b = to_bf16(random.normal(size=(100, 70))), to_bf16(random.normal(size=(70, 130)) / 8)
    bias = random.normal(size=130).astype(np.float32)
    exact = from_bf16(a) @ from_bf16(b)
    c = overlay(["matmul-bf16-f32", 100, 130, 70], {0: a, 1: b}, 2)
    check("matmul-bf16-f32", c[:100, :130], exact, 1e-5)
    c = overlay(["matmul-bf16", 100, 130, 70, "--transposed", "--bias", "--gelu"], {0: a, 1: b.T, 3: bias}, 2)
    check("matmul-bf16 --transposed --bias --gelu", from_bf16(c[:100, :130]), gelu(exact + bias), 2**-7)
    residual = to_bf16(random.normal(size=(100, 130)))
    c = overlay(["matmul-bf16", 100, 130, 70, "--residual", "bf16"], {0: a, 1: b, 3: residual}, 2)
    check("matmul-bf16 --residual bf16", from_bf16(c[:100, :130]), exact + from_bf16(residual), 2**-8)
    residual = random.normal(size=(100, 130)).astype(np.float32)
    c = overlay(["matmul-bf16-f32", 100, 130, 70, "--bias", "--residual", "float"],
                {0: a, 1: b, 3: bias, 4: residual}, 2)
    check("matmul-bf16-f32 --bias --residual float", c[:100, :130], exact + bias + residual, 1e-5)


def exact_attention(q, k, v, causal=False):
    scores = q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[-1])
    row, column = np.indices(scores.shape[1:])
    return softmax(np.where(column <= row, scores, -np.inf) if causal else scores) @ v


def check_attention(overlay, random):
    q, k, v = (to_bf16(random.normal(size=(2, 90, 40))) for _ in range(3))
    exact = [from_bf16(each) for each in (q, k, v)]
    for causal in (False, True):
        out = overlay(["attention", 2, 90, 90, 40] + ["--causal"] * causal, {0: q, 1: k, 2: v}, 3)
        check("attention" + " --causal" * causal, from_bf16(out[:, :90, :40]), exact_attention(*exact, causal), 1e-2)
    out = overlay(["attention", 2, 90, 90, 40, "--key-length", 70], {0: q, 1: k, 2: v}, 3)
    check("attention --key-length", from_bf16(out[:, :90, :40]),
          exact_attention(exact[0], exact[1][:, :70], exact[2][:, :70]), 1e-2)
    q, k, v = (np.clip(np.rint(random.normal(size=(2, 90, 40)) * 28), -128, 127).astype(np.int8) for _ in range(3))
    out = overlay(["attention-i8", 2, 90, 90, 40, 1 / 28, 1 / 28, 1 / 28, "--causal"], {0: q, 1: k, 2: v}, 3)
    check("attention-i8 --causal", from_bf16(out[:, :90, :40]), exact_attention(q / 28, k / 28, v / 28, True), 1e-2)


def mel_filters():
    """Slaney's 80 bands over the 201 frequencies of 400 samples at 16 kHz."""
    def hertz(mel):
        return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp(math.log(6.4) / 27 * (mel - 15)))
    most = 15 + math.log(8) * 27 / math.log(6.4)
    edges = hertz(np.linspace(0, most, 82))[:, None]
    frequencies = np.arange(201) * 40
    rising = (frequencies - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - frequencies) / (edges[2:] - edges[1:-1])
    return np.maximum(0, np.minimum(rising, falling)) * 2 / (edges[2:] - edges[:-2])


def check_mel(overlay, random):
    samples, frames = 1700, 10
    pcm = 0.5 * np.sin(0.03 * np.arange(samples)) + 0.05 * random.normal(size=samples)
    mirrored = np.pad(pcm, 200, mode="reflect")
    words = np.rint(mirrored * 2**28).astype(np.int32)
    out = overlay(["mel", samples, 2**28], {0: words}, 2, tables=1)
    window = 0.5 - 0.5 * np.cos(2 * math.pi * np.arange(400) / 400)
    spectra = np.abs(np.fft.rfft([mirrored[160 * t:160 * t + 400] * window for t in range(frames)]))**2
    exact = np.log10(np.maximum(mel_filters() @ spectra.T, 1e-10))
    batches = out[:-(-frames // 8) * 640].reshape(-1, 20, 2, 4, 4)  # batch, bands / 4, frames / 4, frame, band
    got = batches.transpose(1, 4, 0, 2, 3).reshape(80, -1)[:, :frames]
    check("mel", got, exact, 0.02 / (1 + np.max(np.abs(exact))))


def run_all(overlay, random):
    check_elementwise(overlay, random)
    check_rows(overlay, random)
    check_products(overlay, random)
    check_attention(overlay, random)
    check_mel(overlay, random)


def main():
    overlay = Overlay(*sys.argv[1:3])
    run_all(overlay, np.random.default_rng(1))
    if overlay.called != overlay.subcommands():
        sys.exit(f"not called: {overlay.subcommands() - overlay.called}")


if __name__ == "__main__":
    main()
