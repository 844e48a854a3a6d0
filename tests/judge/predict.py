"""Outputs of the samples' models for their first held-out example: {id: [float, …]}.

    predict.py
"""

import importlib.util
import json
import pathlib

import numpy as np
import torch

samples = pathlib.Path(__file__).resolve().parent.parent.parent / "public" / "samples"
outputs = {}
for sample in json.loads((samples / "samples.json").read_text(encoding="utf-8")):
    files = sample["files"]
    if "data" not in files:
        continue  # a text model: what it writes is sampled
    spec = importlib.util.spec_from_file_location("source", samples / files["source"])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model = getattr(module, sample["candidate"])
    model = model if isinstance(model, torch.nn.Module) else model()
    saved = torch.load(samples / files["checkpoint"], weights_only=True)
    model.load_state_dict(saved.get("model", saved.get("model_state_dict")))
    data = np.load(samples / files["data"])
    if sample["input"]["kind"] == "image":
        example = data["test_images"][:1, None].astype(np.float32) / np.float32(255)
    else:
        example = data["test_inputs"][:1]
    with torch.no_grad():
        outputs[sample["id"]] = model.eval()(torch.from_numpy(example))[0].tolist()
print(json.dumps(outputs))
