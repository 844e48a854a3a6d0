"""What merges of checkpoints should give, done in Python, as edit_cases.py has it.

Sums are PyTorch's own in the dtype that the lab takes, float64 for float64 and else float32. Angles are
worked out in float64; what they make may differ in the last place.
"""

import math

import torch
from edit_cases import Net

wanted = {}
#: Units in the last place.
apart = {"slerp_one": 1, "slerp_ends": 1, "slerp_extremes": 1}

FLOATS = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn]


def case(make):
    wanted[make.__name__] = make
    return make


def state(seed):
    torch.manual_seed(seed)
    dict_ = Net().state_dict()
    dict_["norm.num_batches_tracked"] += seed
    dict_["half"] = torch.randn(7, 3).half()
    dict_["brain"] = torch.randn(5).bfloat16() * 100
    dict_["double"] = torch.randn(3, 2, dtype=torch.float64)
    dict_["turned"] = torch.randn(3, 4).t()
    dict_["flags"] = torch.rand(4) > 0.5
    return dict_


def untied(seed):
    """As `state`, but what is tied there is not."""
    dict_ = state(seed)
    dict_["head.weight"] = torch.randn(6, 4)
    return dict_


def mixed(seed):
    """Each pair of dtypes once."""
    torch.manual_seed(seed)
    turn = seed % len(FLOATS)
    others = [*FLOATS[turn:], *FLOATS[:turn], torch.float8_e5m2]
    return {
        f"{one}.{at}": (torch.randn(9) * 3).to(other if seed > 1 else one)
        for one in FLOATS
        for at, other in enumerate(others)
    }


def extremes(which):
    """Directions that are equal, opposite, nearly so, at right angles, none at all; and no numbers."""
    torch.manual_seed(5)
    some, other = torch.randn(40), torch.randn(40)
    nan, inf = torch.tensor([1.0, math.nan, 2.0]), torch.tensor([1.0, math.inf, -math.inf])
    pairs = {
        "same": (some, some.clone()),
        "longer": (some, some * 7),
        "opposite": (some, -some),
        "opposite_longer": (some, some * -0.25),
        "near": (some, some + other * 1e-3),
        "less_near": (some, some + other * 0.05),
        "nearly_opposite": (some, other * 0.05 - some),
        "right": (torch.tensor([1.0, 0.0]), torch.tensor([0.0, 3.0])),
        "zero": (torch.zeros(4), torch.tensor([1.0, 2.0, 3.0, 4.0])),
        "to_zero": (torch.tensor([1.0, 2.0, 3.0, 4.0]), torch.zeros(4)),
        "zeros": (torch.zeros(4), -torch.zeros(4)),
        "tiny": (some * 1e-30, other * 1e-30),
        "huge": (some * 1e38, other * 1e38),
        "half_huge": ((some * 1.5e4).half(), (other * 1.5e4).half()),
        "nan": (nan, torch.ones(3)),
        "inf": (inf, torch.ones(3)),
        "infs": (inf, inf.clone()),
        "one": (torch.tensor(3.0), torch.tensor(-2.0)),
        "empty": (torch.zeros(0, 2), torch.zeros(0, 2)),
        "denormal": (torch.full((3,), 1e-44), torch.full((3,), -3e-45)),
    }
    return {name: pair[which] for name, pair in pairs.items()}


no_numbers = ("nan", "inf", "infs")


def make_files(folder):
    for seed, name in enumerate("abc", 1):
        torch.save(state(seed), folder / f"{name}.pt")
        torch.save(mixed(seed), folder / f"mixed_{name}.pt")
    torch.save(untied(2), folder / "untied.pt")
    for which in range(2):
        torch.save(extremes(which), folder / f"extremes_{'ab'[which]}.pt")
    parts = {"epoch": 1, "model": state(1), "ema": state(2)}
    torch.save(parts, folder / "parts.pt")
    torch.save({"fc.weight": torch.randn(2, 2), "steps": torch.tensor(3)}, folder / "fc.pt")
    torch.save({"out.weight": torch.randn(2, 2).t(), "bias": torch.ones(2), "note": "x"}, folder / "out.pt")


def combined(states, combine):
    """Of each tensor of floats what `combine` makes of float32 (or float64) ones; ties of all stay."""
    result, known = states[0], {}
    for name, tensor in states[0].items():
        if not tensor.is_floating_point():
            continue
        wide = torch.float64 if tensor.dtype == torch.float64 else torch.float32
        key = tuple((it[name].untyped_storage()._cdata, it[name].storage_offset()) for it in states)
        if key not in known:
            known[key] = combine(*(it[name].to(wide).contiguous() for it in states)).to(tensor.dtype)
        result[name] = known[key].view(tensor.shape)
    return result


def slerp(a, b, t):
    """Along the great circle between the directions, with the lengths as they are.

    Shoemake, "Animating rotation with quaternion curves", 1985, section 3.3. Where the directions are
    nearly parallel or opposite the way is straight, with the threshold of mergekit's slerp.
    """
    one, two = (x / x.norm() if x.norm() > 1e-8 else x for x in (a.double(), b.double()))
    cosine = (one * two).sum()
    if abs(cosine) > 0.9995:
        return a * (1 - t) + b * t
    angle = torch.acos(cosine)
    first, second = torch.sin(angle - t * angle), torch.sin(t * angle)
    return a * (first / torch.sin(angle)).item() + b * (second / torch.sin(angle)).item()


def ema(a, b, decay):
    return a * decay + b * (1 - decay)


def task(a, b, base, scale):
    """Ilharco et al., "Editing models with task arithmetic", arXiv 2212.04089: a + scale (b - base)."""
    return a + (b - base) * scale


def files(load, *names):
    return [load(name) for name in names]


@case
def average(load):
    return combined(files(load, "a", "b"), lambda x, y: x * 0.5 + y * 0.5)


@case
def weighted(load):
    return combined(files(load, *"abc"), lambda x, y, z: x * 0.2 + y * 0.3 + z * 0.5)


@case
def weighted_mixed(load):
    states = files(load, "mixed_a", "mixed_b", "mixed_c")
    return combined(states, lambda x, y, z: x * -1.5 + y * 0.0 + z * 1e-3)


@case
def weighted_untied(load):
    return combined(files(load, "a", "untied"), lambda x, y: x * 0.25 + y * 0.75)


@case
def weighted_extremes(load):
    return combined(files(load, "extremes_a", "extremes_b"), lambda x, y: x * 2.0 + y * 0.0)


@case
def weighted_in(load):
    """The second half of a checkpoint into its first: the path of each is given."""
    parts = load("parts")
    combined([parts["model"], load("parts")["ema"]], lambda x, y: x * 0.5 + y * 0.5)
    return parts


@case
def ema_twice(load):
    return combined(files(load, *"abc"), lambda x, y, z: ema(ema(x, y, 0.9), z, 0.9))


@case
def ema_ends(load):
    return combined(files(load, "extremes_a", "extremes_b"), lambda x, y: ema(x, y, 1.0))


@case
def ema_mixed(load):
    return combined(files(load, "mixed_a", "mixed_b"), lambda x, y: ema(x, y, 0.999))


@case
def task_one(load):
    return combined(files(load, *"abc"), lambda x, y, z: task(x, y, z, 0.7))


@case
def task_many(load):
    states = files(load, "c", "a", "b", "c")
    return combined(states, lambda w, x, y, z: task(task(w, x, z, 1.0), y, z, -0.4))


@case
def task_extremes(load):
    states = files(load, "extremes_b", "extremes_a", "extremes_b")
    return combined(states, lambda x, y, z: task(x, y, z, 0.5))


@case
def slerp_one(load):
    return combined(files(load, "a", "b"), lambda x, y: slerp(x, y, 0.3))


@case
def slerp_ends(load):
    return combined(files(load, "mixed_a", "mixed_b"), lambda x, y: slerp(x, y, 1.0))


@case
def slerp_extremes(load):
    """Without what is NaN or infinite: there is no angle."""
    states = files(load, "extremes_a", "extremes_b")
    states = [{key: it for key, it in state.items() if key not in no_numbers} for state in states]
    return combined(states, lambda x, y: slerp(x, y, 0.4))


@case
def disjoint(load):
    return {**load("fc"), **load("out"), **load("training")["views"]}


@case
def disjoint_in(load):
    parts = load("parts")
    parts["model"] |= load("fc")
    return parts
