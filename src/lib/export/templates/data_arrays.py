"""The examples: arrays by name, prepared as they were for the model."""

import numpy as np  #: if numpy
import torch
from safetensors.torch import load_file  #: if safetensors
from torch.utils.data import Dataset, TensorDataset  #: if augment
from torch.utils.data import TensorDataset  #: if not augment
from torchvision import transforms  #: if augment

#: if torch
def named(value, name=""):
    """Tensors by how they are reached in dicts and lists: `train.x`, `0`."""
    if torch.is_tensor(value):
        return {name or "tensor": value}
    found = {}
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(item, (torch.Tensor, dict, list, tuple)):
            found.update(named(item, f"{name}.{key}" if name else str(key)))
    return found


#: end
def read_arrays(folder):
    """The arrays by their names."""
    arrays = {}
    #: if npz
    for path in [folder / name for name in _NPZ_FILES_]:
        with np.load(path) as members:
            for name in members.files:
                arrays[_PREFIXED_] = members[name]
    #: end
    #: if npy
    for path in [folder / name for name in _NPY_FILES_]:
        arrays[path.stem] = np.load(path)
    #: end
    #: if torch
    for path in [folder / name for name in _TORCH_FILES_]:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
        for name, value in named(loaded).items():
            arrays[_PREFIXED_] = value
    #: end
    #: if safetensors
    for path in [folder / name for name in _SAFETENSORS_FILES_]:
        for name, value in load_file(path).items():
            arrays[_PREFIXED_] = value
    #: end
    return arrays


_AUGMENTED_  #: if augment


def examples(inputs, targets):
    inputs = torch.as_tensor(inputs).to(_INPUT_DTYPE_)
    inputs = inputs / _DIVIDE_  #: if divide
    inputs = inputs.permute(0, 3, 1, 2).contiguous()  # (N, H, W, C) to (N, C, H, W)  #: if channels_last
    inputs = inputs.unsqueeze(1)  # (N, H, W) to (N, 1, H, W)  #: if add_channel
    targets = torch.as_tensor(targets).to(_TARGET_DTYPE_)
    return TensorDataset(inputs.reshape(-1, _INPUT_SHAPE_), targets.reshape(-1, _TARGET_SHAPE_))


def load_data(folder):
    """Examples to train on and to validate with."""
    arrays = read_arrays(folder)
    training = examples(arrays[_TRAIN_INPUTS_], arrays[_TRAIN_TARGETS_])
    #: if held
    validation = examples(arrays[_HELD_INPUTS_], arrays[_HELD_TARGETS_])
    return _TRAINING_, validation
    #: else
    return _TRAINING_, training  # train.py says which are for what
    #: end
