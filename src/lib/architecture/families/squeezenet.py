"""SqueezeNet 1.0 and 1.1 (Iandola et al. 2016), with torchvision's names."""
import torch
from torch import nn


class Fire(nn.Module):
    def __init__(self, inputs, squeeze, expand):
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeeze, 1)
        self.squeeze_activation = nn.ReLU(inplace=True)
        self.expand1x1 = nn.Conv2d(squeeze, expand, 1)
        self.expand1x1_activation = nn.ReLU(inplace=True)
        self.expand3x3 = nn.Conv2d(squeeze, expand, 3, padding=1)
        self.expand3x3_activation = nn.ReLU(inplace=True)

    def forward(self, x):
        x = self.squeeze_activation(self.squeeze(x))
        near = self.expand1x1_activation(self.expand1x1(x))
        wide = self.expand3x3_activation(self.expand3x3(x))
        return torch.cat([near, wide], 1)


def pool():
    return nn.MaxPool2d(3, 2, ceil_mode=True)


class SqueezeNet(nn.Module):
    def __init__(self, version="1_1", channels=3, num_classes=1000):
        super().__init__()
        fires = [Fire(64 if version == "1_1" else 96, 16, 64), Fire(128, 16, 64)]
        wider = [Fire(128, 32, 128), Fire(256, 32, 128)]
        widest = [Fire(256, 48, 192), Fire(384, 48, 192), Fire(384, 64, 256)]
        last = Fire(512, 64, 256)
        if version == "1_1":
            stem = [nn.Conv2d(channels, 64, 3, 2), nn.ReLU(inplace=True), pool()]
            body = [*fires, pool(), *wider, pool(), *widest, last]
        else:
            stem = [nn.Conv2d(channels, 96, 7, 2), nn.ReLU(inplace=True), pool()]
            body = [*fires, wider[0], pool(), wider[1], *widest, pool(), last]
        self.features = nn.Sequential(*stem, *body)
        self.classifier = nn.Sequential(
            nn.Dropout(0.5), nn.Conv2d(512, num_classes, 1), nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d((1, 1)),
        )

    def forward(self, x):
        return torch.flatten(self.classifier(self.features(x)), 1)
