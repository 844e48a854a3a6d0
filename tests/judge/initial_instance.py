"""A model that is made when its file runs, after other random numbers."""

import torch
from torch import nn

noise = torch.randn(5)
model = nn.Sequential(nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, 2))
