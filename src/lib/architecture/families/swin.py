"""Swin transformer (Liu et al. 2021) with torchvision's names."""
import torch
import torch.nn.functional as F
from torch import nn


def relative_positions(size):
    """For each pair of places in a window, the row of the bias table: (size ** 4)"""
    grid = torch.stack(torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij"))
    places = grid.flatten(1)
    offsets = (places[:, :, None] - places[:, None, :]).permute(1, 2, 0) + (size - 1)
    return (offsets[:, :, 0] * (2 * size - 1) + offsets[:, :, 1]).view(-1)


def windows(x, size):
    """(B, H, W, C) to (B * windows, size * size, C)"""
    batch, height, width, channels = x.shape
    x = x.view(batch, height // size, size, width // size, size, channels)
    return x.permute(0, 1, 3, 2, 4, 5).reshape(-1, size * size, channels)


class WindowAttention(nn.Module):
    def __init__(self, width, heads, size, shift):
        super().__init__()
        self.heads, self.size, self.shift = heads, size, shift
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.relative_position_bias_table = nn.Parameter(torch.empty((2 * size - 1) ** 2, heads))
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)
        self.register_buffer("relative_position_index", relative_positions(size))

    def forward(self, x):
        batch, height, width, channels = x.shape
        size = self.size
        x = F.pad(x, (0, 0, 0, (size - width % size) % size, 0, (size - height % size) % size))
        rows, columns = x.shape[1], x.shape[2]
        # A window that covers the whole side needs no shift.
        shifts = [0 if size >= side else self.shift for side in (rows, columns)]
        if sum(shifts) > 0:
            x = torch.roll(x, (-shifts[0], -shifts[1]), dims=(1, 2))
        x = windows(x, size)
        area = size * size
        qkv = self.qkv(x).reshape(x.shape[0], area, 3, self.heads, channels // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        scores = (q * (channels // self.heads) ** -0.5).matmul(k.transpose(-2, -1))
        bias = self.relative_position_bias_table[self.relative_position_index]
        scores = scores + bias.view(area, area, -1).permute(2, 0, 1).unsqueeze(0)
        if sum(shifts) > 0:
            mask = self.mask(rows, columns, shifts).unsqueeze(1).unsqueeze(0)
            scores = scores.view(batch, -1, self.heads, area, area) + mask
            scores = scores.view(-1, self.heads, area, area)
        x = torch.softmax(scores, dim=-1).matmul(v).transpose(1, 2)
        x = self.proj(x.reshape(-1, area, channels))
        x = x.view(batch, rows // size, columns // size, size, size, channels)
        x = x.permute(0, 1, 3, 2, 4, 5).reshape(batch, rows, columns, channels)
        if sum(shifts) > 0:
            x = torch.roll(x, (shifts[0], shifts[1]), dims=(1, 2))
        return x[:, :height, :width, :]

    def mask(self, rows, columns, shifts):
        """-100 between places that were not neighbours before the image was rolled"""
        regions = []
        for side, shift in zip((rows, columns), shifts):
            places = torch.arange(side)
            regions.append((places >= side - self.size).long() + (places >= side - shift).long())
        region = regions[0][:, None] * 3 + regions[1][None, :]
        region = windows(region[None, :, :, None], self.size).squeeze(-1)
        apart = region[:, None, :] != region[:, :, None]
        return torch.where(apart, -100.0, 0.0)


class Block(nn.Module):
    def __init__(self, width, heads, size, shift, hidden, drop):
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-5)
        self.attn = WindowAttention(width, heads, size, shift)
        self.norm2 = nn.LayerNorm(width, eps=1e-5)
        self.mlp = nn.Sequential(
            nn.Linear(width, hidden), nn.GELU(), nn.Dropout(0.0), nn.Linear(hidden, width), nn.Dropout(0.0)
        )
        self.drop = drop

    def kept(self, x):
        # Stochastic depth: in training, whole images skip the branch.
        return x * F.dropout(torch.ones(x.shape[0], 1, 1, 1), self.drop, True) if self.training else x

    def forward(self, x):
        x = x + self.kept(self.attn(self.norm1(x)))
        return x + self.kept(self.mlp(self.norm2(x)))


class PatchMerging(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.reduction = nn.Linear(4 * width, 2 * width, bias=False)
        self.norm = nn.LayerNorm(4 * width, eps=1e-5)

    def forward(self, x):
        x = F.pad(x, (0, 0, 0, x.shape[2] % 2, 0, x.shape[1] % 2))
        corners = [x[:, row::2, column::2, :] for column in (0, 1) for row in (0, 1)]
        return self.reduction(self.norm(torch.cat(corners, -1)))


class Permute(nn.Module):
    def __init__(self, dims):
        super().__init__()
        self.dims = dims

    def forward(self, x):
        return x.permute(self.dims)


class SwinTransformer(nn.Module):
    def __init__(self, width, depths, heads, size=7, patch=4, ratio=4, drop=0.2, channels=3, num_classes=1000):
        super().__init__()
        stem = nn.Conv2d(channels, width, patch, patch)
        layers = [nn.Sequential(stem, Permute([0, 2, 3, 1]), nn.LayerNorm(width, eps=1e-5))]
        number, last = 0, sum(depths) - 1
        for stage, depth in enumerate(depths):
            blocks = []
            for at in range(depth):
                shift = 0 if at % 2 == 0 else size // 2
                hidden = width * ratio
                blocks.append(Block(width, heads[stage], size, shift, hidden, drop * number / last))
                number += 1
            layers.append(nn.Sequential(*blocks))
            if stage + 1 < len(depths):
                layers.append(PatchMerging(width))
                width *= 2
        self.features = nn.Sequential(*layers)
        self.norm = nn.LayerNorm(width, eps=1e-5)
        self.head = nn.Linear(width, num_classes)

    def forward(self, x):
        x = self.norm(self.features(x)).permute(0, 3, 1, 2)
        return self.head(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))
