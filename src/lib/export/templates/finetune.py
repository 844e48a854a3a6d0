"""How the model was changed before it was trained, and which of its parameters are."""

import math  #: if lora
from fnmatch import fnmatchcase  #: if globs

import torch  #: if head
from torch import nn  #: if layers


#: if head
def replace_head(model, path, outputs):
    """Makes a linear layer anew, with so many outputs."""
    layer = model.get_submodule(path)
    layer.out_features = outputs
    layer.weight = nn.Parameter(torch.empty(outputs, layer.in_features))
    if layer.bias is not None:
        layer.bias = nn.Parameter(torch.empty(outputs))
    layer.reset_parameters()


#: end
#: if lora
def add_lora(model, targets, rank, alpha, dropout):
    """Adds B(A(x)) * alpha / rank to linear layers, and trains nothing else."""
    model.requires_grad_(False)
    drop = nn.Dropout(dropout)
    for path, layer in list(model.named_modules()):
        is_target = any(fnmatchcase("." + path, "*." + target) for target in targets)
        if not isinstance(layer, nn.Linear) or not is_target:
            continue
        layer.lora_A = nn.Linear(layer.in_features, rank, bias=False)
        layer.lora_B = nn.Linear(rank, layer.out_features, bias=False)
        nn.init.kaiming_uniform_(layer.lora_A.weight, a=math.sqrt(5))
        nn.init.zeros_(layer.lora_B.weight)
        layer.register_forward_hook(
            lambda layer, inputs, output: output
            + layer.lora_B(layer.lora_A(drop(inputs[0]))) * (alpha / rank)
        )


#: end
#: if patterns
def takes(key, globs):
    """Whether globs take a key: the last one that fits counts, and says no with `!` before it."""
    last = None
    for glob in globs:
        if fnmatchcase(key, glob[1:] if glob.startswith("!") else glob):
            last = glob
    return last is not None and not last.startswith("!")


#: end
#: if freeze
def freeze(model, globs):
    """Takes parameters out of training."""
    for key, parameter in model.named_parameters():
        if takes(key, globs):
            parameter.requires_grad_(False)


#: end
#: if groups
def group_parameters(model, groups):
    """param_groups: each parameter in the first whose globs take its key, or in one for the rest."""
    grouped = [{"params": [], **options} for _, options in groups] + [{"params": []}]
    for key, parameter in model.named_parameters():
        #: if trained_only
        if not parameter.requires_grad:
            continue
        #: end
        fits = [takes(key, globs) for globs, _ in groups] + [True]
        grouped[fits.index(True)]["params"].append(parameter)
    return [group for group in grouped if group["params"]]


#: end
