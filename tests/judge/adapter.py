"""Applies the lab's PEFT adapters to their base models, by the formula.

    adapter.py FOLDER NAME MODEL …

reads FOLDER/NAME-base.pt, FOLDER/NAME/adapter_config.json and adapter_model.safetensors, puts the
update into the weights, and prints {name: largest relative error of the output} against the one in
FOLDER/NAME-result.pt.
"""

import json
import pathlib
import sys

import torch
from safetensors.torch import load_file
from torch import nn

import transfer_models

folder = pathlib.Path(sys.argv[1])
PREFIX = "base_model.model."
errors = {}
for name, kind in zip(sys.argv[2::2], sys.argv[3::2]):
    config = json.loads((folder / name / "adapter_config.json").read_text())
    assert config["peft_type"] == "LORA" and config["bias"] == "none"
    adapter = load_file(folder / name / "adapter_model.safetensors")
    assert all(key.startswith(PREFIX) for key in adapter)
    adapter = {key.removeprefix(PREFIX): value for key, value in adapter.items()}
    model = getattr(transfer_models, kind)()
    state = torch.load(folder / f"{name}-base.pt")
    # BatchNorm's statistics are no part of an adapter.
    own = torch.load(folder / f"{name}-state.pt")
    state.update({key: own[key] for key, _ in model.named_buffers()})
    model.load_state_dict(state)
    for path in config["modules_to_save"] or []:
        weight, bias = adapter.pop(path + ".weight"), adapter.pop(path + ".bias")
        head = nn.Linear(weight.shape[1], weight.shape[0])
        head.load_state_dict({"weight": weight, "bias": bias})
        model.set_submodule(path, head)
    targets = config["target_modules"]
    found = [path for path, _ in model.named_modules()
             if any(path == target or path.endswith("." + target) for target in targets)]
    assert len(adapter) == 2 * len(found), (sorted(adapter), found)
    with torch.no_grad():
        for path in found:
            a, b = adapter[path + ".lora_A.weight"], adapter[path + ".lora_B.weight"]
            delta = (b @ a) * (config["lora_alpha"] / config["r"])
            layer = model.get_submodule(path)
            layer.weight += delta if isinstance(layer, nn.Linear) else delta.T
        result = torch.load(folder / f"{name}-result.pt")
        output = model.eval()(result["input"])
    expected = result["output"]
    errors[name] = ((output - expected).abs().max() / expected.abs().max()).item()
print(json.dumps(errors))
