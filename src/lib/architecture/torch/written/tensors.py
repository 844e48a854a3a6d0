"""Functions of torch that are methods of tensors, too."""
import math
import torch


def diff(input, n=1, dim=-1, prepend=None, append=None):
    parts = [part for part in (prepend, input, append) if part is not None]
    x = torch.cat(parts, dim) if len(parts) > 1 else input
    for _ in range(n):
        length = x.shape[dim]
        later, earlier = x.narrow(dim, 1, length - 1), x.narrow(dim, 0, length - 1)
        x = later ^ earlier if x.dtype == torch.bool else later - earlier
    return x


def trace(input):
    return torch.diagonal(input).sum()


def cross(input, other, dim=None):
    if dim is None:
        dim = list(input.shape).index(3)
    input, other = torch.broadcast_tensors(input, other)
    if input.shape[dim] != 3:
        raise RuntimeError(f'cross: dimension {dim} has length {input.shape[dim]}, not 3')
    x, y = input.unbind(dim), other.unbind(dim)
    turns = [x[(at + 1) % 3] * y[(at + 2) % 3] - x[(at + 2) % 3] * y[(at + 1) % 3] for at in range(3)]
    return torch.stack(turns, dim)


def kron(input, other):
    rank = max(input.dim(), other.dim())
    x = input.reshape((1,) * (rank - input.dim()) + tuple(input.shape))
    y = other.reshape((1,) * (rank - other.dim()) + tuple(other.shape))
    outer = x.reshape([size for length in x.shape for size in (length, 1)])
    inner = y.reshape([size for length in y.shape for size in (1, length)])
    return (outer * inner).reshape([x.shape[axis] * y.shape[axis] for axis in range(rank)])


def hypot(input, other):
    return torch.sqrt(input * input + other * other)


def logaddexp(input, other):
    most = torch.maximum(input, other)
    return most + torch.log1p(torch.exp(-torch.abs(input - other)))


def logaddexp2(input, other):
    return logaddexp(input * math.log(2), other * math.log(2)) / math.log(2)


def xlogy(input, other):
    if not isinstance(other, torch.Tensor):
        return input * math.log(other)
    return torch.where(input == 0, 0.0, input * torch.log(torch.where(input == 0, 1.0, other)))


def asinh(input):
    x = torch.abs(input)
    return torch.sign(input) * torch.log1p(x + x * x / (1 + torch.sqrt(x * x + 1)))


def acosh(input):
    return torch.log(input + torch.sqrt(input - 1) * torch.sqrt(input + 1))


def atanh(input):
    return 0.5 * (torch.log1p(input) - torch.log1p(-input))


arcsinh = asinh
arccosh = acosh
arctanh = atanh


def deg2rad(input):
    return input * (math.pi / 180)


def rad2deg(input):
    return input * (180 / math.pi)


def sinc(input):
    x = torch.where(input == 0, 1.0, input) * math.pi
    return torch.where(input == 0, 1.0, torch.sin(x) / x)


def logit(input, eps=None):
    x = input if eps is None else input.clamp(eps, 1 - eps)
    return torch.log(x / (1 - x))


def sgn(input):
    return torch.sign(input)


def heaviside(input, values):
    return torch.where(input == 0, values, (input > 0).to(values.dtype))


def fmax(input, other):
    return torch.where(torch.isnan(input), other,
                       torch.where(torch.isnan(other), input, torch.maximum(input, other)))


def fmin(input, other):
    return torch.where(torch.isnan(input), other,
                       torch.where(torch.isnan(other), input, torch.minimum(input, other)))


def dist(input, other, p=2):
    return torch.norm((input - other).flatten(), p=p)


def nansum(input, dim=None, keepdim=False):
    return torch.where(torch.isnan(input), 0.0, input).sum(dim, keepdim)


def nanmean(input, dim=None, keepdim=False):
    count = (~torch.isnan(input)).sum(dim, keepdim)
    return nansum(input, dim, keepdim) / count


def median(input, dim=None, keepdim=False):
    """Of an even number of elements the lower of the two in the middle."""
    if dim is None:
        return input.flatten().sort(0)[0][(input.numel() - 1) // 2]
    values, indices = input.sort(dim, stable=True)
    middle = (input.shape[dim] - 1) // 2
    values, indices = values.narrow(dim, middle, 1), indices.narrow(dim, middle, 1)
    return (values, indices) if keepdim else (values.squeeze(dim), indices.squeeze(dim))


def quantile(input, q, dim=None, keepdim=False, *, interpolation='linear'):
    if isinstance(q, torch.Tensor) or interpolation != 'linear':
        unsupported('quantile of other than one number, linearly, is not supported')
    x = input.flatten() if dim is None else input
    axis = 0 if dim is None else dim
    values = x.sort(axis)[0]
    at = q * (x.shape[axis] - 1)
    low = math.floor(at)
    first, second = values.narrow(axis, low, 1), values.narrow(axis, math.ceil(at), 1)
    result = first + (second - first) * (at - low)
    if dim is None:
        return result.reshape([1] * input.dim()) if keepdim else result.reshape([])
    return result if keepdim else result.squeeze(axis)


def aminmax(input, *, dim=None, keepdim=False):
    if dim is None:
        return input.amin(), input.amax()
    return input.amin(dim, keepdim), input.amax(dim, keepdim)


def diag_embed(input, offset=0, dim1=-2, dim2=-1):
    if (dim1, dim2) != (-2, -1):
        unsupported('diag_embed to other than the last two axes is not supported')
    size = input.shape[-1] + abs(offset)
    rows = torch.zeros(*input.shape[:-1], size, size)
    rows.diagonal(offset, -2, -1).copy_(input)
    return rows


def diagflat(input, offset=0):
    return torch.diag(input.flatten(), offset)


def isclose(input, other, rtol=1e-5, atol=1e-8, equal_nan=False):
    close = (input == other) | (torch.isfinite(other) & (
        torch.abs(input - other) <= atol + torch.abs(rtol * other)))
    return close | (torch.isnan(input) & torch.isnan(other)) if equal_nan else close


def logcumsumexp(input, dim):
    most = input.amax(dim, True).detach()
    return torch.log(torch.cumsum(torch.exp(input - most), dim)) + most


def addmv(input, mat, vec, *, beta=1, alpha=1):
    return beta * input + alpha * torch.mv(mat, vec)


def addr(input, vec1, vec2, *, beta=1, alpha=1):
    return beta * input + alpha * torch.outer(vec1, vec2)


def isneginf(input):
    return input == -math.inf


def isposinf(input):
    return input == math.inf


def msort(input):
    return input.sort(0)[0]
