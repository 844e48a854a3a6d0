"""Pools beside the common ones: power averages, maxima with their places, and the way back."""
import torch
from torch import nn
import torch.nn.functional as F


def _sizes(value, rank):
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * rank


def _lp_pool(pool, rank, input, norm_type, kernel_size, stride, ceil_mode):
    count = 1
    for size in _sizes(kernel_size, rank):
        count = count * size
    mean = pool(input.pow(norm_type), kernel_size, stride, 0, ceil_mode)
    return (torch.sign(mean) * F.relu(torch.abs(mean)) * count).pow(1.0 / norm_type)


def lp_pool1d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    return _lp_pool(F.avg_pool1d, 1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    return _lp_pool(F.avg_pool2d, 2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    return _lp_pool(F.avg_pool3d, 3, input, norm_type, kernel_size, stride, ceil_mode)


class _LPPool(nn.Module):
    def __init__(self, norm_type, kernel_size, stride=None, ceil_mode=False):
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def forward(self, input):
        return self._pool(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class LPPool1d(_LPPool):
    def _pool(self, *args):
        return lp_pool1d(*args)


class LPPool2d(_LPPool):
    def _pool(self, *args):
        return lp_pool2d(*args)


class LPPool3d(_LPPool):
    def _pool(self, *args):
        return lp_pool3d(*args)


# Below every number that a network computes.
_LOWEST = -3e38


def max_pool2d_with_indices(input, kernel_size, stride=None, padding=0, dilation=1,
                            ceil_mode=False, return_indices=True):
    """The maxima, and where each lies in the plane H · W."""
    kernel = _sizes(kernel_size, 2)
    stride = _sizes(stride, 2) if stride else kernel
    padding, dilation = _sizes(padding, 2), _sizes(dilation, 2)
    size = input.shape[-2:]
    pooled = F.max_pool2d(input, kernel, stride, padding, dilation, ceil_mode).shape[-2:]
    # Far enough behind the input for the last window.
    behind = [max(0, (pooled[at] - 1) * stride[at] + dilation[at] * (kernel[at] - 1) + 1
                  - size[at] - padding[at]) for at in range(2)]
    border = (padding[1], behind[1], padding[0], behind[0])
    planes = F.pad(input.reshape(-1, 1, *size), border, value=_LOWEST)
    windows = F.unfold(planes, kernel, dilation, 0, stride)
    counts = [(planes.shape[2 + at] - dilation[at] * (kernel[at] - 1) - 1) // stride[at] + 1
              for at in range(2)]
    windows = windows.reshape(-1, windows.shape[1], *counts)[:, :, :pooled[0], :pooled[1]]
    values, which = windows.max(1)

    def first(at):
        return torch.arange(pooled[at]) * stride[at] - padding[at]

    row = first(0)[:, None] + which // kernel[1] * dilation[0]
    column = first(1) + which % kernel[1] * dilation[1]
    shape = (*input.shape[:-2], *pooled)
    return values.reshape(shape), (row * size[1] + column).reshape(shape)


def max_pool1d_with_indices(input, kernel_size, stride=None, padding=0, dilation=1,
                            ceil_mode=False, return_indices=True):
    def plane(value, other):
        return (other, *_sizes(value, 1))

    values, indices = max_pool2d_with_indices(
        input.unsqueeze(-2), plane(kernel_size, 1), plane(stride, 1) if stride else None,
        plane(padding, 0), plane(dilation, 1), ceil_mode)
    return values.squeeze(-2), indices.squeeze(-2)


def _max_unpool(rank, input, indices, kernel_size, stride, padding, output_size):
    kernel = _sizes(kernel_size, rank)
    stride = _sizes(stride, rank) if stride else kernel
    padding = _sizes(padding, rank)
    size = input.shape[-rank:]
    full = [(size[at] - 1) * stride[at] - 2 * padding[at] + kernel[at] for at in range(rank)]
    if output_size is not None:
        given = list(output_size)[-rank:]
        for at in range(rank):
            if abs(given[at] - full[at]) >= stride[at]:
                raise ValueError(f'invalid output_size {output_size}')
        full = given
    lead = input.shape[:-rank]
    count = 1
    for length in full:
        count = count * length
    flat = torch.zeros(*lead, count).scatter(-1, indices.flatten(-rank), input.flatten(-rank))
    return flat.reshape(*lead, *full)


def max_unpool1d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    return _max_unpool(1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    return _max_unpool(2, input, indices, kernel_size, stride, padding, output_size)


class _MaxUnpool(nn.Module):
    def __init__(self, kernel_size, stride=None, padding=0):
        super().__init__()
        self.kernel_size = _sizes(kernel_size, self._rank)
        self.stride = _sizes(stride if stride is not None else kernel_size, self._rank)
        self.padding = _sizes(padding, self._rank)

    def forward(self, input, indices, output_size=None):
        return _max_unpool(self._rank, input, indices, self.kernel_size, self.stride, self.padding,
                           output_size)


class MaxUnpool1d(_MaxUnpool):
    _rank = 1


class MaxUnpool2d(_MaxUnpool):
    _rank = 2
