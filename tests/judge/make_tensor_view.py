"""Makes FOLDER/tensors.pt: tensors of every dtype that has numbers.

    make_tensor_view.py FOLDER
"""

import sys
from pathlib import Path

import torch

torch.manual_seed(0)
# Every 13th: all of them take half a minute.
patterns = torch.arange(0, 2**16, 13, dtype=torch.int32).to(torch.uint16)
floats = torch.randint(-(2**31), 2**31, (5000,), dtype=torch.int64).to(torch.int32)
doubles = torch.randint(-(2**63), 2**63 - 1, (5000,), dtype=torch.int64)
bytes_ = torch.arange(256, dtype=torch.int32).to(torch.uint8)
tensors = {
    "float16": patterns.view(torch.float16),
    "bfloat16": patterns.view(torch.bfloat16),
    "float32": floats.view(torch.float32).reshape(50, 100),
    "float64": doubles.view(torch.float64).reshape(5, 10, 100),
    "complex64": floats.view(torch.complex64),
    "complex128": doubles.view(torch.complex128).conj(),
    "int64": doubles,
    "int32": floats,
    "uint8": bytes_,
    "int8": bytes_.view(torch.int8),
    "bool": bytes_ % 3 == 0,
    "transposed": torch.randn(30, 20).T,
    "scalar": torch.tensor(0.1),
    "empty": torch.empty(0, 3),
}
for name in ["float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz"]:
    tensors[name] = bytes_.view(getattr(torch, name))
torch.save({name: it.clone() for name, it in tensors.items()}, Path(sys.argv[1]) / "tensors.pt")
