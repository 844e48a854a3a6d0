"""ResNet, Wide ResNet and ResNeXt, with torchvision's names (stride in the 3 x 3 convolution)."""
import torch
from torch import nn


def conv(inputs, outputs, size, stride=1, groups=1):
    return nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False)


class Basic(nn.Module):
    def __init__(self, inputs, planes, width, groups, stride, downsample):
        super().__init__()
        self.conv1 = conv(inputs, planes, 3, stride)
        self.bn1 = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = conv(planes, planes, 3)
        self.bn2 = nn.BatchNorm2d(planes)
        self.downsample = downsample

    def forward(self, x):
        skip = x if self.downsample is None else self.downsample(x)
        y = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(y)) + skip)


class Bottleneck(nn.Module):
    def __init__(self, inputs, planes, width, groups, stride, downsample):
        super().__init__()
        self.conv1 = conv(inputs, width, 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv(width, width, 3, stride, groups)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = conv(width, planes * 4, 1)
        self.bn3 = nn.BatchNorm2d(planes * 4)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample

    def forward(self, x):
        skip = x if self.downsample is None else self.downsample(x)
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        return self.relu(self.bn3(self.conv3(y)) + skip)


class ResNet(nn.Module):
    def __init__(self, depths, bottleneck, width=64, groups=1, channels=3, num_classes=1000):
        super().__init__()
        self.inputs = 64
        self.conv1 = nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        for stage, depth in enumerate(depths):
            planes = 64 * 2**stage
            layer = self.stage(planes, depth, bottleneck, width * 2**stage, groups, stage > 0)
            setattr(self, f"layer{stage + 1}", layer)
        self.stages = len(depths)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(self.inputs, num_classes)

    def stage(self, planes, depth, bottleneck, width, groups, halves):
        outputs = planes * 4 if bottleneck else planes
        blocks = []
        for number in range(depth):
            stride = 2 if halves and number == 0 else 1
            downsample = None
            if stride != 1 or self.inputs != outputs:
                downsample = nn.Sequential(
                    conv(self.inputs, outputs, 1, stride), nn.BatchNorm2d(outputs)
                )
            block = Bottleneck if bottleneck else Basic
            blocks.append(block(self.inputs, planes, width, groups, stride, downsample))
            self.inputs = outputs
        return nn.Sequential(*blocks)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for stage in range(self.stages):
            x = getattr(self, f"layer{stage + 1}")(x)
        return self.fc(torch.flatten(self.avgpool(x), 1))
