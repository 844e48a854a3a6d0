"""MobileNetV3 large and small (Howard et al. 2019), with torchvision's names."""
import torch
from torch import nn
from torch.nn import functional as F


def normed(inputs, outputs, size, stride=1, groups=1, dilation=1, activation=None):
    layers = [
        nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs, eps=0.001, momentum=0.01),
    ]
    if activation is not None:
        layers.append(activation(inplace=True))
    return nn.Sequential(*layers)


class SqueezeExcitation(nn.Module):
    def __init__(self, channels, squeezed):
        super().__init__()
        self.fc1 = nn.Conv2d(channels, squeezed, 1)
        self.fc2 = nn.Conv2d(squeezed, channels, 1)

    def forward(self, x):
        scale = F.relu(self.fc1(F.adaptive_avg_pool2d(x, 1)))
        return F.hardsigmoid(self.fc2(scale)) * x


class Block(nn.Module):
    def __init__(self, inputs, size, hidden, outputs, squeezed, hard, stride):
        super().__init__()
        self.adds = stride == 1 and inputs == outputs
        activation = nn.Hardswish if hard else nn.ReLU
        layers = []
        if hidden != inputs:
            layers.append(normed(inputs, hidden, 1, activation=activation))
        layers.append(normed(hidden, hidden, size, stride, hidden, activation=activation))
        if squeezed:
            layers.append(SqueezeExcitation(hidden, squeezed))
        layers.append(normed(hidden, outputs, 1))
        self.block = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.block(x) if self.adds else self.block(x)


class MobileNetV3(nn.Module):
    def __init__(self, blocks, stem, last, hidden, channels=3, num_classes=1000):
        """blocks: (kernel, hidden, outputs, squeezed, hardswish, stride) of each"""
        super().__init__()
        layers = [normed(channels, stem, 3, 2, activation=nn.Hardswish)]
        width = stem
        for size, inner, outputs, squeezed, hard, stride in blocks:
            layers.append(Block(width, size, inner, outputs, squeezed, hard, stride))
            width = outputs
        layers.append(normed(width, last, 1, activation=nn.Hardswish))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(last, hidden), nn.Hardswish(inplace=True), nn.Dropout(0.2, inplace=True),
            nn.Linear(hidden, num_classes),
        )

    def forward(self, x):
        x = F.adaptive_avg_pool2d(self.features(x), 1)
        return self.classifier(torch.flatten(x, 1))
