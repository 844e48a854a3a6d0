"""What PyTorch does with the bench's files: `make` and `many` write a checkpoint, `measure` times it.

    files.py make PATH TENSORS ROWS COLUMNS [SEED]  writes {name: float32 [ROWS, COLUMNS]} by torch.save
    files.py many PATH LAYERS                   writes a state_dict of 16 small tensors for each layer
    files.py measure PATH SPARSE                prints seconds as JSON
"""

import json
import os
import sys
import time

import torch


def make(path: str, tensors: int, rows: int, columns: int, seed: int = 0) -> None:
    generator = torch.Generator().manual_seed(seed)
    state = {f"layers.{i}.weight": torch.randn(rows, columns, generator=generator) for i in range(tensors)}
    torch.save(state, path)


def many(path: str, layers: int) -> None:
    parts = ["q_proj", "k_proj", "v_proj", "o_proj", "up", "down", "norm1", "norm2"]
    state = {}
    for i in range(layers):
        for part in parts:
            wide = not part.startswith("norm")
            state[f"layers.{i}.{part}.weight"] = torch.zeros(8, 8) if wide else torch.ones(8)
            state[f"layers.{i}.{part}.bias"] = torch.zeros(8, dtype=torch.float16)
    torch.save(state, path)


def timed(work):
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def measure(path: str, sparse: str) -> dict:
    load, state = timed(lambda: torch.load(path, weights_only=True))
    mapped, _ = timed(lambda: torch.load(path, weights_only=True, mmap=True))
    written = f"{path}.saved"
    save, _ = timed(lambda: torch.save(state, written))
    os.remove(written)
    del state
    sparse_mapped, big = timed(lambda: torch.load(sparse, weights_only=True, mmap=True))
    first, last = list(big.values())[0], list(big.values())[-1]
    return {
        "torch.load": load,
        "torch.load(mmap=True)": mapped,
        "torch.save": save,
        "torch.load(mmap=True), sparse": sparse_mapped,
        "sparse tensors": len(big),
        "sparse is zero": bool((first[0] == 0).all() and (last[-1] == 0).all()),
    }


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2], *map(int, sys.argv[3:7]))
    elif sys.argv[1] == "many":
        many(sys.argv[2], int(sys.argv[3]))
    else:
        print(json.dumps(measure(sys.argv[2], sys.argv[3])))
