"""Joins sharded checkpoints that the lab wrote, by their indexes, and sees that they are split as
huggingface_hub splits a state_dict and indexed as transformers writes an index. Reads a list of
cases as JSON from standard input, {"folder", "stem", "extension", "size", "keys"}: `folder` may be a zip
of one, `size` is the largest shard in bytes, or null where the order of the keys is not known, `keys`
are the state_dict's in its order. A line of JSON a case: {"root": as `describe.py` says, "files": number
of shards}, or {"error": …}.
"""

import json
import pathlib
import sys
import tempfile
import zipfile

import torch
from describe import describe
from safetensors.torch import load_file


def load(path):
    if path.suffix == ".safetensors":
        return load_file(path)
    return torch.load(path, weights_only=True, mmap=True)


def bytes_of(tensor, extension):
    return tensor.nbytes if extension == ".safetensors" else tensor.untyped_storage().nbytes()


def expected_shards(tensors, extension, limit):
    """Sets of keys: tensors that share a storage go where the first of them goes."""
    shards, homes, current, filled = [], {}, set(), 0
    for key, tensor in tensors.items():
        storage = tensor.untyped_storage().data_ptr() if extension == ".bin" and tensor.numel() else key
        if storage in homes:
            homes[storage].add(key)
            continue
        size = bytes_of(tensor, extension)
        if size > limit:
            shards.append({key})
            homes[storage] = shards[-1]
            continue
        if filled + size > limit:
            shards.append(current)
            current, filled = set(), 0
        current.add(key)
        homes[storage] = current
        filled += size
    return [*shards, current] if current else shards


def join(folder, stem, extension, size, keys):
    folder = pathlib.Path(folder)
    if folder.suffix == ".zip":
        with tempfile.TemporaryDirectory() as place, zipfile.ZipFile(folder) as archive:
            archive.extractall(place)
            [inner] = pathlib.Path(place).iterdir()
            tensors, count = join(inner, stem, extension, size, keys)
            return {key: tensor.clone() for key, tensor in tensors.items()}, count
    index_path = folder / f"{stem}{extension}.index.json"
    names = sorted(path.name for path in folder.glob(f"*{extension}"))
    shards = {name: load(folder / name) for name in names}
    homes = {key: name for name, shard in shards.items() for key in shard}
    tensors = {key: shards[homes[key]][key] for key in keys}
    assert sum(len(shard) for shard in shards.values()) == len(keys), "a tensor is in two shards"
    if size is not None:
        expected = expected_shards(tensors, extension, size)
        assert [set(shards[name]) for name in names] == expected, f"split as {names}, not {expected}"
    count = len(names)
    if count == 1:
        assert names == [f"{stem}{extension}"] and not index_path.exists()
        return tensors, count
    assert names == [f"{stem}-{number:05}-of-{count:05}{extension}" for number in range(1, count + 1)]
    storages = {
        key if extension == ".safetensors" else tensor.untyped_storage().data_ptr() or key: tensor
        for key, tensor in tensors.items()
    }
    total = sum(bytes_of(tensor, extension) for tensor in storages.values())
    index = {"metadata": {"total_size": total}, "weight_map": homes}
    text = json.dumps(index, indent=2, sort_keys=True) + "\n"
    assert index_path.read_text(encoding="utf-8") == text, "the index is written differently"
    return tensors, count


for case in json.load(sys.stdin):
    try:
        tensors, count = join(**case)
        told = {"root": describe(tensors, layout=False), "files": count}
    except Exception as error:
        told = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps({"torch": torch.__version__, **told}))
