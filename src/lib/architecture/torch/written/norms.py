"""Weights that are worked out of others before each call: weight_norm and spectral_norm."""
import torch
from torch import nn


def _before(module, name, hook):
    """Has `hook` work out the attribute before each call of the module; until then it has a shape."""
    weight = getattr(module, name)
    delattr(module, name)
    setattr(module, name, weight.detach())
    if not hasattr(module, '_forward_pre_hooks'):
        module._forward_pre_hooks = {}
    module._forward_pre_hooks[name] = hook
    return weight


def _parameter(module, name):
    weight = getattr(module, name)
    if not isinstance(weight, nn.Parameter):
        raise ValueError(f'the module has no parameter {name} to normalise')
    return weight


def _norm(v, dim):
    """Over all axes but one, which is kept."""
    if dim is None or dim == -1:
        return v.norm()
    return v.norm(2, [axis for axis in range(v.dim()) if axis != dim % v.dim()], True)


def _normalised(v, g, dim):
    return v * (g / _norm(v, dim))


class _OldWeightNorm:
    def __init__(self, name, dim):
        self.name = name
        self.dim = dim

    def __call__(self, module, inputs):
        g, v = getattr(module, self.name + '_g'), getattr(module, self.name + '_v')
        setattr(module, self.name, _normalised(v, g, self.dim))


def weight_norm(module, name='weight', dim=0):
    _parameter(module, name)
    weight = _before(module, name, _OldWeightNorm(name, dim))
    module.register_parameter(name + '_g', nn.Parameter(_norm(weight, dim)))
    module.register_parameter(name + '_v', nn.Parameter(weight.detach()))
    return module


def remove_weight_norm(module, name='weight'):
    weight = getattr(module, name + '_v').detach()
    for part in (name, name + '_g', name + '_v'):
        delattr(module, part)
    del module._forward_pre_hooks[name]
    module.register_parameter(name, nn.Parameter(weight))
    return module


def _matrix(weight, dim):
    """(axis dim, everything else)"""
    axes = [dim] + [axis for axis in range(weight.dim()) if axis != dim]
    return weight.permute(axes).flatten(1)


def _spectral(module, weight, u, v, dim):
    if module.training:
        unsupported('spectral_norm in training is not supported: its power iteration changes buffers')
    return weight / torch.dot(u, torch.mv(_matrix(weight, dim), v))


def _outer_axis(module, dim):
    if dim is not None:
        return dim
    transposed = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
    return 1 if isinstance(module, transposed) else 0


class _OldSpectralNorm:
    def __init__(self, name, dim):
        self.name = name
        self.dim = dim

    def __call__(self, module, inputs):
        weight, u, v = [getattr(module, self.name + part) for part in ('_orig', '_u', '_v')]
        setattr(module, self.name, _spectral(module, weight, u, v, self.dim))


def spectral_norm(module, name='weight', n_power_iterations=1, eps=1e-12, dim=None):
    _parameter(module, name)
    dim = _outer_axis(module, dim)
    weight = _before(module, name, _OldSpectralNorm(name, dim))
    module.register_parameter(name + '_orig', nn.Parameter(weight.detach()))
    for part, size in zip(('_u', '_v'), _matrix(weight, dim).shape):
        module.register_buffer(name + part, nn.functional.normalize(torch.randn(size), dim=0, eps=eps))
    return module
