"""Writes data of every kind into FOLDER, and prints as JSON what Python makes of each: numbers that
batches must have, the order of pictures, ids of characters. Reads from its input pictures with what was
drawn for them, and prints how torch changes them.

    data.py FOLDER < [{"shape", "values", "padding", "bound", "drawn"}, …]

With names behind, runs the scripts FOLDER/NAME.py, which read data, and prints their examples.

    data.py FOLDER NAME…
"""

import csv
import gzip
import json
import os
import pathlib
import random
import runpy
import struct
import sys

import numpy as np
import torch

folder = pathlib.Path(sys.argv[1])
rng = np.random.default_rng(5)
random.seed(5)


def table():
    """Columns of any scale, words with commas and quotes; standardised as StandardScaler does."""
    colours = ["red", "light, blue", 'a "green"', "ärger", " wide "]
    rows = [
        [
            float(rng.normal(1e6, 3)),
            float(rng.exponential(1e-4)),
            int(rng.integers(-5, 5)),
            colours[rng.integers(5)],
            ["no", "yes"][rng.integers(2)],
        ]
        for _ in range(500)
    ]
    for name, part in [("train", rows[:400]), ("test", rows[400:])]:
        with open(folder / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["large", "small", "count", "colour", "answer"])
            writer.writerows(part)
    with open(folder / "train.csv", newline="", encoding="utf-8") as file:
        header, *cells = list(csv.reader(file))
    with open(folder / "test.csv", newline="", encoding="utf-8") as file:
        held = list(csv.reader(file))[1:]
    numbers = np.array([[float(cell) for cell in row[:3]] for row in cells])
    mean, std = numbers.mean(axis=0), numbers.std(axis=0)
    categories = sorted({row[3].strip() for row in cells})
    classes = sorted({row[4] for row in cells})

    def batch(part):
        scaled = (np.array([[float(cell) for cell in row[:3]] for row in part]) - mean) / std
        one_hot = np.array([[float(row[3].strip() == category) for category in categories] for row in part])
        inputs = np.concatenate([scaled, one_hot], axis=1).astype(np.float32)
        return {"inputs": inputs.ravel().tolist(), "targets": [classes.index(row[4]) for row in part]}

    return {
        "mean": mean.tolist(),
        "std": std.tolist(),
        "categories": categories,
        "classes": classes,
        "train": batch(cells),
        "held": batch(held),
    }


def idx():
    """MNIST's four files, two of them gzipped, as ToTensor and Normalize give them."""
    result = {}
    for name, count, opener in [("train", 50, open), ("t10k", 20, gzip.open)]:
        images = rng.integers(0, 256, (count, 7, 5), dtype=np.uint8)
        labels = rng.integers(0, 10, count, dtype=np.uint8)
        end = "" if opener is open else ".gz"
        with opener(folder / f"{name}-images-idx3-ubyte{end}", "wb") as file:
            file.write(struct.pack(">4B3I", 0, 0, 8, 3, *images.shape) + images.tobytes())
        with opener(folder / f"{name}-labels-idx1-ubyte{end}", "wb") as file:
            file.write(struct.pack(">4BI", 0, 0, 8, 1, count) + labels.tobytes())
        pixels = torch.from_numpy(images)[:, None].to(torch.float32).div(255)
        inputs = pixels.sub(torch.tensor(0.1307)).div(torch.tensor(0.3081))
        result[name] = {"inputs": inputs.flatten().tolist(), "targets": labels.tolist()}
    return result


def arrays():
    """Pictures with their channels last; half floats with a target of several numbers; ids."""
    images = rng.integers(0, 256, (12, 8, 9, 3), dtype=np.uint8)
    labels = rng.integers(0, 4, (12, 1), dtype=np.int32)
    np.savez(folder / "pictures.npz", x_train=images, y_train=labels)
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).to(torch.float32) / 255
    features = rng.normal(size=(6, 4)).astype(np.float16)
    amounts = rng.normal(size=(6, 2))
    np.savez_compressed(folder / "numbers.npz", inputs=np.asfortranarray(features), targets=amounts)
    ids = torch.from_numpy(rng.integers(0, 1000, (5, 6)))
    torch.save({"inputs": ids[:, :-1], "targets": ids[:, 1:]}, folder / "ids.pt")
    return {
        "pictures.npz": {"inputs": pixels.flatten().tolist(), "targets": labels.ravel().tolist()},
        "numbers.npz": {
            "inputs": torch.from_numpy(features).float().flatten().tolist(),
            "targets": torch.from_numpy(amounts).float().flatten().tolist(),
        },
        "ids.pt": {
            "inputs": ids[:, :-1].flatten().tolist(),
            "targets": ids[:, 1:].flatten().tolist(),
        },
    }


def pictures():
    """A tree of class folders with names that sort differently elsewhere; each picture is its number."""
    root = folder / "pictures"
    names = ["b", "a", "B", "a-b", "a.b", "ä", "z", "10", "9", "_", "\U0001f600", "\uff5e"]
    number = 0
    for name in names:
        for below in ["", "x", "x-1", "x/y"]:
            place = root / name / below
            place.mkdir(parents=True, exist_ok=True)
            for file in random.sample(["2.png", "10.png", "1.JPG", "a.jpeg", "A.webp", "note.txt"], 4):
                if file == "note.txt":
                    (place / file).write_text("none")
                    continue
                number += 1
                colours = bytes([number >> 8, number & 255, 0])
                (place / file).write_bytes(b"P6 1 1 255\n" + colours)
    # torchvision.datasets.folder: find_classes and make_dataset.
    classes = sorted(entry.name for entry in os.scandir(root) if entry.is_dir())
    samples = []
    for label, name in enumerate(classes):
        for place, _, files in sorted(os.walk(root / name, followlinks=True)):
            for file in sorted(files):
                if file.lower().endswith((".jpg", ".jpeg", ".png", ".bmp", ".webp")):
                    content = (pathlib.Path(place) / file).read_bytes()
                    samples.append([256 * content[-3] + content[-2], label])
    return {"classes": classes, "samples": samples}


def text():
    """Characters as training scripts count them, with every kind of line break."""
    letters = list("abc xyz.,!?ÄÖß€\t") + ["\r\n", "\n", "\r", "\U0001f600", "\uff5e"]
    written = "".join(random.choice(letters) for _ in range(5000))
    (folder / "text.txt").write_bytes(written.encode("utf-8"))
    read = open(folder / "text.txt", encoding="utf-8").read()
    characters = sorted(set(read))
    ids = [characters.index(character) for character in read]
    block, stride = 16, 5
    starts = range(0, len(ids) - block, stride)
    return {
        "characters": characters,
        "inputs": [ids[start : start + block] for start in starts],
        "targets": [ids[start + 1 : start + block + 1] for start in starts],
    }


def grey(image):
    """torchvision's rgb_to_grayscale."""
    return (0.2989 * image[0] + 0.587 * image[1] + 0.114 * image[2])[None]


def blend(image, other, factor, bound):
    return (factor * image + (1.0 - factor) * other).clamp(0, bound)


def jitter(name, image, factor, bound):
    """adjust_brightness, adjust_contrast and adjust_saturation of torchvision's functional_tensor."""
    is_grey = image.shape[0] == 1
    if name == "brightness":
        return blend(image, torch.zeros_like(image), factor, bound)
    if name == "contrast":
        mean = torch.mean(image if is_grey else grey(image), dim=(-3, -2, -1), keepdim=True)
        return blend(image, mean, factor, bound)
    return image if is_grey else blend(image, grey(image), factor, bound)


def augmented(case):
    drawn, padding = case["drawn"], case["padding"]
    image = torch.tensor(case["values"], dtype=torch.float32).reshape(case["shape"])
    _, height, width = image.shape
    top, left = drawn["top"], drawn["left"]
    image = torch.nn.functional.pad(image, [padding] * 4)[:, top : top + height, left : left + width]
    if drawn["horizontalFlip"]:
        image = image.flip(-1)
    if drawn["verticalFlip"]:
        image = image.flip(-2)
    for name, factor in drawn["jitter"]:
        image = jitter(name, image, factor, case["bound"])
    return image.flatten().tolist()


def exported(name):
    """What a script's load_data gives, all examples one behind the other."""

    def flat(examples):
        pairs = [examples[index] for index in range(len(examples))]
        return {
            "inputs": torch.stack([pair[0] for pair in pairs]).flatten().tolist(),
            "targets": torch.stack([pair[1] for pair in pairs]).flatten().tolist(),
        }

    return [flat(examples) for examples in runpy.run_path(str(folder / f"{name}.py"))["load_data"](folder)]


if len(sys.argv) > 2:
    print(json.dumps({name: exported(name) for name in sys.argv[2:]}))
    raise SystemExit
cases = json.load(sys.stdin)
kinds = {kind.__name__: kind() for kind in (table, idx, arrays, pictures, text)}
print(json.dumps({**kinds, "augmented": [augmented(case) for case in cases]}))
