"""Distances between rows."""
import torch
from torch import nn


def pairwise_distance(x1, x2, p=2.0, eps=1e-6, keepdim=False):
    return torch.norm(x1 - x2 + eps, p=p, dim=-1, keepdim=keepdim)


def cdist(x1, x2, p=2.0, compute_mode='use_mm_for_euclid_dist_if_necessary'):
    """(…, P, M) and (…, R, M) give (…, P, R). All differences are made: P · R · M numbers."""
    return torch.norm(x1.unsqueeze(-2) - x2.unsqueeze(-3), p=p, dim=-1)


def pdist(input, p=2.0):
    """The distances above the diagonal, row by row."""
    first, second = torch.triu_indices(input.shape[0], input.shape[0], 1)
    return torch.norm(input[first] - input[second], p=p, dim=-1)


class PairwiseDistance(nn.Module):
    def __init__(self, p=2.0, eps=1e-6, keepdim=False):
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1, x2):
        return pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)
