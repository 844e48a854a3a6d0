"""A small training loop in PyTorch, as scripts write it: gradient accumulation, clipping, GradScaler and
an exponential moving average. Reads a list of cases as JSON from standard input: {"batches": sizes,
"accumulate", "clip"?: {"kind", …}, "scaler"?: GradScaler's arguments, "ema"?: decay, "infinite"?: the
batch with an input that is infinite}. Writes FILE: [{state, inputs, targets, single, double}, …];
single and double are {losses, state, ema, scaler} after the loop, in both precisions.

    steps.py FILE < cases.json
"""

import json
import sys

import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

torch.set_num_threads(1)


def make():
    return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.LayerNorm(8), nn.Linear(8, 3))


def train(case, state, batches, dtype):
    model = make().to(dtype)
    model.load_state_dict(state)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    scaler = torch.amp.GradScaler("cpu", **case.get("scaler", {}), enabled="scaler" in case)
    decay = case.get("ema")
    ema = None if decay is None else AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay))
    losses = []
    for i, (x, y) in enumerate(batches):
        loss = F.cross_entropy(model(x.to(dtype)), y)
        losses.append(loss.item())
        scaler.scale(loss / case["accumulate"]).backward()
        if (i + 1) % case["accumulate"] == 0 or i + 1 == len(batches):
            clip = case.get("clip")
            if clip:
                scaler.unscale_(optimizer)
                if clip["kind"] == "norm":
                    kind = float(clip["normType"])
                    nn.utils.clip_grad_norm_(model.parameters(), clip["maxNorm"], kind)
                else:
                    nn.utils.clip_grad_value_(model.parameters(), clip["clipValue"])
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad()
            if ema:
                ema.update_parameters(model)
    return {
        "losses": torch.tensor(losses, dtype=torch.float64),
        "state": model.state_dict(),
        "ema": ema.module.state_dict() if ema else {},
        "scaler": scaler.state_dict(),
    }


answers = []
for number, case in enumerate(json.load(sys.stdin)):
    torch.manual_seed(number)
    state = {key: value.clone() for key, value in make().state_dict().items()}
    batches = [(torch.randn(n, 6), torch.randint(0, 3, (n,))) for n in case["batches"]]
    if "infinite" in case:
        batches[case["infinite"]][0][0, 0] = float("inf")
    answers.append(
        {
            "state": state,
            "inputs": [x for x, _ in batches],
            "targets": [y for _, y in batches],
            "single": train(case, state, batches, torch.float32),
            "double": train(case, state, batches, torch.float64),
        }
    )
torch.save(answers, sys.argv[1])
