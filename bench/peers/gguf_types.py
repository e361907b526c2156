"""The reference for Ascribe's GGUF reader: gguf-py's own quantisation and dequantisation.

  gguf_types.py make OUT.gguf [--rows 64] [--columns 512] [--seed 1] [--expected]
      Writes one tensor of every type, named by it: quantised by gguf-py where it can, else random bits with finite
      scales. --expected adds an F32 tensor TYPE.expected with gguf-py's dequantisation.
  gguf_types.py digests FILE.gguf
      Prints a line `name type shape sha256` a tensor: the digest is that of the dequantised 32-bit floats. The Java
      side is dev.ascribe.torch.weights.WeightDigests in torch/src/test; the two outputs must be equal.

The golden file of the tests was made by
  gguf_types.py make torch/src/test/resources/dev/ascribe/torch/weights/golden.gguf --rows 1 --columns 256 --expected
"""

import argparse
import hashlib

import gguf
import numpy as np
from gguf import GGMLQuantizationType as T
from gguf.quants import dequantize, quantize

QUANTISED = [T.F32, T.F16, T.BF16, T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.Q8_0]
# Where the 16-bit scales of a block are, by byte.
SCALES = {
    T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0],
    T.Q2_K: [80, 82], T.Q3_K: [108], T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208],
}


def floats(rng, rows, columns):
    """Values of many magnitudes, as weights never have them: zero rows, tiny and large ones."""
    x = rng.standard_normal((rows, columns)).astype(np.float32)
    return x * np.float32(10.0) ** rng.integers(-4, 3, (rows, 1)).astype(np.float32)


def random_blocks(rng, kind, rows, columns):
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = rng.integers(0, 256, (rows * columns // elements, size), dtype=np.uint8)
    for at in SCALES[kind]:
        # Every finite 16-bit float: negative, zero and subnormal ones too.
        bits = rng.integers(0, 0x7C00, len(blocks)) | (rng.integers(0, 2, len(blocks)) << 15)
        blocks[:, at:at + 2] = bits.astype("<u2").view(np.uint8).reshape(-1, 2)
    return blocks.reshape(rows, columns // elements * size)


def make(args):
    rng = np.random.default_rng(args.seed)
    writer = gguf.GGUFWriter(args.file, "types")
    writer.add_uint32("types.seed", args.seed)
    writer.add_array("types.names", [kind.name for kind in [*QUANTISED, *SCALES]])

    def add(name, kind, stored):
        writer.add_tensor(name, stored, raw_dtype=kind)
        if args.expected:
            raw = stored if kind in (T.F32, T.F16) else stored.view(np.uint8)
            writer.add_tensor(name + ".expected", np.ascontiguousarray(dequantize(raw, kind)), raw_dtype=T.F32)

    for kind in QUANTISED:
        stored = quantize(floats(rng, args.rows, args.columns), kind)
        if kind is T.F16:
            stored = stored.astype(np.float16)
        add(kind.name, kind, stored)
    for kind in SCALES:
        add(kind.name + ".random", kind, random_blocks(rng, kind, args.rows, args.columns))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def digests(args):
    for tensor in gguf.GGUFReader(args.file).tensors:
        values = np.ascontiguousarray(dequantize(tensor.data, tensor.tensor_type)).astype("<f4", copy=False)
        shape = ",".join(str(d) for d in reversed(tensor.shape.tolist()))
        digest = hashlib.sha256(values.tobytes()).hexdigest()
        print(tensor.name, tensor.tensor_type.name, f"[{shape}]", digest)


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("command", choices=["make", "digests"])
parser.add_argument("file")
parser.add_argument("--rows", type=int, default=64)
parser.add_argument("--columns", type=int, default=512)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--expected", action="store_true")
arguments = parser.parse_args()
{"make": make, "digests": digests}[arguments.command](arguments)
