# SPDX-License-Identifier: Apache-2.0
"""examples_npy.py ATTENTION GELU LAYERNORM SOFTMAX: what they write for the .npy files that they read, against numpy."""
import math
import subprocess
import sys
import tempfile

import numpy

attention, gelu, layernorm, softmax = sys.argv[1:]
random = numpy.random.default_rng(1)


def normal(*shape):
    """Numbers of bfloat16 as float32: what the examples read is not rounded again."""
    bits = random.standard_normal(shape).astype(numpy.float32).view(numpy.uint32)
    return (bits & 0xFFFF0000).astype(numpy.uint32).view(numpy.float32)


def run(folder, command, *operands):
    files = [f"{folder}/{number}.npy" for number in range(len(operands))]
    for file, operand in zip(files, operands):
        numpy.save(file, operand)
    text = subprocess.run([*command, *files, f"{folder}/out.npy"], check=True, stdout=subprocess.PIPE, text=True).stdout
    assert "kernel overlay" in text and "cycles" in text and "error against double: at most" in text, text
    out = numpy.load(f"{folder}/out.npy")
    assert out.dtype == numpy.float32 and out.shape == operands[0].shape, (command, out.dtype, out.shape)
    return out.astype(float)


def check(name, got, exact, relative, absolute):
    error = numpy.max(numpy.abs(got - exact) - relative * numpy.abs(exact))
    assert error <= absolute, (name, error)


def row_softmax(x):
    powers = numpy.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def exact_attention(q, k, v, causal):
    scores = q @ k.transpose(0, 2, 1) / math.sqrt(q.shape[-1])
    row, column = numpy.indices(scores.shape[1:])
    return row_softmax(numpy.where(column <= row, scores, -numpy.inf) if causal else scores) @ v


def quantised(values):
    step = numpy.abs(values).max() / 127
    return numpy.rint(values / step) * step


with tempfile.TemporaryDirectory() as folder:
    x = normal(3, 17, 70)
    exact = x.astype(float)
    check("gelu", run(folder, [gelu], x), exact / 2 * numpy.vectorize(math.erfc)(-exact / math.sqrt(2)), 2**-6, 2**-18)
    check("softmax", run(folder, [softmax], x), row_softmax(exact), 2**-6, 2**-18)
    gamma, beta = normal(70), normal(70)
    centred = exact - exact.mean(axis=-1, keepdims=True)
    normalised = centred / numpy.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5)
    check("layernorm", run(folder, [layernorm], x, gamma, beta), normalised * gamma + beta, 2**-6, 2**-11)

    q, k, v = normal(2, 70, 40), normal(2, 90, 40), normal(2, 90, 40)
    wide = [each.astype(float) for each in (q, k, v)]
    for options in ([], ["--causal"], ["--int8"], ["--int8", "--causal"]):
        operands = [quantised(each) for each in wide] if "--int8" in options else wide
        wanted = exact_attention(*operands, "--causal" in options)
        check(f"attention {options}", run(folder, [attention, *options], q, k, v), wanted, 0, 2**-6)

    for command in ([attention, f"{folder}/0.npy"], [layernorm, f"{folder}/0.npy"], [gelu] + ["x"] * 3):
        assert subprocess.run(command, check=False, capture_output=True).returncode == 2, command
    numpy.save(f"{folder}/flat.npy", numpy.zeros((4, 4), dtype=numpy.float32))
    for command, reason in (([attention, *[f"{folder}/flat.npy"] * 3], "three extents"),
                            ([softmax, f"{folder}/none.npy"], "none.npy")):
        refused = subprocess.run(command, check=False, capture_output=True, text=True)
        assert refused.returncode == 1 and reason in refused.stderr, refused
