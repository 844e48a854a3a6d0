"""The examples: pictures and labels in MNIST's files."""

import gzip

import torch
from torch.utils.data import Dataset, TensorDataset  #: if augment
from torch.utils.data import TensorDataset  #: if not augment
from torchvision import transforms  #: if augment


def read_idx(path):
    """Bytes behind a header: two zeros, a type, the number of axes, and the size of each."""
    with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
        data = bytearray(file.read())
    axes = data[3]
    sizes = [int.from_bytes(data[at : at + 4], "big") for at in range(4, 4 + 4 * axes, 4)]
    return torch.frombuffer(data, dtype=torch.uint8, offset=4 + 4 * axes).reshape(sizes)


_AUGMENTED_  #: if augment


def examples(images, labels):
    inputs = images.float() / 255
    inputs = (inputs - _MEAN_) / _STD_  #: if normalise
    return TensorDataset(inputs.reshape(-1, _INPUT_SHAPE_), labels.long())


def load_data(folder):
    """Examples to train on and to validate with."""
    training = examples(
        read_idx(folder / _TRAIN_IMAGES_),
        read_idx(folder / _TRAIN_LABELS_),
    )
    #: if held
    validation = examples(
        read_idx(folder / _HELD_IMAGES_),
        read_idx(folder / _HELD_LABELS_),
    )
    return _TRAINING_, validation
    #: else
    return _TRAINING_, training  # train.py says which are for what
    #: end
