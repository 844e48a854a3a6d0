"""What a sample's language model writes: the likeliest character each time.

    write.py SAMPLE PROMPT COUNT
"""

import importlib.util
import json
import pathlib
import sys

import torch

samples = pathlib.Path(__file__).resolve().parent.parent.parent / "public" / "samples"
sample, prompt, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
entries = json.loads((samples / "samples.json").read_text(encoding="utf-8"))
entry = next(item for item in entries if item["id"] == sample)
spec = importlib.util.spec_from_file_location("source", samples / entry["files"]["source"])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
saved = torch.load(samples / entry["files"]["checkpoint"], weights_only=True)
model = getattr(module, entry["candidate"])(**saved["model_args"])
model.load_state_dict(saved["model"])
model.eval()
ids = [saved["stoi"][character] for character in prompt]
with torch.no_grad():
    for _ in range(count):
        window = torch.tensor([ids[-saved["model_args"]["window"] :]])
        ids.append(int(model(window)[0, -1].argmax()))
characters = {number: character for character, number in saved["stoi"].items()}
print("".join(characters[number] for number in ids), end="")
