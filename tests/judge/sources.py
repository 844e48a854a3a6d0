"""What PyTorch makes of models in other people's source. Reads cases as JSON from standard input,
one a line, and answers each with a line as soon as it is done:

    {"name", "root", "code", "inputs": [{"shape", "below"?}], "file", "weights"?}

`root` lies on the import path, `code` defines build(). The model's weights are seeded; running
statistics and parameters that are all one number are made random, since they would hide mistakes,
and weights that are as small as transformers begin with are made larger: near zero, every
activation is a straight line.
Trained `weights` are loaded strictly instead. `code` may define stored(state), which gives the dict as a file would have it. Writes `file`: {state,
inputs, outputs, config}, the last as the model's attribute has it, or None; with "shapes": true only
{state, config}, where all elements of a tensor are one. Answers {"name", "state": [[key, shape,
dtype]]} or {"name", "error"}. Top-level statements of the source that fail here (data sets, arguments of a
command line) are left out, as the lab leaves them out; modules that are not installed are empty.

    sources.py < cases.jsonl
"""

import ast
import copy
import dataclasses
import importlib.abc
import importlib.machinery
import importlib.util
import json
import pathlib
import sys
import types

import torch

torch.set_num_threads(1)


class Missing(types.ModuleType):
    """A module that is not installed: its names are classes that do nothing."""

    __path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {"__init__": lambda self, *args, **keywords: None})


class Tolerant(importlib.abc.Loader):
    """Runs a file statement by statement and goes on after one that fails."""

    def __init__(self, path):
        self.path = path

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        for statement in ast.parse(self.path.read_text()).body:
            code = compile(ast.Module([statement], []), str(self.path), "exec")
            try:
                exec(code, module.__dict__)
            except (Exception, SystemExit):
                pass


class Finder(importlib.abc.MetaPathFinder):
    """Files below the root of the case, and in the end empty modules."""

    def __init__(self):
        self.root = None

    def find_spec(self, name, path=None, target=None):
        if self.root is None:
            return None
        place = self.root.joinpath(*name.split("."))
        spec_of = importlib.util.spec_from_file_location
        if place.with_suffix(".py").is_file():
            file = place.with_suffix(".py")
            return spec_of(name, file, loader=Tolerant(file))
        if place.is_dir():
            file = place / "__init__.py"
            if not file.is_file():
                return importlib.machinery.ModuleSpec(name, None, is_package=True)
            return spec_of(name, file, loader=Tolerant(file), submodule_search_locations=[str(place)])
        return None


class Empty(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if finder.root is None:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return Missing(spec.name)

    def exec_module(self, module):
        pass


def randomise(model):
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm) and module.track_running_stats:
            module.running_mean.normal_(0, 0.5)
            module.running_var.uniform_(0.5, 2)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.numel() == 0:
                continue
            if parameter.min() != parameter.max():
                gain = parameter.std() * parameter[0].numel() ** 0.5
                if parameter.dim() > 1 and gain < 0.5:
                    parameter.div_(gain)
            elif parameter.flatten()[0] == 0:
                parameter.normal_(0, 0.1)
            else:
                parameter.uniform_(0.5, 1.5)


def tensors(value):
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (tuple, list)):
        return [tensor for item in value for tensor in tensors(item)]
    return []


def given(spec):
    if "below" in spec:
        return torch.randint(0, spec["below"], spec["shape"])
    return torch.randn(spec["shape"])


def described(state):
    entries = [[k, list(v.shape), str(v.dtype).replace("torch.", "")] for k, v in state.items()]
    return {"state": entries}


def configuration(model):
    """What transformers writes to config.json, and what training scripts keep of a dataclass."""
    config = getattr(model, "config", None)
    if hasattr(config, "to_json_string"):
        return json.loads(config.to_json_string(use_diff=False))
    return dataclasses.asdict(config) if dataclasses.is_dataclass(config) else None


def judge(case):
    torch.manual_seed(7)
    names = {"__name__": "case"}
    exec(compile(case["code"], "case.py", "exec"), names)
    model = names["build"]()
    if case.get("weights"):
        model.load_state_dict(torch.load(case["weights"]))
    else:
        randomise(model)
    model.eval()
    config = configuration(model)
    if case.get("shapes"):
        state = {k: v.new_zeros(()).expand(v.shape) for k, v in model.state_dict().items()}
        torch.save({"state": state, "config": config}, case["file"])
        return described(state)
    # A copy in which tied weights stay one.
    state = copy.deepcopy({key: value.detach() for key, value in model.state_dict().items()})
    state = names.get("stored", dict)(state)
    inputs = [given(spec) for spec in case["inputs"]]
    with torch.no_grad():
        outputs = tensors(model(*inputs))
    saved = {"state": state, "inputs": inputs, "outputs": outputs, "config": config}
    torch.save(saved, case["file"])
    return described(state)


# What a source prints is no answer.
answers, sys.stdout = sys.stdout, sys.stderr
finder = Finder()
sys.meta_path.insert(0, finder)
empty = Empty()
sys.meta_path.append(empty)
before = set(sys.modules)
for line in sys.stdin:
    case = json.loads(line)
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__spec__", None) and isinstance(
            sys.modules[name].__spec__.loader, Tolerant
        ):
            del sys.modules[name]
    finder.root = pathlib.Path(case["root"]) if case["root"] else None
    try:
        answer = judge(case)
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps({"name": case["name"], **answer}), file=answers, flush=True)
