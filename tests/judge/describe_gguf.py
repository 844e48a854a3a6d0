"""What the gguf package reads in GGUF files, a line of JSON a file: tensors as little-endian bytes
in hexadecimal, those in blocks dequantized to float32, and metadata as Python writes it.

    describe_gguf.py FILE …
"""

import json
import sys

import numpy as np
from gguf import GGUFReader
from gguf.constants import GGMLQuantizationType as Type
from gguf.quants import dequantize

# Types that the lab decodes; the others stay as they are.
DECODED = {
    Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1, Type.Q8_0,
    Type.Q2_K, Type.Q3_K, Type.Q4_K, Type.Q5_K, Type.Q6_K,
    Type.IQ4_NL, Type.IQ4_XS, Type.TQ1_0, Type.TQ2_0, Type.MXFP4, Type.NVFP4,
}  # fmt: skip


def value_of(field):
    value = field.contents()
    items = value if isinstance(value, list) else [value]
    return [item if isinstance(item, str) else repr(item) for item in items]


def describe(path):
    reader = GGUFReader(path)
    tensors = []
    for tensor in reader.tensors:
        described = {"name": tensor.name, "type": tensor.tensor_type.name}
        described["shape"] = [int(size) for size in reversed(tensor.shape)]
        if tensor.tensor_type in DECODED:
            with np.errstate(all="ignore"):
                values = dequantize(tensor.data, tensor.tensor_type)
            assert values.dtype == np.float32 and list(values.shape) == described["shape"]
        else:
            values = tensor.data
        described["hex"] = values.astype(values.dtype.newbyteorder("<")).tobytes().hex()
        tensors.append(described)
    fields = {
        key: value_of(field) for key, field in reader.fields.items() if not key.startswith("GGUF.")
    }
    return {"tensors": tensors, "fields": fields}


if __name__ == "__main__":
    for path in sys.argv[1:]:
        print(json.dumps(describe(path)))
