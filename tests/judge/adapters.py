"""Adapters as PEFT writes them, and what its `merge_and_unload` makes of them, for `npm run adapters`.

    adapters.py make FOLDER     NAME/base.pt, NAME/adapter/ and NAME/want.pt; a line of JSON for each
    adapters.py compare FOLDER  NAME/got.pt with NAME/want.pt: {"name", "error", "keys": those that differ}

`error` is the largest absolute difference over the largest absolute value, per tensor, in units of the
dtype's precision: sums are taken in another order, and PEFT rounds updates to half precision first.
"""

import copy
import json
import pathlib
import sys
import warnings

import torch
from torch import nn

warnings.filterwarnings("ignore")
folder = pathlib.Path(sys.argv[2])


class Net(nn.Module):
    """Layers of every kind that LoRA is added to. `turned` has Conv1D, as GPT-2."""

    def __init__(self, turned=False):
        super().__init__()
        self.embed = nn.Embedding(10, 6)
        self.layers = nn.ModuleList(
            nn.ModuleDict({"q": nn.Linear(6, 8), "square": nn.Linear(8, 8)}) for _ in range(2)
        )
        self.conv = nn.Conv2d(4, 6, 3)
        self.point = nn.Conv2d(4, 6, 1)
        self.line = nn.Conv1d(4, 6, 3)
        self.grouped = nn.Conv2d(4, 6, 3, groups=2)
        self.norm = nn.LayerNorm(6)
        self.head = nn.Linear(8, 3)
        if turned:
            from transformers.pytorch_utils import Conv1D

            self.c_attn = Conv1D(12, 6)
            self.c_proj = Conv1D(6, 6)
            self.lm_head = nn.Linear(6, 10, bias=False)

    def prepare_inputs_for_generation(self):
        """aLoRA asks for it."""


def cases():
    """Options of LoraConfig, beside "dtype" and "turned" for the model."""
    linear = {"target_modules": ["q", "square"]}
    return {
        "linear": linear,
        "layers": {"r": 3, "target_modules": ["q", "embed", "conv", "point", "line"]},
        "all": {"target_modules": "all-linear"},
        "rslora": {**linear, "use_rslora": True},
        "ranks": {
            **linear,
            "rank_pattern": {"layers.1.q": 4, "square": 1},
            "alpha_pattern": {"^layers.0.q": 7, r"layers\.1.square": 5},
            "use_rslora": True,
        },
        "pattern": {**linear, "alpha_pattern": {r"layers\.\d+\.q": 7}},
        "modules_to_save": {**linear, "modules_to_save": ["head", "norm"]},
        "bias_all": {**linear, "bias": "all"},
        "bias_lora_only": {**linear, "bias": "lora_only"},
        "parameters": {**linear, "target_parameters": ["head.weight"]},
        "turned": {"target_modules": ["c_attn", "c_proj"], "turned": True},
        "turned_mixed": {"target_modules": ["c_attn", "lm_head"], "turned": True},
        "turned_square": {"target_modules": ["c_proj", "lm_head"], "turned": True},
        "float16": {"target_modules": ["q", "embed", "conv"], "dtype": torch.float16},
        "bfloat16": {"target_modules": ["q", "embed", "line"], "dtype": torch.bfloat16},
        "float64": {"target_modules": ["q", "embed", "conv"], "dtype": torch.float64},
        **{
            first.lower(): {**linear, "init_lora_weights": first}
            for first in ("gaussian", "orthogonal", "mica", "eva", "pissa", "olora")
        },
        "dora": {**linear, "use_dora": True},
        "dora_layers": {"target_modules": ["embed", "conv"], "use_dora": True},
        "lora_bias": {**linear, "lora_bias": True},
        "tokens": {**linear, "trainable_token_indices": {"embed": [0, 3]}},
        "alora": {**linear, "alora_invocation_tokens": [1, 2], "task_type": "CAUSAL_LM"},
        "grouped": {"target_modules": ["grouped"]},
        "several": {**linear, "several": True},
    }


def make_case(place, options):
    from peft import LoraConfig, PeftModel, get_peft_model

    torch.manual_seed(1)
    base = Net(options.pop("turned", False)).to(options.pop("dtype", torch.float32))
    torch.save(base.state_dict(), place / "base.pt")
    several = options.pop("several", False)
    config = LoraConfig(**{"r": 2, "lora_alpha": 3, **options})
    model = get_peft_model(copy.deepcopy(base), config)
    if several:
        model.add_adapter("other", config)
    trained = ("lora_", "modules_to_save", "trainable_tokens")
    for name, parameter in model.named_parameters():
        if any(part in name for part in trained) or (config.bias != "none" and name.endswith("bias")):
            parameter.data = torch.rand_like(parameter) * 0.6 - (0.3 if "magnitude" not in name else -1)
    model.save_pretrained(place / "adapter", selected_adapters=["default"])
    if several:  # in one file, as a checkpoint of training has them
        (place / "adapter" / "adapter_model.safetensors").unlink()
        torch.save(model.state_dict(), place / "adapter" / "adapter_model.bin")
    again = PeftModel.from_pretrained(copy.deepcopy(base), place / "adapter") if not several else model
    torch.save(again.merge_and_unload().state_dict(), place / "want.pt")


def make():
    for name, options in cases().items():
        place = folder / name
        place.mkdir()
        try:
            make_case(place, dict(options))
            told = {"name": name, "merged": True}
        except NotImplementedError as error:  # PEFT itself cannot
            told = {"name": name, "merged": False, "why": str(error)}
        print(json.dumps(told))


def compare():
    for path in sorted(folder.glob("*/got.pt")):
        want, got = (torch.load(path.parent / f"{kind}.pt") for kind in ("want", "got"))
        keys = sorted(set(want) ^ set(got))
        keys += [key for key in want if key in got and want[key].dtype != got[key].dtype]
        common = [(want[key].double(), got[key].double(), want[key].dtype) for key in want if key in got]
        errors = [
            ((one - other).abs().max() / one.abs().max().clamp(min=1e-300)).item() / torch.finfo(dtype).eps
            for one, other, dtype in common
        ]
        print(json.dumps({"name": path.parent.name, "error": max(errors), "keys": keys}))


{"make": make, "compare": compare}[sys.argv[1]]()
