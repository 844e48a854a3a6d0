/** What the guide shows of Python. The names of files and keys are those of the digits sample. */
export const loadCheckpoint = `import torch
from model import DigitsCNN

checkpoint = torch.load("digits_best.pt", map_location="cpu", weights_only=True)
model = DigitsCNN()
model.load_state_dict(checkpoint["model"])

optimizer = torch.optim.AdamW(model.parameters())
optimizer.load_state_dict(checkpoint["optimizer"])
epoch = checkpoint["epoch"]`;

export const loadWeights = `from safetensors.torch import load_file
from model import DigitsCNN

model = DigitsCNN()
model.load_state_dict(load_file("digits.safetensors"))`;

export const runProject = `unzip digits_project.zip && cd digits_project
python train.py                       # goes on where the lab stopped
torchrun --nproc-per-node 2 train.py  # the same on two processes`;
