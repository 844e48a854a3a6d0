"""weight_norm and spectral_norm of torch.nn.utils.parametrizations, with the keys that they have."""
import torch
from torch import nn
from torch.nn.functional import normalize
from torch.nn.utils import _before, _matrix, _norm, _normalised, _outer_axis, _parameter, _spectral


class _Parametrizations(nn.ModuleList):
    """The originals of one weight as parameters, and as `0` what makes the weight of them."""


class _WeightNorm(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.dim = dim

    def weight(self, module, originals):
        return _normalised(originals.original1, originals.original0, self.dim)


class _SpectralNorm(nn.Module):
    def __init__(self, weight, dim, eps):
        super().__init__()
        self.dim = dim
        if weight.dim() > 1:
            matrix = _matrix(weight, dim)
            u, v = [normalize(torch.randn(size), dim=0, eps=eps) for size in matrix.shape]
            # PyTorch takes 15 steps here and one more when the weight is registered.
            for _ in range(16):
                u = normalize(torch.mv(matrix, v), dim=0, eps=eps)
                v = normalize(torch.mv(matrix.t(), u), dim=0, eps=eps)
            self.register_buffer('_u', u)
            self.register_buffer('_v', v)

    def weight(self, module, originals):
        if originals.original.dim() == 1:
            return nn.functional.normalize(originals.original, dim=0)
        return _spectral(module, originals.original, self._u, self._v, self.dim)


class _Hook:
    def __init__(self, name):
        self.name = name

    def __call__(self, module, inputs):
        originals = module.parametrizations[self.name]
        setattr(module, self.name, originals[0].weight(module, originals))


def _parametrized(module, name, parametrization, originals):
    _before(module, name, _Hook(name))
    if not hasattr(module, 'parametrizations'):
        module.parametrizations = nn.ModuleDict()
    parts = _Parametrizations([parametrization])
    for key, value in originals.items():
        parts.register_parameter(key, nn.Parameter(value))
    module.parametrizations[name] = parts
    return module


def weight_norm(module, name='weight', dim=0):
    weight = _parameter(module, name)
    originals = {'original0': _norm(weight, dim), 'original1': weight.detach()}
    return _parametrized(module, name, _WeightNorm(dim), originals)


def spectral_norm(module, name='weight', n_power_iterations=1, eps=1e-12, dim=None):
    weight = _parameter(module, name)
    parametrization = _SpectralNorm(weight, _outer_axis(module, dim), eps)
    return _parametrized(module, name, parametrization, {'original': weight.detach()})
