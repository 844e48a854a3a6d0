"""ConvNeXt (Liu et al. 2022), with the names of torchvision and of timm."""
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


def kept(x, drop, training):
    """Stochastic depth: in training, whole images skip the block."""
    return x * F.dropout(torch.ones(x.shape[0], 1, 1, 1), drop, True) if training else x


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
        self.layer_scale = nn.Parameter(torch.full((width, 1, 1), 1e-6))
        self.drop = drop

    def forward(self, x):
        return kept(self.layer_scale * self.block(x), self.drop, self.training) + x


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


class TimmMLP(nn.Module):
    """`convolved`: 1 by 1 convolutions over channels first, in timm's smallest models."""

    def __init__(self, width, convolved):
        super().__init__()
        inner = 4 * width
        self.fc1 = nn.Conv2d(width, inner, 1) if convolved else nn.Linear(width, inner)
        self.fc2 = nn.Conv2d(inner, width, 1) if convolved else nn.Linear(inner, width)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class TimmBlock(nn.Module):
    def __init__(self, width, drop, convolved, eps):
        super().__init__()
        self.gamma = nn.Parameter(torch.full((width,), 1e-6))
        self.conv_dw = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm = LayerNorm2d(width, eps=eps)
        self.mlp = TimmMLP(width, convolved)
        self.drop, self.convolved = drop, convolved

    def forward(self, x):
        y = self.norm(self.conv_dw(x))
        if self.convolved:
            y = self.mlp(y)
        else:
            y = self.mlp(y.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return kept(y * self.gamma.view(1, -1, 1, 1), self.drop, self.training) + x


class TimmStage(nn.Module):
    def __init__(self, inputs, width, drops, convolved, eps):
        super().__init__()
        self.downsample = nn.Identity()
        if inputs != width:
            halve = nn.Conv2d(inputs, width, 2, 2)
            self.downsample = nn.Sequential(LayerNorm2d(inputs, eps=eps), halve)
        self.blocks = nn.Sequential(*[TimmBlock(width, drop, convolved, eps) for drop in drops])

    def forward(self, x):
        return self.blocks(self.downsample(x))


class TimmHead(nn.Module):
    def __init__(self, width, num_classes, eps):
        super().__init__()
        self.norm = LayerNorm2d(width, eps=eps)
        self.fc = nn.Linear(width, num_classes)

    def forward(self, x):
        return self.fc(torch.flatten(self.norm(F.adaptive_avg_pool2d(x, 1)), 1))


class TimmConvNeXt(nn.Module):
    def __init__(self, widths, depths, convolved=False, eps=1e-6, drop=0.1, channels=3, num_classes=1000):
        super().__init__()
        patches = nn.Conv2d(channels, widths[0], 4, 4)
        self.stem = nn.Sequential(patches, LayerNorm2d(widths[0], eps=eps))
        stages, number, last = [], 0, sum(depths) - 1
        for inputs, width, depth in zip([widths[0], *widths], widths, depths):
            drops = [drop * (number + at) / last for at in range(depth)]
            stages.append(TimmStage(inputs, width, drops, convolved, eps))
            number += depth
        self.stages = nn.Sequential(*stages)
        self.head = TimmHead(widths[-1], num_classes, eps)

    def forward(self, x):
        return self.head(self.stages(self.stem(x)))
