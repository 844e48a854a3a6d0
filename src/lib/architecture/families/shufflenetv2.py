"""ShuffleNetV2 (Ma et al. 2018), with torchvision's names."""
import torch
from torch import nn


def shuffle(x, groups):
    batch, channels, height, width = x.size()
    x = x.view(batch, groups, channels // groups, height, width)
    return torch.transpose(x, 1, 2).contiguous().view(batch, channels, height, width)


def pointwise(inputs, outputs):
    return [nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


def depthwise(width, stride):
    conv = nn.Conv2d(width, width, 3, stride, 1, groups=width, bias=False)
    return [conv, nn.BatchNorm2d(width)]


class Unit(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.stride = stride
        half = outputs // 2
        if stride > 1:
            self.branch1 = nn.Sequential(*depthwise(inputs, stride), *pointwise(inputs, half))
        else:
            self.branch1 = nn.Sequential()
        self.branch2 = nn.Sequential(
            *pointwise(inputs if stride > 1 else half, half),
            *depthwise(half, stride),
            *pointwise(half, half),
        )

    def forward(self, x):
        if self.stride == 1:
            kept, x = x.chunk(2, dim=1)
        else:
            kept = self.branch1(x)
        return shuffle(torch.cat((kept, self.branch2(x)), dim=1), 2)


class ShuffleNetV2(nn.Module):
    def __init__(self, depths, widths, channels=3, num_classes=1000):
        super().__init__()
        self.conv1 = nn.Sequential(
            nn.Conv2d(channels, widths[0], 3, 2, 1, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(inplace=True),
        )
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        width = widths[0]
        for number, (depth, outputs) in enumerate(zip(depths, widths[1:]), 2):
            units = [Unit(width, outputs, 2)]
            units += [Unit(outputs, outputs, 1) for _ in range(depth - 1)]
            setattr(self, f"stage{number}", nn.Sequential(*units))
            width = outputs
        self.conv5 = nn.Sequential(*pointwise(width, widths[-1]))
        self.fc = nn.Linear(widths[-1], num_classes)

    def forward(self, x):
        x = self.maxpool(self.conv1(x))
        x = self.stage4(self.stage3(self.stage2(x)))
        return self.fc(self.conv5(x).mean([2, 3]))
