"""What adapters that are merged should give, done in Python, as edit_cases.py has it.

The files lie as PEFT 0.21 writes them, and the formulas are those of its layers' `get_delta_weight`
(peft/tuners/lora/layer.py); `npm run adapters` compares with PEFT itself.
"""

import json
import math

import torch
from safetensors.torch import save_file

wanted = {}
apart = {}


def case(make):
    wanted[make.__name__] = make
    return make


def base():
    """Layers of every kind, with the dtypes that weights have."""
    torch.manual_seed(11)
    embed = torch.randn(7, 4)
    return {
        "embed.weight": embed,
        "layers.0.q.weight": torch.randn(6, 4),
        "layers.0.q.bias": torch.randn(6),
        "layers.1.q.weight": torch.randn(6, 4).half(),
        "layers.1.q.bias": torch.randn(6).half(),
        "layers.2.q.weight": torch.randn(6, 4).bfloat16(),
        "layers.3.q.weight": torch.randn(6, 4, dtype=torch.float64),
        "conv.weight": torch.randn(5, 4, 3, 2),
        "point.weight": torch.randn(5, 4, 1, 1),
        "line.weight": torch.randn(5, 4, 3),
        "norm.weight": torch.ones(4),
        "head.weight": embed,
        "head.bias": torch.zeros(7),
    }


def gpt():
    """As GPT-2's: Conv1D has its weights as (inputs, outputs)."""
    torch.manual_seed(12)
    shapes = {"attn.c_attn": (4, 12), "attn.c_proj": (4, 4), "mlp.c_fc": (4, 16)}
    weights = {f"h.0.{name}.weight": torch.randn(shape) for name, shape in shapes.items()}
    biases = {f"h.0.{name}.bias": torch.randn(shape[1]) for name, shape in shapes.items()}
    return {**weights, **biases, "lm_head.weight": torch.randn(9, 4)}


def pair(shape, rank, dtype=torch.float32):
    """A and B for a weight; a convolution's B has its kernel of one."""
    outputs, *inputs = shape
    ones = [1] * (len(inputs) - 1)
    return torch.randn(rank, *inputs, dtype=dtype), torch.randn(outputs, rank, *ones, dtype=dtype)


def adapter(paths, weights, rank):
    """Keys of PEFT. `rank` says that of a layer; it is turned where its path is in GPT's."""
    torch.manual_seed(13)
    tensors = {}
    for path in paths:
        weight = weights[f"{path}.weight"]
        shape = reversed(weight.shape) if ".c_" in path or path == "embed" else weight.shape
        a, b = pair(shape, rank(path), weight.dtype if weight.dtype == torch.float64 else None)
        name = "base_model.model." + path
        if path == "embed":
            tensors |= {f"{name}.lora_embedding_A": a, f"{name}.lora_embedding_B": b}
        else:
            tensors |= {f"{name}.lora_A.weight": a, f"{name}.lora_B.weight": b}
    return tensors


def merged(state, tensors, scaling):
    """W + scaling B A of each pair; of an embedding and of Conv1D the update is turned."""
    for key, a in tensors.items():
        if "_A" not in key:
            continue
        path = key.removeprefix("base_model.model.").split(".lora_")[0]
        weight, b = state[f"{path}.weight"], tensors[key.replace("_A", "_B")]
        wide = torch.float64 if weight.dtype == torch.float64 else torch.float32
        # Summed in doubles, then rounded: what torch's sums are off by depends on the machine.
        update = (b.flatten(1).double() @ a.flatten(1).double()).to(wide) * scaling(path, a.shape[0])
        if ".c_" in path or path == "embed":
            update = update.t()
        sum_ = weight.to(wide) + update.reshape(weight.shape)
        state[f"{path}.weight"] = sum_.to(weight.dtype)
    return state


def save_adapter(place, tensors, **config):
    place.mkdir()
    save_file({key: it.contiguous() for key, it in tensors.items()}, place / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "use_dora": False, "loftq_config": {}, **config}
    (place / "adapter_config.json").write_text(json.dumps(config))


layers = [f"layers.{number}.q" for number in range(4)]
kinds = ["embed", *layers, "conv", "point", "line", "head"]
turned = ["h.0.attn.c_attn", "h.0.attn.c_proj", "h.0.mlp.c_fc"]
ranks = {"layers.1.q": 3, "layers.2.q": 1}
alphas = {"layers.0.q": 7, "layers.2.q": 5}


def plain_adapter():
    return adapter(kinds, base(), lambda path: 3)


def pattern_adapter():
    return adapter(layers, base(), lambda path: ranks.get(path, 2))


def gpt_adapter(paths=turned):
    return adapter(paths, gpt(), lambda path: 2)


def whole():
    """What an adapter has beside its pairs: `modules_to_save`, and biases, one in a layer with a pair."""
    torch.manual_seed(14)
    names = ["norm.weight", "head.bias", "layers.0.q.base_layer.bias"]
    sizes = [4, 7, 6]
    return {f"base_model.model.{name}": torch.randn(size) for name, size in zip(names, sizes)}


def wrapped(state, tensors):
    """The state_dict of a whole PeftModel, its head trained whole, too."""
    paths = {key.removeprefix("base_model.model.").split(".lora_")[0] for key in tensors}
    full = {}
    for key, tensor in state.items():
        path, _, part = key.rpartition(".")
        if path == "head":
            full[f"base_model.model.head.original_module.{part}"] = tensor
            full[f"base_model.model.head.modules_to_save.default.{part}"] = tensor + 1
        else:
            layer = f"{path}.base_layer" if path in paths else path
            full[f"base_model.model.{layer}.{part}"] = tensor
    for key, tensor in tensors.items():
        name = key.replace(".weight", ".default.weight")
        full[name if name.endswith("weight") else f"{name}.default"] = tensor
    return full


def kohya():
    """As kohya's scripts write them: paths with underscores, alpha beside each pair."""
    torch.manual_seed(15)
    a, b = pair((6, 4), 2)
    c, d = pair((5, 4, 3, 2), 4)
    names = ("lora_unet_layers_0_q", "lora_unet_conv")
    return {
        f"{name}.{part}": tensor
        for name, tensors in zip(names, [(a, b, torch.tensor(1.0)), (c, d, torch.tensor(6.0).half())])
        for part, tensor in zip(("lora_down.weight", "lora_up.weight", "alpha"), tensors)
    }


def make_files(folder):
    torch.save(base(), folder / "lora.pt")
    torch.save(gpt(), folder / "gpt.pt")
    tensors = plain_adapter()
    without_head = {key: it for key, it in tensors.items() if ".head." not in key}
    torch.save(wrapped(base(), without_head), folder / "wrapped.pt")
    save_adapter(folder / "plain", tensors, lora_alpha=16, r=3)
    config = {"r": 2, "lora_alpha": 4, "rank_pattern": ranks}
    patterns = {"^layers.0.q": 7, r"layers\.2.q": 5, "yers.1.q": 9}
    save_adapter(folder / "patterns", pattern_adapter(), alpha_pattern=patterns, **config)
    save_adapter(
        folder / "rslora", pattern_adapter(), use_rslora=True, alpha_pattern={"0.q": 7, "2.q": 5}, **config
    )
    save_adapter(folder / "turned", gpt_adapter(), r=2, lora_alpha=3, fan_in_fan_out=True)
    mixed = gpt_adapter([turned[0], "lm_head"])
    save_adapter(folder / "turned_mixed", mixed, r=2, lora_alpha=3, fan_in_fan_out=False)
    saved = {**pattern_adapter(), **whole()}
    save_adapter(folder / "saved", saved, bias="all", modules_to_save=["norm", "head"], **config)
    save_file(kohya(), folder / "kohya.safetensors")


@case
def lora_plain(load):
    return merged(load("lora"), plain_adapter(), lambda path, rank: 16 / 3)


@case
def lora_given(load):
    """The file alone, whose scaling the edit gives."""
    return merged(load("lora"), plain_adapter(), lambda path, rank: 0.25)


@case
def lora_patterns(load):
    return merged(load("lora"), pattern_adapter(), lambda path, rank: alphas.get(path, 4) / rank)


@case
def lora_rslora(load):
    scaling = lambda path, rank: alphas.get(path, 4) / math.sqrt(rank)
    return merged(load("lora"), pattern_adapter(), scaling)


@case
def lora_turned(load):
    return merged(load("gpt"), gpt_adapter(), lambda path, rank: 3 / 2)


@case
def lora_turned_mixed(load):
    """Linear layers after Conv1D: `fan_in_fan_out` is of the last one."""
    pairs = gpt_adapter([turned[0], "lm_head"])
    return merged(load("gpt"), pairs, lambda path, rank: 3 / 2)


@case
def lora_saved(load):
    state = load("lora")
    for key, tensor in whole().items():
        state[key.removeprefix("base_model.model.").replace(".base_layer.", ".")] = tensor
    return merged(state, pattern_adapter(), lambda path, rank: 4 / rank)


@case
def lora_wrapped(load):
    """As `merge_and_unload` names and orders them."""
    pairs = {key: it for key, it in plain_adapter().items() if ".head." not in key}
    state = merged(base(), pairs, lambda path, rank: 2.0)
    return {key: tensor + 1 if key.startswith("head.") else tensor for key, tensor in state.items()}


@case
def lora_kohya(load):
    state, tensors = load("lora"), kohya()
    for path in ("layers.0.q", "conv"):
        down, up, alpha = (
            tensors[f"lora_unet_{path.replace('.', '_')}.{part}"]
            for part in ("lora_down.weight", "lora_up.weight", "alpha")
        )
        update = (up.flatten(1).double() @ down.flatten(1).double()).float()
        update *= alpha.item() / len(down)
        state[f"{path}.weight"] = state[f"{path}.weight"] + update.reshape(state[f"{path}.weight"].shape)
    return state
