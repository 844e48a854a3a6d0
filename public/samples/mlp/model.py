"""A multi-layer perceptron, 32-64-10.

Input: a batch of rows, float32 (N, 32). Output: ten logits per row.
"""

from torch import nn

model = nn.Sequential(
    nn.Linear(32, 64),
    nn.ReLU(),
    nn.Linear(64, 10),
)
