"""Lists and dicts of parameters."""
import torch
from torch import nn


def _parameter(value):
    if isinstance(value, torch.Tensor) and not isinstance(value, nn.Parameter):
        return nn.Parameter(value)
    return value


class ParameterList(nn.Module):
    def __init__(self, values=None):
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def _key(self, index):
        if not -self._size <= index < self._size:
            raise IndexError(f'index {index} is out of range')
        return str(index % self._size)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return type(self)([self[at] for at in range(self._size)[index]])
        return getattr(self, self._key(index))

    def __setitem__(self, index, value):
        setattr(self, self._key(index), _parameter(value))

    def __len__(self):
        return self._size

    def __iter__(self):
        return iter([self[at] for at in range(self._size)])

    def append(self, value):
        self._size += 1
        self[self._size - 1] = value
        return self

    def extend(self, values):
        for value in values:
            self.append(value)
        return self

    def __iadd__(self, values):
        return self.extend(values)


class ParameterDict(nn.Module):
    def __init__(self, parameters=None):
        super().__init__()
        self._keys = {}
        if parameters is not None:
            self.update(parameters)

    def __getitem__(self, key):
        return getattr(self, key)

    def __setitem__(self, key, value):
        self._keys[key] = None
        setattr(self, key, _parameter(value))

    def __contains__(self, key):
        return key in self._keys

    def __len__(self):
        return len(self._keys)

    def __iter__(self):
        return iter(list(self._keys))

    def keys(self):
        return list(self._keys)

    def values(self):
        return [self[key] for key in self._keys]

    def items(self):
        return [(key, self[key]) for key in self._keys]

    def get(self, key, default=None):
        return self[key] if key in self else default

    def update(self, parameters):
        pairs = parameters.items() if hasattr(parameters, 'items') else parameters
        # PyTorch sorts those of a plain dict.
        for key, value in sorted(pairs) if type(parameters) is dict else pairs:
            self[key] = value


class DataParallel(nn.Module):
    """Everything runs in one place; the keys begin with `module.`."""

    def __init__(self, module, device_ids=None, output_device=None, dim=0):
        super().__init__()
        self.module = module

    def forward(self, *inputs, **keywords):
        return self.module(*inputs, **keywords)
