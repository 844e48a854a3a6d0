"""A small convolutional network for handwritten digits.

Input: a batch of images, float32 (N, 1, 28, 28), white ink on black, each pixel / 255 (so 0 to 1).
Output: ten logits per image, one for each digit.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F


class DigitsCNN(nn.Module):
    def __init__(self, classes=10, width=16, dropout=0.25):
        super().__init__()
        # BatchNorm subtracts the mean, so a bias in the convolutions before it would do nothing.
        self.conv1 = nn.Conv2d(1, width, kernel_size=3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, 2 * width, kernel_size=3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(2 * width)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(2 * width * 7 * 7, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 2)
        x = F.max_pool2d(F.relu(self.bn2(self.conv2(x))), 2)
        x = torch.flatten(x, 1)
        x = self.dropout(x)
        return self.fc(x)
