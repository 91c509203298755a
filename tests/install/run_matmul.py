# SPDX-License-Identifier: Apache-2.0
"""run_matmul.py MATMUL: the matmul example against numpy's product."""
import subprocess
import sys
import tempfile

import numpy

with tempfile.TemporaryDirectory() as folder:
    random = numpy.random.default_rng(1)
    a = random.integers(-128, 128, (70, 100), dtype=numpy.int8)
    b = random.integers(-128, 128, (100, 90), dtype=numpy.int8)
    numpy.save(f"{folder}/a.npy", a)
    numpy.save(f"{folder}/b.npy", b)
    subprocess.run([sys.argv[1], f"{folder}/a.npy", f"{folder}/b.npy", f"{folder}/c.npy"], check=True)
    if not numpy.array_equal(numpy.load(f"{folder}/c.npy"), a.astype(numpy.int32) @ b.astype(numpy.int32)):
        sys.exit("the product is wrong")
    print("the product is right")
