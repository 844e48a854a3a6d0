"""The examples: pictures in folders named for their classes, prepared as they were for the model."""

from PIL import Image, ImageOps
from torchvision import transforms
from torchvision.datasets import ImageFolder

CLASSES = _CLASSES_


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
    return (pixels * 255).round()


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
    examples = ImageFolder(str(folder), transforms.Compose(steps), loader=read_picture)
    if examples.classes != CLASSES:
        raise SystemExit(f"{folder} has the classes {examples.classes}, the model was made for {CLASSES}")
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
