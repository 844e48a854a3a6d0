"""The examples: pictures in folders named for their classes, prepared as they were for the model."""

from pathlib import Path

from PIL import Image, ImageOps
from torchvision import transforms
from torchvision.datasets import ImageFolder

CLASSES = _CLASSES_
SUFFIXES = [".jpg", ".jpeg", ".png", ".bmp", ".webp"]


def is_picture(path):
    path = Path(path)
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def read_picture(path):
    """Upright by its EXIF orientation."""
    return ImageOps.exif_transpose(Image.open(path)).convert("RGB")


#: if longer
def fit(picture):
    """Its longer side gets _LONGER_ pixels."""
    longer = max(picture.size)
    sides = [_LONGER_ if side == longer else max(1, _LONGER_ * side // longer) for side in picture.size]
    return picture.resize(sides, _FILTER_)


#: end
#: if bgr
def to_bgr(pixels):
    return pixels[[2, 1, 0]]


#: end
#: if bytes
def to_bytes(pixels):
    """From 0..1 to 0..255."""
    return pixels * 255


#: end
#: if signed
def to_signed(pixels):
    """From 0..1 to -1..1."""
    return pixels * 2 - 1


#: end
PREPARE = _PREPARE_
AUGMENT = _AUGMENT_  #: if augment
FINISH = _FINISH_


def pictures(folder, steps):
    prepare = transforms.Compose(steps)
    examples = ImageFolder(str(folder), prepare, loader=read_picture, is_valid_file=is_picture)
    labels = [CLASSES.index(name) for name in examples.classes]  # a folder may lack classes
    examples.target_transform = labels.__getitem__
    return examples


def load_data(folder):
    """Examples to train on and to validate with."""
    training = pictures(folder / _TRAIN_FOLDER_, PREPARE + FINISH)  #: if not augment
    training = pictures(folder / _TRAIN_FOLDER_, PREPARE + AUGMENT + FINISH)  #: if augment
    #: if held
    return training, pictures(folder / _HELD_FOLDER_, PREPARE + FINISH)
    #: else
    return training, pictures(folder / _TRAIN_FOLDER_, PREPARE + FINISH)  # train.py says which are for what
    #: end
