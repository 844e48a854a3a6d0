"""Loads tar files from before 0.1.10. PyTorch reads them without weights_only alone: here the names
that weights_only allows are allowed by hand."""

import io
import pickle
import struct
import tarfile
import types

import torch
from torch._weights_only_unpickler import _get_allowed_globals


class Unpickler(pickle.Unpickler):
    """Finds the names that weights_only allows."""

    def find_class(self, module, name):
        allowed = _get_allowed_globals()
        if f"{module}.{name}" not in allowed:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed")
        return allowed[f"{module}.{name}"]


def load_pickle(file, **options):
    return Unpickler(file, **options).load()


harmless = types.SimpleNamespace(__name__="pickle", Unpickler=Unpickler, load=load_pickle)


def load_tar(path):
    with tarfile.open(path) as archive:
        if "tensors" in archive.getnames():
            return torch.load(path, map_location="cpu", weights_only=False, pickle_module=harmless)
        # Not PyTorch's: the pickle names storages by tuples, tensors are rebuilt as in later files.
        file, storages = io.BytesIO(archive.extractfile("storages").read()), {}
        for _ in range(load_pickle(file)):
            key, _location, storage_class = load_pickle(file)
            (numel,) = struct.unpack("<q", file.read(8))
            data = bytearray(file.read(numel * storage_class.dtype.itemsize))
            untyped = torch.frombuffer(data, dtype=torch.uint8).untyped_storage()
            storages[key] = torch.storage.TypedStorage(wrap_storage=untyped, dtype=storage_class.dtype, _internal=True)

        class Rebuilder(Unpickler):
            def find_class(self, module, name):
                found = super().find_class(module, name)
                if name != "_rebuild_tensor_v2":
                    return found
                return lambda named, *arguments: found(storages[named[2]], *arguments)

        return Rebuilder(archive.extractfile("pickle")).load()
