# SPDX-License-Identifier: Apache-2.0
"""matmul_example.py MATMUL PASSTHROUGH: the options of the matmul example, and passthrough --transpose, against numpy."""
import math
import subprocess
import sys
import tempfile

import numpy

matmul, passthrough = sys.argv[1:]
random = numpy.random.default_rng(1)


def bf16(values):
    """Rounded to nearest even; the result is float32, as in the files."""
    bits = values.astype(numpy.float32).view(numpy.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000).astype(numpy.uint32).view(numpy.float32)


def normal(*shape):
    return bf16(random.standard_normal(shape))


def gelu(values):
    return values / 2 * numpy.vectorize(math.erfc)(-values / math.sqrt(2))


def run(folder, options, a, b):
    numpy.save(f"{folder}/a.npy", a)
    numpy.save(f"{folder}/b.npy", b)
    command = [matmul, *options, f"{folder}/a.npy", f"{folder}/b.npy", f"{folder}/c.npy"]
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    assert "kernel overlay" in text and "cycles" in text and "MAC/cycle" in text, text
    return numpy.load(f"{folder}/c.npy"), text


def check_bf16(folder, options, a, b, exact):
    c, text = run(folder, options, a, b)
    assert c.dtype == numpy.float32 and c.shape == exact.shape, (options, c.shape)
    # Of a result in bfloat16 half an ulp; gelu takes a sum that is rounded to bfloat16, and its own ulp comes on top.
    relative = 2**-6 if "--gelu" in options else 2**-8 if "--bf16" in options else 2**-18
    error = numpy.abs(c - exact) - relative * numpy.abs(exact)
    assert error.max() < (1e-2 if "--gelu" in options else 1e-4), (options, error.max())
    assert "against double: at most" in text, text


with tempfile.TemporaryDirectory() as folder:
    m, n, k, g = 33, 47, 70, 3
    a, b = normal(m, k), normal(k, n)
    sums = a.astype(float) @ b.astype(float)
    bias, residual = normal(n), normal(m, n)
    numpy.save(f"{folder}/bias.npy", bias)
    numpy.save(f"{folder}/residual.npy", residual)
    add_bias, add_residual = ["--bias", f"{folder}/bias.npy"], ["--residual", f"{folder}/residual.npy"]
    all_of_it = gelu(sums + bias) + residual
    check_bf16(folder, [], a, b, sums)
    check_bf16(folder, ["--transpose-a", "--transpose-b"], a.T.copy(), b.T.copy(), sums)
    check_bf16(folder, [*add_bias, "--bf16"], a, b, sums + bias)
    check_bf16(folder, [*add_bias, "--gelu", *add_residual], a, b, all_of_it)
    check_bf16(folder, [*add_bias, "--gelu", *add_residual, "--prepacked", "--transpose-b"], a, b.T.copy(), all_of_it)
    batch_a, batch_b = normal(g, m, k), normal(g, k, n)
    check_bf16(folder, [], batch_a, batch_b, batch_a.astype(float) @ batch_b.astype(float))
    check_bf16(folder, ["--prepacked"], batch_a, b, batch_a.astype(float) @ b.astype(float))

    a, b = (random.integers(-128, 128, shape, dtype=numpy.int8) for shape in ((g, m, k), (n, k)))
    sums = a.astype(numpy.int32) @ b.T.astype(numpy.int32)
    c, text = run(folder, ["--transpose-b"], a, b)
    assert c.dtype == numpy.int32 and numpy.array_equal(c, sums), "int8 to int32"
    assert " 0 results differ" in text, text
    c, text = run(folder, ["--transpose-b", "--requantise", "0.0009765625", "--zero-point", "-3"], a, b)
    assert c.dtype == numpy.int8 and numpy.array_equal(c, numpy.clip(numpy.rint(sums / 1024) - 3, -128, 127)), "int8"
    assert " 0 results differ" in text, text

    for options, reason in ((["--bf16"], "for float32 operands"), (["--bias", f"{folder}/bias.npy"], "float32")):
        refused = subprocess.run([matmul, *options, f"{folder}/a.npy", f"{folder}/b.npy"], check=False, text=True,
                                 capture_output=True)
        assert refused.returncode == 1 and reason in refused.stderr, refused
    assert subprocess.run([matmul, "--zero-point", "x"], check=False, capture_output=True).returncode == 2

    for dtype in ("|b1", "<i2", "<f2", "<f4"):
        x = random.integers(0, 2, (37, 130)).astype(dtype)
        numpy.save(f"{folder}/x.npy", x)
        command = [passthrough, "--transpose", f"{folder}/x.npy", f"{folder}/y.npy"]
        text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        y = numpy.load(f"{folder}/y.npy")
        assert "every element is where it belongs" in text and y.dtype == x.dtype and numpy.array_equal(y, x.T), text
    numpy.save(f"{folder}/x.npy", numpy.zeros((2, 2)))
    refused = subprocess.run(command, check=False, capture_output=True, text=True)
    assert refused.returncode == 1 and "elements of 1, 2 or 4 bytes" in refused.stderr, refused
