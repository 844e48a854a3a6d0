"""VGG with and without batch normalisation (Simonyan & Zisserman 2014), with torchvision's names."""
import torch
from torch import nn


class VGG(nn.Module):
    def __init__(self, plan, normed=False, channels=3, hidden=4096, num_classes=1000):
        """plan: output channels of each convolution, 0 for a pool"""
        super().__init__()
        layers = []
        for width in plan:
            if width == 0:
                layers.append(nn.MaxPool2d(2, 2))
                continue
            layers.append(nn.Conv2d(channels, width, 3, padding=1))
            if normed:
                layers.append(nn.BatchNorm2d(width))
            layers.append(nn.ReLU(inplace=True))
            channels = width
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(channels * 7 * 7, hidden), nn.ReLU(True), nn.Dropout(),
            nn.Linear(hidden, hidden), nn.ReLU(True), nn.Dropout(),
            nn.Linear(hidden, num_classes),
        )

    def forward(self, x):
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))
