"""ConvNeXt (Liu et al. 2022), with torchvision's names."""
import torch
import torch.nn.functional as F
from torch import nn


class LayerNorm2d(nn.LayerNorm):
    def forward(self, x):
        x = F.layer_norm(x.permute(0, 2, 3, 1), self.normalized_shape, self.weight, self.bias, self.eps)
        return x.permute(0, 3, 1, 2)


class Permute(nn.Module):
    def __init__(self, dims):
        super().__init__()
        self.dims = dims

    def forward(self, x):
        return torch.permute(x, self.dims)


class Block(nn.Module):
    def __init__(self, width, drop):
        super().__init__()
        self.block = nn.Sequential(
            nn.Conv2d(width, width, 7, padding=3, groups=width),
            Permute([0, 2, 3, 1]),
            nn.LayerNorm(width, eps=1e-6),
            nn.Linear(width, 4 * width),
            nn.GELU(),
            nn.Linear(4 * width, width),
            Permute([0, 3, 1, 2]),
        )
        self.layer_scale = nn.Parameter(torch.ones(width, 1, 1))
        self.drop = drop

    def forward(self, x):
        y = self.layer_scale * self.block(x)
        # Stochastic depth: in training, whole images skip the block.
        if self.training:
            y = y * F.dropout(torch.ones(x.shape[0], 1, 1, 1), self.drop, True)
        return y + x


class ConvNeXt(nn.Module):
    def __init__(self, widths, depths, drop=0.1, channels=3, num_classes=1000):
        super().__init__()
        layers = [
            nn.Sequential(nn.Conv2d(channels, widths[0], 4, 4), LayerNorm2d(widths[0], eps=1e-6))
        ]
        number, last = 0, sum(depths) - 1
        for stage, (width, depth) in enumerate(zip(widths, depths)):
            blocks = []
            for _ in range(depth):
                blocks.append(Block(width, drop * number / last))
                number += 1
            layers.append(nn.Sequential(*blocks))
            if stage + 1 < len(widths):
                halve = nn.Conv2d(width, widths[stage + 1], 2, 2)
                layers.append(nn.Sequential(LayerNorm2d(width, eps=1e-6), halve))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            LayerNorm2d(widths[-1], eps=1e-6), nn.Flatten(1), nn.Linear(widths[-1], num_classes)
        )

    def forward(self, x):
        return self.classifier(F.adaptive_avg_pool2d(self.features(x), 1))
