"""EfficientNet-B0 to B7 (Tan & Le 2019), with torchvision's names."""
import torch
from torch import nn
from torch.nn import functional as F


def normed(inputs, outputs, size, stride=1, groups=1, eps=1e-5, active=True):
    layers = [
        nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs, eps=eps),
    ]
    return nn.Sequential(*layers, nn.SiLU(inplace=True)) if active else nn.Sequential(*layers)


class SqueezeExcitation(nn.Module):
    def __init__(self, channels, squeezed):
        super().__init__()
        self.fc1 = nn.Conv2d(channels, squeezed, 1)
        self.fc2 = nn.Conv2d(squeezed, channels, 1)

    def forward(self, x):
        scale = F.silu(self.fc1(F.adaptive_avg_pool2d(x, 1)))
        return torch.sigmoid(self.fc2(scale)) * x


class MBConv(nn.Module):
    def __init__(self, inputs, hidden, outputs, size, stride, squeezed, eps, drop):
        super().__init__()
        self.adds = stride == 1 and inputs == outputs
        self.drop = drop
        expand = [] if hidden == inputs else [normed(inputs, hidden, 1, eps=eps)]
        self.block = nn.Sequential(
            *expand,
            normed(hidden, hidden, size, stride, hidden, eps),
            SqueezeExcitation(hidden, squeezed),
            normed(hidden, outputs, 1, eps=eps, active=False),
        )

    def forward(self, x):
        y = self.block(x)
        if not self.adds:
            return y
        # Stochastic depth: in training, whole images skip the block.
        kept = F.dropout(torch.ones(x.shape[0], 1, 1, 1), self.drop, self.training)
        return x + (y * kept if self.training else y)


class EfficientNet(nn.Module):
    def __init__(self, stem, stages, last, eps=1e-5, dropout=0.2, channels=3, num_classes=1000):
        """stages: lists of blocks (hidden, outputs, kernel, stride, squeezed)"""
        super().__init__()
        layers = [normed(channels, stem, 3, 2, eps=eps)]
        width, number = stem, 0
        total = sum(len(stage) for stage in stages)
        for stage in stages:
            blocks = []
            for hidden, outputs, size, stride, squeezed in stage:
                drop = 0.2 * number / total
                blocks.append(MBConv(width, hidden, outputs, size, stride, squeezed, eps, drop))
                width = outputs
                number += 1
            layers.append(nn.Sequential(*blocks))
        layers.append(normed(width, last, 1, eps=eps))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(last, num_classes))

    def forward(self, x):
        x = F.adaptive_avg_pool2d(self.features(x), 1)
        return self.classifier(torch.flatten(x, 1))
