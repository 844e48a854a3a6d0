"""Draws small programs of tensors at random: lines of Python that PyTorch runs without an error.
Each is a list of lines of `forward`, the lines of `__init__` that it needs, and its inputs. What
PyTorch refuses is drawn again, so that every kind of argument can be tried.

    programs.py SEED COUNT > programs.json
"""

import json
import math
import random
import sys

import warnings

import torch
import torch.nn.functional as F
from torch import nn

torch.set_num_threads(1)
warnings.simplefilter("ignore")
MOST_ELEMENTS = 3000
LARGEST = 1e3


class Refused(Exception):
    """This draw does not fit the tensors that are there."""


class Program:
    """Draws statement after statement, and runs each at once."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        torch.manual_seed(seed)
        self.inputs, self.init, self.lines = {}, [], []
        self.values = {}
        self.model = nn.Module()
        for _ in range(self.random.choice((1, 1, 2, 2, 3))):
            self.add_input()

    # What is drawn

    def chance(self, share):
        return self.random.random() < share

    def pick(self, *choices):
        return self.random.choice(choices)

    def size(self):
        return self.pick(1, 2, 2, 3, 3, 4, 5, 6, 7)

    def number(self):
        return self.pick(-2, -1, -0.5, 0, 0.25, 0.5, 1, 1.5, 2, 3)

    def tensor(self, *ranks, dtype=torch.float32):
        names = [
            name
            for name, value in self.values.items()
            if value.dtype == dtype and (not ranks or value.dim() in ranks)
        ]
        if not names:
            raise Refused
        # Those made last are likelier: programs should be deep.
        return self.random.choice(names + names[-2:] * 2)

    def dim(self, name, extra=0):
        rank = self.values[name].dim() + extra
        if rank == 0:
            return self.pick(0, -1)
        return self.random.randrange(-rank, rank)

    def dims(self, name):
        rank = self.values[name].dim()
        if rank == 0:
            raise Refused
        chosen = self.random.sample(range(rank), self.random.randint(1, rank))
        return tuple(dim - rank if self.chance(0.5) else dim for dim in chosen)

    def shape(self, rank):
        return [self.size() for _ in range(rank)]

    # What is made

    def add_input(self, shape=None, dtype="float32", low=None, high=None):
        name = "xyzuvw"[len(self.inputs)] if len(self.inputs) < 6 else f"x{len(self.inputs)}"
        shape = self.shape(self.pick(0, 1, 2, 2, 3, 3, 4, 4, 5)) if shape is None else shape
        spec = {"shape": list(shape), "dtype": dtype}
        if low is not None:
            spec |= {"low": low, "high": high}
        if dtype == "float32":
            value = torch.randn(shape)
        elif dtype == "bool":
            value = torch.rand(shape) < 0.5
        else:
            value = torch.randint(low, high, shape)
        self.inputs[name], self.values[name] = spec, value
        return name

    def module(self, code):
        name = f"m{len(self.init)}"
        self.init.append(f"self.{name} = {code}")
        setattr(self.model, name, eval(code, {"nn": nn, "torch": torch}))
        return f"self.{name}"

    def run(self, code):
        scope = {"torch": torch, "F": F, "nn": nn, "math": math, "self": self.model}
        values = dict(self.values)
        exec(code, scope, values)
        made = {name: value for name, value in values.items() if isinstance(value, torch.Tensor)}
        for value in made.values():
            if not 0 < value.numel() <= MOST_ELEMENTS or value.dim() > 6:
                raise Refused
            if value.is_floating_point():
                if value.dtype != torch.float32:
                    raise Refused
                if value.numel() and not value.detach().abs().max() < LARGEST:
                    raise Refused
            elif value.dtype not in (torch.int64, torch.bool):
                raise Refused
        self.values = made
        self.lines.extend(code.split("\n"))

    def step(self):
        name = f"t{len(self.lines)}"
        before = dict(self.inputs), list(self.init), dict(self.values)
        copies = {key: value.clone() for key, value in self.values.items()}
        try:
            code = self.random.choice(DRAWS)(self)
            if not code.startswith("#"):
                code = f"{name} = {code}"
            self.run(code.removeprefix("#").replace("OUT", name))
        except Exception:
            self.inputs, self.init, _ = before
            self.values = copies
            # Modules and views of an attempt are forgotten; lines made before stay true.
            raise Refused from None


def unary(p):
    x = p.tensor()
    a, b = sorted((p.number(), p.number()))
    return p.pick(
        f"torch.exp({x} * 0.3)", f"torch.log({x}.abs() + 0.5)", f"torch.sqrt({x}.abs() + 0.25)",
        f"torch.sin({x})", f"torch.cos({x})", f"{x}.tanh()", f"torch.sigmoid({x})", f"F.relu({x})",
        f"F.gelu({x})", f"F.gelu({x}, approximate='tanh')", f"F.silu({x})", f"F.elu({x}, alpha={abs(a) + 0.5})",
        f"F.selu({x})", f"F.celu({x}, {abs(a) + 0.5})", f"F.leaky_relu({x}, {p.pick(0.01, 0.2)})",
        f"F.softplus({x}, beta={p.pick(1, 2, 0.5)}, threshold={p.pick(20, 1)})", f"F.hardtanh({x}, {a}, {b + 0.25})",
        f"F.hardswish({x})", f"F.hardsigmoid({x})", f"F.mish({x})", f"F.softsign({x})", f"F.tanhshrink({x})",
        f"F.hardshrink({x}, {abs(a)})", f"F.softshrink({x}, {abs(a)})", f"F.threshold({x}, {a}, {b})",
        f"F.logsigmoid({x})", f"torch.erf({x})", f"{x}.abs()", f"-{x}", f"torch.sign({x})", f"{x}.floor()",
        f"{x}.ceil()", f"torch.round({x})", f"{x}.trunc()", f"torch.frac({x})", f"1 / ({x}.abs() + 0.5)",
        f"torch.rsqrt({x}.abs() + 0.5)", f"torch.square({x})", f"torch.expm1({x} * 0.5)", f"torch.log1p({x}.abs())",
        f"torch.atan({x})", f"{x}.clamp({a}, {b})", f"{x}.clamp(min={a})", f"torch.clamp({x}, max={b})",
        f"{x} ** {p.pick(2, 3, 1, 0)}", f"({x}.abs() + 0.5) ** {p.number()}", f"{p.pick(2, 0.5, 3)} ** {x}",
        f"{p.number()} - {x}", f"{p.number()} / ({x}.abs() + 0.5)", f"F.relu6({x} * 3)", f"torch.asinh({x})",
        f"torch.sinh({x} * 0.5)", f"torch.cosh({x} * 0.5)", f"{x}.float()", f"torch.zeros_like({x}) + {x}",
        f"torch.nan_to_num({x})", f"{x}.to(torch.float32) * {p.number()}", f"{x}.clone()", f"{x}.contiguous()",
        f"F.glu({x}, {p.dim(x)})", f"torch.logit(torch.sigmoid({x}))", f"torch.logit(torch.sigmoid({x}), eps=0.2)",
        f"({x} > {a}).float()", f"{x}.long()", f"{x}.int().long()", f"({x} * 2).to(torch.int64)", f"{x} // {p.pick(1, 2, 0.75, -1.5)}",
        f"{x} % {p.pick(1, 2, 0.75, -1.5)}", f"torch.fmod({x}, {p.pick(1, 2, 0.75, -1.5)})", f"torch.remainder({x}, {p.pick(1, 0.75, -1.5)})",
    )


def integers(p):
    i = p.tensor(dtype=torch.int64)
    k = p.pick(1, 2, 3, -2, -3)
    return p.pick(
        f"{i} + {k}", f"{i} * {k}", f"{i} // {k}", f"{i} % {k}", f"{i} / {k}", f"{i} > {k}", f"{i} == {k}", f"-{i}",
        f"{i}.abs()", f"{i}.float()", f"{i}.sum()", f"{i}.sum({p.dim(i)})", f"{i}.float().mean()", f"{i}.max()",
        f"{i}.clamp({-abs(k)}, {abs(k)})", f"torch.div({i}, {k}, rounding_mode={p.pick('None', repr('floor'), repr('trunc'))})",
        f"torch.fmod({i}, {k})", f"{i} ** 2", f"{i} * 0.5", f"{i} + 1.5", f"{i}.cumsum({p.dim(i)})", f"{i}.bool()",
        f"torch.sign({i})", f"{i} != 0", f"({i} % 2 == 0) & ({i} > 0)", f"{i}.argmax()", f"{i}.amax({p.dim(i)})", f"{i}.prod({p.dim(i)})",
        f"{i} - 1", f"F.one_hot({i}.abs() % 5, 5)", f"torch.floor_divide({i}, {k})",
        f"torch.true_divide({i}, {k})",
    )


def booleans(p):
    b = p.tensor(dtype=torch.bool)
    return p.pick(
        f"~{b}", f"{b}.float()", f"{b}.long()", f"{b}.any()", f"{b}.all()", f"{b}.any({p.dim(b)})", f"{b}.all({p.dim(b)}, keepdim=True)",
        f"{b}.sum()", f"{b}.sum({p.dim(b)})", f"{b} & True", f"{b} | ~{b}", f"{b} ^ True", f"{b}.float().mean()", f"{b} * 2", f"{b} + 1.5",
        f"torch.logical_not({b})", f"{b}.cumsum({p.dim(b)})", f"{b}.int().long()", f"torch.where({b}, 1.0, -1.0)",
    )


def compare(p):
    x, y = p.tensor(), p.tensor()
    return f"{x} {p.pick('>', '<', '>=', '<=', '==', '!=')} {p.pick(y, y, p.number())}"


def binary(p):
    x, y = p.tensor(), p.tensor()
    return p.pick(
        f"{x} + {y}", f"{x} - {y}", f"{x} * {y}", f"{x} / ({y}.abs() + 0.5)", f"torch.maximum({x}, {y})", f"torch.minimum({x}, {y})",
        f"({x}.abs() + 0.5) ** {y}", f"torch.pow({x}.abs() + 0.5, {y})", f"torch.atan2({x}, {y})", f"torch.where({x} > {y}, {x}, {y})",
        f"torch.add({x}, {y}, alpha={p.number()})", f"torch.sub({x}, {y}, alpha={p.number()})", f"torch.lerp({x}, {y}, {p.pick(0.25, 0.75)})",
        f"torch.addcmul({x}, {x}, {y}, value=0.5)", f"torch.addcdiv({x}, {x}, {y}.abs() + 0.5, value=-0.5)", f"torch.logaddexp({x}, {y})",
        f"torch.hypot({x}, {y})", f"torch.where({x} > 0, {y}, {p.number()})", f"torch.where({x} > 0, {x}, 0)", f"torch.fmax({x}, {y})",
        f"{x}.masked_fill({y} > 0.5, {p.number()})", f"F.mse_loss({x}, {y}, reduction={p.pick(repr('none'), repr('mean'), repr('sum'))})",
        f"F.smooth_l1_loss({x}, {y}, beta={p.pick(1.0, 0.5)})", f"F.l1_loss({x}, {y})", f"F.huber_loss({x}, {y}, delta={p.pick(1.0, 0.5)})",
        f"F.cosine_similarity({x}, {y}, dim={p.dim(x)})", f"F.binary_cross_entropy_with_logits({x}, torch.sigmoid({y}))",
        f"F.kl_div(F.log_softmax({x}, -1), F.softmax({y}, -1), reduction='batchmean')", f"torch.dist({x}, {y})", f"F.pairwise_distance({x}, {y})",
        f"torch.clamp({x}, min={y})", f"{x}.sub({y}).div(2)", f"torch.rsub({x}, {y})", f"torch.floor_divide({x}, {y}.abs() + 0.5)",
        f"torch.remainder({x}, {y}.abs() + 0.5)", f"torch.fmod({x}, {y}.abs() + 0.5)", f"torch.xlogy({x}, {y}.abs() + 0.5)", f"torch.isclose({x}, {y})",
    )


def mixed(p):
    x = p.tensor()
    i = p.tensor(dtype=p.pick(torch.int64, torch.bool))
    return f"{p.pick(x, i)} {p.pick('+', '*', '-')} {p.pick(x, i)}"


def shapes(p):
    x = p.tensor(dtype=p.pick(torch.float32, torch.float32, torch.float32, torch.int64, torch.bool))
    value = p.values[x]
    rank, d, e = value.dim(), p.dim(x), p.dim(x)
    order = p.random.sample(range(rank), rank)
    n = value.shape[d] if rank else 1
    factors = [f for f in range(1, value.numel() + 1) if value.numel() % f == 0] or [0]
    f = p.random.choice(factors)
    k = p.random.randint(1, max(1, n))
    offset = p.pick(-2, -1, 0, 0, 1, 2)
    return p.pick(
        f"{x}.reshape({f}, -1)", f"{x}.reshape(-1)", f"{x}.flatten({min(d % max(rank, 1), e % max(rank, 1))}, -1)", f"{x}.view(-1, {f})",
        f"{x}.permute({order})", f"{x}.permute({', '.join(map(str, order))})", f"{x}.transpose({d}, {e})", f"{x}.unsqueeze({p.dim(x, 1)})",
        f"{x}.squeeze()", f"{x}.squeeze({d})", f"{x}.expand({p.size()}, *{x}.shape)", f"{x}.unsqueeze(-1).expand(*{x}.shape, 3)",
        f"{x}.repeat({', '.join(str(p.pick(1, 1, 2, 3)) for _ in range(rank + p.pick(0, 0, 1)))})", f"torch.tile({x}, ({p.pick(1, 2)}, {p.pick(1, 2)}))",
        f"{x}.flip({d})", f"torch.flip({x}, {sorted(set(q % max(rank, 1) for q in (d, e)))})", f"torch.roll({x}, {offset}, {d})", f"torch.roll({x}, {offset})",
        f"{x}.chunk({p.pick(1, 2, 3)}, {d})[{p.pick(0, -1)}]", f"torch.split({x}, {k}, dim={d})[{p.pick(0, -1)}]", f"{x}.unbind({d})[{p.pick(0, -1)}]",
        f"{x}.narrow({d}, {p.random.randint(0, max(0, n - k))}, {k})", f"{x}.select({d}, {p.random.randint(-n, n - 1) if n else 0})",
        f"torch.tril({x}, {offset})", f"{x}.triu({offset})", f"torch.diagonal({x}, {offset}, {d}, {e})", f"{x}.repeat_interleave({p.pick(1, 2, 3)}, {d})",
        f"{x}.movedim({d}, {e})", f"{x}.unfold({d}, {k}, {p.pick(1, 2)})", f"{x}.swapaxes({d}, {e})", f"{x}.mT", f"torch.rot90({x}, {p.pick(1, 2, 3, -1)}, [{d}, {e}])",
        f"torch.diag({x}, {offset})", f"torch.diag_embed({x}, {offset})", f"{x}.unflatten({d}, (-1, {p.pick(1, 2, 3)}))", f"torch.atleast_2d({x})",
        f"{x}.index_select({d}, torch.tensor({[p.random.randrange(n) for _ in range(p.size())] if n else []}))", f"{x}.reshape({x}.shape[0], -1)",
        f"torch.stack([{x}, {x}], {p.dim(x, 1)})", f"torch.cat([{x}, {x}.flip({d})], {d})", f"torch.hstack([{x}, {x}])", f"torch.vstack([{x}, {x}])", f"{x}.sort({d}, descending={p.chance(0.5)})[0]",
        f"F.pad({x}, ({p.pick(0, 1, 2, -1)}, {p.pick(0, 1, 3)}))", f"F.pad({x}, (1, 0, 0, 2), value={p.number()})", f"F.pad({x}, ({p.pick(0, 1)}, {p.pick(1, 2)}), mode={p.pick(repr('reflect'), repr('replicate'), repr('circular'))})",
        f"F.pad({x}, (1, 1, {p.pick(0, 1, 2)}, 1), mode={p.pick(repr('reflect'), repr('replicate'), repr('circular'))})", f"F.pixel_shuffle({x}, 2)", f"F.pixel_unshuffle({x}, 2)", f"F.channel_shuffle({x}, 2)",
        f"torch.cumsum({x}, {d})", f"{x}.cumprod({d})" if value.dtype == torch.float32 else f"{x}.cumsum({d})", f"torch.topk({x}, {k}, {d}, largest={p.chance(0.6)})[0]" if value.dtype == torch.float32 else f"{x}.flip({d})",
        f"F.unfold({x}, {p.pick(2, 3)}, padding={p.pick(0, 1)}, stride={p.pick(1, 2)}, dilation={p.pick(1, 1, 2)})", f"{x}.view({x}.shape)", f"{x}.T" if rank == 2 else f"{x}.transpose(-1, -2)",
        f"torch.take_along_dim({x}, {x}.argsort({d}), {d})" if value.dtype == torch.float32 else f"{x}.flatten()", f"{x}.gather({d}, {x}.argsort({d}, descending=True)[..., :2])" if value.dtype == torch.float32 else f"{x}.flatten()",
    )


def indexing(p):
    x = p.tensor(dtype=p.pick(torch.float32, torch.float32, torch.int64))
    value = p.values[x]
    parts = []
    for size in value.shape[: p.random.randint(0, value.dim())]:
        start, stop = p.pick("", "", p.random.randint(-size, size)), p.pick("", "", p.random.randint(-size, size))
        step = p.pick("", "", ":2", ":3")
        # No place twice: PyTorch leaves open which of two values for it wins.
        many = [p.pick(at, at - size) for at in p.random.sample(range(size), min(3, size))]
        parts.append(p.pick(f"{start}:{stop}{step}", f"{start}:{stop}{step}", ":", str(p.random.randrange(-size, size)) if size else ":", f"{many}" if p.chance(0.3) else ":", "None, :", f"torch.tensor({many})" if p.chance(0.3) else ":"))
    if p.chance(0.2):
        parts.insert(p.random.randint(0, len(parts)), p.pick("...", "None"))
    if not parts:
        parts = ["..."]
    return f"{x}[{', '.join(parts)}]"


def change(p):
    """A copy that is changed in place, by itself or through a view."""
    x, y = p.tensor(), p.tensor()
    d = p.dim(x)
    spot = indexing(p)
    part = spot[spot.index("["):]
    number = p.number()
    return "#" + p.pick(
        f"OUT = {x}.clone()\nOUT{part} = {number}", f"OUT = {x}.clone()\nOUT{part} += {number}", f"OUT = {x}.clone()\nOUT{part} *= {y}", f"OUT = {x} * 1\nOUT{part} = {y}",
        f"OUT = {x}.clone()\nOUT.add_({y})", f"OUT = {x}.clone()\nOUT.mul_({number}).sub_({y})", f"OUT = {x}.clone()\nOUT[OUT > 0.5] = {number}", f"OUT = {x}.clone()\nOUT.clamp_(-1, 1)",
        f"OUT = {x} + 0\nOUTv = OUT.transpose(0, -1)\nOUTv.mul_({number})", f"OUT = {x} + 0\nOUTv = OUT{part}\nOUTv.add_(1)\nOUT = OUT * 2", f"OUT = {x}.clone()\nOUT.unsqueeze(0).add_({y})",
        f"OUT = {x}.clone()\nfor OUTr in OUT: OUTr.mul_({number})", f"OUT = {x}.clone()\nOUT.diagonal().add_({number})", f"OUT = {x}.clone()\nOUT.masked_fill_({x} > 0, {number})", f"OUT = {x}.clone()\nOUT.zero_().add_({y})",
        f"OUT = {x}.clone()\nOUT.select({d}, 0).fill_({number})", f"OUT = torch.zeros_like({x})\nOUT{part} = {x}{part}", f"OUT = {x}.clone()\nOUT.copy_({y})", f"OUT = F.relu({x}.clone(), inplace=True)", f"OUT = {x}.clone()\nOUT.tanh_()\nOUT.neg_()",
        f"OUT = {x}.clone()\nOUT.index_add_({d}, torch.tensor([0, 0]), {x}.narrow({d}, 0, 2), alpha=0.5)", f"OUT = torch.scatter({x}, {d}, {x}.argsort({d}), {x})", f"OUT = {x}.scatter_add({d}, {x}.argsort({d}), {x})", f"OUT = torch.index_fill({x}, {d}, torch.tensor([0]), {number})",
        f"OUT = {x}.clone()\nOUTa, OUTb = OUT.chunk(2, {d})\nOUTa.mul_(2)\nOUT = OUT + 1",
    )


def reduce(p):
    x = p.tensor()
    d, keep = p.dim(x), p.chance(0.4)
    dims = p.dims(x) if p.values[x].dim() else 0
    return p.pick(
        f"{x}.sum()", f"{x}.sum({d}, keepdim={keep})", f"{x}.sum({dims})", f"{x}.mean()", f"{x}.mean({dims}, keepdim={keep})", f"torch.mean({x}, dim={d})", f"{x}.amax({dims}, {keep})", f"{x}.amin({d})",
        f"{x}.max()", f"{x}.max({d})[0]", f"{x}.max({d}, keepdim={keep}).values", f"torch.min({x}, {d}).values", f"{x}.prod()", f"{x}.prod({d}, {keep})", f"{x}.var()", f"{x}.var({d})", f"{x}.var({dims}, unbiased=False, keepdim={keep})",
        f"{x}.std({dims})", f"torch.std({x}, {d}, correction={p.pick(0, 1)})", f"{x}.norm()", f"{x}.norm(dim={d})", f"{x}.norm(p=1, dim={d}, keepdim={keep})", f"torch.linalg.vector_norm({x}, {p.pick(1, 2, 3)}, dim={d})", f"torch.linalg.norm({x})",
        f"torch.logsumexp({x}, {dims}, keepdim={keep})", f"F.softmax({x}, {d})", f"{x}.softmax(dim={d})", f"F.log_softmax({x}, dim={d})", f"F.softmin({x}, {d})", f"{x}.argmax({d})", f"{x}.argmin({d}, keepdim={keep})", f"{x}.argmax()",
        f"F.normalize({x}, dim={d})", f"F.normalize({x}, p=1, dim={d})", f"{x}.min({d}).indices", f"{x}.sort({d}).values", f"{x}.argsort({d})", f"{x}.topk(1, {d})[1]", f"torch.count_nonzero({x} > 0, {d})", f"({x} > 0).any({d})", f"torch.std_mean({x}, {d})[0]", f"torch.var_mean({x}, {dims}, keepdim={keep})[0]",
        f"torch.cumsum({x}, {d})", f"torch.cumprod({x}, {d})", f"torch.logcumsumexp({x}, {d})", f"{x}.nansum({d})", f"torch.aminmax({x}, dim={d})[0]", f"torch.median({x}, {d})[0]", f"{x}.cummax({d})[0]", f"torch.trace({x})",
        f"F.layer_norm({x}, {x}.shape[-1:])", f"F.rms_norm({x}, {x}.shape[-1:])", f"F.instance_norm({x})", f"F.local_response_norm({x}, {p.pick(2, 3)})", f"F.group_norm({x}, {p.pick(1, 2, 3)})",
    )


def matrices(p):
    x, y = p.tensor(1, 2, 3, 4), p.tensor(1, 2, 3, 4)
    n = p.values[x].shape[-1]
    w = p.add_input([*p.shape(p.pick(0, 0, 1)), n, p.size()]) if p.chance(0.6) else y
    return p.pick(
        f"{x} @ {w}", f"torch.matmul({x}, {w})", f"{w}.transpose(-1, -2) @ {x}.transpose(-1, -2)", f"{x} @ {x}.transpose(-1, -2)", f"torch.einsum('...i,...j->...ij', {x}, {x})", f"torch.einsum('bij,bkj->bik', {x}, {x})",
        f"torch.einsum('ij,jk', {x}, {w})", f"torch.einsum('ij->ji', {x})", f"torch.einsum('bij->bj', {x})", f"torch.outer({x}, {y})", f"torch.dot({x}, {x})", f"torch.mv({x}, {y})", f"torch.mm({x}, {w})", f"torch.bmm({x}, {x}.transpose(1, 2))", f"torch.tensordot({x}, {w}, dims=1)",
        f"F.linear({x}, {w}.transpose(-1, -2))", f"torch.addmm({y}, {x}, {w}, beta=0.5, alpha=2)", f"torch.baddbmm({y}, {x}, {x}.mT)", f"F.scaled_dot_product_attention({x}, {x}, {x})", f"F.scaled_dot_product_attention({x}, {x}, {x}, is_causal=True)", f"F.scaled_dot_product_attention({x}, {x}, {x}, scale=0.3)", f"torch.inner({x}, {x})",
        f"torch.linalg.multi_dot([{x}, {w}])", f"torch.kron({x}, {y})", f"torch.cdist({x}, {x} + 1)", f"torch.meshgrid({x}, {y}, indexing='ij')[0]", f"torch.cross({x}, {x} * 2 + 1, dim=-1)",
    )


def layers(p):
    x = p.tensor()
    shape = p.values[x].shape
    rank = len(shape)
    if rank < 1:
        raise Refused
    spatial = rank - 2
    last = shape[-1]
    channels = shape[1] if rank > 1 else 1
    g = p.pick(*[g for g in (1, 1, 2, 3, channels) if g and channels % g == 0])
    out = g * p.pick(1, 2, 3)
    k, s, d, pad = p.pick(1, 2, 3, 3), p.pick(1, 1, 2, 3), p.pick(1, 1, 2), p.pick(0, 1, 2)
    bias = p.chance(0.7)
    kinds = ["linear", "norm"]
    if spatial in (1, 2, 3):
        kinds += ["conv", "conv", "transposed", "pool", "pool", "adaptive", "upsample", "batch"]
    if spatial == 1:
        kinds += ["recurrent", "attention"]
    kind = p.random.choice(kinds)
    mode = repr(p.pick("zeros", "zeros", "reflect", "replicate", "circular"))
    if kind == "linear":
        code = f"nn.Linear({last}, {p.size()}, bias={bias})"
    elif kind == "norm":
        code = p.pick(f"nn.LayerNorm({last}, elementwise_affine={bias})", f"nn.LayerNorm({list(shape[-2:])}, eps=1e-3)", f"nn.RMSNorm({last})", f"nn.GroupNorm({g}, {channels})", f"nn.PReLU({p.pick(1, channels)})", f"nn.InstanceNorm{max(1, spatial)}d({channels}, affine={bias})")
    elif kind == "conv":
        padding = p.pick(pad, pad, "'same'") if s == 1 else pad
        code = f"nn.Conv{spatial}d({channels}, {out}, {k}, stride={s}, padding={padding}, dilation={d}, groups={g}, bias={bias}, padding_mode={mode})"
    elif kind == "transposed":
        code = f"nn.ConvTranspose{spatial}d({channels}, {out}, {k}, stride={s}, padding={pad}, output_padding={p.pick(0, 0, 1)}, groups={g}, bias={bias}, dilation={d})"
    elif kind == "pool":
        code = p.pick(f"nn.MaxPool{spatial}d({k}, {s}, {pad}, dilation={d}, ceil_mode={p.chance(0.4)})", f"nn.AvgPool{spatial}d({k}, {s}, {pad}, ceil_mode={p.chance(0.4)}, count_include_pad={p.chance(0.5)})", f"nn.MaxPool{spatial}d({k})", f"nn.LPPool{spatial}d(2, {k})" if spatial < 3 else f"nn.AvgPool3d({k})")
    elif kind == "adaptive":
        code = f"nn.Adaptive{p.pick('Avg', 'Max')}Pool{spatial}d({p.pick(1, 2, 3)})"
    elif kind == "upsample":
        smooth = {1: "linear", 2: p.pick("bilinear", "bicubic"), 3: "trilinear"}[spatial]
        code = p.pick(f"nn.Upsample(scale_factor={p.pick(2, 1.5, 0.6)})", f"nn.Upsample(size={p.pick(2, 3, 5)})", f"nn.Upsample(scale_factor={p.pick(2, 1.5, 0.6)}, mode='{smooth}', align_corners={p.chance(0.5)})", f"nn.Upsample(size={p.pick(2, 5)}, mode='{smooth}')", f"nn.Upsample(size={p.pick(2, 3, 5)}, mode='nearest-exact')")
    elif kind == "batch":
        code = f"nn.BatchNorm{spatial}d({channels}, affine={bias}, eps=1e-3)"
    elif kind == "recurrent":
        name = p.pick("LSTM", "GRU", "RNN")
        code = f"nn.{name}({last}, {p.pick(2, 3)}, {p.pick(1, 2)}, bias={bias}, batch_first={p.chance(0.5)}, bidirectional={p.chance(0.5)})"
        return f"{p.module(code)}({x})[0]"
    else:
        heads = p.pick(*[h for h in (1, 2, 3) if last % h == 0])
        code = f"nn.MultiheadAttention({last}, {heads}, bias={bias}, batch_first={p.chance(0.5)})"
        return f"{p.module(code)}({x}, {x}, {x})[{p.pick(0, 0, 1)}]"
    return f"{p.module(code)}({x})"


def embed(p):
    i = p.tensor(dtype=torch.int64)
    n = p.pick(4, 7)
    return p.pick(f"{p.module(f'nn.Embedding({n}, {p.size()})')}({i}.abs() % {n})", f"F.embedding({i}.abs() % 3, torch.arange(12.).reshape(3, 4))")


def losses(p):
    x = p.tensor(2, 3, 4)
    shape = list(p.values[x].shape)
    classes = shape.pop(1)
    t = p.add_input(shape, "int64", 0, classes)
    reduction = repr(p.pick("mean", "sum", "none"))
    return p.pick(f"F.cross_entropy({x}, {t}, reduction={reduction})", f"F.cross_entropy({x}, {t}, label_smoothing=0.1, ignore_index={p.pick(0, -100)})", f"F.nll_loss(F.log_softmax({x}, 1), {t}, reduction={reduction})", f"F.cross_entropy({x}, F.softmax({x}, 1))")


def more_inputs(p):
    name = p.add_input(*p.pick(((None,)), (None, "int64", -3, 6), (None, "bool")))
    return f"{name} * 1" if p.inputs[name]["dtype"] != "bool" else f"~{name}"


DRAWS = [unary] * 4 + [binary] * 4 + [shapes] * 6 + [indexing] * 3 + [change] * 4 + [reduce] * 5 + [matrices] * 3 + [layers] * 5 + [integers] * 2 + [booleans, compare, mixed, embed, losses, more_inputs]


def draw(seed):
    program = Program(seed)
    wanted = program.random.randint(1, 6)
    steps = 0
    for _ in range(60):
        try:
            program.step()
            steps += 1
        except Refused:
            continue
        if steps == wanted:
            break
    made = [name for name in program.values if name not in program.inputs]
    if not made:
        return draw(seed + 10_000_019)
    results = made[-1:] + [name for name in made[:-1] if program.chance(0.3)]
    drawn = {
        "code": "\n".join([*program.lines, f"return {', '.join(results)}"]),
        "inputs": program.inputs,
        "init": "\n".join(program.init),
    }
    return drawn if runs(drawn) else draw(seed + 10_000_019)


def runs(program):
    """Whether PyTorch runs the whole forwards and backwards, in single and double precision."""
    lines = [
        "class Case(nn.Module):",
        "    def __init__(self):",
        "        super().__init__()",
        *(f"        {line}" for line in program["init"].split("\n")),
        f"    def forward(self, {', '.join(program['inputs'])}):",
        *(f"        {line}" for line in program["code"].split("\n")),
    ]
    scope = {"torch": torch, "F": F, "nn": nn}
    exec("\n".join(lines), scope)
    try:
        for dtype in (torch.float64, torch.float32):
            torch.set_default_dtype(dtype)
            model = scope["Case"]().to(dtype).eval()
            given = {
                name: torch.randn(spec["shape"]).requires_grad_()
                if spec["dtype"] == "float32"
                else torch.rand(spec["shape"]) < 0.5
                if spec["dtype"] == "bool"
                else torch.randint(spec["low"], spec["high"], spec["shape"])
                for name, spec in program["inputs"].items()
            }
            outputs = model(**given)
            outputs = outputs if isinstance(outputs, tuple) else (outputs,)
            floats = [output.sum() for output in outputs if output.requires_grad]
            if floats:
                sum(floats).backward()
            gradients = [value.grad for value in given.values() if value.grad is not None]
            if not all(tensor.isfinite().all() for tensor in [*outputs, *gradients]):
                return False
            # A gradient of zeros may be none at all, which is no difference.
            if not all(gradient.any() for gradient in gradients):
                return False
    except Exception:
        return False
    finally:
        torch.set_default_dtype(torch.float32)
    return True


first, count = int(sys.argv[1]), int(sys.argv[2])
json.dump([draw(seed) for seed in range(first, first + count)], sys.stdout)
