"""Goes on from a file that the lab wrote, as a training script would: strictly loads the model,
loads the optimizer, takes one step. Prints {"keys", "epoch", "loss", "steps"}.

    resume.py SOURCE MODEL OPTIMIZER FILE
"""

import importlib.util
import json
import sys

import torch

source, model_name, optimizer_name, path = sys.argv[1:]
spec = importlib.util.spec_from_file_location("source", source)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
made = getattr(module, model_name)
model = made if isinstance(made, torch.nn.Module) else made()
saved = torch.load(path, weights_only=True, map_location="cpu")
full = "epoch" in saved
state = saved.get("model", saved.get("model_state_dict")) if full else saved
model.load_state_dict(state, strict=True)
if full:
    optimizer = getattr(torch.optim, optimizer_name)(model.parameters())
    optimizer.load_state_dict(saved.get("optimizer", saved.get("optimizer_state_dict")))
    shape = {"DigitsCNN": (4, 1, 28, 28), "model": (4, 32), "Linear": (4, 10)}[model_name]
    loss = torch.nn.functional.cross_entropy(model.train()(torch.zeros(shape)), torch.zeros(4).long())
    loss.backward()
    optimizer.step()
    steps = [state.get("step") for state in optimizer.state.values()]
    print(
        json.dumps(
            {
                "keys": list(saved),
                "epoch": saved["epoch"],
                "loss": loss.item(),
                "steps": sorted({int(step) for step in steps if step is not None}),
                "groups": [
                    {k: v for k, v in group.items() if k != "params"}
                    for group in optimizer.param_groups
                ],
                "metadata": hasattr(state, "_metadata"),
            }
        )
    )
else:
    print(json.dumps({"keys": list(saved), "metadata": hasattr(state, "_metadata")}))
