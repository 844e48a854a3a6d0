"""Sampling of images at the places of a grid, where -1 and 1 are the borders."""
import itertools
import torch


def affine_grid(theta, size, align_corners=None):
    """theta (N, 2, 3) and (N, C, H, W), or (N, 3, 4) and (N, C, D, H, W): a grid for grid_sample."""
    batch, sizes = size[0], list(size[2:])
    rank = len(sizes)
    if theta.shape != (batch, rank, rank + 1):
        raise ValueError(f'theta {tuple(theta.shape)} does not fit the size {tuple(size)}')

    def steps(count):
        line = torch.linspace(-1, 1, count) if count > 1 else torch.zeros(1)
        return line if align_corners else line * ((count - 1) / count)

    axes = torch.meshgrid(*[steps(count) for count in sizes], indexing='ij')
    places = torch.stack([*axes[::-1], torch.ones(*sizes)], -1).reshape(1, -1, rank + 1)
    return (places @ theta.transpose(1, 2)).reshape(batch, *sizes, rank)


def grid_sample(input, grid, mode='bilinear', padding_mode='zeros', align_corners=None):
    """(N, C, H, W) by (N, h, w, 2), or (N, C, D, H, W) by (N, d, h, w, 3)."""
    batch, channels = input.shape[:2]
    sizes = input.shape[2:]
    rank = len(sizes)
    if mode not in ('bilinear', 'nearest', 'bicubic'):
        raise ValueError(f'grid_sample: mode {mode} is none of bilinear, nearest, bicubic')
    if padding_mode not in ('zeros', 'border', 'reflection'):
        raise ValueError(f'grid_sample: padding_mode {padding_mode} is not known')
    if rank not in (2, 3) or grid.dim() != rank + 2:
        raise RuntimeError('grid_sample: input and grid have to have 4 or 5 axes')
    if grid.shape[0] != batch or grid.shape[-1] != rank:
        raise RuntimeError('grid_sample: input and grid do not fit together')
    if mode == 'bicubic' and rank == 3:
        raise RuntimeError('grid_sample: bicubic only takes inputs of 4 axes')
    taps = []
    for axis in range(rank):
        size = sizes[axis]
        at = grid[..., rank - 1 - axis].reshape(batch, -1)
        at = (at + 1) / 2 * (size - 1) if align_corners else ((at + 1) * size - 1) / 2
        taps.append(_taps(at, size, mode, padding_mode, align_corners))
    flat = input.flatten(2)
    result = 0
    for corner in itertools.product(*taps):
        place, weight = 0, 1
        for (index, share), size in zip(corner, sizes):
            place, weight = place * size + index, weight * share
        picked = flat.gather(2, place.unsqueeze(1).expand(-1, channels, -1))
        result = result + picked * weight.unsqueeze(1)
    return result.reshape(batch, channels, *grid.shape[1:-1])


def _taps(at, size, mode, padding_mode, align_corners):
    """Elements of an axis and their weights, for each place."""
    if mode == 'bicubic':
        low = torch.floor(at)
        return [_tap(_padded(low + step, size, padding_mode, align_corners), size,
                     _cubic(at - low - step)) for step in (-1, 0, 1, 2)]
    at = _padded(at, size, padding_mode, align_corners)
    if mode == 'nearest':
        return [_tap(torch.round(at), size, torch.ones_like(at))]
    low = torch.floor(at)
    return [_tap(low, size, low + 1 - at), _tap(low + 1, size, at - low)]


def _tap(at, size, weight):
    inside = (at >= 0) & (at <= size - 1)
    return at.clamp(0, size - 1).long(), torch.where(inside, weight, 0.0)


def _padded(at, size, padding_mode, align_corners):
    if padding_mode == 'zeros':
        return at
    if padding_mode == 'reflection':
        low, span = (0.0, size - 1) if align_corners else (-0.5, size)
        if span == 0:
            return torch.zeros_like(at)
        away = torch.abs(at - low)
        turns = torch.floor(away / span).detach()
        rest = away - turns * span
        at = torch.where(turns % 2 == 0, rest, span - rest) + low
    return at.clamp(0, size - 1)


def _cubic(distance):
    """Keys' cubic convolution with a = -0.75, at a distance below 2."""
    x = torch.abs(distance)
    near = (1.25 * x - 2.25) * x * x + 1
    far = ((-0.75 * x + 3.75) * x - 6) * x + 3
    return torch.where(x <= 1, near, far)
