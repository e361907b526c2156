"""The reference for Ascribe's safetensors files: the safetensors library.

  safetensors_files.py make OUT.safetensors
      Writes the golden file of the tests, torch/src/test/resources/dev/ascribe/torch/weights/golden.safetensors.
  safetensors_files.py show FILE.safetensors
      Prints metadata, and a line `name type shape sha256` a tensor.
"""

import hashlib
import sys

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file


def make(path):
    save_file(
        {
            "b.weight": np.arange(6, dtype=np.float32).reshape(2, 3) / 7,
            "a.bias": np.array([1.5, -2.5, 3.0], dtype=np.float32),
            "ä \"quoted\"\n": np.array(0.1, dtype=np.float64),
            "half": np.array([0.5, 65504, 2.0**-24], dtype=np.float16),
            "empty": np.zeros((0, 4), dtype=np.float32),
            "ids": np.array([[1, -1]], dtype=np.int64),
            "mask": np.array([True, False, True]),
        },
        path,
        {"format": "pt"},
    )


def show(path):
    with safe_open(path, "np") as file:
        print(file.metadata())
        for name in file.keys():
            tensor = file.get_tensor(name)
            print(name, tensor.dtype, list(tensor.shape), hashlib.sha256(tensor.tobytes()).hexdigest())


{"make": make, "show": show}[sys.argv[1]](sys.argv[2])
