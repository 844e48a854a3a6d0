"""Losses beside the common ones, by the formulas of PyTorch's documentation."""
import math
import torch
from torch import nn
import torch.nn.functional as F


def _reduced(loss, reduction, size_average=None, reduce=None):
    if size_average is not None or reduce is not None:
        unsupported('size_average and reduce of a loss are not supported: give reduction')
    if reduction == 'mean':
        return loss.mean()
    if reduction == 'sum':
        return loss.sum()
    if reduction == 'none':
        return loss
    raise ValueError(f'{reduction} is not a valid value for reduction')


def margin_ranking_loss(input1, input2, target, margin=0, size_average=None, reduce=None,
                        reduction='mean'):
    loss = (margin - target * (input1 - input2)).clamp_min(0)
    return _reduced(loss, reduction, size_average, reduce)


def hinge_embedding_loss(input, target, margin=1.0, size_average=None, reduce=None,
                         reduction='mean'):
    apart = torch.where(target != 1, (margin - input).clamp_min(0), 0.0)
    loss = apart + torch.where(target != -1, input, 0.0)
    return _reduced(loss, reduction, size_average, reduce)


def cosine_embedding_loss(input1, input2, target, margin=0, size_average=None, reduce=None,
                          reduction='mean'):
    dim = target.dim()

    def squares(x):
        return (x * x).sum(dim) + 1e-12

    cosine = (input1 * input2).sum(dim) / (squares(input1) * squares(input2)).sqrt()
    loss = torch.where(target == 1, 1 - cosine, 0.0)
    loss = loss + torch.where(target == -1, (cosine - margin).clamp_min(0), 0.0)
    return _reduced(loss, reduction, size_average, reduce)


def triplet_margin_loss(anchor, positive, negative, margin=1.0, p=2, eps=1e-6, swap=False,
                        size_average=None, reduce=None, reduction='mean'):
    def distance(x, y):
        return F.pairwise_distance(x, y, p, eps)

    return _triplets(anchor, positive, negative, distance, margin, swap,
                     reduction, size_average, reduce)


def triplet_margin_with_distance_loss(anchor, positive, negative, *, distance_function=None,
                                      margin=1.0, swap=False, reduction='mean'):
    distance = F.pairwise_distance if distance_function is None else distance_function
    return _triplets(anchor, positive, negative, distance, margin, swap, reduction)


def _triplets(anchor, positive, negative, distance, margin, swap, reduction,
              size_average=None, reduce=None):
    away = distance(anchor, negative)
    if swap:
        away = torch.minimum(away, distance(positive, negative))
    loss = (margin + distance(anchor, positive) - away).clamp_min(0)
    return _reduced(loss, reduction, size_average, reduce)


def poisson_nll_loss(input, target, log_input=True, full=False, size_average=None, eps=1e-8,
                     reduce=None, reduction='mean'):
    if log_input:
        loss = torch.exp(input) - target * input
    else:
        loss = input - target * torch.log(input + eps)
    if full:
        # Stirling's approximation of log(target!).
        large = torch.where(target > 1, target, 1.0)
        stirling = large * torch.log(large) - large + 0.5 * torch.log(2 * math.pi * large)
        loss = loss + torch.where(target > 1, stirling, 0.0)
    return _reduced(loss, reduction, size_average, reduce)


def gaussian_nll_loss(input, target, var, full=False, eps=1e-6, reduction='mean'):
    if not isinstance(var, torch.Tensor):
        var = var * torch.ones_like(input)
    if var.shape != input.shape:
        if var.shape == input.shape[:-1]:
            var = var.unsqueeze(-1)
        elif var.shape[:-1] != input.shape[:-1] or var.shape[-1] != 1:
            raise ValueError('var is of incorrect size')
    # The limit changes the variance and not its gradient.
    var = var + (var.clamp_min(eps) - var).detach()
    loss = 0.5 * (torch.log(var) + (input - target) ** 2 / var)
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return _reduced(loss, reduction)


def soft_margin_loss(input, target, size_average=None, reduce=None, reduction='mean'):
    return _reduced(torch.log1p(torch.exp(-target * input)), reduction, size_average, reduce)


def multi_margin_loss(input, target, p=1, margin=1.0, weight=None, size_average=None, reduce=None,
                      reduction='mean'):
    if p != 1 and p != 2:
        raise ValueError('only p == 1 and p == 2 supported')
    if input.dim() == 1:
        loss = multi_margin_loss(input[None], target.reshape(1), p, margin, weight, reduction='none')
        return _reduced(loss if target.dim() else loss[0], reduction, size_average, reduce)
    own = F.one_hot(target, input.shape[1])
    loss = (margin - input.gather(1, target[:, None]) + input).clamp_min(0)
    loss = loss * loss if p == 2 else loss
    if weight is not None:
        loss = loss * weight[target][:, None]
    loss = (loss * (1 - own)).sum(1) / input.shape[1]
    return _reduced(loss, reduction, size_average, reduce)


def multilabel_soft_margin_loss(input, target, weight=None, size_average=None, reduce=None,
                                reduction='mean'):
    loss = -(target * F.logsigmoid(input) + (1 - target) * F.logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    return _reduced(loss.mean(-1), reduction, size_average, reduce)


class _Loss(nn.Module):
    """A base that the user's losses may have."""

    def __init__(self, size_average=None, reduce=None, reduction='mean'):
        super().__init__()
        if size_average is not None or reduce is not None:
            unsupported('size_average and reduce of a loss are not supported: give reduction')
        self.reduction = reduction


class _FunctionLoss(nn.Module):
    """Keeps the function's arguments beyond its tensors."""

    def _keep(self, function, size_average=None, reduce=None, **options):
        if size_average is not None or reduce is not None:
            unsupported('size_average and reduce of a loss are not supported: give reduction')
        self._function = function
        self._options = list(options)
        for name, value in options.items():
            setattr(self, name, value)

    def _keep_weight(self, weight):
        self.register_buffer('weight', weight)
        self._options.append('weight')

    def forward(self, *tensors):
        return self._function(*tensors, **{name: getattr(self, name) for name in self._options})


class MarginRankingLoss(_FunctionLoss):
    def __init__(self, margin=0.0, size_average=None, reduce=None, reduction='mean'):
        super().__init__()
        self._keep(margin_ranking_loss, size_average, reduce, margin=margin, reduction=reduction)


class HingeEmbeddingLoss(_FunctionLoss):
    def __init__(self, margin=1.0, size_average=None, reduce=None, reduction='mean'):
        super().__init__()
        self._keep(hinge_embedding_loss, size_average, reduce, margin=margin, reduction=reduction)


class CosineEmbeddingLoss(_FunctionLoss):
    def __init__(self, margin=0.0, size_average=None, reduce=None, reduction='mean'):
        super().__init__()
        self._keep(cosine_embedding_loss, size_average, reduce, margin=margin, reduction=reduction)


class TripletMarginLoss(_FunctionLoss):
    def __init__(self, margin=1.0, p=2.0, eps=1e-6, swap=False, size_average=None, reduce=None,
                 reduction='mean'):
        super().__init__()
        self._keep(triplet_margin_loss, size_average, reduce,
                   margin=margin, p=p, eps=eps, swap=swap, reduction=reduction)


class TripletMarginWithDistanceLoss(_FunctionLoss):
    def __init__(self, *, distance_function=None, margin=1.0, swap=False, reduction='mean'):
        super().__init__()
        self._keep(triplet_margin_with_distance_loss, distance_function=distance_function,
                   margin=margin, swap=swap, reduction=reduction)


class PoissonNLLLoss(_FunctionLoss):
    def __init__(self, log_input=True, full=False, size_average=None, eps=1e-8, reduce=None,
                 reduction='mean'):
        super().__init__()
        self._keep(poisson_nll_loss, size_average, reduce,
                   log_input=log_input, full=full, eps=eps, reduction=reduction)


class GaussianNLLLoss(_FunctionLoss):
    def __init__(self, *, full=False, eps=1e-6, reduction='mean'):
        super().__init__()
        self._keep(gaussian_nll_loss, full=full, eps=eps, reduction=reduction)


class SoftMarginLoss(_FunctionLoss):
    def __init__(self, size_average=None, reduce=None, reduction='mean'):
        super().__init__()
        self._keep(soft_margin_loss, size_average, reduce, reduction=reduction)


class MultiMarginLoss(_FunctionLoss):
    def __init__(self, p=1, margin=1.0, weight=None, size_average=None, reduce=None,
                 reduction='mean'):
        super().__init__()
        self._keep(multi_margin_loss, size_average, reduce, p=p, margin=margin, reduction=reduction)
        self._keep_weight(weight)


class MultiLabelSoftMarginLoss(_FunctionLoss):
    def __init__(self, weight=None, size_average=None, reduce=None, reduction='mean'):
        super().__init__()
        self._keep(multilabel_soft_margin_loss, size_average, reduce, reduction=reduction)
        self._keep_weight(weight)
