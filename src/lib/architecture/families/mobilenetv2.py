"""MobileNetV2 (Sandler et al. 2018), with torchvision's names."""
import torch
from torch import nn


class ConvNormed(nn.Sequential):
    def __init__(self, inputs, outputs, size, stride=1, groups=1):
        super().__init__(
            nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU6(inplace=True),
        )


class InvertedResidual(nn.Module):
    def __init__(self, inputs, hidden, outputs, stride):
        super().__init__()
        self.adds = stride == 1 and inputs == outputs
        expand = [] if hidden == inputs else [ConvNormed(inputs, hidden, 1)]
        self.conv = nn.Sequential(
            *expand,
            ConvNormed(hidden, hidden, 3, stride, groups=hidden),
            nn.Conv2d(hidden, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )

    def forward(self, x):
        return x + self.conv(x) if self.adds else self.conv(x)


class MobileNetV2(nn.Module):
    def __init__(self, stem, blocks, last, channels=3, num_classes=1000):
        """blocks: (hidden channels, output channels, stride) of each"""
        super().__init__()
        layers = [ConvNormed(channels, stem, 3, 2)]
        width = stem
        for hidden, outputs, stride in blocks:
            layers.append(InvertedResidual(width, hidden, outputs, stride))
            width = outputs
        layers.append(ConvNormed(width, last, 1))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(last, num_classes))

    def forward(self, x):
        x = nn.functional.adaptive_avg_pool2d(self.features(x), (1, 1))
        return self.classifier(torch.flatten(x, 1))
